"""Cutting of chunks: arithmetic on the lengths of lines, no file touched."""

from typing import NamedTuple

from saturi.etl.example.limits import FEWEST_EXAMPLES


class ChunkCaps(NamedTuple):
    """Caps on one chunk: its bytes, newlines included, and its lines, or None."""

    max_bytes: int
    max_examples: int | None = None


class ChunkCutter:
    """
    Assign consecutive lines to chunks within *caps*.

    Order is kept, no chunk is empty, and no chunk is ever over a cap.
    """

    def __init__(self, caps: ChunkCaps) -> None:
        self.caps = caps
        self._index = 0
        self._bytes = 0
        self._examples = 0

    def place(self, line_bytes: int) -> int:
        """
        Return the index of the chunk that takes the next line.

        Args:
            line_bytes: Length of the encoded line, newline included; not over the cap.
        """
        full = self._bytes + line_bytes > self.caps.max_bytes or self._examples == self.caps.max_examples
        if full and self._examples:
            self._index += 1
            self._bytes = self._examples = 0
        self._bytes += line_bytes
        self._examples += 1
        return self._index


def lines_to_move(before: list[int], before_examples: int, last: list[int], caps: ChunkCaps) -> int:
    """
    Return the number of lines that the last chunk takes from the one before, to have as many as an API asks for.

    It takes what it lacks, or none where that would leave either chunk too small or put the last one over a cap.

    Args:
        before: Lengths of the last lines of the chunk before, at least nine of them or all.
        before_examples: Number of all its lines.
        last: Lengths of all lines of the last chunk.
        caps: Caps on either chunk.
    """
    lacking = FEWEST_EXAMPLES - len(last)
    if lacking <= 0 or before_examples - lacking < FEWEST_EXAMPLES:
        return 0
    if caps.max_examples is not None and caps.max_examples < FEWEST_EXAMPLES:
        return 0
    return lacking if sum(before[-lacking:]) + sum(last) <= caps.max_bytes else 0
