"""
What train and validation have in common: dropped from validation where the split is ours, and measured in what was written.

Of train, which is large, only those texts are held that validation has, too.
"""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import polars as pl

from etl.files import write_whole
from etl.read.segments import to_ipc
from etl.select.decisions import DECISIONS, TEXT_HASHES, Step, kept_for, read_decisions, read_keys
from etl.select.groups import Group
from etl.select.split import script_keys, speaker_keys
from etl.tasks import Shared, ShareTask
from schemas.terms import Split

_SEEN = ["split", "reason", *TEXT_HASHES]


def find_shared(task: ShareTask) -> None:
    """
    Write which texts both sides have when the utterances of each section have been compared, for `in_training`.

    Raises:
        StorageError: They cannot be written.
    """
    folder = Path(task.decisions)
    if all(_shared_path(folder, name).exists() for name in TEXT_HASHES):
        return
    for name, texts in _shared_texts(folder, task.groups, Step.COMPARED).items():
        write_whole(_shared_path(folder, name), [to_ipc(texts.to_frame())])


def in_training(decisions: pl.DataFrame, folder: Path) -> pl.Series:
    """
    Return the places of *decisions* that are kept for validation while their source, or target, is also one in train.

    Args:
        decisions: Columns `split`, `reason` and the hashes of the texts.
        folder: Where `find_shared` has written.
    """
    shared = {name: pl.read_ipc(_shared_path(folder, name).read_bytes())[name] for name in TEXT_HASHES}
    return decisions.select(kept_for(Split.VALIDATION) & _has_one_of(shared)).to_series().arg_true()


def count_shared(task: ShareTask) -> Shared:
    """Return what both sides have in common, measured on the final decisions on all groups."""
    folder = Path(task.decisions)
    texts = _shared_texts(folder, task.groups, Step.FINAL)
    speakers, scripts = _Sides(), _Sides()
    leaking = 0
    for group in task.groups:
        decisions = read_decisions(folder, group, [*_SEEN, "speakers", "script"], Step.FINAL)
        keys = read_keys(folder, group)
        for split in Split:
            kept = decisions.filter(kept_for(split))
            for number in kept["speakers"].unique():
                speakers[split].update(speaker_keys(keys.speakers[number]))
            for number in kept["script"].drop_nulls().unique():
                scripts[split].update(script_keys(keys.scripts[number], group.region, group.speech_type))
        leaking += decisions.filter(kept_for(Split.VALIDATION) & _has_one_of(texts)).height
    return Shared(
        speakers=speakers.shared,
        scripts=scripts.shared,
        texts=sum(hashes.len() for hashes in texts.values()),
        validation_in_training=leaking,
    )


class _Sides(dict[Split, set[str]]):
    """The keys met on each side."""

    def __missing__(self, split: Split) -> set[str]:
        return self.setdefault(split, set())

    @property
    def shared(self) -> int:
        """How many both sides have."""
        return len(self[Split.TRAIN] & self[Split.VALIDATION])


def _shared_texts(folder: Path, groups: Iterable[Group], step: Step) -> dict[str, pl.Series]:
    """Return, for each column of hashes, the different ones that rows kept for validation and rows kept for train both have."""
    tables = (read_decisions(folder, group, _SEEN, step) for group in groups)
    held_out = pl.concat(
        table.filter(kept_for(Split.VALIDATION)) for table in chain([DECISIONS.to_frame().select(_SEEN)], tables)
    )
    of_validation = {name: held_out[name].unique() for name in TEXT_HASHES}
    if held_out.is_empty():
        return of_validation
    found = {name: [hashes.clear()] for name, hashes in of_validation.items()}
    for group in groups:
        training = read_decisions(folder, group, _SEEN, step).filter(kept_for(Split.TRAIN))
        for name, hashes in of_validation.items():
            found[name].append(training[name].filter(training[name].is_in(hashes.implode())).unique())
    return {name: pl.concat(hashes).unique() for name, hashes in found.items()}


def _has_one_of(texts: dict[str, pl.Series]) -> pl.Expr:
    return pl.any_horizontal(pl.col(name).is_in(hashes.implode()) for name, hashes in texts.items())


def _shared_path(folder: Path, name: str) -> Path:
    return folder / f"shared.{name}.ipc"
