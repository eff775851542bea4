"""
Parts of zips: `x.zip.part1073741824`, as AI-Hub delivers them, and `x.zip.001`, as 7-Zip and Bandizip cut them.

Both are pieces of one run of bytes and are read as such. Volumes (`x.z01`, …, `x.zip`) are something else: each counts its
offsets from its own beginning.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from saturi.etl.errors import ArchiveError

_PART = re.compile(r"(?P<stem>.+\.zip)\.(?:part(?P<offset>\d{1,18})|(?P<number>\d{3,6}))", re.IGNORECASE | re.DOTALL)


class Part(NamedTuple):
    """
    Facts in the name of a part: its zip, and its place.

    `place` is the offset of its first byte, or, where the parts are `numbered`, its number from 1.
    """

    stem: str
    place: int
    numbered: bool


def part_of(name: str) -> Part | None:
    """Return the part that the file *name* is, or None where it is none."""
    match = _PART.fullmatch(name)
    if match is None:
        return None
    numbered = match["offset"] is None
    return Part(match["stem"], int(match["number"] if numbered else match["offset"]), numbered)


def without_part(name: str) -> str:
    """Return the name, or the path, of the zip of which *name* is a part; *name* itself where it is none."""
    part = part_of(name)
    return name if part is None else part.stem


def gap_in(parts: Sequence[tuple[Part, str, int]]) -> tuple[str, str] | None:
    """
    Return (the file after the gap, what is missing), or None where *parts*, in order, follow one another from the first.

    Args:
        parts: All of one zip and one kind, where they lie, and their bytes.
    """
    expected = 1 if parts and parts[0][0].numbered else 0
    for part, path, size in parts:
        if part.place != expected:
            missing = f"{part.stem}.{expected:03}" if part.numbered else f"{part.stem}.part{expected}"
            incomplete = "" if part.numbered or expected == 0 else " or incomplete"
            return path, f"the parts do not follow one another: {missing} is missing{incomplete}"
        expected += 1 if part.numbered else size
    return None


def refuse_gaps(parts: Sequence[tuple[Part, str, int]]) -> None:
    """
    Do nothing where *parts* follow one another.

    Raises:
        ArchiveError: They do not.
    """
    gap = gap_in(parts)
    if gap is not None:
        raise ArchiveError(*gap, "download the missing part again")
