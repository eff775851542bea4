"""
What train and validation have in common: dropped from validation where the split is ours, and measured in what was written.

Of train, which is large, only those texts are held that validation has, too.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path

import polars as pl

from etl.select.decisions import DECISIONS, TEXT_HASHES, Step, kept_for, read_decisions, read_keys
from etl.select.groups import Group
from etl.select.split import script_keys, speaker_keys
from etl.tasks import Shared, ShareTask
from schemas.terms import Split

_SEEN = ["split", "reason", *TEXT_HASHES]


def mark_in_training(decisions: pl.DataFrame, folder: Path, groups: Iterable[Group]) -> pl.Series:
    """
    Return the places of *decisions* that are kept for validation while their source, or target, is also one in train.

    Args:
        decisions: Columns `split`, `reason` and the hashes of the texts.
        folder, groups: The decisions of all groups, as they are when texts have been compared.
    """
    held_out = decisions.filter(kept_for(Split.VALIDATION))
    if held_out.is_empty():
        return pl.Series(dtype=pl.UInt32)
    shared = _shared_texts([held_out], folder, groups, Step.COMPARED)
    return decisions.select(kept_for(Split.VALIDATION) & _has_one_of(shared)).to_series().arg_true()


def count_shared(task: ShareTask) -> Shared:
    """Return what both sides have in common, measured on the final decisions on all groups."""
    folder = Path(task.decisions)
    tables = (read_decisions(folder, group, _SEEN, Step.FINAL) for group in task.groups)
    held_out = [
        table.filter(kept_for(Split.VALIDATION)) for table in chain([DECISIONS.to_frame().select(_SEEN)], tables)
    ]
    shared = _shared_texts(held_out, folder, task.groups, Step.FINAL)
    return Shared(
        speakers=_count_shared_keys(task, "speakers"),
        scripts=_count_shared_keys(task, "script"),
        texts=sum(texts.len() for texts in shared.values()),
        validation_in_training=sum(frame.filter(_has_one_of(shared)).height for frame in held_out),
    )


def _shared_texts(
    held_out: Sequence[pl.DataFrame], folder: Path, groups: Iterable[Group], step: Step
) -> dict[str, pl.Series]:
    """Return, for each column of hashes, the different ones that the rows *held_out* and those kept for train both have."""
    of_validation = {name: pl.concat([frame[name] for frame in held_out]).unique() for name in TEXT_HASHES}
    found = {name: [hashes.clear()] for name, hashes in of_validation.items()}
    for group in groups:
        training = read_decisions(folder, group, _SEEN, step).filter(kept_for(Split.TRAIN))
        for name, hashes in of_validation.items():
            found[name].append(training[name].filter(training[name].is_in(hashes.implode())).unique())
    return {name: pl.concat(hashes).unique() for name, hashes in found.items()}


def _has_one_of(texts: dict[str, pl.Series]) -> pl.Expr:
    return pl.any_horizontal(pl.col(name).is_in(hashes.implode()) for name, hashes in texts.items())


def _count_shared_keys(task: ShareTask, column: str) -> int:
    """Return how many different keys, told by *column*, both sides have."""
    keys: dict[Split, set[str]] = {split: set() for split in Split}
    for group in task.groups:
        decisions = read_decisions(Path(task.decisions), group, ["split", "reason", column], Step.FINAL)
        named = _names(Path(task.decisions), group, column)
        for split, found in keys.items():
            for number in decisions.filter(kept_for(split))[column].drop_nulls().unique():
                found.update(named(number))
    return len(keys[Split.TRAIN] & keys[Split.VALIDATION])


def _names(folder: Path, group: Group, column: str) -> Callable[[int], list[str]]:
    """Return the function that gives the keys that a number in *column* stands for."""
    told = read_keys(folder, group)
    if column == "speakers":
        return lambda number: speaker_keys(told.speakers[number])
    return lambda number: script_keys(told.scripts[number], group.region, group.speech_type)
