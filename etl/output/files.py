"""Every write to disk: a file that has its final name is whole, and a full disk is another error than every other failure."""

import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from saturi.etl.errors import DiskFullError, StorageError
from saturi.etl.storage.location import Location, ObjectPath

MARKER = ".saturi"
"""The file that says that a folder is ours; it is also the lock of whoever writes there."""

TEMPORARY = ".tmp"
"""Ending of files still being written; their names begin with a dot and hold a random part, since a task may run twice at once."""


_TEMPORARY_NAME = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}" + re.escape(TEMPORARY), re.DOTALL)
_COPY_BYTES = 1 << 20
_JUNCTION = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT of Windows


@contextmanager
def storage_errors(path: Path, needed_bytes: int) -> Iterator[None]:
    """Translate what the system says of a failed write of *needed_bytes* at, or below, *path* into a `StorageError`."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        file = _file_of(error) or path
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError.of(file, needed_bytes, _free_bytes(file)) from error
        raise StorageError(
            file, f"cannot be written ({error.strerror or error})", "check the folder and its permissions"
        ) from error


def _file_of(error: OSError) -> Path | None:
    """Return the file that *error* is about; None where it names none, or one that is not to have that name in the end."""
    name = error.filename2 or error.filename  # of a file that is renamed, its new name
    if not isinstance(name, str | bytes):
        return None
    file = Path(os.fsdecode(name))
    return None if _TEMPORARY_NAME.fullmatch(file.name) else file


class PendingFile:
    """
    A file that gets its name when it is finished; until then, and after a failure, there is none.

    `temporary` is its name until then.

    Args:
        path: Its final name, in a folder that exists.

    Raises:
        StorageError: It cannot be written; so do all methods.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.temporary = _temporary_name(path)
        with storage_errors(path, 0):
            self._file = self.temporary.open("xb", buffering=0)

    def write(self, data: bytes) -> None:
        """Append *data*."""
        view = memoryview(data)
        with storage_errors(self.path, len(data)):
            while view:
                view = view[self._file.write(view) :]

    def write_at(self, offset: int, data: bytes) -> None:
        """Put *data* at *offset*, which may be behind the end."""
        with storage_errors(self.path, len(data)):
            self._file.seek(offset)
        self.write(data)

    def clear(self) -> None:
        """Take away all that was written."""
        with storage_errors(self.path, 0):
            self._file.truncate(0)
            self._file.seek(0)

    def sync(self) -> None:
        """Wait until everything written so far is on the disk."""
        with storage_errors(self.path, 0):
            os.fsync(self._file.fileno())

    def finish(self, *, durable: bool = True) -> None:
        """
        Wait until everything is on the disk, then give the file its name.

        Whoever needs the name to be on the disk, too, calls `sync_folder`; without it a power cut leaves no file, or the
        one before.

        Args:
            durable: False not to wait: a power cut may then leave a file that is not whole.
        """
        with storage_errors(self.path, 0):
            if durable:
                os.fsync(self._file.fileno())
            self._file.close()
            self.temporary.replace(self.path)

    def discard(self) -> None:
        """Remove what was written, unless it is finished; where that fails, whoever holds the folder next sweeps it away."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self.temporary.unlink(missing_ok=True)


def write_whole(path: Path, parts: Iterable[bytes], *, durable: bool = True) -> None:
    """
    Write *parts*, one after the other, to *path*, so that a crash leaves the old file or the new one.

    Args:
        durable: False where whoever reads it sees whether it is whole, so that a power cut may leave it so or not.

    Raises:
        StorageError: The file cannot be written; nothing is left of it.
    """
    file = PendingFile(path)
    try:
        for part in parts:
            file.write(part)
        file.finish(durable=durable)
    finally:
        file.discard()


@contextmanager
def draft_in(folder: Path) -> Iterator[Path]:
    """Give a path in *folder* for a file that is made before it is known whether it is wanted; it is removed in the end."""
    draft = _temporary_name(folder / "draft")
    try:
        yield draft
    finally:
        with suppress(OSError):  # whoever holds the folder next sweeps it away
            draft.unlink(missing_ok=True)


def link_whole(source: Path, target: Path) -> None:
    """
    Give the file at *source* the name *target*, too, or copy it where the system or the disk has no second names.

    Whole files of ours are never written again, only replaced, so that neither name can change the other's content. A file
    that has the name already is replaced.

    Raises:
        StorageError: The file cannot be written; nothing is left of it.
    """
    second_name = _temporary_name(target)
    try:
        second_name.hardlink_to(source)
        second_name.replace(target)
    except OSError:
        with storage_errors(source, 0), source.open("rb") as file:
            write_whole(target, iter(partial(file.read, _COPY_BYTES), b""))
    finally:
        with storage_errors(target, 0):
            second_name.unlink(missing_ok=True)  # also where both are one file: then `replace` does nothing
    with storage_errors(target, 0):
        sync_folder(target.parent)


def is_there(path: Location) -> bool:
    """Whether something has the name *path*; also where the system does not say what, as whoever opens it will see."""
    try:
        if isinstance(path, ObjectPath):
            return path.is_file()
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def is_link(path: Path) -> bool:
    """Whether *path* leads elsewhere: a symbolic link, or a junction of Windows."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", 0) == _JUNCTION


def _temporary_name(path: Path) -> Path:
    """Return a name in the folder of *path* for the time it is being written."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}{TEMPORARY}")


def sync_folder(folder: Path) -> None:
    """Wait until the names in *folder* are on the disk, where the system can do that (Windows cannot)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """
    Make *folder* and its parents.

    Raises:
        StorageError: The system does not allow it.
    """
    with storage_errors(folder, 0):
        folder.mkdir(parents=True, exist_ok=True)


def sweep(folder: Path, of: str | None = None) -> None:
    """
    Remove what a killed run left half written directly in *folder*; the caller holds the folder's lock.

    Args:
        of: The final name of the only file whose leftovers are removed; None for every file's.

    Raises:
        StorageError: The system does not allow it.
    """
    with storage_errors(folder, 0):
        for leftover in folder.glob(f".*{TEMPORARY}"):
            match = _TEMPORARY_NAME.fullmatch(leftover.name)
            if match is not None and of in (None, match["name"]):
                leftover.unlink(missing_ok=True)


def _free_bytes(path: Path) -> int:
    try:
        return shutil.disk_usage(path if path.is_dir() else path.parent).free
    except OSError:
        return 0
