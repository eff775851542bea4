"""
The record of what was fetched into a folder, `fetch/fetch.json` in it.

It has a folder of its own because a corpus takes every `.json` for a label file; the marker of this project's folders in
there keeps it out of every corpus, and is the lock of whoever fetches.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import structs

from saturi.etl.download.terms import terms_hash
from saturi.etl.errors import ForeignFolderError, StorageError
from saturi.etl.output.debris import is_debris
from saturi.etl.output.files import MARKER, make_folder, storage_errors, sweep, sync_folder, write_whole
from saturi.etl.output.holding import locked, refuse_link
from saturi.etl.settings.regular import open_regular
from saturi.schemas.fetch import FETCH_VERSION, FetchedArchive, FetchRecord

FOLDER = "fetch"
RECORD = "fetch.json"


class Record:
    """
    The record of the folder *to*.

    Raises:
        StorageError: It cannot be read, or is none.
    """

    def __init__(self, to: Path) -> None:
        self._path = to / FOLDER / RECORD
        self._lock = threading.Lock()
        self._content = _read(self._path)
        self._rows = {row.path: row for row in self._content.archives}

    @property
    def agreed(self) -> bool:
        """Whether the terms, as they are now, were agreed to."""
        return self._content.terms == terms_hash()

    def get(self, path: str) -> FetchedArchive | None:
        """Return what was fetched to *path*, or None."""
        return self._rows.get(path)

    def add(self, row: FetchedArchive) -> None:
        """Put down *row*, from whatever thread."""
        with self._lock:
            self._rows[row.path] = row
            self._write()

    def agree(self) -> None:
        """Put down that the terms were agreed to."""
        self._content = structs.replace(self._content, terms=terms_hash())
        self._write()

    def _write(self) -> None:
        rows = tuple(self._rows[path] for path in sorted(self._rows))
        content = msgspec.json.encode(structs.replace(self._content, archives=rows), order="sorted")
        write_whole(self._path, [msgspec.json.format(content, indent=2) + b"\n"])
        with storage_errors(self._path, 0):
            sync_folder(self._path.parent)


@contextmanager
def claimed(to: Path) -> Iterator[Record]:
    """
    Yield the record of *to*, which nobody else fetches into meanwhile; both folders are made where they are missing.

    Raises:
        ForeignFolderError: The folder of the record holds files that are not ours.
        LockedError: Another process fetches into *to*.
        StorageError: They cannot be written.
    """
    folder = to / FOLDER
    refuse_link(folder)
    with storage_errors(folder, 0):
        names = [path.name for path in folder.iterdir()] if folder.exists() else []
    if MARKER not in names and not all(map(is_debris, names)):
        raise ForeignFolderError(folder, "not empty, and not made by saturi", "move it elsewhere, or give another --to")
    make_folder(folder)
    with locked(folder):
        sweep(folder)
        yield Record(to)


def _read(path: Path) -> FetchRecord:
    try:
        with open_regular(path) as file:
            record = msgspec.json.decode(file.read(), type=FetchRecord)
    except FileNotFoundError:
        return FetchRecord()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StorageError(path, "no record of `fetch`", "restore it, or move it elsewhere with its folder") from error
    except OSError as error:
        raise StorageError(path, f"cannot be read ({error.strerror or error})", "check its permissions") from error
    if record.version != FETCH_VERSION:
        raise StorageError(
            path, f"of version {record.version}, not {FETCH_VERSION}", "install a newer version of saturi"
        )
    return record
