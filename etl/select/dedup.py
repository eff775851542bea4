"""
Comparison of the utterances of a section: of equal ones the first is kept, and one source may be held to one target.

Both rules look at one shard, and only at utterances with equal sources at a time; so it is done part by part, which bounds
memory: looking at all at once takes 200 bytes an utterance.
"""

from itertools import groupby
from operator import attrgetter

import polars as pl

from saturi.etl.select.decisions import TEXT_HASHES, Held, by_stretch, drop, is_there, read_decisions, write_step
from saturi.etl.select.least import with_least
from saturi.etl.select.tasks import CompareTask, Step
from saturi.etl.storage.location import location_of
from saturi.schemas.terms import Conflicts, Dedup, DropReason

_COLUMNS = ["split", "reason", *TEXT_HASHES, "place"]
_PART_ROWS = 150_000
_EQUAL = {Dedup.PAIR: ("split", *TEXT_HASHES), Dedup.SOURCE: ("split", "source_hash")}


def compare(task: CompareTask) -> None:
    """
    Write the decisions on a section after `several_targets` and `duplicate`, each group with its least number of validation rows.

    Raises:
        StorageError: They cannot be written.
    """
    folder, options = location_of(task.decisions), task.options
    if is_there(folder, task.stretches, Step.COMPARED):
        return
    tables = {stretch: read_decisions(folder, stretch, _COLUMNS, Step.JUDGED) for stretch in task.stretches}
    groups, held = [], {}
    for group, stretches in groupby(tables, key=attrgetter("group")):
        decisions, held_out = with_least(pl.concat([tables[stretch] for stretch in stretches]), options)
        groups.append(decisions)
        held[group] = Held(held_out)
    decisions = compared(pl.concat(groups), options.conflicts, options.dedup)
    for stretch, rows in by_stretch(decisions, tables):
        write_step(folder, stretch, Step.COMPARED, rows, held[stretch.group])


def compared(decisions: pl.DataFrame, conflicts: Conflicts, dedup: Dedup) -> pl.DataFrame:
    """
    Return *decisions* without repetitions and conflicts.

    Args:
        decisions: Columns `split`, `reason`, `source_hash`, `target_hash` of a whole section, in the order in which it is
            written.
        conflicts: What becomes of pairs whose source has other targets, too.
        dedup: What a shard holds only once.
    """
    kept = decisions.with_row_index("at").filter(pl.col("reason").is_null()).drop("reason")
    conflicting, repeated = [], []
    parts = kept.height // _PART_ROWS + 1
    for part in range(parts):
        rows = kept.filter(pl.col("source_hash") % parts == part)
        lost = _conflicting(rows, conflicts)
        conflicting.append(lost)
        if dedup is not Dedup.NONE:
            left = rows.filter(~pl.col("at").is_in(lost.implode())) if lost.len() else rows
            repeated.append(left.filter(~pl.struct(_EQUAL[dedup]).is_first_distinct())["at"])
    decisions = drop(decisions, conflicting, DropReason.SEVERAL_TARGETS)
    return drop(decisions, repeated, DropReason.DUPLICATE)


def _conflicting(rows: pl.DataFrame, conflicts: Conflicts) -> pl.Series:
    """
    Return the places of the pairs that lose to other targets of the same source.

    Most frequent is the target of most utterances of the shard, duplicates included; of equally frequent ones the first.
    """
    if conflicts is Conflicts.KEEP:
        return rows["at"].clear()
    pairs = rows.group_by("split", *TEXT_HASHES).agg(pl.len().alias("votes"), pl.col("at").min().alias("first"))
    if conflicts is Conflicts.DROP:
        lost = pairs.filter(pl.len().over("split", "source_hash") > 1)
    else:
        lost = pairs.sort("votes", "first", descending=[True, False]).filter(
            ~pl.struct("split", "source_hash").is_first_distinct()
        )
    return rows.join(lost, on=["split", *TEXT_HASHES], how="semi")["at"]
