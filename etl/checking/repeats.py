"""
Find lines that are there twice, in memory of some 20 bytes a line, whatever its length.

A line is known by 64 bits of hash. That two different ones have the same happens once in 60,000 checks of 10 GB; what comes
of it is a warning too many.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

_PART_LINES = 1_000_000
"""Lines that are looked at together, as far as their hashes are spread evenly: 60 bytes each."""

_PAIRS = pl.Schema({"at": pl.UInt32, "first": pl.UInt32})


class Place(NamedTuple):
    """A file, and a line of it, from 1."""

    file: str
    line: int


class Repeats(NamedTuple):
    """How many lines are there before, and the first of them, each with the line it repeats."""

    total: int
    places: list[tuple[Place, Place]]


class LineHashes:
    """Hashes of the lines of files, one file after the other, in order."""

    def __init__(self) -> None:
        self._hashes = pl.Series("hash", dtype=pl.Int64)
        self._starts: list[int] = []
        self._files: list[str] = []

    def begin(self, file: str) -> None:
        """Begin with the lines of *file*."""
        self._starts.append(len(self._hashes))
        self._files.append(file)

    def extend(self, hashes: Iterable[int | None]) -> None:
        """Append the *hashes* of consecutive lines, None for one that is not to be compared."""
        self._hashes.append(pl.Series("hash", list(hashes), dtype=pl.Int64))

    def repeats(self, most: int) -> Repeats:
        """Return the lines that are there before, *most* of them with their places."""
        pairs = pl.concat([_PAIRS.to_frame(), *map(self._repeats_in, _parts(self))]).sort("at")
        return Repeats(
            pairs.height, [(self._place(at), self._place(first)) for at, first in pairs.head(most).iter_rows()]
        )

    def shared_with(self, other: "LineHashes", most: int) -> Repeats:
        """Return the lines that *other* has, too, *most* of them with their places here and there."""
        shared = [self._shared_in(other, part) for part in _parts(self, other)]
        pairs = pl.concat([_PAIRS.to_frame(), *shared]).sort("at")
        rows = pairs.head(most).iter_rows()
        return Repeats(pairs.height, [(self._place(at), other._place(first)) for at, first in rows])

    def _repeats_in(self, part: "_Part") -> pl.DataFrame:
        """Return the numbers of the lines that are there before, among those whose hash falls into *part*, and of the first."""
        lines = self._lines_in(part)
        if lines["hash"].n_unique() == lines.height:
            return _PAIRS.to_frame()
        firsts = lines.with_columns(first=pl.col("at").min().over("hash"))
        return firsts.filter(pl.col("at") != pl.col("first")).select("at", "first")

    def _shared_in(self, other: "LineHashes", part: "_Part") -> pl.DataFrame:
        """Return the numbers of the lines that *other* has, too, among those whose hash falls into *part*, and of its first."""
        firsts = other._lines_in(part).group_by("hash").agg(pl.col("at").min().alias("first"))
        return self._lines_in(part).join(firsts, on="hash").select("at", "first")

    def _lines_in(self, part: "_Part") -> pl.DataFrame:
        """Return number (`at`) and `hash` of the lines whose hash falls into *part*."""
        numbered = self._hashes.to_frame().lazy().with_row_index("at")
        return numbered.filter(pl.col("hash").is_not_null() & (pl.col("hash") % part.of == part.number)).collect()

    def _place(self, at: int) -> Place:
        number = bisect_right(self._starts, at) - 1
        return Place(self._files[number], at - self._starts[number] + 1)

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self._hashes)


class _Part(NamedTuple):
    """The hashes that leave the remainder *number* when they are divided by *of*."""

    number: int
    of: int


def _parts(*hashes: LineHashes) -> list[_Part]:
    """Return the parts in which *hashes* are looked at, one after the other: as many as the longest of them needs."""
    of = 1 + max(map(len, hashes)) // _PART_LINES
    return [_Part(number, of) for number in range(of)]
