"""The goals of the race, each a ratio within one round or a single number."""

import statistics
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

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


# Title, contender over contender, bound.
_RATIOS: tuple[tuple[str, str, str, Literal["at most", "at least"], float], ...] = (
    ("cold build, times as long as only inflating", "saturi", "floor", "at most", 2.0),
    ("the same, tokens counted", "tokens", "floor", "at most", 2.3),
    ("cold build, times as fast as the naive recipe on unpacked files", "naive", "saturi", "at least", 6.0),
    ("the same, unpacking counted", "unpack", "saturi", "at least", 10.0),
    ("second build with other options, share of the cold one", "second", "saturi", "at most", 0.2),
    ("two workers, times as fast as one", "alone", "saturi", "at least", 1.75),
    ("loose files, times as fast as the naive recipe", "naive", "loose", "at least", 4.0),
)
_SECONDS = (("help", "`--help`", 0.15), ("hundred", "build of 100 label files", 1.5))


def goals(entries: Sequence[Entry]) -> list[Goal]:
    """Return every goal whose contenders are among *entries*."""
    return list(_goals({entry.key: entry for entry in entries if entry.runs}))


def _goals(ran: dict[str, Entry]) -> Iterator[Goal]:
    for title, over, under, bound, wanted in _RATIOS:
        if over in ran and under in ran:
            yield Goal(title, bound, wanted, ratio(ran[over], ran[under]), "")
    for key, title, wanted in _SECONDS:
        if key in ran:
            yield Goal(title, "at most", wanted, statistics.median(run.seconds for run in ran[key].runs), " s")
    facts = ran["saturi"].facts if "saturi" in ran else None
    if facts is not None:
        yield Goal("peak memory of the parent", "at most", 400, facts.parent_peak_bytes / MIB, " MiB")
        yield Goal("peak memory of a worker", "at most", 256, facts.worker_peak_bytes / MIB, " MiB")


def ratio(over: Entry, under: Entry) -> float:
    """Return the time of *over* divided by that of *under*, as the median over the rounds."""
    return statistics.median(a.seconds / b.seconds for a, b in zip(over.runs, under.runs, strict=True))
