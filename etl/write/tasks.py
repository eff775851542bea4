"""Tasks and results of writing, as they travel between processes."""

from msgspec import Struct

from saturi.etl.corpus.groups import Group, Section, SegmentSource
from saturi.etl.select.tasks import Step, Stretch
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.manifest import ChunkRow
from saturi.schemas.terms import Split


class RenderTask(Struct, frozen=True):
    """A stretch, its segments, the last step of the decisions on it, their folder, and that of the build."""

    stretch: Stretch
    sources: tuple[SegmentSource, ...]
    options: BuildOptions
    step: Step
    decisions: str
    work: str


class Rendered(Struct, frozen=True, kw_only=True):
    """The account of a stretch, as in `GroupResult`, and the number of files that hold its lines."""

    examples: dict[Split, int]
    identical: int
    dropped: dict[Split, dict[str, int]]
    unsharded: dict[str, int]
    blocks: int


class WriteTask(Struct, frozen=True):
    """A section, the tasks that have rendered its stretches, and the folder of the build."""

    section: Section
    stretches: tuple[RenderTask, ...]
    work: str


class ShardResult(Struct, frozen=True, kw_only=True):
    """One shard as written; `lineage` are the files that hold its part of the lineage, in order."""

    split: Split
    chunks: list[ChunkRow]
    lineage: list[str]


class GroupResult(Struct, frozen=True, kw_only=True):
    """
    Decisions on the utterances of a group, in numbers.

    `examples` counts by split, `identical` those whose source equals their target, `dropped` by split and reason, `unsharded` by
    reason what was dropped without a split;
    `held_out` is the share of keys that are, null where the split does not follow from them; `decisions` are the files with
    the decision on each, as published.
    """

    group: Group
    examples: dict[Split, int]
    identical: int
    dropped: dict[Split, dict[str, int]]
    unsharded: dict[str, int]
    held_out: float | None
    decisions: list[str]


class SectionResult(Struct, frozen=True, kw_only=True):
    """The shards of a section, and the account of its groups."""

    section: Section
    shards: list[ShardResult]
    groups: list[GroupResult]


class DecisionsTask(Struct, frozen=True):
    """The published decisions of all groups, all segments of the stage in canonical order, and the file to write."""

    parts: tuple[str, ...]
    sources: tuple[SegmentSource, ...]
    path: str


class LineageTask(Struct, frozen=True):
    """The parts of the lineage, in the order of the shards, and the file to write."""

    parts: tuple[str, ...]
    path: str


class RejectsTask(Struct, frozen=True):
    """The segments with rejects, in canonical order, and the file to write."""

    sources: tuple[SegmentSource, ...]
    path: str


TableTask = LineageTask | DecisionsTask | RejectsTask
