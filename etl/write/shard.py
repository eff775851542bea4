"""Write the lines of one shard into its chunks, and note where each line came from."""

import hashlib
import io
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from etl.corpus.groups import Section
from etl.errors import PromiseError
from etl.example.limits import FEWEST_EXAMPLES
from etl.output.files import PendingFile, make_folder, write_whole
from etl.settings.options import BuildOptions
from etl.write.chunk import ChunkCutter, lines_to_move
from schemas.manifest import ChunkRow
from schemas.terms import Split

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

_LINEAGE_ROWS = 16_384  # rows gathered before they go to disk: about 4 MB
# The last chunk may take up to nine lines from the one before, and has at most nine itself: no more than these are
# undecided.
_UNDECIDED = 2 * (FEWEST_EXAMPLES - 1)


Origin = tuple[str, str, int | None, int | None]
"""
What the lineage tells of an example: archive, member, sentence (from 1) or None for a whole label file, and its tokens or
None where they are not counted.
"""


class ShardWriter:
    """
    Cut lines into chunk files under *folder*, each whole as soon as it has its name.

    The last lines are held back until it is known that more follow, so that a last chunk with too few examples for an
    API can still take some from the chunk before it.

    Args:
        split, section: The shard.
        folder: Folder that stands for the output folder.
        options: The caps on a chunk.
    """

    def __init__(self, split: Split, section: Section, folder: Path, options: BuildOptions) -> None:
        self.split, self.section, self.folder = split, section, folder
        self.chunks: list[ChunkRow] = []
        self.lineage: list[str] = []
        self._options = options
        self._cutter = ChunkCutter(options.max_chunk_bytes, options.max_chunk_examples)
        self._held = _Held([], [], [])
        self._open: _OpenChunk | None = None
        self._examples_of: Counter[int] = Counter()
        self._rows: list[tuple[str, int, str, str, int | None, int | None]] = []  # of LINEAGE

    def add(self, lines: Sequence[bytes], origins: Sequence[Origin]) -> None:
        """
        Take *lines*, each with its origin.

        Raises:
            PromiseError: One is over the cap of a chunk; the rules should have dropped it.
        """
        longest = max(map(len, lines), default=0)
        if longest > self._options.max_chunk_bytes:
            raise PromiseError("a chunk over its cap", f"a line of {longest:,} bytes")
        chunks = [self._cutter.place(len(line)) for line in lines]
        self._examples_of.update(chunks)
        self._held.extend(chunks, lines, origins)
        self._write(len(self._held.lines) - _UNDECIDED)

    def finish(self) -> None:
        """Write the rest, and close the last chunk."""
        self._even_out()
        self._write(len(self._held.lines))
        self._close()
        self._save_lineage()

    def discard(self) -> None:
        """Remove the chunk that is not finished."""
        if self._open is not None:
            self._open.file.discard()

    def _even_out(self) -> None:
        """Move lines from the last chunk but one to the last where that has too few."""
        chunks, lines = self._held.chunks, self._held.lines
        last = chunks[-1] if chunks else 0
        if last == 0 or self._examples_of[last] >= FEWEST_EXAMPLES:
            return
        first = chunks.index(last)
        lengths = [len(line) for line in lines]
        caps = (self._options.max_chunk_bytes, self._options.max_chunk_examples)
        moved = lines_to_move(lengths[:first], self._examples_of[last - 1], lengths[first:], *caps)
        chunks[first - moved : first] = [last] * moved

    def _write(self, count: int) -> None:
        """Write the first *count* of the lines held."""
        while count > 0:
            chunk = self._held.chunks[0]
            length = min(bisect_right(self._held.chunks, chunk), count)
            if self._open is None or self._open.number != chunk:
                self._close()
                self._open = self._new_chunk(chunk)
            self._append(self._open, self._held.take(length))
            count -= length

    def _append(self, chunk: "_OpenChunk", held: "_Held") -> None:
        chunk.write(b"".join(held.lines))
        path = self._path(chunk.number)
        numbers = range(chunk.examples + 1, chunk.examples + len(held.lines) + 1)
        self._rows += [(path, number, *origin) for number, origin in zip(numbers, held.origins, strict=True)]
        chunk.examples += len(held.lines)
        chunk.tokens += sum(tokens or 0 for *_, tokens in held.origins)
        if len(self._rows) >= _LINEAGE_ROWS:
            self._save_lineage()

    def _new_chunk(self, number: int) -> "_OpenChunk":
        path = self.folder / self._path(number)
        make_folder(path.parent)
        return _OpenChunk(number, path)

    def _close(self) -> None:
        if self._open is None:
            return
        chunk, self._open = self._open, None
        chunk.file.finish()
        row = ChunkRow(
            split=self.split,
            region=self.section.region,
            speech_type=self.section.speech_type,
            path=self._path(chunk.number),
            examples=chunk.examples,
            bytes=chunk.bytes,
            sha256=chunk.sha256.hexdigest(),
            tokens=chunk.tokens if self._options.tokens else None,
        )
        self.chunks.append(row)

    def _path(self, number: int) -> str:
        return f"chunks/{self.split}/{self.section}-{number:05d}.jsonl"

    def _save_lineage(self) -> None:
        if not self._rows:
            return
        path = self.folder / "lineage" / f"{self.split}-{self.section}-{len(self.lineage):05d}.ipc"
        make_folder(path.parent)
        columns = dict(zip(LINEAGE, zip(*self._rows, strict=True), strict=True))
        part = io.BytesIO()
        # A file and no stream, since it is scanned when all parts are joined, and never held whole.
        pl.DataFrame(columns, schema=LINEAGE).write_ipc(part, compression="lz4")
        write_whole(path, [part.getvalue()])
        self.lineage.append(str(path))
        self._rows.clear()


class _OpenChunk:
    """The chunk being written, and what its row in the manifest will say."""

    def __init__(self, number: int, path: Path) -> None:
        self.number = number
        self.file = PendingFile(path)
        self.sha256 = hashlib.sha256()
        self.bytes = self.examples = self.tokens = 0

    def write(self, block: bytes) -> None:
        self.file.write(block)
        self.sha256.update(block)
        self.bytes += len(block)


class _Held(NamedTuple):
    """Lines in their order, with the chunk each is for and where it came from."""

    chunks: list[int]
    lines: list[bytes]
    origins: list[Origin]

    def extend(self, chunks: Sequence[int], lines: Sequence[bytes], origins: Sequence[Origin]) -> None:
        self.chunks.extend(chunks)
        self.lines.extend(lines)
        self.origins.extend(origins)

    def take(self, count: int) -> "_Held":
        """Remove the first *count* lines, and return them."""
        taken = _Held(self.chunks[:count], self.lines[:count], self.origins[:count])
        for column in self:
            del column[:count]
        return taken
