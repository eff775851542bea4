"""
What is handed to workers: every task, what it returns, and the function that does it.

The functions import what they need when they are called, in the worker: the parent never loads Polars, which keeps it
small and saves its start 0.1 s.
"""

from typing import NamedTuple

from msgspec import Struct

from etl.options import BuildOptions
from etl.read.batches import Batch
from etl.select.groups import Group, SegmentSource
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


class SelectTask(Struct, frozen=True):
    """A region and speech type, the segments that hold some of it, and the file to write the decisions to."""

    group: Group
    sources: tuple[SegmentSource, ...]
    options: BuildOptions
    path: str


class WriteTask(Struct, frozen=True):
    """A group, its segments, its decisions and those of all groups, and the folder that stands for the output folder."""

    group: Group
    sources: tuple[SegmentSource, ...]
    options: BuildOptions
    decisions: str
    all_decisions: tuple[str, ...]
    work: str


class ShardResult(Struct, frozen=True, kw_only=True):
    """One shard as written; `lineage` are the files that hold its part of the lineage, in order."""

    split: Split
    dropped: dict[str, int]
    chunks: list[ChunkRow]
    lineage: list[str]


class GroupResult(Struct, frozen=True, kw_only=True):
    """The shards of a group; `unsharded` counts by reason what was dropped before it had a split."""

    group: Group
    shards: list[ShardResult]
    unsharded: dict[str, int]
    validation_in_training: int


class LineageTask(Struct, frozen=True):
    """The parts of the lineage, in the order of the shards, and the file to write."""

    parts: tuple[str, ...]
    path: str


class RejectsTask(Struct, frozen=True):
    """The segments with rejects, in canonical order, and the file to write."""

    sources: tuple[SegmentSource, ...]
    path: str


def read_batch(task: ReadTask) -> StagedBatch:
    """Make the segment of a batch, unless it is there and can be trusted; see `etl.read.stage`."""
    from etl.read import stage

    return stage.read_batch(task)


def probe(task: ProbeTask) -> None:
    """Decode some entries of a batch and forget them; see `etl.read.stage`."""
    from etl.read import stage

    stage.probe(task)


def select(task: SelectTask) -> int:
    """Decide on the utterances of a group, and return how many there are; see `etl.select.rules`."""
    from etl.select import rules

    return rules.select(task)


def write_group(task: WriteTask) -> GroupResult:
    """Write the chunks of a group; see `etl.write.group`."""
    from etl.write import group

    return group.write_group(task)


def write_lineage(task: LineageTask) -> int:
    """Write the lineage, and return how many rows it has; see `etl.write.tables`."""
    from etl.write import tables

    return tables.write_lineage(task)


def write_rejects(task: RejectsTask) -> int:
    """Write the rejects, and return how many there are; see `etl.write.tables`."""
    from etl.write import tables

    return tables.write_rejects(task)
