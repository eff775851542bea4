/*
 * One I/O call that fails: preloaded into a command and the processes it starts, on Linux.
 *
 * Counts the calls of each kind on files below a folder, apart for the parent and for the workers, all processes together, and
 * lets those of one kind and role from number FAIL_FIRST to FAIL_LAST fail with FAIL_ERRNO. The file FAIL_STATE holds the counts,
 * and after the first failure the path.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { OPEN, READ, WRITE, FSYNC, RENAME, UNLINK, MKDIR, MMAP, KINDS };
static const char *const names[KINDS] = {"open", "read", "write", "fsync", "rename", "unlink", "mkdir", "mmap"};

enum role { PARENT, WORKER, ROLES };

struct state {
    _Atomic long calls[ROLES][KINDS];
    _Atomic int failures;
    char path[PATH_MAX];
};

static struct state *state;
static enum role role;
static const char *failing, *below;
static long first, last;
static int error_number, has_failing_role;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void read_command(char *line, size_t size) {
    int file = REAL(open)("/proc/self/cmdline", O_RDONLY);
    ssize_t length = REAL(read)(file, line, size - 1);
    REAL(close)(file);
    for (ssize_t i = 0; i < length; i++)
        if (!line[i]) line[i] = ' ';
}

__attribute__((constructor)) static void prepare(void) {
    char command[4096] = "";
    const char *path = getenv("FAIL_STATE");
    if (!path) return;
    read_command(command, sizeof command);
    if (strstr(command, "resource_tracker")) return;
    role = strstr(command, "spawn_main") ? WORKER : PARENT;
    has_failing_role = role == (strcmp(getenv("FAIL_ROLE"), "worker") ? PARENT : WORKER);
    failing = getenv("FAIL_CALL");
    below = getenv("FAIL_BELOW");
    first = atol(getenv("FAIL_FIRST"));
    last = atol(getenv("FAIL_LAST"));
    error_number = atoi(getenv("FAIL_ERRNO"));
    int file = REAL(open)(path, O_RDWR | O_CLOEXEC);
    void *mapped = REAL(mmap)(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    REAL(close)(file);
    if (mapped != MAP_FAILED) state = mapped;
}

static int fails(enum kind kind, const char *path) {
    char whole[PATH_MAX];
    if (!state || !path) return 0;
    if (path[0] != '/') {
        char here[PATH_MAX / 2];
        if (!getcwd(here, sizeof here)) return 0;
        snprintf(whole, sizeof whole, "%s/%.2000s", here, path);
        path = whole;
    }
    if (strncmp(path, below, strlen(below))) return 0;
    long number = atomic_fetch_add(&state->calls[role][kind], 1) + 1;
    if (!has_failing_role || strcmp(names[kind], failing) || number < first || number > last) return 0;
    if (!atomic_fetch_add(&state->failures, 1)) strncpy(state->path, path, sizeof state->path - 1);
    errno = error_number;
    return 1;
}

static int fails_on(enum kind kind, int file) {
    char link[64], path[PATH_MAX];
    if (!state) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0 || path[0] != '/') return 0;  /* a pipe, a socket */
    path[length] = 0;
    return fails(kind, path);
}

#define MODE(flags, mode)                                \
    mode_t mode = 0;                                     \
    if ((flags) & (O_CREAT | O_TMPFILE)) {               \
        va_list more;                                    \
        va_start(more, flags);                           \
        mode = va_arg(more, mode_t);                     \
        va_end(more);                                    \
    }

int open(const char *path, int flags, ...) {
    MODE(flags, mode)
    return fails(OPEN, path) ? -1 : REAL(open)(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    MODE(flags, mode)
    return fails(OPEN, path) ? -1 : REAL(open64)(path, flags, mode);
}
int openat(int folder, const char *path, int flags, ...) {
    MODE(flags, mode)
    return fails(OPEN, path) ? -1 : REAL(openat)(folder, path, flags, mode);
}
int openat64(int folder, const char *path, int flags, ...) {
    MODE(flags, mode)
    return fails(OPEN, path) ? -1 : REAL(openat64)(folder, path, flags, mode);
}
ssize_t read(int file, void *data, size_t size) { return fails_on(READ, file) ? -1 : REAL(read)(file, data, size); }
ssize_t pread(int file, void *data, size_t size, off_t at) {
    return fails_on(READ, file) ? -1 : REAL(pread)(file, data, size, at);
}
ssize_t pread64(int file, void *data, size_t size, off64_t at) {
    return fails_on(READ, file) ? -1 : REAL(pread64)(file, data, size, at);
}
ssize_t write(int file, const void *data, size_t size) {
    return fails_on(WRITE, file) ? -1 : REAL(write)(file, data, size);
}
int fsync(int file) { return fails_on(FSYNC, file) ? -1 : REAL(fsync)(file); }
int fdatasync(int file) { return fails_on(FSYNC, file) ? -1 : REAL(fdatasync)(file); }
int rename(const char *from, const char *to) { return fails(RENAME, to) ? -1 : REAL(rename)(from, to); }
int unlink(const char *path) { return fails(UNLINK, path) ? -1 : REAL(unlink)(path); }
int mkdir(const char *path, mode_t mode) { return fails(MKDIR, path) ? -1 : REAL(mkdir)(path, mode); }
void *mmap(void *at, size_t size, int access, int flags, int file, off_t offset) {
    return file >= 0 && fails_on(MMAP, file) ? MAP_FAILED : REAL(mmap)(at, size, access, flags, file, offset);
}
void *mmap64(void *at, size_t size, int access, int flags, int file, off64_t offset) {
    return file >= 0 && fails_on(MMAP, file) ? MAP_FAILED : REAL(mmap64)(at, size, access, flags, file, offset);
}
