"""
Limits on what train holds already, and on readings of a script and examples of a speaker.

What stays is chosen by hash, in one shard at a time. Each rule looks at what the one before has left.
"""

from collections.abc import Iterable, Iterator

import polars as pl

from saturi.etl.corpus.groups import Group
from saturi.etl.select.choice import order
from saturi.etl.select.decisions import (
    LETTER_HASHES,
    Step,
    drop,
    is_there,
    kept_for,
    read_decisions,
    read_keys,
    write_reasons,
)
from saturi.etl.select.leaks import in_training
from saturi.etl.select.quotas import Stratum
from saturi.etl.select.split import speaker_keys
from saturi.etl.select.tasks import LimitTask
from saturi.etl.storage.location import Location, location_of
from saturi.schemas.terms import DropReason, Split

_COLUMNS = ["split", "reason", *LETTER_HASHES, "choice", "speakers", "script"]
_PARTS = 8  # bound the memory of sorting, which takes 100 bytes an utterance


def limit(task: LimitTask) -> dict[Stratum, int]:
    """
    Write the reasons of all groups of a section after `in_training`, `over_script` and `over_speaker`.

    Returns:
        How many utterances are left of each stratum.

    Raises:
        StorageError: They cannot be written.
    """
    folder = location_of(task.decisions)
    if not all(is_there(folder, group, Step.LIMITED) for group in task.groups):
        decisions = limited(task)
        start = 0
        for group in task.groups:
            stop = start + read_decisions(folder, group, ["row"], Step.JUDGED).height
            write_reasons(folder, group, Step.LIMITED, decisions["reason"][start:stop])
            start = stop
    counts = {}
    for group in task.groups:
        decisions = read_decisions(folder, group, ["split", "reason"], Step.LIMITED)
        for split in Split:
            counts[Stratum(split, group)] = decisions.select(kept_for(split).sum()).item()
    return counts


def limited(task: LimitTask) -> pl.DataFrame:
    """Return the decisions on a section, group after group, without texts of train and without what is over a limit."""
    folder = location_of(task.decisions)
    keys = _Keys(folder, task.groups)
    tables = [
        read_decisions(folder, group, _COLUMNS, Step.COMPARED).with_columns(keys.offset(place))
        for place, group in enumerate(task.groups)
    ]
    decisions = pl.concat(tables)
    if task.apart:  # elsewhere, as in AI-Hub's own folders, the leak is measured, not mended
        decisions = drop(decisions, [in_training(decisions, folder)], DropReason.IN_TRAINING)
    decisions = decisions.drop(LETTER_HASHES)
    if task.max_per_script is not None:
        scripts = decisions.select(pl.col("script").drop_nulls().unique()).with_columns(key="script")
        beyond = _beyond(decisions, scripts, task.max_per_script, DropReason.OVER_SCRIPT)
        decisions = drop(decisions, beyond, DropReason.OVER_SCRIPT)
    if task.max_per_speaker is not None:
        beyond = _beyond(decisions, keys.speakers(), task.max_per_speaker, DropReason.OVER_SPEAKER)
        decisions = drop(decisions, beyond, DropReason.OVER_SPEAKER)
    return decisions


class _Keys:
    """The speakers and scripts of several groups, of which each has numbered its own from 0."""

    def __init__(self, folder: Location, groups: Iterable[Group]) -> None:
        self._keys = [read_keys(folder, group) for group in groups]

    def offset(self, place: int) -> list[pl.Expr]:
        """Return the columns `speakers` and `script` of the group at *place*, with numbers that no other group has."""
        before = self._keys[:place]
        return [
            pl.col("speakers") + pl.lit(sum(len(keys.speakers) for keys in before), pl.UInt32),
            pl.col("script") + pl.lit(sum(len(keys.scripts) for keys in before), pl.UInt32),
        ]

    def speakers(self) -> pl.DataFrame:
        """Return the speakers of each value of the column `speakers`, a row each: `speakers`, and `key`, the number of one."""
        numbers: dict[str, int] = {}
        listed = (speakers for keys in self._keys for speakers in keys.speakers)
        rows = [
            (place, numbers.setdefault(key, len(numbers)))
            for place, speakers in enumerate(listed)
            for key in sorted(set(speaker_keys(speakers)))
        ]
        return pl.DataFrame(rows, schema={"speakers": pl.UInt32, "key": pl.UInt32}, orient="row")


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
    for part in range(_PARTS):
        keyed = rows.join(keys.filter(pl.col("key") % _PARTS == part), on=column, how="inner")
        in_order = keyed.sort("split", "key", "order", "at").select("at", "split", "key")
        place = pl.int_range(pl.len(), dtype=pl.UInt32).over("split", "key")
        yield in_order.filter(place >= most)["at"].unique()
