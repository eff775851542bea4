"""Lineage: where every line came from, in parts as the lines are written, and joined at the end."""

import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import polars as pl

from saturi.etl.corpus.archive import crc32
from saturi.etl.output.files import make_folder, write_whole
from saturi.etl.storage.location import Location, location_of
from saturi.etl.write.tasks import LineageTask

LINEAGE = pl.Schema(
    {
        "chunk": pl.String,  # its path in the manifest
        "line": pl.UInt32,  # from 1
        "archive": pl.String,
        "member": pl.String,
        "sentence": pl.UInt32,  # from 1, of a turn that of its first; null where a line is a whole label file
        "tokens": pl.UInt32,  # of the example; null where they were not counted
    }
)
"""A row an example, in the order of the chunks."""

_PART_ROWS = 16_384  # rows gathered before they go to disk: about 4 MB
_ROW_GROUP_ROWS = 16_384  # bounds the memory of whoever writes or reads it


class LineOrigin(NamedTuple):
    """Origin and tokens of a line: sentence is None for a whole label file, tokens are None if not counted."""

    archive: str
    member: str
    sentence: int | None
    tokens: int | None


class LineageWriter:
    """
    Write the lineage of one shard in parts.

    Args:
        folder: Folder of the parts of all shards.
        shard: Name of the shard, which begins the names of its parts.
    """

    def __init__(self, folder: Location, shard: str) -> None:
        self.parts: list[str] = []
        self._folder, self._shard = folder, shard
        self._rows: list[tuple[str | int | None, ...]] = []  # of LINEAGE

    def add(self, chunk: str, first_line: int, origins: Sequence[LineOrigin]) -> None:
        """
        Add consecutive lines of a chunk.

        Raises:
            StorageError: A part cannot be written.
        """
        self._rows += [(chunk, line, *origin) for line, origin in enumerate(origins, first_line)]
        if len(self._rows) >= _PART_ROWS:
            self.save()

    def save(self) -> None:
        """
        Write the lines that are in no part yet.

        Raises:
            StorageError: The part cannot be written.
        """
        if not self._rows:
            return
        make_folder(self._folder)
        columns = dict(zip(LINEAGE, zip(*self._rows, strict=True), strict=True))
        part = io.BytesIO()
        # A file and no stream, since it is scanned when all parts are joined, and never held whole.
        pl.DataFrame(columns, schema=LINEAGE).write_ipc(part, compression="lz4")
        content = part.getvalue()
        path = self._folder / f"{self._shard}-{len(self.parts):05d}-{crc32(content):08x}.ipc"
        write_whole(path, [content], durable=False)
        self.parts.append(str(path))
        self._rows.clear()


def is_part(path: Location) -> bool:
    """Whether the part at *path* is whole, by the checksum in its name: it is not synced, and a power cut may have cut it."""
    return path.is_file() and path.stem.endswith(f"-{crc32(path.read_bytes()):08x}")


def write_lineage(task: LineageTask) -> int:
    """
    Join the parts of the lineage, and return how many rows it has.

    Raises:
        StorageError: The file cannot be written.
    """
    buffer = io.BytesIO()  # 20 bytes an example; a full disk is then met by our own write and not inside Polars
    with _on_disk(task.parts) as parts:
        frame = pl.scan_ipc(list(map(str, parts)), glob=False) if parts else LINEAGE.to_frame().lazy()
        frame.sink_parquet(buffer, row_group_size=_ROW_GROUP_ROWS)
    content = buffer.getvalue()
    write_whole(location_of(task.path), [content])
    rows: int = pl.scan_parquet(content).select(pl.len()).collect().item()
    return rows


@contextmanager
def _on_disk(parts: Sequence[str]) -> Iterator[list[Path]]:
    """Give the files of *parts*; of objects, copies that are removed in the end, as Polars holds no file that it scans whole."""
    locations = list(map(location_of, parts))
    files = [part for part in locations if isinstance(part, Path)]
    if len(files) == len(parts):
        yield files
        return
    with tempfile.TemporaryDirectory(prefix="saturi-") as folder:
        files = [Path(folder) / f"{number}.ipc" for number in range(len(parts))]
        for part, file in zip(locations, files, strict=True):
            write_whole(file, [part.read_bytes()], durable=False)
        yield files
