"""Archives that hold the same label files, so that these count twice: a zip, and the folders that were unpacked from it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Holding(NamedTuple):
    """The label files of an archive: their number, and the sum over their sizes and CRC-32s (`SegmentHeader.content_sum`)."""

    archive: str
    is_folder: bool
    label_files: int
    content_sum: int


_Contents = tuple[int, int]

SUM_MODULUS = 1 << 62
"""Sums of contents are taken modulo this, so that they fit a 64-bit integer."""


def copies_among(holdings: Iterable[Holding]) -> Iterator[str]:
    """
    Yield a sentence for every folder that holds just what zips hold, whatever the folders in it are.

    Sums are compared, and not label files: a folder with one more of them is not noticed.
    """
    packed: dict[_Contents, str] = {}
    beside: dict[str, list[Holding]] = defaultdict(list)
    loose: dict[str, _Contents] = {}
    for holding in holdings:
        if not holding.label_files:
            continue
        if not holding.is_folder:
            packed.setdefault((holding.label_files, holding.content_sum), holding.archive)
            beside[holding.archive.rpartition("/")[0]].append(holding)
            continue
        for folder in _folders_of(holding.archive):
            loose[folder] = _sum_of([loose.get(folder, (0, 0)), (holding.label_files, holding.content_sum)])
    for folder, zips in beside.items():
        together = _sum_of((zip_.label_files, zip_.content_sum) for zip_ in zips)
        packed.setdefault(together, f"the zips in {folder or '.'}")
    noted: set[_Contents] = set()
    for folder in sorted(loose, key=lambda name: (-name.count("/"), name == ".", name)):
        contents = loose[folder]
        if contents in packed and contents not in noted:
            noted.add(contents)
            yield f"{folder}: the same label files as in {packed[contents]}; they count twice, remove one of the two"


def _sum_of(contents: Iterable[_Contents]) -> _Contents:
    listed = list(contents)
    return sum(number for number, _ in listed), sum(content_sum for _, content_sum in listed) % SUM_MODULUS


def _folders_of(name: str) -> Iterator[str]:
    """Yield the folder *name* and all that it lies in."""
    while name and name != ".":
        yield name
        name = name.rpartition("/")[0]
    yield "."
