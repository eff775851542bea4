"""
Leaks between train and validation: dropped from validation where the split is ours, and measured on the written examples.

Texts are the same if their letters and digits are. Of train, which is large, only those are held that validation has, too.
"""

from collections.abc import Iterable

import polars as pl

from saturi.etl.corpus.groups import Group
from saturi.etl.output.files import write_whole
from saturi.etl.read.segments import from_ipc, to_ipc
from saturi.etl.select.decisions import LETTER_HASHES, Step, kept_for, read_decisions, read_keys
from saturi.etl.select.split import script_key, speaker_keys
from saturi.etl.select.tasks import Shared, ShareTask
from saturi.etl.storage.location import Location, location_of
from saturi.schemas.terms import Split

_SHARED = "shared.ipc"
_COLUMNS = ["split", "reason", *LETTER_HASHES]


def find_shared(task: ShareTask) -> None:
    """
    Write which texts both splits have when the utterances of each section have been compared, for `in_training`.

    Raises:
        StorageError: They cannot be written.
    """
    folder = location_of(task.decisions)
    if not (folder / _SHARED).is_file():
        write_whole(folder / _SHARED, [to_ipc(_shared_texts(folder, task.groups, Step.COMPARED).to_frame())])


def in_training(decisions: pl.DataFrame, folder: Location) -> pl.Series:
    """
    Return the places of *decisions* that are kept for validation while a text of theirs is also in train.

    Args:
        decisions: Columns `split`, `reason` and the hashes of the texts.
        folder: Where `find_shared` has written.
    """
    shared = from_ipc((folder / _SHARED).read_bytes()).to_series()
    return decisions.select(kept_for(Split.VALIDATION) & _has_one_of(shared)).to_series().arg_true()


def count_shared(task: ShareTask) -> Shared:
    """Return the numbers of keys and texts in both splits, measured on the final decisions on all groups."""
    folder = location_of(task.decisions)
    texts = _shared_texts(folder, task.groups, Step.FINAL)
    speakers, scripts = _KeysBySplit(), _KeysBySplit()
    leaking = 0
    for group in task.groups:
        decisions = read_decisions(folder, group, [*_COLUMNS, "speakers", "script"], Step.FINAL)
        keys = read_keys(folder, group)
        for split in Split:
            kept = decisions.filter(kept_for(split))
            for number in kept["speakers"].unique():
                speakers[split].update(speaker_keys(keys.speakers[number]))
            for number in kept["script"].drop_nulls().unique():
                scripts[split].add(script_key(keys.scripts[number], group.region))
        leaking += decisions.filter(kept_for(Split.VALIDATION) & _has_one_of(texts)).height
    return Shared(
        speakers=speakers.shared,
        scripts=scripts.shared,
        texts=texts.len(),
        validation_in_training=leaking,
    )


class _KeysBySplit(dict[Split, set[str]]):
    """The keys in each split."""

    def __missing__(self, split: Split) -> set[str]:
        return self.setdefault(split, set())

    @property
    def shared(self) -> int:
        """Number of keys in both splits."""
        return len(self[Split.TRAIN] & self[Split.VALIDATION])


def _shared_texts(folder: Location, groups: Iterable[Group], step: Step) -> pl.Series:
    """Return the different hashes of texts that rows kept for validation and rows kept for train both have."""
    held_out = pl.concat(
        [pl.Series(dtype=pl.UInt64), *(_texts(folder, group, step, Split.VALIDATION) for group in groups)]
    ).unique()
    shared = [held_out.clear()]
    if not held_out.is_empty():
        for group in groups:
            training = _texts(folder, group, step, Split.TRAIN)
            shared.append(training.filter(training.is_in(held_out.implode())).unique())
    return pl.concat(shared).unique().alias("text")


def _texts(folder: Location, group: Group, step: Step, split: Split) -> pl.Series:
    """Return the hashes of the sources, and of the targets, of the rows of *group* kept for *split*."""
    kept = read_decisions(folder, group, _COLUMNS, step).filter(kept_for(split))
    return pl.concat(kept[name].alias("") for name in LETTER_HASHES)


def _has_one_of(texts: pl.Series) -> pl.Expr:
    return pl.any_horizontal(pl.col(name).is_in(texts.implode()) for name in LETTER_HASHES)
