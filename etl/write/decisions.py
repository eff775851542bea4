"""The published decisions: what became of every utterance, in a few bytes each, for when the work folder is gone."""

import io
from collections.abc import Sequence

import polars as pl

from saturi.etl.corpus.groups import Group, SegmentSource
from saturi.etl.output.files import write_whole
from saturi.etl.read.segments import from_ipc
from saturi.etl.select.decisions import REASON
from saturi.etl.select.split import SPLIT
from saturi.etl.storage.location import location_of
from saturi.etl.write.tasks import DecisionsTask

PUBLISHED: pl.Schema = pl.Schema(
    {
        "archive": pl.String(),
        "segment": pl.String(),  # name of its file in the stage
        "region": pl.String(),  # of the group; null where nothing was selected from the segment
        "speech_type": pl.String(),
        "row": pl.List(pl.UInt32),  # numbers of the utterances in the segment
        "split": pl.List(SPLIT),
        "reason": pl.List(REASON),  # null where it is an example
    }
)
"""A row a segment and group, in canonical order of the segments; segments without any utterance selected from have one, too."""


def published(decisions: pl.DataFrame, group: Group, sources: Sequence[SegmentSource]) -> pl.DataFrame:
    """
    Return `PUBLISHED` for a group.

    Args:
        decisions: Columns `segment`, `row`, `split` and `reason`, of all its utterances.
    """
    archives = pl.Series([source.archive for source in sources], dtype=pl.String)
    segments = pl.Series([segment_name(source) for source in sources], dtype=pl.String)
    listed = decisions.group_by("segment", maintain_order=True).agg("row", "split", "reason")
    return listed.with_columns(
        archive=archives.gather(listed["segment"]),
        segment=segments.gather(listed["segment"]),
        region=pl.lit(group.region.value),
        speech_type=pl.lit(group.speech_type.value),
    ).select(PUBLISHED.names())


def segment_name(source: SegmentSource) -> str:
    """Return the name of the segment's file in the stage."""
    return location_of(source.path).stem


def write_decisions(task: DecisionsTask) -> int:
    """
    Join the published decisions of all groups, and return on how many utterances they are.

    Raises:
        StorageError: The file cannot be written.
    """
    parts = [from_ipc(location_of(part).read_bytes()) for part in task.parts]
    decisions = pl.concat([PUBLISHED.to_frame(), *parts])
    segments = pl.DataFrame(
        [(source.archive, segment_name(source)) for source in task.sources],
        schema={"archive": pl.String, "segment": pl.String},
        orient="row",
    )
    joined = segments.join(decisions, on=["archive", "segment"], how="left", maintain_order="left_right").select(
        PUBLISHED.names()
    )
    buffer = io.BytesIO()
    joined.write_parquet(buffer)
    write_whole(location_of(task.path), [buffer.getvalue()])
    return joined.select(pl.col("row").list.len().sum()).item() or 0
