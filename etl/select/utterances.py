"""The utterances of one segment as a frame: what name, archive and document tell, settled, and the two texts of the pair."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from etl.options import BuildOptions
from etl.read.names import Hints
from etl.read.segments import read_files, read_sentences
from etl.select.clean import clean
from etl.select.groups import ELICITED, SegmentSource
from schemas.terms import Direction, Generation, Region, Source, SpeechType, Unit

TOLD = ("region", "speech_type", "split", "label_region", "label_speech_type", "script", "speakers")
"""Columns of a segment that decide where an utterance belongs."""


def read_utterances(source: SegmentSource, options: BuildOptions, columns: Sequence[str]) -> pl.LazyFrame:
    """
    Return the utterances of a segment in canonical order.

    Returns:
        A frame with `row` (number of the utterance in the segment), `source`, `target` (texts of the dialect and of
        standard Korean, may be null), *columns* of `FILES`, and `sentence` (from 1, of a turn that of its first; null where
        the utterance is a whole label file).
    """
    path = Path(source.path)
    if options.unit is Unit.SENTENCE:
        pairs = _with_files(_pairs(path, options), read_files(path, columns))
        return pairs.drop("file", "turn").with_row_index("row")
    files = read_files(path, ["generation", *columns, options.source, "standard"])
    whole = files.lazy().with_row_index("file").filter(pl.col("generation") == Generation.OF_2022)
    frame = whole.select(
        "file",
        pl.lit(None, pl.UInt32).alias("sentence"),
        pl.col(options.source).alias("source"),
        pl.col("standard").alias("target"),
        *columns,
    )
    if (files["generation"] == Generation.OF_2020).any():
        turns = _with_files(_turns(_pairs(path, options)), files.select(columns))
        frame = pl.concat([frame, turns]).sort("file", maintain_order=True)
    return frame.drop("file").with_row_index("row")


def _pairs(path: Path, options: BuildOptions) -> pl.LazyFrame:
    """Return `file` (row in `FILES`), `sentence`, `turn`, `source` and `target` of every sentence of the segment at *path*."""
    spellings = dict.fromkeys([options.source, Source.DIALECT, "standard"])
    said = pl.when(pl.col("turn").is_null()).then(options.source).otherwise(Source.DIALECT)  # 2020 has but one spelling
    return (
        read_sentences(path, ["row", "sentence", "turn", *spellings])
        .lazy()
        .select(
            pl.col("row").alias("file"),
            "sentence",
            "turn",
            said.alias("source"),
            pl.col("standard").alias("target"),
        )
    )


def _turns(pairs: pl.LazyFrame) -> pl.LazyFrame:
    """Return the turns among *pairs*, their texts joined by blanks; null where a part has none, so that the sides stay level."""
    texts = (pl.when(pl.col(side).str.strip_chars() != "").then(side) for side in ("source", "target"))
    return (
        pairs.filter(pl.col("turn").is_not_null())
        .group_by("file", "turn", maintain_order=True)
        .agg(pl.col("sentence").first(), *(text.str.join(" ", ignore_nulls=False) for text in texts))
        .drop("turn")
    )


def _with_files(frame: pl.LazyFrame, files: pl.DataFrame) -> pl.LazyFrame:
    """Return *frame* with the columns of the *files* that its column `file` names."""
    pairs = frame.collect()
    return pl.concat([pairs, files[pairs["file"]]], how="horizontal").lazy()


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
    told = pl.col("label_speech_type").replace_strict(ELICITED, default=None, return_dtype=pl.String)
    return frame.with_columns(
        region=pl.coalesce("region", pl.lit(hints.region, pl.String), "label_region", pl.lit(Region.UNKNOWN.value)),
        speech_type=pl.coalesce(
            "speech_type", pl.lit(hints.speech_type, pl.String), told, pl.lit(SpeechType.UNKNOWN.value)
        ),
        split=pl.coalesce("split", pl.lit(hints.split, pl.String)),
    ).drop("label_region", "label_speech_type")
