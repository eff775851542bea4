"""One shard: its lines are written into chunks, with the lineage of each line."""

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from saturi.etl.corpus.groups import Section
from saturi.etl.errors import PromiseError
from saturi.etl.example.limits import FEWEST_EXAMPLES
from saturi.etl.output.files import make_folder, pending
from saturi.etl.storage.location import Location
from saturi.etl.write.chunk import ChunkCaps, ChunkCutter, lines_to_move
from saturi.etl.write.lineage import LineageWriter, LineOrigin
from saturi.schemas.manifest import ChunkRow
from saturi.schemas.terms import Split

# The last chunk may take up to nine lines from the one before, and has at most nine itself: no more than these are
# undecided.
_UNDECIDED = 2 * (FEWEST_EXAMPLES - 1)


class ShardWriter:
    """
    Cut lines into chunk files under *folder*, each whole as soon as it has its name.

    The last lines are held back until it is known that more follow, so that a last chunk with too few examples for an
    API can still take some from the chunk before it.

    Args:
        split, section: The shard.
        folder: Folder that stands for the output folder.
        caps: Caps on a chunk.
    """

    def __init__(self, split: Split, section: Section, folder: Location, caps: ChunkCaps) -> None:
        self.split, self.section, self.folder = split, section, folder
        self.chunks: list[ChunkRow] = []
        self.lineage = LineageWriter(folder / "lineage", f"{split}-{section}")
        self._caps = caps
        self._cutter = ChunkCutter(caps)
        self._held = _Held([], [], [])
        self._open: _OpenChunk | None = None
        self._examples_of: Counter[int] = Counter()

    def add(self, lines: Sequence[bytes], origins: Sequence[LineOrigin]) -> None:
        """
        Add *lines*, each with its origin.

        Raises:
            PromiseError: One is over the cap of a chunk; the rules should have dropped it.
        """
        longest = max(map(len, lines), default=0)
        if longest > self._caps.max_bytes:
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
        self.lineage.save()

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
        moved = lines_to_move(lengths[:first], self._examples_of[last - 1], lengths[first:], self._caps)
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
        self.lineage.add(self._path(chunk.number), chunk.examples + 1, held.origins)
        chunk.examples += len(held.lines)
        chunk.count_tokens(origin.tokens for origin in held.origins)

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
            tokens=chunk.tokens,
        )
        self.chunks.append(row)

    def _path(self, number: int) -> str:
        return f"chunks/{self.split}/{self.section}-{number:05d}.jsonl"


class _OpenChunk:
    """The chunk being written, and its row in the manifest so far."""

    def __init__(self, number: int, path: Location) -> None:
        self.number = number
        self.file = pending(path)
        self.sha256 = hashlib.sha256()
        self.bytes = self.examples = 0
        self.tokens: int | None = 0

    def count_tokens(self, tokens: Iterable[int | None]) -> None:
        """Add the *tokens* of some lines; those of a chunk are unknown where one of its lines was not counted."""
        for number in tokens:
            self.tokens = None if number is None or self.tokens is None else self.tokens + number

    def write(self, block: bytes) -> None:
        self.file.write(block)
        self.sha256.update(block)
        self.bytes += len(block)


class _Held(NamedTuple):
    """Lines in their order, with the chunk each is for and where it came from."""

    chunks: list[int]
    lines: list[bytes]
    origins: list[LineOrigin]

    def extend(self, chunks: Sequence[int], lines: Sequence[bytes], origins: Sequence[LineOrigin]) -> None:
        self.chunks.extend(chunks)
        self.lines.extend(lines)
        self.origins.extend(origins)

    def take(self, count: int) -> "_Held":
        """Remove the first *count* lines, and return them."""
        taken = _Held(self.chunks[:count], self.lines[:count], self.origins[:count])
        for column in self:
            del column[:count]
        return taken
