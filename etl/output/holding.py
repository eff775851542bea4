"""
What holds an output folder for a command: whose it is, and who writes there.

It is a module of its own since only commands hold folders: workers write into what is held, and need not load the locks.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

from filelock import FileLock, Timeout

from saturi.etl.errors import ForeignFolderError, LockedError
from saturi.etl.output.claim import Hold, claim_on
from saturi.etl.output.debris import is_debris
from saturi.etl.output.files import MARKER, draft_in, is_link, make_folder, storage_errors, sweep
from saturi.etl.output.folder import CHUNKS, CLAIMS, WORK
from saturi.etl.storage.client import impatient
from saturi.etl.storage.location import Location, ObjectPath
from saturi.schemas.terms import Split

_PAGE = 1_000  # objects that a list is answered with at once


@contextmanager
def claimed(out: Location, stage: Location) -> Iterator[Hold]:
    """
    Hold *out* and *stage* for this process, made where they are missing.

    Raises:
        ForeignFolderError: *out* holds files and was not made by a build.
        LockedError: Another process holds one of them.
        StorageError: They cannot be written, or lie in a storage that cannot be relied on.
    """
    with ExitStack() as stack:
        holds = []
        for folder in dict.fromkeys((out, stage)):
            _refuse_foreign(folder)
            make_folder(folder)
            holds.append(stack.enter_context(locked(folder)))
        _sweep(out, stage)  # after a build that was killed
        try:
            yield Hold(tuple(claim for hold in holds for claim in hold.claims))
        finally:
            _sweep(out, stage)  # after a worker that was


@contextmanager
def landmarks(*folders: Location) -> Iterator[tuple[str, ...]]:
    """
    Yield a file in each of *folders*, made for as long as this is open, or its URL: who sees it sees the same folder.

    Raises:
        StorageError: A file cannot be made.
    """
    with ExitStack() as stack:
        marks = []
        for folder in dict.fromkeys(folders):
            if isinstance(folder, Path):
                mark = stack.enter_context(draft_in(folder))
                with storage_errors(mark, 0):
                    mark.touch()
                marks.append(str(mark))
            else:
                marks.append(str(folder))
        yield tuple(marks)


def _sweep(out: Location, stage: Location) -> None:
    """Remove what is half written on a disk; an object never is."""
    folders = [folder for folder in (out, stage) if isinstance(folder, Path)]
    if isinstance(stage, Path):
        with storage_errors(stage, 0):
            folders += stage.glob("[0-9a-f][0-9a-f]")
    for folder in folders:
        sweep(folder)


def _refuse_foreign(folder: Location) -> None:
    with storage_errors(folder, 0):
        names = _names_in(folder)
    if names.isdisjoint((MARKER, CLAIMS)) and not all(map(is_debris, names)):
        raise ForeignFolderError(str(folder), "not empty, and not made by saturi", "give an empty or a new folder")
    if isinstance(folder, Path):
        for path in (WORK, CHUNKS, *(f"{CHUNKS}/{split}" for split in Split)):
            refuse_link(folder / path)


def _names_in(folder: Location) -> set[str]:
    """Return the names in *folder*; of objects, those of a page: what is ours comes before letters and digits."""
    if isinstance(folder, Path):
        return {path.name for path in folder.iterdir()} if folder.exists() else set()
    with impatient():  # a wrong name or key is met here
        return {path.relative_to(folder).parts[0] for path, _ in islice(folder.below(), _PAGE)}


def refuse_link(path: Path) -> None:
    """
    Return if *path* is no link, so that whatever is replaced or removed below it lies there.

    Raises:
        ForeignFolderError: It leads elsewhere.
    """
    if is_link(path):
        raise ForeignFolderError(path, "a link to elsewhere", "remove the link, or give another folder")


@contextmanager
def locked(folder: Location) -> Iterator[Hold]:
    """
    Hold *folder*, which is there, for this process.

    Raises:
        ForeignFolderError: The file to hold it by is a link to elsewhere.
        LockedError: Another process holds it.
        StorageError: It cannot be written, or lies in a storage that cannot be relied on.
    """
    if isinstance(folder, ObjectPath):
        with claim_on(folder) as hold:
            yield hold
        return
    with held(folder / MARKER, folder, "wait until it ends, or give another folder"):
        yield Hold()


@contextmanager
def held(file: Path, place: Path, advice: str) -> Iterator[None]:
    """
    Hold *file*, made where it is missing, for this process; *place* is what it stands for.

    Raises:
        ForeignFolderError: It is a link to elsewhere.
        LockedError: Another process holds it; *advice* says what to do.
        StorageError: It cannot be written.
    """
    refuse_link(file)
    with storage_errors(file, 0):
        file.touch()
        lock = FileLock(file, timeout=0, preserve_lock_file=True, fallback_to_soft=False)
        try:
            lock.acquire()
        except Timeout:
            raise LockedError(place, "another command is writing there", advice) from None
    try:
        yield
    finally:
        lock.release()
