"""Tasks of an inspection, as they travel between processes."""

from msgspec import Struct

from saturi.etl.corpus.batches import Batch
from saturi.etl.corpus.groups import SegmentSource


class InspectTask(Struct, frozen=True):
    """A batch to look at without writing anything, and the share of its label files that is looked at (1 for all)."""

    batch: Batch
    share: float


class SketchTask(Struct, frozen=True):
    """A segment to look at."""

    source: SegmentSource
