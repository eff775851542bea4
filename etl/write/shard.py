"""Write the lines of one shard into its chunks, and note where each line came from."""

import hashlib
from collections import deque
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import polars as pl

from etl.files import PendingFile, make_folder, write_whole
from etl.options import BuildOptions
from etl.read.segments import to_ipc
from etl.select.groups import Group
from etl.write.chunk import FEWEST_EXAMPLES, ChunkCutter, lines_to_move
from schemas.manifest import ChunkRow
from schemas.terms import Split

LINEAGE = pl.Schema(
    {
        "chunk": pl.String,  # its path in the manifest
        "line": pl.UInt32,  # from 1
        "archive": pl.String,
        "member": pl.String,
        "sentence": pl.UInt32,  # from 1; null where a line is a whole label file
    }
)
"""A row an example, in the order of the chunks."""

_LINEAGE_ROWS = 16_384  # rows gathered before they go to disk: about 4 MB
# The last chunk may take up to nine lines from the one before, and has at most nine itself: no more than these are undecided.
_UNDECIDED = 2 * (FEWEST_EXAMPLES - 1)


class Origin(NamedTuple):
    """Where an example came from."""

    archive: str
    member: str
    sentence: int | None


class _Line(NamedTuple):
    chunk: int
    content: bytes
    origin: Origin


class ShardWriter:
    """
    Cut lines into chunk files under *folder*, each whole as soon as it has its name.

    The last lines are held back until it is known that more follow, so that a last chunk with too few examples for an API can still
    take some from the chunk before it.

    Args:
        split, group: The shard.
        folder: Folder that stands for the output folder.
        options: The caps on a chunk.
    """

    def __init__(self, split: Split, group: Group, folder: Path, options: BuildOptions) -> None:
        self.split, self.group, self.folder = split, group, folder
        self.chunks: list[ChunkRow] = []
        self.lineage: list[str] = []
        self._cutter = ChunkCutter.of(options)
        self._held: deque[_Line] = deque()
        self._file: PendingFile | None = None
        self._current = -1
        self._sha256 = hashlib.sha256()
        self._bytes = self._examples = 0
        self._examples_of: dict[int, int] = {}
        self._origins: list[tuple[str, int, Origin]] = []

    def add(self, content: bytes, origin: Origin) -> bool:
        """Take one line, and return whether it fits into a chunk at all."""
        if not self._cutter.fits(len(content)):
            return False
        chunk = self._cutter.place(len(content))
        self._examples_of[chunk] = self._examples_of.get(chunk, 0) + 1
        self._held.append(_Line(chunk, content, origin))
        return True

    def flush(self) -> None:
        """Write the lines whose chunk is decided."""
        self._write(len(self._held) - _UNDECIDED)

    def finish(self) -> None:
        """Write the rest, and close the last chunk."""
        self._even_out()
        self._write(len(self._held))
        self._close()
        self._save_lineage()

    def discard(self) -> None:
        """Remove the chunk that is not finished."""
        if self._file is not None:
            self._file.discard()

    def _even_out(self) -> None:
        """Move lines from the last chunk but one to the last where that has too few."""
        held = list(self._held)
        if not held or held[-1].chunk == 0:
            return
        last = held[-1].chunk
        before = [len(line.content) for line in held if line.chunk == last - 1]
        after = [len(line.content) for line in held if line.chunk == last]
        if self._examples_of[last] >= FEWEST_EXAMPLES:
            return
        caps = (self._cutter.max_bytes, self._cutter.max_examples)
        moved = lines_to_move(before, self._examples_of[last - 1], after, *caps)
        first = len(held) - len(after) - moved
        self._held = deque(line._replace(chunk=last) if first <= i else line for i, line in enumerate(held))

    def _write(self, count: int) -> None:
        ready = [self._held.popleft() for _ in range(max(count, 0))]
        for chunk, lines in groupby(ready, key=lambda line: line.chunk):
            if chunk != self._current:
                self._close()
                self._open(chunk)
            self._append(list(lines))

    def _append(self, lines: list[_Line]) -> None:
        if self._file is None:
            return
        block = b"".join(line.content for line in lines)
        self._file.write(block)
        self._sha256.update(block)
        path = self._path(self._current)
        self._origins += [(path, number, line.origin) for number, line in enumerate(lines, self._examples + 1)]
        self._examples += len(lines)
        self._bytes += len(block)
        if len(self._origins) >= _LINEAGE_ROWS:
            self._save_lineage()

    def _open(self, chunk: int) -> None:
        path = self.folder / self._path(chunk)
        make_folder(path.parent)
        self._current, self._file = chunk, PendingFile(path)
        self._sha256 = hashlib.sha256()
        self._bytes = self._examples = 0

    def _close(self) -> None:
        if self._file is None:
            return
        self._file.finish()
        self._file = None
        row = ChunkRow(
            split=self.split,
            region=self.group.region,
            speech_type=self.group.speech_type,
            path=self._path(self._current),
            examples=self._examples,
            bytes=self._bytes,
            sha256=self._sha256.hexdigest(),
        )
        self.chunks.append(row)

    def _path(self, chunk: int) -> str:
        return f"chunks/{self.split}/{self.group}-{chunk:05d}.jsonl"

    def _save_lineage(self) -> None:
        if not self._origins:
            return
        path = self.folder / "lineage" / f"{self.split}-{self.group}-{len(self.lineage):05d}.ipc"
        make_folder(path.parent)
        columns = {
            "chunk": [path for path, _, _ in self._origins],
            "line": [line for _, line, _ in self._origins],
            "archive": [origin.archive for _, _, origin in self._origins],
            "member": [origin.member for _, _, origin in self._origins],
            "sentence": [origin.sentence for _, _, origin in self._origins],
        }
        write_whole(path, [to_ipc(pl.DataFrame(columns, schema=LINEAGE))])
        self.lineage.append(str(path))
        self._origins.clear()
