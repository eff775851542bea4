"""
Decisions on every utterance: numbers and hashes, never texts, so that a shard may be larger than memory.

Each stretch has a table, made when its utterances are looked at one by one. Every later step writes only what it changes:
splits and reasons, beside the table.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import polars as pl
from msgspec import Struct

from saturi.etl.select.sealed import is_sealed, read_facts, read_table, write_sealed
from saturi.etl.select.split import SPLIT
from saturi.etl.select.tasks import Step, Stretch
from saturi.etl.storage.location import Location
from saturi.schemas.terms import DropReason, Split

REASON: pl.DataType = pl.Enum([reason.value for reason in DropReason])

DECISIONS: pl.Schema = pl.Schema(
    {
        "segment": pl.UInt32(),  # number of the segment among the sources of the stretch
        "row": pl.UInt32(),  # number of the utterance in the segment
        "split": SPLIT,  # null where it has none
        "reason": REASON,  # null where it is kept
        "source_hash": pl.UInt64(),
        "target_hash": pl.UInt64(),
        "source_letters": pl.UInt64(),  # hash of the text by `saturi.etl.select.letters`
        "target_letters": pl.UInt64(),
        "choice": pl.UInt64(),  # of `saturi.etl.select.choice`
        "place": pl.UInt64(),  # of its key; null without one, and where there is no least number of validation rows
        "speakers": pl.UInt32(),  # number in `Keys.speakers`
        "script": pl.UInt32(),  # number in `Keys.scripts`; null where it is none that many read, or unknown
    }
)
"""A row an utterance, in canonical order: archives by name, label files as they lie there, sentences as spoken."""

TEXT_HASHES = ("source_hash", "target_hash")
LETTER_HASHES = ("source_letters", "target_letters")


_CHANGING = ("split", "reason")
"""What a step after the first one decides."""


class Keys(Struct, frozen=True):
    """The different speakers (ids, one a line) and scripts (of `saturi.etl.select.split.resolve_scripts`) of a stretch."""

    speakers: list[str]
    scripts: list[str]


class Held(Struct, frozen=True):
    """The share of the keys of a group that are held out; null where the split does not follow from them."""

    held_out: float | None


class Numbering:
    """Give each different text a number, from 0 in the order they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, texts: Sequence[str | None]) -> list[int | None]:
        """Return the numbers of *texts*; None stays None."""
        numbers = self._numbers
        for text in dict.fromkeys(texts):
            if text is not None:
                numbers.setdefault(text, len(numbers))
        return [None if text is None else numbers[text] for text in texts]

    @property
    def texts(self) -> list[str]:
        """All texts, each at the place of its number."""
        return list(self._numbers)


def write_judged(folder: Location, stretch: Stretch, decisions: pl.DataFrame, keys: Keys) -> None:
    """
    Write the table of *stretch* into *folder*.

    Raises:
        StorageError: It cannot be written.
    """
    write_sealed(_path(folder, stretch, Step.JUDGED), decisions, keys)


def read_keys(folder: Location, stretch: Stretch) -> Keys:
    """Return the keys of *stretch*."""
    return read_facts(_path(folder, stretch, Step.JUDGED), Keys)


def read_held_out(folder: Location, stretch: Stretch) -> float | None:
    """Return the share of the keys of the group of *stretch* that are held out."""
    return read_facts(_path(folder, stretch, Step.COMPARED), Held).held_out


def read_decisions(folder: Location, stretch: Stretch, columns: Sequence[str], step: Step) -> pl.DataFrame:
    """Return *columns* of the table of *stretch*, `split` and `reason` among them as they stand after *step*."""
    changed = [] if step is Step.JUDGED else [name for name in columns if name in _CHANGING]
    unchanged = [name for name in columns if name not in changed]
    tables = [read_table(_path(folder, stretch, Step.JUDGED), unchanged)] if unchanged else []
    if changed:
        tables.append(read_table(_path(folder, stretch, step), changed))
    return pl.DataFrame([series for table in tables for series in table])


def write_step(
    folder: Location, stretch: Stretch, step: Step, decisions: pl.DataFrame, facts: Struct | None = None
) -> None:
    """
    Write splits and reasons of *stretch* as they stand after *step*, and *facts*.

    Raises:
        StorageError: They cannot be written.
    """
    write_sealed(_path(folder, stretch, step), pl.DataFrame([decisions[name] for name in _CHANGING]), facts)


def by_stretch(
    decisions: pl.DataFrame, tables: Mapping[Stretch, pl.DataFrame]
) -> Iterator[tuple[Stretch, pl.DataFrame]]:
    """Yield the rows of *decisions* on each stretch, which are as many as in its table, one stretch after the other."""
    start = 0
    for stretch, table in tables.items():
        yield stretch, decisions[start : start + table.height]
        start += table.height


def is_there(folder: Location, stretches: Iterable[Stretch], step: Step) -> bool:
    """Whether *step* is done: it was written, whole, by this build or by one that was killed later."""
    return all(is_sealed(_path(folder, stretch, step)) for stretch in stretches)


def kept_for(split: Split) -> pl.Expr:
    """Whether a row is kept, for *split*."""
    return pl.col("reason").is_null() & (pl.col("split") == split.value)


def drop(decisions: pl.DataFrame, places: Iterable[pl.Series], reason: DropReason) -> pl.DataFrame:
    """Return *decisions* where the rows at *places* are dropped for *reason*."""
    dropped = pl.concat([pl.Series(dtype=pl.UInt32), *places])
    if dropped.is_empty():
        return decisions
    marked = pl.zeros(decisions.height, dtype=pl.Boolean, eager=True).scatter(dropped, values=True)
    return decisions.with_columns(reason=pl.when(marked).then(pl.lit(reason.value, REASON)).otherwise("reason"))


def _path(folder: Location, stretch: Stretch, step: Step) -> Location:
    return folder / f"{stretch}.{step}.ipc"
