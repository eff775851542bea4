/*
 * One I/O call that fails: preloaded into a command and the processes it starts, on Linux.
 *
 * Counts calls of one kind on files below a folder, in the parent or in the workers, all processes together, and lets those from
 * number FAIL_FIRST to FAIL_LAST fail with FAIL_ERRNO. The file FAIL_STATE holds the count, and after the first failure the path.
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

struct state {
    _Atomic long calls;
    _Atomic int failures;
    char path[PATH_MAX];
};

static struct state *state;
static const char *kind, *below;
static long first, last;
static int error_number;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int runs_as(const char *role) {
    char line[4096] = "";
    int file = REAL(open)("/proc/self/cmdline", O_RDONLY);
    ssize_t length = REAL(read)(file, line, sizeof line - 1);
    REAL(close)(file);
    for (ssize_t i = 0; i < length; i++)
        if (!line[i]) line[i] = ' ';
    if (strstr(line, "resource_tracker")) return 0;
    return (strstr(line, "spawn_main") != NULL) == (strcmp(role, "worker") == 0);
}

__attribute__((constructor)) static void prepare(void) {
    const char *path = getenv("FAIL_STATE"), *role = getenv("FAIL_ROLE");
    if (!path || !role || !runs_as(role)) return;
    kind = getenv("FAIL_CALL");
    below = getenv("FAIL_BELOW");
    first = atol(getenv("FAIL_FIRST"));
    last = atol(getenv("FAIL_LAST"));
    error_number = atoi(getenv("FAIL_ERRNO"));
    int file = REAL(open)(path, O_RDWR | O_CLOEXEC);
    void *mapped = REAL(mmap)(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    REAL(close)(file);
    if (mapped != MAP_FAILED) state = mapped;
}

static int fails(const char *call, const char *path) {
    char whole[PATH_MAX];
    if (!state || strcmp(call, kind) || !path) return 0;
    if (path[0] != '/') {
        char here[PATH_MAX / 2];
        if (!getcwd(here, sizeof here)) return 0;
        snprintf(whole, sizeof whole, "%s/%.2000s", here, path);
        path = whole;
    }
    if (strncmp(path, below, strlen(below))) return 0;
    long number = atomic_fetch_add(&state->calls, 1) + 1;
    if (number < first || number > last) return 0;
    if (!atomic_fetch_add(&state->failures, 1)) strncpy(state->path, path, sizeof state->path - 1);
    errno = error_number;
    return 1;
}

static int fails_on(const char *call, int file) {
    char link[64], path[PATH_MAX];
    if (!state || strcmp(call, kind)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0 || path[0] != '/') return 0;  /* a pipe, a socket */
    path[length] = 0;
    return fails(call, path);
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
    return fails("open", path) ? -1 : REAL(open)(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    MODE(flags, mode)
    return fails("open", path) ? -1 : REAL(open64)(path, flags, mode);
}
int openat(int folder, const char *path, int flags, ...) {
    MODE(flags, mode)
    return fails("open", path) ? -1 : REAL(openat)(folder, path, flags, mode);
}
int openat64(int folder, const char *path, int flags, ...) {
    MODE(flags, mode)
    return fails("open", path) ? -1 : REAL(openat64)(folder, path, flags, mode);
}
ssize_t read(int file, void *data, size_t size) { return fails_on("read", file) ? -1 : REAL(read)(file, data, size); }
ssize_t pread(int file, void *data, size_t size, off_t at) {
    return fails_on("read", file) ? -1 : REAL(pread)(file, data, size, at);
}
ssize_t pread64(int file, void *data, size_t size, off64_t at) {
    return fails_on("read", file) ? -1 : REAL(pread64)(file, data, size, at);
}
ssize_t write(int file, const void *data, size_t size) {
    return fails_on("write", file) ? -1 : REAL(write)(file, data, size);
}
int fsync(int file) { return fails_on("fsync", file) ? -1 : REAL(fsync)(file); }
int fdatasync(int file) { return fails_on("fsync", file) ? -1 : REAL(fdatasync)(file); }
int rename(const char *from, const char *to) { return fails("rename", to) ? -1 : REAL(rename)(from, to); }
int unlink(const char *path) { return fails("unlink", path) ? -1 : REAL(unlink)(path); }
int mkdir(const char *path, mode_t mode) { return fails("mkdir", path) ? -1 : REAL(mkdir)(path, mode); }
void *mmap(void *at, size_t size, int access, int flags, int file, off_t offset) {
    return file >= 0 && fails_on("mmap", file) ? MAP_FAILED : REAL(mmap)(at, size, access, flags, file, offset);
}
void *mmap64(void *at, size_t size, int access, int flags, int file, off64_t offset) {
    return file >= 0 && fails_on("mmap", file) ? MAP_FAILED : REAL(mmap64)(at, size, access, flags, file, offset);
}
