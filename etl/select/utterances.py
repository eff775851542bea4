"""The utterances of a segment as a frame: where each belongs, and the two texts of its pair."""

from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from saturi.etl.corpus.groups import ELICITED, Group, SegmentSource, group_of
from saturi.etl.corpus.names import Hints
from saturi.etl.read.segments import Segment, read_segment
from saturi.etl.select.clean import TEXTS, clean
from saturi.etl.select.markup import CleanSettings
from saturi.etl.storage.location import location_of
from saturi.schemas.terms import Direction, Generation, Region, Source, SpeechType, Unit

PLACEMENT_COLUMNS = ("region", "speech_type", "split", "label_region", "label_speech_type", "script", "speakers")
"""Columns of a segment that decide where an utterance belongs, and whose it is."""

_WHOLE = pl.Series("sentence", [None], dtype=pl.UInt32)
"""The number of the sentence where an utterance is a whole label file."""

_MERGED_BYTES = 4_000_000
"""Texts and numbers that are looked at together: a segment alone takes Polars longer to begin than to do."""


def merge_small(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Yield *frames* in order, as many joined as make `_MERGED_BYTES`."""
    pending: list[pl.DataFrame] = []
    pending_bytes = 0
    for frame in frames:
        pending.append(frame)
        pending_bytes += int(frame.estimated_size())
        if pending_bytes >= _MERGED_BYTES:
            yield pl.concat(pending)
            pending.clear()
            pending_bytes = 0
    if pending:
        yield pl.concat(pending)


def read_utterances(segment: SegmentSource, unit: Unit, source: Source, columns: Sequence[str]) -> pl.DataFrame:
    """
    Return the utterances of a segment in canonical order.

    Args:
        segment: Where it lies.
        unit: What one utterance is.
        source: The transcription of the dialect.
        columns: Columns of `FILES` beside the texts.

    Returns:
        A frame with `row` (number of the utterance in the segment), `source`, `target` (texts of the dialect and of
        standard Korean, may be null), *columns* of `FILES`, and `sentence` (from 1, of a turn that of its first; null where
        the utterance is a whole label file).
    """
    return _utterances(read_segment(location_of(segment.path)), unit, source, columns)


def read_group(
    segment: SegmentSource, group: Group, unit: Unit, source: Source, columns: Sequence[str]
) -> pl.DataFrame:
    """Return the utterances of *group* as `read_utterances` does; `split` is as published."""
    content = read_segment(location_of(segment.path))
    whole = all(group_of(row.kind, segment.hints) == group for row in content.header.kinds)
    if whole and "split" not in columns:
        return _utterances(content, unit, source, columns)
    frame = _utterances(content, unit, source, list(dict.fromkeys([*PLACEMENT_COLUMNS, *columns])))
    placed = resolve_placement(frame, segment.hints)
    placed = placed.filter(region=group.region.value, speech_type=group.speech_type.value)
    return placed.select("row", "sentence", *TEXTS, *columns)


def _utterances(content: Segment, unit: Unit, source: Source, columns: Sequence[str]) -> pl.DataFrame:
    """Return the utterances in *content* as `read_utterances` does."""
    if unit is Unit.SENTENCE:
        pairs = _with_files(_pairs(content, source), content.files(columns))
        pairs.drop_in_place("file")
        pairs.drop_in_place("turn")
        return pairs.with_row_index("row")
    files = content.files(["generation", *columns, source, "standard"])
    texts = [files[source].alias("source"), files["standard"].alias("target")]
    frame = pl.DataFrame([_WHOLE.new_from_index(0, files.height), *texts, *(files[name] for name in columns)])
    if all(row.kind.generation == Generation.OF_2022 for row in content.header.kinds) and not content.header.rejected:
        return frame.with_row_index("row")
    frame = frame.with_row_index("file").filter(files["generation"] == Generation.OF_2022)
    if (files["generation"] == Generation.OF_2020).any():
        turns = _with_files(_turns(_pairs(content, source)), files.select(columns))
        frame = pl.concat([frame, turns]).sort("file", maintain_order=True)
    frame.drop_in_place("file")
    return frame.with_row_index("row")


def _pairs(segment: Segment, source: Source) -> pl.DataFrame:
    """Return `file` (row in `FILES`), `sentence`, `turn`, `source` and `target` of every sentence of *segment*."""
    spellings = dict.fromkeys([source, Source.DIALECT, "standard"])
    spelling = pl.when(pl.col("turn").is_null()).then(source).otherwise(Source.DIALECT)  # 2020 has but one
    return segment.sentences(["row", "sentence", "turn", *spellings]).select(
        pl.col("row").alias("file"), "sentence", "turn", spelling.alias("source"), pl.col("standard").alias("target")
    )


def _turns(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the turns among *pairs*, their texts joined by blanks; null where a part has none, so that both texts say the same."""
    texts = (pl.when(pl.col(text).str.strip_chars() != "").then(text) for text in TEXTS)
    return (
        pairs.filter(pl.col("turn").is_not_null())
        .group_by("file", "turn", maintain_order=True)
        .agg(pl.col("sentence").first(), *(text.str.join(" ", ignore_nulls=False) for text in texts))
        .drop("turn")
    )


def _with_files(pairs: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """Return *pairs* with the columns of the *files* that their column `file` names."""
    return pairs.hstack(files[pairs["file"]])


def as_pairs(frame: pl.DataFrame, settings: CleanSettings | None, direction: Direction) -> pl.DataFrame:
    """
    Return *frame* with `source` and `target` as they are in an example, and with the column `UNCLEAN`.

    Args:
        frame: Columns of `read_utterances`; others than the two texts stay.
        settings: What cleaning does, or None.
        direction: Which of the two texts is the source.
    """
    frame = clean(frame, settings)
    if direction is Direction.TO_DIALECT:
        frame = frame.with_columns(source="target", target="source")
    return frame


def standard_column(direction: Direction) -> str:
    """Return the column of `as_pairs` that holds the text in standard Korean."""
    return "target" if direction is Direction.TO_STANDARD else "source"


def resolve_placement(frame: pl.DataFrame, hints: Hints) -> pl.DataFrame:
    """
    Return *frame* with `region` and `speech_type` as by `group_of`, and `split` as published.

    Args:
        frame: Columns `PLACEMENT_COLUMNS`; those of what the document says are left out of the result.
        hints: What the archive's name says.
    """
    elicited = pl.col("label_speech_type").replace_strict(ELICITED, default=None, return_dtype=pl.String)
    return frame.with_columns(
        region=pl.coalesce("region", pl.lit(hints.region, pl.String), "label_region", pl.lit(Region.UNKNOWN.value)),
        speech_type=pl.coalesce(
            "speech_type", pl.lit(hints.speech_type, pl.String), elicited, pl.lit(SpeechType.UNKNOWN.value)
        ),
        split=pl.coalesce("split", pl.lit(hints.split, pl.String)),
    ).drop("label_region", "label_speech_type")
