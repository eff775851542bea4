"""
Limits on what train holds already, and on readings of a script and examples of a speaker.

What stays is chosen by hash, in one shard at a time. Each rule looks at what the one before has left.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping

import polars as pl

from saturi.etl.select.choice import order
from saturi.etl.select.decisions import (
    LETTER_HASHES,
    by_stretch,
    drop,
    is_there,
    kept_for,
    read_decisions,
    read_keys,
    write_step,
)
from saturi.etl.select.leaks import in_training
from saturi.etl.select.quotas import Stratum
from saturi.etl.select.split import speaker_keys
from saturi.etl.select.tasks import LimitTask, Step, Stretch
from saturi.etl.storage.location import Location, location_of
from saturi.schemas.terms import DropReason, Split

_COLUMNS = ["split", "reason", *LETTER_HASHES, "choice", "speakers", "script"]
_MOST_PARTS = 8  # bound the memory of sorting, which takes 100 bytes an utterance
PART_ROWS = 100_000
"""Utterances that are worth a part of their own."""


def limit(task: LimitTask) -> dict[Stratum, int]:
    """
    Write the decisions on a section after `in_training`, `over_script` and `over_speaker`.

    Returns:
        How many utterances are left of each stratum.

    Raises:
        StorageError: They cannot be written.
    """
    folder = location_of(task.decisions)
    if not is_there(folder, task.stretches, Step.LIMITED):
        tables = {stretch: read_decisions(folder, stretch, _COLUMNS, Step.COMPARED) for stretch in task.stretches}
        for stretch, rows in by_stretch(limited(task, tables), tables):
            write_step(folder, stretch, Step.LIMITED, rows)
    counts = {Stratum(split, stretch.group): 0 for stretch in task.stretches for split in Split}
    for stretch in task.stretches:
        left = read_decisions(folder, stretch, ["split", "reason"], Step.LIMITED)
        for split in Split:
            counts[Stratum(split, stretch.group)] += left.select(kept_for(split).sum()).item()
    return counts


def limited(task: LimitTask, tables: Mapping[Stretch, pl.DataFrame]) -> pl.DataFrame:
    """Return the decisions on a section, of its *tables*, without texts of train and without what is over a limit."""
    folder = location_of(task.decisions)
    decisions = pl.concat(tables.values())
    if task.apart:  # elsewhere, as in AI-Hub's own folders, the leak is measured, not mended
        decisions = drop(decisions, [in_training(decisions, folder)], DropReason.IN_TRAINING)
    if task.max_per_script is not None or task.max_per_speaker is not None:
        keys = _Keys(folder, tables)
        decisions = pl.concat(
            [decisions.drop([*LETTER_HASHES, "speakers", "script"]), keys.columns(tables)], how="horizontal"
        )
        if task.max_per_script is not None:
            beyond = _beyond(decisions, keys.scripts(), task.max_per_script, DropReason.OVER_SCRIPT)
            decisions = drop(decisions, beyond, DropReason.OVER_SCRIPT)
        if task.max_per_speaker is not None:
            beyond = _beyond(decisions, keys.speakers(), task.max_per_speaker, DropReason.OVER_SPEAKER)
            decisions = drop(decisions, beyond, DropReason.OVER_SPEAKER)
    return decisions


class _Keys:
    """The speakers and scripts of several stretches, of which each has numbered its own from 0."""

    def __init__(self, folder: Location, stretches: Iterable[Stretch]) -> None:
        self._keys = {stretch: read_keys(folder, stretch) for stretch in stretches}

    def columns(self, tables: Mapping[Stretch, pl.DataFrame]) -> pl.DataFrame:
        """Return the columns `speakers` and `script` of *tables*, with numbers that are those of no other stretch, too."""
        columns = []
        speakers = scripts = 0
        for stretch, keys in self._keys.items():
            numbers = (pl.col("speakers") + pl.lit(speakers, pl.UInt32), pl.col("script") + pl.lit(scripts, pl.UInt32))
            columns.append(tables[stretch].select(numbers))
            speakers, scripts = speakers + len(keys.speakers), scripts + len(keys.scripts)
        return pl.concat(columns)

    def speakers(self) -> pl.DataFrame:
        """Return the speakers of each value of the column `speakers`, a row each: `speakers`, and `key`, the number of one."""
        listed = (speaker_keys(speakers) for keys in self._keys.values() for speakers in keys.speakers)
        return _numbered("speakers", listed)

    def scripts(self) -> pl.DataFrame:
        """Return the script of each value of the column `script`, a row each: `script`, and `key`, its number."""
        listed = ([(stretch.group, script)] for stretch, keys in self._keys.items() for script in keys.scripts)
        return _numbered("script", listed)


def _numbered(column: str, keys: Iterable[Iterable[Hashable]]) -> pl.DataFrame:
    """Return the numbers of *keys*, of which each value of *column*, from 0, has some: the value, and `key`."""
    numbers: dict[Hashable, int] = {}
    rows = [
        (value, numbers.setdefault(key, len(numbers)))
        for value, of_value in enumerate(keys)
        for key in dict.fromkeys(of_value)
    ]
    return pl.DataFrame(rows, schema={column: pl.UInt32, "key": pl.UInt32}, orient="row")


def _beyond(decisions: pl.DataFrame, keys: pl.DataFrame, most: int, rule: DropReason) -> Iterator[pl.Series]:
    """
    Yield, part by part, the places of the rows that are not among the *most* that *rule* takes first of a key in a split.

    A row of several keys has to be among the first of each of them.

    Args:
        decisions: Columns `split`, `reason`, `choice`, and the first of *keys*.
        keys: A column of *decisions*, and `key`: which keys a row of such a value has.
    """
    [column, _] = keys.columns
    kept = decisions.with_row_index("at").filter(pl.col("reason").is_null())
    rows = kept.select("at", "split", column, order(rule).alias("order"))
    parts = min(rows.height // PART_ROWS + 1, _MOST_PARTS)
    for part in range(parts):
        keyed = rows.join(keys.filter(pl.col("key") % parts == part), on=column, how="inner")
        in_order = keyed.sort("split", "key", "order", "at").select("at", "split", "key")
        place = pl.int_range(pl.len(), dtype=pl.UInt32).over("split", "key")
        yield in_order.filter(place >= most)["at"].unique()
