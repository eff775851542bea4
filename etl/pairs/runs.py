"""Runs: the words of two texts, aligned, so that what changed can be marked."""

from collections.abc import Iterator
from difflib import SequenceMatcher

from saturi.schemas.pairs import Run


def runs_of(source: str, target: str) -> list[Run]:
    """Return the words of *source* and *target* in runs; joined by blanks they are the words of both texts, in order."""
    return list(_runs(source.split(), target.split()))


def _runs(old: list[str], new: list[str]) -> Iterator[Run]:
    for kind, first, last, first_new, last_new in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        was, becomes = old[first:last], new[first_new:last_new]
        if kind == "replace" and len(was) == len(becomes):  # word by word: most changes are within an eojeol
            yield from (Run(one, other) for one, other in zip(was, becomes, strict=True))
        else:
            yield Run(" ".join(was), " ".join(becomes))
