"""
Leaks between train and validation: dropped from validation where the split is ours, and measured on the written examples.

Texts are the same if their letters and digits are. Of train, which is large, only those are held that validation has, too.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from saturi.etl.select.decisions import LETTER_HASHES, read_decisions, read_keys
from saturi.etl.select.sealed import is_sealed, read_table, write_sealed
from saturi.etl.select.split import script_key, speaker_keys
from saturi.etl.select.tasks import Shared, ShareTask
from saturi.etl.select.utterances import merge_small
from saturi.etl.storage.location import Location, location_of
from saturi.schemas.terms import Split

_SHARED = "shared.ipc"
_TEXTS = ["split", "reason", *LETTER_HASHES]
_HELD_OUT = pl.Schema(dict.fromkeys(LETTER_HASHES, pl.UInt64()))


def find_shared(task: ShareTask) -> None:
    """
    Write which texts both splits have when the utterances of each section have been compared, for `in_training`.

    Raises:
        StorageError: They cannot be written.
    """
    path = location_of(task.decisions) / _SHARED
    if not is_sealed(path):
        held_out = [_held_out(kept) for kept in _kept(task, _TEXTS)]
        write_sealed(path, _shared_texts(task, pl.concat([_HELD_OUT.to_frame(), *held_out])))


def in_training(decisions: pl.DataFrame, folder: Location) -> pl.Series:
    """
    Return the places of *decisions* that are kept for validation while a text of theirs is also in train.

    Args:
        decisions: Columns `split`, `reason` and the hashes of the texts.
        folder: Where `find_shared` has written.
    """
    shared = read_table(folder / _SHARED).to_series()
    kept = pl.col("reason").is_null() & (pl.col("split") == Split.VALIDATION.value)
    return decisions.select(pl.arg_where(kept & _has_one_of(shared))).to_series()


def count_shared(task: ShareTask) -> Shared:
    """Return the numbers of keys and texts in both splits, measured on the final decisions on all groups."""
    folder = location_of(task.decisions)
    speakers: dict[str, set[str]] = {split: set() for split in Split}
    scripts: dict[str, set[str]] = {split: set() for split in Split}
    held_out = [_HELD_OUT.to_frame()]
    for kept in _kept(task, [*_TEXTS, "speakers", "script"]):
        held_out.append(_held_out(kept))
        keys = {number: read_keys(folder, task.stretches[number]) for number in kept["stretch"].unique()}
        for number, split, place in kept.select("stretch", "split", "speakers").unique().rows():
            speakers[split].update(speaker_keys(keys[number].speakers[place]))
        for number, split, place in kept.select("stretch", "split", "script").drop_nulls().unique().rows():
            scripts[split].add(script_key(keys[number].scripts[place], task.stretches[number].group.region))
    validation = pl.concat(held_out)
    texts = _shared_texts(task, validation)
    return Shared(
        speakers=len(speakers[Split.TRAIN] & speakers[Split.VALIDATION]),
        scripts=len(scripts[Split.TRAIN] & scripts[Split.VALIDATION]),
        texts=texts.height,
        validation_in_training=validation.filter(_has_one_of(texts.to_series())).height,
    )


def _kept(task: ShareTask, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield *columns* of the rows that are kept, some at a time, with the number of their `stretch`."""
    folder = location_of(task.decisions)
    frames = (
        read_decisions(folder, stretch, columns, task.step).with_columns(stretch=pl.lit(number, pl.UInt32))
        for number, stretch in enumerate(task.stretches)
    )
    for frame in merge_small(frames):
        yield frame.filter(pl.col("reason").is_null())


def _held_out(kept: pl.DataFrame) -> pl.DataFrame:
    """Return the hashes of the texts of the rows of validation."""
    return kept.filter(pl.col("split") == Split.VALIDATION.value).select(LETTER_HASHES)


def _shared_texts(task: ShareTask, validation: pl.DataFrame) -> pl.DataFrame:
    """Return the different hashes of texts, `text`, that rows of *validation* and rows kept for train both have."""
    of_validation = _texts(validation).unique()
    shared = [of_validation.clear()]
    if not of_validation.is_empty():
        for kept in _kept(task, _TEXTS):
            of_train = _texts(kept.filter(pl.col("split") == Split.TRAIN.value))
            shared.append(of_train.join(of_validation, on="text", how="semi"))
    return pl.concat(shared).unique()


def _texts(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the hashes of sources and targets in one column, `text`."""
    return pl.concat([pl.DataFrame([rows[name].alias("text")]) for name in LETTER_HASHES])


def _has_one_of(texts: pl.Series) -> pl.Expr:
    return pl.any_horizontal(pl.col(name).is_in(texts.implode()) for name in LETTER_HASHES)
