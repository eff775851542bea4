"""Keeping a ledger: in which file, and who writes to it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from saturi.etl.errors import LockedError
from saturi.etl.output.holding import held, locked
from saturi.etl.output.side import local_side, make_side
from saturi.etl.storage.location import Location
from saturi.etl.submission.ledger import LEDGER


def ledger_of(out: Location, given: Path | None = None) -> Path:
    """
    Return the file of the ledger of the build in *out*: the one *given*, else the one on its local side.

    Raises:
        OptionError: The build is in object storage, no file is given, and this user has no home folder.
    """
    return local_side(out).absolute() / LEDGER if given is None else Path(os.path.realpath(given))


@contextmanager
def holding(out: Location, given: Path | None = None) -> Iterator[Path]:
    """
    Hold the ledger of the build in *out*, and the build where it is on a disk, for this process; yield the ledger's file.

    A ledger that is *given* has a lock beside it, so that builds, and machines, that share it take turns.

    Raises:
        OptionError: As of `ledger_of`.
        ForeignFolderError: What it is to be held by is a link to elsewhere, or the local side that of another URL.
        LockedError: Another process holds one of them.
        StorageError: They cannot be written.
    """
    ledger = ledger_of(out, given)
    with ExitStack() as stack:
        if given is None or isinstance(out, Path):
            stack.enter_context(locked(make_side(out)))
        if given is not None:
            lock = ledger.with_name(f"{ledger.name}.lock")
            stack.enter_context(held(lock, lock, "wait until it ends, or give another ledger"))
        yield ledger


def is_held(out: Location, given: Path | None = None) -> bool:
    """Return whether another process holds the ledger of the build in *out*, or the build."""
    try:
        with holding(out, given):
            return False
    except LockedError:
        return True
