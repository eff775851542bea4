"""The utterances of one segment as a frame: what name, archive and document tell, settled, and the two texts of the pair."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from etl.options import BuildOptions
from etl.read.names import Hints
from etl.read.segments import read_files, read_sentences
from etl.select.clean import clean
from etl.select.groups import SegmentSource
from schemas.terms import Direction, Region, SpeechType, Unit

TOLD = ("region", "speech_type", "split", "label_region", "label_speech_type", "script", "speakers")
"""Columns of a segment that decide where an utterance belongs."""


def read_utterances(source: SegmentSource, options: BuildOptions, columns: Sequence[str]) -> pl.LazyFrame:
    """
    Return the utterances of a segment in canonical order.

    Returns:
        A frame with `row` (number of the utterance in the segment), `source`, `target` (texts of the dialect and of
        standard Korean, may be null) and *columns* of `FILES`; with sentences as units, also `sentence` (from 1).
    """
    path = Path(source.path)
    texts = [options.source, "standard"]
    if options.unit is Unit.FILE:
        files = read_files(path, ["reason", *columns, *texts]).lazy().with_row_index("row")
        frame = files.filter(pl.col("reason").is_null()).drop("reason")
    else:
        sentences = read_sentences(path, ["row", "sentence", *texts])
        files = read_files(path, columns)[sentences["row"]].lazy()
        frame = pl.concat([sentences.lazy().drop("row"), files], how="horizontal").with_row_index("row")
    return frame.rename({options.source: "source", "standard": "target"})


def as_pairs(frame: pl.DataFrame, options: BuildOptions) -> pl.DataFrame:
    """
    Return *frame* with `source` and `target` as they are in an example: clean, and as the direction has them.

    What cleaning says of a row stands in the column `UNCLEAN`.

    Args:
        frame: Columns of `read_utterances`; others than the two texts stay.
    """
    frame = clean(frame, options)
    if options.direction is Direction.TO_DIALECT:
        frame = frame.with_columns(source="target", target="source")
    return frame


def settle(frame: pl.LazyFrame, hints: Hints) -> pl.LazyFrame:
    """Return *frame* (with columns `TOLD`) with `region` and `speech_type` as by `group_of`, and `split` as published."""
    told = pl.when(pl.col("label_speech_type") == "read").then(pl.lit(SpeechType.REPEAT.value))
    return frame.with_columns(
        region=pl.coalesce("region", pl.lit(hints.region, pl.String), "label_region", pl.lit(Region.UNKNOWN.value)),
        speech_type=pl.coalesce(
            "speech_type", pl.lit(hints.speech_type, pl.String), told, pl.lit(SpeechType.UNKNOWN.value)
        ),
        split=pl.coalesce("split", pl.lit(hints.split, pl.String)),
    ).drop("label_region", "label_speech_type")
