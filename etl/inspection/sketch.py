"""Sketches: counts, hashes and lengths of the label files of a batch, and no text; sketches add up."""

from collections import Counter

from msgspec import Struct, field

from saturi.schemas.segment import SegmentHeader
from saturi.schemas.terms import Region, SpeechType

NO_SPLIT = ""
"""Split of label files without a published one."""


class Sketch(Struct, kw_only=True):
    """
    The label files of one region and speech type.

    Args:
        files: Label files by split, as published.
        generations: Label files by the year of their form.
        sentences: Sentences of 2022 and utterances of 2020.
        blank: Those among them without a text on one side; all that follows on texts is about the others.
        identical: Pairs whose sides are the same.
        pairs: 64-bit hashes of the pairs, each once in a batch, as Arrow IPC streams of one column.
        source_lengths, target_lengths: Sentences by characters.
        scripts: Label files by set and prompt.
        speakers: 64-bit hashes of the ids, by split.
        residues: Sentences with markup, by the name of its rule.
        disagreements: Label files by the fact on which name, archive and contents disagree.
        missing: Label files, or sentences, without a thing, by the thing.
        values: How often each value of each closed field occurs, values as JSON; null where only a stage was looked at.
    """

    files: Counter[str] = field(default_factory=Counter)
    generations: Counter[int] = field(default_factory=Counter)
    sentences: int = 0
    blank: int = 0
    identical: int = 0
    pairs: list[bytes] = field(default_factory=list)
    source_lengths: Counter[int] = field(default_factory=Counter)
    target_lengths: Counter[int] = field(default_factory=Counter)
    scripts: Counter[str] = field(default_factory=Counter)
    speakers: dict[str, set[int]] = field(default_factory=dict)
    residues: Counter[str] = field(default_factory=Counter)
    disagreements: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    values: dict[str, Counter[str]] | None = None

    def add(self, other: "Sketch") -> None:
        """Add the counts of *other*."""
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _COUNTERS:
            getattr(self, name).update(getattr(other, name))
        self.pairs += other.pairs
        for split, speakers in other.speakers.items():
            self.speakers.setdefault(split, set()).update(speakers)
        if other.values is not None:
            self.values = self.values or {}
            for name, values in other.values.items():
                self.values.setdefault(name, Counter()).update(values)


_NUMBERS = ("sentences", "blank", "identical")
_COUNTERS = (
    *("files", "generations", "source_lengths", "target_lengths", "scripts", "residues", "disagreements", "missing"),
)

Sketches = dict[tuple[Region, SpeechType], Sketch]


class BatchSketch(Struct):
    """Counts of a batch, and a sketch for each region and speech type in it."""

    header: SegmentHeader
    sketches: Sketches
