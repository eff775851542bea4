"""Tasks and results of writing, as they travel between processes."""

from msgspec import Struct

from etl.corpus.groups import Group, Section, SegmentSource
from etl.select.quotas import Quota, Stratum
from etl.settings.options import BuildOptions
from schemas.manifest import ChunkRow
from schemas.terms import Split


class WriteTask(Struct, frozen=True):
    """
    A section, its groups with their segments, and the folder that stands for the output folder.

    `quotas` say how many utterances of a stratum may stay; of those that are not in it all do.
    """

    section: Section
    groups: tuple[tuple[Group, tuple[SegmentSource, ...]], ...]
    quotas: dict[Stratum, Quota]
    options: BuildOptions
    decisions: str
    work: str


class ShardResult(Struct, frozen=True, kw_only=True):
    """One shard as written; `lineage` are the files that hold its part of the lineage, in order."""

    split: Split
    chunks: list[ChunkRow]
    lineage: list[str]


class GroupResult(Struct, frozen=True, kw_only=True):
    """
    What became of the utterances of a group.

    `dropped` counts by split and reason, `unsharded` by reason what was dropped without a split; `trace` is the file with
    the decision on each.
    """

    group: Group
    examples: int
    dropped: dict[Split, dict[str, int]]
    unsharded: dict[str, int]
    trace: str


class SectionResult(Struct, frozen=True, kw_only=True):
    """The shards of a section, and the account of its groups."""

    section: Section
    shards: list[ShardResult]
    groups: list[GroupResult]


class TraceTask(Struct, frozen=True):
    """The traces of all groups, all segments of the stage in canonical order, and the file to write."""

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


TableTask = LineageTask | TraceTask | RejectsTask
