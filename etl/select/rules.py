"""
Decide what becomes of every utterance of one region and speech type: kept, or dropped for the first reason that holds.

What is decided is held in narrow columns (numbers and hashes, 30 bytes an utterance), never in texts, so that a shard
may be larger than memory.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from etl.files import write_whole
from etl.options import BuildOptions
from etl.read.segments import to_ipc
from etl.select.clean import UNCLEAN, clean
from etl.select.groups import SegmentSource
from etl.select.split import SPLIT, sides
from etl.select.utterances import TOLD, read_utterances, settle
from etl.tasks import SelectTask
from schemas.terms import DropReason, Split

REASON: pl.DataType = pl.Enum([reason.value for reason in DropReason])

DECISIONS: pl.Schema = pl.Schema(
    {
        "segment": pl.UInt32(),  # number of the segment among the group's sources
        "row": pl.UInt32(),  # number of the utterance in the segment
        "split": SPLIT,  # null where it has none
        "reason": REASON,  # null where it is kept
        "source_hash": pl.UInt64(),
        "target_hash": pl.UInt64(),
    }
)
"""A row an utterance, in canonical order: archives by name, label files as they lie there, sentences as spoken."""

_DEDUP_PARTS = 16
TEXT_HASHES = ("source_hash", "target_hash")
_SEEDS = {"source": 1, "target": 2}  # two independent hashes: a pair is told from others by 128 bits


def select(task: SelectTask) -> int:
    """
    Write `DECISIONS` for one group, and return how many utterances it has.

    Raises:
        StorageError: The decisions cannot be written.
    """
    path = Path(task.path)
    if path.exists():  # written whole by a build that was killed later
        return read_decisions(path, ["row"]).height
    parts = [_judge(number, source, task) for number, source in enumerate(task.sources)]
    decisions = pl.concat([DECISIONS.to_frame(), *parts])
    if task.options.dedup:
        decisions = _without_duplicates(decisions)
    write_whole(path, [to_ipc(decisions)])
    return decisions.height


def _judge(number: int, source: SegmentSource, task: SelectTask) -> pl.DataFrame:
    """Return `DECISIONS` for the utterances of one segment that belong to the group; each looked at by itself."""
    region, speech_type = task.group.region, task.group.speech_type
    settled = settle(read_utterances(source, task.options, TOLD), source.hints)
    frame = settled.filter(pl.col("region") == region.value, pl.col("speech_type") == speech_type.value).collect()
    return (
        clean(frame, task.options)
        .lazy()
        .with_columns(side=sides(frame, task.options, region, speech_type))
        .select(
            pl.lit(number, pl.UInt32).alias("segment"),
            "row",
            pl.col("side").alias("split"),
            pl.coalesce(*_row_rules(task.options)).cast(REASON).alias("reason"),
            *(pl.col(name).fill_null("").hash(seed).alias(f"{name}_hash") for name, seed in _SEEDS.items()),
        )
        .collect()
    )


def _row_rules(options: BuildOptions) -> Iterable[pl.Expr]:
    """Return the rules that look at one utterance, in order: each the reason where it applies, else null."""
    no_side = DropReason.NO_OFFICIAL_SPLIT if options.validation == "official" else DropReason.SPLIT_CONFLICT
    yield pl.col(UNCLEAN)
    yield _drop(pl.col("side").is_null(), no_side)
    yield _drop(_is_blank("source"), DropReason.EMPTY_SOURCE)
    yield _drop(_is_blank("target"), DropReason.EMPTY_TARGET)


def _drop(where: pl.Expr, reason: DropReason) -> pl.Expr:
    return pl.when(where).then(pl.lit(reason.value))


def _is_blank(column: str) -> pl.Expr:
    return pl.col(column).fill_null("").str.strip_chars() == ""


def _without_duplicates(decisions: pl.DataFrame) -> pl.DataFrame:
    """
    Return *decisions* where of equal pairs of one shard only the first is kept.

    Part by part, as equal pairs have equal hashes: looking at all at once takes 200 bytes an utterance.
    """
    kept = decisions.with_row_index("at").filter(pl.col("reason").is_null()).select("at", "split", *TEXT_HASHES)
    repeated = ~pl.struct("split", *TEXT_HASHES).is_first_distinct()
    parts = (kept.filter(pl.col("source_hash") % _DEDUP_PARTS == part) for part in range(_DEDUP_PARTS))
    duplicates = pl.concat([part.filter(repeated)["at"] for part in parts])
    is_duplicate = pl.zeros(decisions.height, dtype=pl.Boolean, eager=True).scatter(duplicates, values=True)
    reason = pl.when(is_duplicate).then(pl.lit(DropReason.DUPLICATE.value, REASON)).otherwise("reason")
    return decisions.with_columns(reason=reason)


def read_decisions(path: Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Return the decisions at *path*; read by us, since Polars would take brackets in a path for a pattern."""
    return pl.read_ipc(path.read_bytes(), columns=list(columns) if columns else None)


def mark_in_training(decisions: pl.DataFrame, paths: Iterable[Path]) -> pl.Series:
    """
    Return whether each of *decisions* is kept for validation while its source, or its target, is also one in train.

    Of train, which is large, only those texts are held that validation has, too.

    Args:
        decisions: Those of one group.
        paths: Those of all groups.
    """
    held_out = decisions.filter(_kept_for(Split.VALIDATION)).select(TEXT_HASHES)
    shared = {name: [held_out[name].clear()] for name in TEXT_HASHES}
    for path in paths:
        training = read_decisions(path, ["reason", "split", *TEXT_HASHES]).filter(_kept_for(Split.TRAIN))
        for name, found in shared.items():
            found.append(training[name].filter(training[name].is_in(held_out[name].implode())).unique())
    in_training = (pl.col(name).is_in(pl.concat(found).implode()) for name, found in shared.items())
    return decisions.select(_kept_for(Split.VALIDATION) & pl.any_horizontal(in_training)).to_series()


def _kept_for(split: Split) -> pl.Expr:
    return pl.col("reason").is_null() & (pl.col("split") == split.value)


def count_by_split(decisions: pl.DataFrame) -> dict[str | None, Counter[str]]:
    """Return, for each split, how many of *decisions* were dropped, by reason."""
    counts: dict[str | None, Counter[str]] = {}
    dropped = decisions.filter(pl.col("reason").is_not_null()).group_by("split", "reason").len()
    for split, reason, number in dropped.iter_rows():
        counts.setdefault(split, Counter())[reason] += number
    return counts
