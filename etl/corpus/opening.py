"""Files of a corpus, before they are read: facts that tell one from another; errors of the system become ours in one place."""

import hashlib
import os
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from saturi.etl.errors import EtlError, ExhaustedError, InputError, exhausted_error
from saturi.etl.storage.objects import ObjectFacts


class FileFacts(NamedTuple):
    """Size, times and inode of a file, by which it differs from the one that was there before."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int


ABSENT = FileFacts(0, 0, 0, 0)
"""The facts of a file that cannot be looked at."""


def is_exhausted(error: OSError) -> bool:
    """Whether *error* is about the process, which has no more open files or memory, and not about the file it asked for."""
    return exhausted_error(error) is not None


def failure(path: str, action: str, error: OSError, advice: str) -> EtlError:
    """
    Return the error for *path*, which cannot be *action* ("opened", "listed").

    Args:
        path: The file or folder.
        action: What was tried, as a participle.
        error: The system's answer.
        advice: What to do, unless it is the process that lacks something.
    """
    exhausted = exhausted_error(error)
    if exhausted is not None:
        return ExhaustedError(path, f"cannot be {action} ({error.strerror})", exhausted.advice)
    return InputError(path, f"cannot be {action} ({error.strerror or error})", advice)


def facts_of(path: str | bytes) -> FileFacts:
    """Return the facts of the file at *path*, a link followed; `ABSENT` where it cannot be looked at."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path takes as long as the call
    except OSError:
        return ABSENT
    return facts_in(status)


def facts_in(status: os.stat_result) -> FileFacts:
    """Return the facts in *status*."""
    return FileFacts(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def witness_of(facts: Iterable[FileFacts | ObjectFacts]) -> str:
    """Return a hash of the facts of several files, or objects, which is another one as soon as one of them changes."""
    return hashlib.sha256(msgspec.json.encode(list(facts))).hexdigest()
