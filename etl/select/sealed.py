"""
Sealed tables: the files by which the tasks of a build hand on what they have made, each with its checksum.

A file is one line, checksum and facts in JSON, and an Arrow IPC stream. It is not synced, which takes longer than all else
with a small one: what a power cut leaves of it is recognised, and made anew.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import msgspec
import polars as pl
from msgspec import Struct

from saturi.etl.corpus.archive import crc32
from saturi.etl.output.files import write_whole
from saturi.etl.read.segments import from_ipc, read_whole, to_ipc
from saturi.etl.storage.location import Location

Facts = TypeVar("Facts", bound=Struct)

_CHECKSUM_CHARS = 8


class _Sealed(NamedTuple):
    """The contents of a sealed file."""

    facts: memoryview
    table: memoryview


def write_sealed(path: Location, table: pl.DataFrame, facts: Struct | None = None) -> None:
    """
    Write *table* and *facts* to *path*.

    Raises:
        StorageError: They cannot be written.
    """
    line, stream = msgspec.json.encode(facts), to_ipc(table)
    write_whole(path, [_checksum(line, stream), line, b"\n", stream], durable=False)


def read_table(path: Location, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """
    Return *columns* of the table at *path*; all where none are named.

    Raises:
        StorageError: It is not there any more, or not whole.
    """
    return from_ipc(read_whole(path, _opened).table, columns)


def read_facts(path: Location, kind: type[Facts]) -> Facts:
    """
    Return the facts at *path*, which are of *kind*.

    Raises:
        StorageError: They are not there any more, or not whole.
    """
    return msgspec.json.decode(read_whole(path, _opened).facts, type=kind)


def is_sealed(path: Location) -> bool:
    """Whether a whole file is at *path*: of this build, or of one that was killed later."""
    return path.is_file() and _opened(path.read_bytes()) is not None


def _opened(content: bytes) -> _Sealed | None:
    """Return what is in *content*, or None where it is not whole."""
    end = content.find(b"\n")
    facts, table = memoryview(content)[_CHECKSUM_CHARS:end], memoryview(content)[end + 1 :]
    return _Sealed(facts, table) if end > 0 and content[:_CHECKSUM_CHARS] == _checksum(facts, table) else None


def _checksum(facts: bytes | memoryview, table: bytes | memoryview) -> bytes:
    return f"{crc32(table, crc32(facts)):0{_CHECKSUM_CHARS}x}".encode()
