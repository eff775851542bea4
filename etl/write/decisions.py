"""The published decisions: what became of every utterance, in a few bytes each, for when the work folder is gone."""

import io
from collections.abc import Sequence

import polars as pl

from saturi.etl.corpus.groups import Group, SegmentSource
from saturi.etl.output.files import write_whole
from saturi.etl.select.decisions import REASON
from saturi.etl.select.sealed import read_table
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
    Return `PUBLISHED` for some segments of a group.

    Args:
        decisions: Columns `segment` (number in *sources*), `row`, `split` and `reason`, of all utterances.
    """
    listed = decisions.group_by("segment", maintain_order=True).agg("row", "split", "reason")
    of_rows = [sources[number] for number in listed["segment"].to_list()]
    facts = [(source.archive, segment_name(source), group.region.value, group.speech_type.value) for source in of_rows]
    named = pl.DataFrame(facts, schema=dict(list(PUBLISHED.items())[:4]), orient="row")
    return named.hstack([listed["row"], listed["split"], listed["reason"]])


def segment_name(source: SegmentSource) -> str:
    """Return the name of the segment's file in the stage."""
    return location_of(source.path).stem


def write_decisions(task: DecisionsTask) -> int:
    """
    Join the published decisions of all groups, and return on how many utterances they are.

    Raises:
        StorageError: The file cannot be written.
    """
    parts = [read_table(location_of(part)) for part in task.parts]
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
