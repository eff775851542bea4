"""
The tree of errors; each class has the exit code of the command line.

    EtlError
    ├── OptionError (ValueError)                    2  an option, an environment or a configuration file is wrong
    ├── InputError (ValueError)                     3  the corpus, or a build, cannot be read
    │   ├── MissingPathError (FileNotFoundError)       a path given is not there
    │   ├── EmptyCorpusError                           nothing to read
    │   ├── ArchiveError                               a zip, or a set of parts, is not whole
    │   └── BuildError                                 a folder holds no finished build
    ├── PromiseError (RuntimeError)                 4  a sum does not balance: our mistake, or damage
    │   └── WorkerStartError                           no worker can start at all
    ├── StorageError (OSError)                      5  the disk, or the folder to write to
    │   ├── DiskFullError                              no space left
    │   ├── ExhaustedError                             no memory, open files or processes are left
    │   │   └── WorkerKilledError                      workers are killed again and again, by no fault of a file
    │   ├── ClusterError                               no scheduler, or no worker, of a cluster answers
    │   ├── LockedError                                another build writes there
    │   └── ForeignFolderError                         the folder holds files that are not ours
    ├── ProviderError (RuntimeError)                6  a provider's API, or AI-Hub, refused something, or does not answer
    │   ├── UnreachableError                           it was not even asked
    │   ├── BusyError                                  it asks to wait before it is asked again
    │   ├── GoneError                                  it has no such file, job or model, or not any more
    │   ├── UnsupportedError                           it has no such request at all, as many gateways
    │   ├── NoAnswerError                              it may or may not have done what it was asked
    │   └── JobFailedError                             a job ended without a model
    └── RefusedError (PermissionError)              7  not eligible, or no consent to the cost
        ├── EligibilityError                           a provider, or AI-Hub, does not do this for this account
        ├── SpendingError                              no consent to the cost, or to the terms of the data
        └── UnknownPriceError                          the cost is not known

The arguments of an error are its facts, so that it travels between processes; `str()` makes the sentence: where, what
is wrong, what to do.
"""

import errno
from pathlib import Path
from traceback import walk_tb
from typing import Self

_AGAIN = "and run the same command again"


class EtlError(Exception):
    """Any failure this package foresees."""

    exit_code = 1


class OptionError(EtlError, ValueError):
    """An option has a value it cannot have."""

    exit_code = 2

    def __init__(self, option: str, problem: str, advice: str) -> None:
        super().__init__(option, problem, advice)

    def __str__(self) -> str:
        option, problem, advice = self.args
        return f"{option}: {problem}; {advice}"


class InputError(EtlError, ValueError):
    """Something given to read cannot be read."""

    exit_code = 3

    def __init__(self, where: str, problem: str, advice: str) -> None:
        super().__init__(where, problem, advice)

    def __str__(self) -> str:
        where, problem, advice = self.args
        return f"{where}: {problem}; {advice}"


class MissingPathError(InputError, FileNotFoundError):
    """A path of the corpus does not exist."""

    # An OSError takes three arguments for a number, a text and a file name, and keeps two of them; Dask calls `__new__` by itself.
    def __new__(cls, *_: str) -> Self:  # noqa: D102 - as that of any class
        return FileNotFoundError.__new__(cls)

    def __init__(self, where: str, problem: str, advice: str) -> None:
        super().__init__(where, problem, advice)
        self.args = (where, problem, advice)


class EmptyCorpusError(InputError):
    """The corpus holds no label file."""


class ArchiveError(InputError):
    """An archive as a whole is damaged, incomplete, or over a limit."""


class BuildError(InputError):
    """A folder that should hold a finished build does not."""


class PromiseError(EtlError, RuntimeError):
    """An invariant does not hold; the message names it and both numbers."""

    exit_code = 4

    def __init__(self, promise: str, facts: str) -> None:
        super().__init__(promise, facts)

    def __str__(self) -> str:
        promise, facts = self.args
        return f"{promise}: {facts}; nothing was published, please report this with the command you ran"


class WorkerStartError(PromiseError):
    """Not even a task that does nothing comes back from a worker."""

    def __init__(self) -> None:
        super().__init__("workers", "")
        self.args = ()

    def __str__(self) -> str:
        advice = 'put build() under `if __name__ == "__main__":` in your script, or free some memory'
        return f"workers: no process can start; {advice}"


class StorageError(EtlError, OSError):
    """A file cannot be written, or what was written not be read again."""

    exit_code = 5

    # OSError fills `args` in __new__ and drops some of them, so the facts are kept apart and pickled by hand.
    def __init__(self, path: str | Path, problem: str, advice: str) -> None:
        super().__init__(str(path), problem)
        self.path, self.problem, self.advice = str(path), problem, advice

    def __reduce__(self) -> tuple[type["StorageError"], tuple[str, str, str]]:
        return type(self), (self.path, self.problem, self.advice)

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}; {self.advice}"


class DiskFullError(StorageError):
    """No space is left for a file."""

    @classmethod
    def of(cls, path: str | Path, needed_bytes: int, free_bytes: int) -> "DiskFullError":
        """The error for a write of *needed_bytes* at *path*, with *free_bytes* left on that disk."""
        return cls(
            path,
            f"the disk is full: {needed_bytes:,} bytes needed, {free_bytes:,} bytes free",
            "free some space and run the same command again, it goes on where it stopped",
        )


class ExhaustedError(StorageError):
    """The process or the machine has no more of something other than the disk; no file is to blame."""

    @classmethod
    def memory(cls, problem: str) -> "ExhaustedError":
        """The error for too little memory, which *problem* says in the system's words."""
        return cls("memory", f"there is too little ({problem})", f"free some memory, or give fewer --workers, {_AGAIN}")

    @classmethod
    def address_space(cls, part: str, needed_bytes: int, allowed_bytes: int) -> "ExhaustedError":
        """The error for a limit of the address space below the *needed_bytes* of *part*."""
        needed, allowed = (f"{size >> 20:,} MiB" for size in (needed_bytes, allowed_bytes))
        problem = f"{part} needs {needed} of address space, {allowed} are allowed"
        return cls("memory", problem, f"raise the limit by `ulimit -v` {_AGAIN}")


class WorkerKilledError(ExhaustedError):
    """Every process given one task was killed from outside, most likely for want of memory."""

    def __init__(self, task: str) -> None:
        problem = "the process was killed again and again, most likely for want of memory"
        super().__init__(task, problem, f"free some memory, or give fewer --workers, {_AGAIN}")

    def __reduce__(self) -> tuple[type["WorkerKilledError"], tuple[str]]:  # type: ignore[override]  # one fact
        return type(self), (self.path,)


_EXHAUSTED = {
    errno.EMFILE: (
        "open files",
        "this process may have no more (EMFILE)",
        f"raise the limit of files by `ulimit -n` {_AGAIN}",
    ),
    errno.ENFILE: ("open files", "this machine may have no more (ENFILE)", f"end other programs {_AGAIN}"),
    errno.EAGAIN: (
        "processes",
        "no more can be started (EAGAIN)",
        f"end other programs, or give fewer --workers, {_AGAIN}",
    ),
}
_MEMORY_WORDS = (
    "cannot allocate memory",
    "failed to map segment",  # the dynamic loader
    "can't start new thread",
    "memory allocation",  # Rust
    "out of memory",
    "threadpoolbuilderror",  # Polars, whose threads have a stack each
    "resource temporarily unavailable",  # pthread_create(3), for want of a stack
)


def exhausted_error(error: BaseException) -> ExhaustedError | None:
    """
    Return the error for a resource that has run out, if that is what *error* is about.

    Memory, open files and processes are missing to the whole process, and not at the file or the task that met it.
    """
    if isinstance(error, ExhaustedError):
        return error
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return ExhaustedError.memory("ENOMEM")
    if isinstance(error, EtlError):
        return None
    if isinstance(error, OSError) and error.errno is not None:
        of_a_file = error.errno == errno.EAGAIN and error.filename is not None  # which another program holds
        return ExhaustedError(*_EXHAUSTED[error.errno]) if error.errno in _EXHAUSTED and not of_a_file else None
    if isinstance(error, NameError) and _place(error).startswith("polars"):  # it hides the error of its own library
        return ExhaustedError.memory("Polars cannot be loaded")
    words = " ".join(str(error).split())
    return ExhaustedError.memory(words) if any(word in words.lower() for word in _MEMORY_WORDS) else None


def is_panic(error: BaseException) -> bool:
    """Return whether *error* is how Polars, or another library in Rust, says that it is broken; its class cannot be imported."""
    return type(error).__name__ == "PanicException"


def _place(error: BaseException) -> str:
    """Return the name of the module that raised *error*."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    return str(frames[-1].f_globals.get("__name__")) if frames else ""


class ClusterError(StorageError):
    """A cluster is not there, or has no workers; the path is the address of its scheduler."""


class LockedError(StorageError):
    """Another process holds the folder."""


class ForeignFolderError(StorageError):
    """The folder is not empty and was not made by a build."""


class ProviderError(EtlError, RuntimeError):
    """The API of a provider, or AI-Hub, refuses what it is asked, or cannot be reached; it did nothing."""

    exit_code = 6

    def __init__(self, where: str, problem: str, advice: str) -> None:
        super().__init__(where, problem, advice)

    def __str__(self) -> str:
        where, problem, advice = self.args
        return f"{where}: {problem}; {advice}"


class UnreachableError(ProviderError):
    """There is no connection to the provider, so that it was asked nothing."""


class GoneError(ProviderError):
    """The provider has not what was asked for, or not any more."""


class NoAnswerError(ProviderError):
    """There is no answer, or one that says nothing: the provider may or may not have done what it was asked."""


class UnsupportedError(ProviderError):
    """The provider has no such request at all."""


class BusyError(ProviderError):
    """
    The provider asks to wait before it is asked again; it did nothing.

    Args:
        where, problem, advice: As in every `ProviderError`.
        wait_seconds: How long; None where it does not say.
    """

    def __init__(self, where: str, problem: str, advice: str, wait_seconds: float | None = None) -> None:
        super().__init__(where, problem, advice)
        self.wait_seconds = wait_seconds


class JobFailedError(ProviderError):
    """A job failed or was cancelled, and what was to follow it cannot."""


class RefusedError(EtlError, PermissionError):
    """The request is refused: it is not allowed, or there is no consent to its cost."""

    exit_code = 7

    # PermissionError is an OSError, which takes two arguments for a number and a text, and three for a file name, too.
    def __init__(self, where: str, problem: str, advice: str) -> None:
        super().__init__(where)
        self.where, self.problem, self.advice = where, problem, advice

    def __reduce__(self) -> tuple[type["RefusedError"], tuple[str, str, str]]:
        return type(self), (self.where, self.problem, self.advice)

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.advice}"


class EligibilityError(RefusedError):
    """The provider, or AI-Hub, does not do this for this account, or not with this model, or not from here."""


class SpendingError(RefusedError):
    """The cost is over the limit, or there is no consent to it or to the terms of the data."""


class UnknownPriceError(RefusedError):
    """The price of training a model is not known."""
