"""Tasks and results of reading, as they travel between processes."""

from typing import NamedTuple

from msgspec import Struct

from saturi.etl.corpus.batches import Batch
from saturi.etl.corpus.discover import Archive
from saturi.etl.corpus.scan import ScanRules
from saturi.schemas.segment import SegmentHeader


class ScanTask(Struct, frozen=True):
    """An archive to scan by *rules*, its layout kept in the folder *stage*."""

    archive: Archive
    rules: ScanRules
    stage: str


class ReadTask(Struct, frozen=True):
    """A batch to read into the folder *stage*; entries *killers* are known to kill the process that reads them."""

    batch: Batch
    stage: str
    killers: frozenset[int] = frozenset()


class StagedBatch(NamedTuple):
    """The header of a segment that is on disk and whole, and whether it was there before."""

    header: SegmentHeader
    reused: bool


class UnreadBatch(NamedTuple):
    """Why a batch could not be read at all: its archive cannot be opened any more, or is another one by now."""

    where: str
    problem: str
    advice: str


class ProbeTask(Struct, frozen=True):
    """Entries *first* to *last* of a batch, to be read for nothing but to see whether the process survives."""

    batch: Batch
    first: int
    last: int
