"""The goals of the race, each a ratio within one round or a single number."""

import statistics
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from benchmarks.corpus import Shape
from benchmarks.race import Entry
from saturi.etl.settings.sizes import MIB


class Goal(Struct, frozen=True):
    """A bound and the measurement, in `unit`; a ratio is the median over the rounds."""

    title: str
    bound: Literal["at most", "at least"]
    wanted: float
    measured: float
    unit: str

    @property
    def reached(self) -> bool:
        """True if the measurement is within the bound."""
        return self.measured <= self.wanted if self.bound == "at most" else self.measured >= self.wanted


_FLOOR: dict[Shape, float] = {"f0": 1.9, "rich": 2.2}
"""What a build with tokens counted may take of the bare floor at most."""

_Ratio = tuple[str, str, str, Literal["at most", "at least"], float]
"""Title, contender over contender, bound."""

_RATIOS: tuple[_Ratio, ...] = (
    ("cold build, times as fast as the naive recipe on unpacked files", "naive", "saturi", "at least", 7.0),
    ("the same, unpacking counted", "unpack", "saturi", "at least", 10.0),
    ("second build with other options, share of the cold one", "second", "saturi", "at most", 0.12),
    ("two workers, times as fast as one", "alone", "saturi", "at least", 1.75),
    ("loose files, times as fast as the naive recipe", "naive", "loose", "at least", 4.0),
)
_SECONDS = (("help", "`--help`", 0.15), ("hundred", "build of 100 label files", 0.8))


def goals(entries: Sequence[Entry], shape: Shape) -> list[Goal]:
    """Return every goal for a corpus of *shape* whose contenders are among *entries*."""
    return list(_goals({entry.key: entry for entry in entries if entry.runs}, shape))


def _goals(ran: dict[str, Entry], shape: Shape) -> Iterator[Goal]:
    title = "cold build, tokens counted, times as long as the bare floor"
    floor: _Ratio = (title, "tokens", "floor", "at most", _FLOOR[shape])
    for title, over, under, bound, wanted in (floor, *_RATIOS):
        if over in ran and under in ran:
            yield Goal(title, bound, wanted, ratio(ran[over], ran[under]), "")
    for key, title, wanted in _SECONDS:
        if key in ran:
            yield Goal(title, "at most", wanted, statistics.median(run.seconds for run in ran[key].runs), " s")
    facts = ran["tokens"].facts if "tokens" in ran else None
    if facts is not None:
        yield Goal("peak memory of the parent, tokens counted", "at most", 400, facts.parent_peak_bytes / MIB, " MiB")
        yield Goal("peak memory of a worker, tokens counted", "at most", 256, facts.worker_peak_bytes / MIB, " MiB")


def ratio(over: Entry, under: Entry) -> float:
    """Return the time of *over* divided by that of *under*, as the median over the rounds in which both ran."""
    return statistics.median(a.seconds / b.seconds for a, b in zip(over.runs, under.runs, strict=False))
