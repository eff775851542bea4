"""Sums of sketches, by region and speech type and in all."""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec
import polars as pl

from saturi.etl.corpus.groups import ALL
from saturi.etl.inspection.sketch import NO_SPLIT, Sketch, Sketches
from saturi.etl.read.segments import from_ipc
from saturi.schemas.inspection import ClosedField, FieldValue, InspectedGroup, Lengths
from saturi.schemas.terms import Region, SpeechType, Split

_MOST_VALUES = 50  # of a closed field; the rest are counted together
_LOOSE_PAIRS = 4_000_000  # 32 MB of hashes, which may repeat, before they are looked through


class Totals:
    """
    The sum of sketches, a region and speech type at a time.

    Takes eight bytes for each distinct pair, and as much again while it looks for equal ones.
    """

    def __init__(self) -> None:
        self._sketches: Sketches = {}
        self._pairs: dict[tuple[Region, SpeechType], _Distinct] = {}

    def add(self, sketches: Sketches) -> None:
        """Add the sketches of one batch, in any order of the batches."""
        for key, sketch in sketches.items():
            pairs, sketch.pairs = sketch.pairs, []
            self._sketches.setdefault(key, Sketch()).add(sketch)
            self._pairs.setdefault(key, _Distinct()).add(pairs)

    def groups(self) -> list[InspectedGroup]:
        """Return the sums of each region and speech type."""
        order = [(region, speech_type) for region in Region for speech_type in SpeechType]
        return [
            self._group(*key, self._sketches[key], self._pairs[key].count()) for key in order if key in self._sketches
        ]

    def total(self) -> InspectedGroup:
        """Return the sums of all regions and speech types."""
        everything = Sketch()
        for key, sketch in self._sketches.items():
            # A set and a prompt are another script in another region, and a question is none that is read.
            scripts = Counter({f"{key} {script}": number for script, number in sketch.scripts.items()})
            everything.add(msgspec.structs.replace(sketch, scripts=scripts))
        return self._group(ALL, ALL, everything, _Distinct.count_all(self._pairs.values()))

    def _group(self, region: str, speech_type: str, sketch: Sketch, distinct_pairs: int) -> InspectedGroup:
        train, validation = (sketch.speakers.get(split, set()) for split in Split)
        return InspectedGroup(
            region=region,
            speech_type=speech_type,
            files={split or "none": sketch.files[split] for split in (*Split, NO_SPLIT) if sketch.files[split]},
            generations={str(year): number for year, number in sorted(sketch.generations.items())},
            sentences=sketch.sentences,
            blank=sketch.blank,
            identical=sketch.identical,
            distinct_pairs=distinct_pairs,
            scripts=len(sketch.scripts),
            script_files=sketch.scripts.total(),
            source_characters=lengths_of(sketch.source_lengths),
            target_characters=lengths_of(sketch.target_lengths),
            speakers=len(set().union(*sketch.speakers.values())),
            speakers_on_both_sides=len(train & validation),
            residues=_sorted(sketch.residues),
            disagreements=_sorted(sketch.disagreements),
            missing=_sorted(sketch.missing),
            fields=None
            if sketch.values is None
            else [_field(name, sketch.values[name]) for name in sorted(sketch.values)],
        )


class _Distinct:
    """Distinct pairs, by their hashes."""

    def __init__(self) -> None:
        self._known = pl.Series("pair", dtype=pl.UInt64)
        self._loose: list[pl.Series] = []

    def add(self, streams: Iterable[bytes]) -> None:
        """Add hashes, as Arrow IPC streams."""
        self._loose += [from_ipc(stream)["pair"] for stream in streams]
        if sum(map(len, self._loose)) > _LOOSE_PAIRS:
            self.count()

    def count(self) -> int:
        """Return the number of distinct pairs."""
        if self._loose:
            self._known = pl.concat([self._known, *self._loose]).unique()
            self._loose = []
        return len(self._known)

    @classmethod
    def count_all(cls, several: Iterable["_Distinct"]) -> int:
        """Return the number of distinct pairs in all of *several*, each counted before."""
        known = [one._known for one in several]
        return pl.concat(known).n_unique() if known else 0


def lengths_of(counts: Mapping[int, int]) -> Lengths | None:
    """Return the percentiles (nearest rank) of lengths, given the occurrences of each in *counts*; None without any."""
    total = sum(counts.values())
    if not total:
        return None
    reached, seen = [], 0
    for length in sorted(counts):
        seen += counts[length]
        reached.append((seen, length))

    def at(percent: int) -> int:
        rank = max(-(-total * percent // 100), 1)
        return next(length for seen, length in reached if seen >= rank)

    return Lengths(p5=at(5), p25=at(25), p50=at(50), p75=at(75), p95=at(95), most=at(100))


def _field(name: str, counts: Counter[str]) -> ClosedField:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ClosedField(
        field=name,
        values=[FieldValue(value=msgspec.json.decode(value), count=number) for value, number in ordered[:_MOST_VALUES]],
        others=sum(number for _, number in ordered[_MOST_VALUES:]),
    )


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))
