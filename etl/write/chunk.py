"""Where a chunk ends: arithmetic on the lengths of lines, no file touched."""

from etl.example.limits import FEWEST_EXAMPLES


class ChunkCutter:
    """
    Assign consecutive lines to chunks of at most *max_bytes* bytes and, if given, *max_examples* lines.

    Order is kept, no chunk is empty, and no chunk is ever over the cap.

    Args:
        max_bytes: Cap on one chunk file, newline bytes included.
        max_examples: Cap on the lines of one chunk, or None.
    """

    def __init__(self, max_bytes: int, max_examples: int | None = None) -> None:
        self.max_bytes = max_bytes
        self.max_examples = max_examples
        self._index = 0
        self._bytes = 0
        self._examples = 0

    def place(self, line_bytes: int) -> int:
        """
        Return the index of the chunk that takes the next line.

        Args:
            line_bytes: Length of the encoded line, newline included; not over *max_bytes*.
        """
        if self._examples and (self._bytes + line_bytes > self.max_bytes or self._examples == self.max_examples):
            self._index += 1
            self._bytes = self._examples = 0
        self._bytes += line_bytes
        self._examples += 1
        return self._index


def lines_to_move(
    before: list[int], before_examples: int, last: list[int], max_bytes: int, max_examples: int | None
) -> int:
    """
    Return how many lines the last chunk takes from the one before, to have as many as an API asks for.

    It takes what it lacks, or none where that would leave either chunk too small or put the last one over a cap.

    Args:
        before: Lengths of the last lines of the chunk before, at least nine of them or all.
        before_examples: Number of all its lines.
        last: Lengths of all lines of the last chunk.
        max_bytes: Cap on one chunk, in bytes.
        max_examples: Cap on one chunk, in lines, or None.
    """
    lacking = FEWEST_EXAMPLES - len(last)
    if lacking <= 0 or before_examples - lacking < FEWEST_EXAMPLES:
        return 0
    if max_examples is not None and max_examples < FEWEST_EXAMPLES:
        return 0
    return lacking if sum(before[-lacking:]) + sum(last) <= max_bytes else 0
