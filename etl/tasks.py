"""
What is handed to workers: every task, what it returns, and the function that does it.

The functions import what they need when they are called, in the worker: the parent never loads Polars, which keeps it
small and saves its start 0.1 s.
"""

from typing import NamedTuple

from msgspec import Struct

from etl.inspection.sketch import BatchSketch
from etl.options import BuildOptions
from etl.read.batches import Batch
from etl.select.groups import Group, Section, SegmentSource
from etl.select.quotas import Quota, Stratum
from schemas.manifest import ChunkRow
from schemas.segment import SegmentHeader
from schemas.terms import Split


class ReadTask(Struct, frozen=True):
    """A batch to read into the folder *stage*; entries *killers* are known to kill the process that reads them."""

    batch: Batch
    stage: str
    killers: frozenset[int] = frozenset()


class StagedBatch(NamedTuple):
    """The header of a segment that is on disk and whole, and whether it was there before."""

    header: SegmentHeader
    reused: bool


class ProbeTask(Struct, frozen=True):
    """Entries *first* to *last* of a batch, to be read for nothing but to see whether the process survives."""

    batch: Batch
    first: int
    last: int


class InspectTask(Struct, frozen=True):
    """A batch to look at without writing anything, and the share of its label files that is looked at (1 for all)."""

    batch: Batch
    share: float


class SketchTask(Struct, frozen=True):
    """A segment to look at."""

    source: SegmentSource


class JudgeTask(Struct, frozen=True):
    """A group, the segments that hold some of it, and the folder for its decisions."""

    group: Group
    sources: tuple[SegmentSource, ...]
    options: BuildOptions
    decisions: str


class CompareTask(Struct, frozen=True):
    """The groups of a section, whose utterances are compared with each other, and the folder of the decisions."""

    groups: tuple[Group, ...]
    options: BuildOptions
    decisions: str


class LimitTask(Struct, frozen=True):
    """The groups of a section, of which utterances are counted, and the folder of the decisions."""

    groups: tuple[Group, ...]
    options: BuildOptions
    decisions: str


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


class ShareTask(Struct, frozen=True):
    """The groups of all sections, and the folder of the decisions."""

    groups: tuple[Group, ...]
    decisions: str


class Shared(NamedTuple):
    """How many different speakers, scripts and texts both sides have, and how many validation examples such a text."""

    speakers: int
    scripts: int
    texts: int
    validation_in_training: int


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


def read_batch(task: ReadTask) -> StagedBatch:
    """Make the segment of a batch, unless it is there and can be trusted; see `etl.read.stage`."""
    from etl.read import stage

    return stage.read_batch(task)


def inspect_batch(task: InspectTask) -> BatchSketch:
    """Look at a batch, and return what is in it; see `etl.inspection.worker`."""
    from etl.inspection import worker

    return worker.inspect_batch(task)


def inspect_segment(task: SketchTask) -> BatchSketch:
    """Look at a segment, and return what is in it; see `etl.inspection.worker`."""
    from etl.inspection import worker

    return worker.inspect_segment(task)


def probe(task: ProbeTask) -> None:
    """Decode some entries of a batch and forget them; see `etl.read.stage`."""
    from etl.read import stage

    stage.probe(task)


def judge(task: JudgeTask) -> None:
    """Decide on the utterances of a group, each by itself; see `etl.select.rules`."""
    from etl.select import rules

    rules.judge(task)


def compare(task: CompareTask) -> None:
    """Drop what is there twice, or says two things; see `etl.select.dedup`."""
    from etl.select import dedup

    dedup.compare(task)


def find_shared(task: ShareTask) -> None:
    """Find the texts that are in train and in validation; see `etl.select.leaks`."""
    from etl.select import leaks

    leaks.find_shared(task)


def limit(task: LimitTask) -> dict[Stratum, int]:
    """Drop what is in train, or too often there, and return how many are left of each stratum; see `etl.select.limits`."""
    from etl.select import limits

    return limits.limit(task)


def write_section(task: WriteTask) -> SectionResult:
    """Write the chunks of a section; see `etl.write.section`."""
    from etl.write import section

    return section.write_section(task)


def count_shared(task: ShareTask) -> Shared:
    """Measure what train and validation have in common; see `etl.select.leaks`."""
    from etl.select import leaks

    return leaks.count_shared(task)


def write_table(task: TableTask) -> int:
    """Write one of the tables beside the chunks, and return of how many rows; see `etl.write.tables`."""
    from etl.write import tables

    return tables.write_table(task)
