"""Pairs of a build, and the differences between two builds, as `show --json` and `diff --json` print them."""

from typing import Any

from msgspec import Struct

from saturi.schemas.brief import brief
from saturi.schemas.terms import DropReason


class Run(Struct, frozen=True):
    """Consecutive words of a pair: equal ones, or what stands in the source and in its place in the target, perhaps nothing."""

    source: str
    target: str

    @property
    def changed(self) -> bool:
        """Whether the two differ."""
        return self.source != self.target


class ShownPair(Struct, frozen=True, kw_only=True):
    """
    One pair of a build: an example, or an utterance that was dropped.

    `chunk` and `line` are the place of an example, `dropped` the reason why there is none. `archive`, `member` and `sentence`
    are null where they are not known, `source` and `target` where the stage is gone; `runs` are the words of both texts,
    changed and unchanged ones apart.
    """

    region: str
    speech_type: str
    split: str | None = None
    archive: str | None = None
    member: str | None = None
    sentence: int | None = None
    chunk: str | None = None
    line: int | None = None
    dropped: DropReason | None = None
    source: str | None = None
    target: str | None = None
    runs: list[Run] = []


class ChangedValue(Struct, frozen=True, kw_only=True):
    """An option or a count that differs between two builds, by its name; null where a build does not have it."""

    name: str
    first: Any  # any JSON value, as options are
    second: Any


class PairKey(Struct, frozen=True, kw_only=True):
    """The label file of a pair, and its sentence (null for a whole label file)."""

    archive: str
    member: str
    sentence: int | None


class ShardChange(Struct, frozen=True, kw_only=True):
    """Numbers of pairs of one shard (split and group) that only one of two builds has there."""

    split: str
    region: str
    speech_type: str
    came: int
    went: int


class PairChanges(Struct, frozen=True, kw_only=True):
    """
    Pairs of two builds, by label file and sentence.

    `kept` are in both, `came` in the second only, `went` in the first only; of those kept, `other_split` are in another
    split, and `other_text` have another instruction, source or target. The lists have the first of each, in order of their
    names; `shards` has the numbers by shard.
    """

    kept: int
    came: int
    went: int
    other_split: int
    other_text: int
    shards: list[ShardChange]
    came_first: list[PairKey]
    went_first: list[PairKey]
    other_split_first: list[PairKey]
    other_text_first: list[PairKey]

    def __repr__(self) -> str:
        return brief(
            self,
            kept=self.kept,
            came=self.came,
            went=self.went,
            other_split=self.other_split,
            other_text=self.other_text,
        )


class BuildDiff(Struct, frozen=True, kw_only=True):
    """
    The differences between two builds.

    `equal` says that both manifests are the same, byte for byte. `archives` are those that only one build has, or whose
    contents differ, by name with their fingerprints; `pairs` is null where a build was handed on without its lineage.
    """

    equal: bool
    options: list[ChangedValue] = []
    archives: list[ChangedValue] = []
    counts: list[ChangedValue] = []
    pairs: PairChanges | None = None

    def __repr__(self) -> str:
        return brief(self, equal=self.equal, options=[value.name for value in self.options], pairs=self.pairs)
