"""
Decisions on every utterance: numbers and hashes, never texts, so that a shard may be larger than memory.

Each group has a table, made when its utterances are looked at one by one. Every later step writes only what it changes:
a column of reasons beside the table.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec
import polars as pl
from msgspec import Struct

from saturi.etl.corpus.groups import Group
from saturi.etl.output.files import write_whole
from saturi.etl.read.segments import from_ipc, to_ipc
from saturi.etl.select.split import SPLIT
from saturi.etl.storage.location import Location
from saturi.schemas.terms import DropReason, Split

REASON: pl.DataType = pl.Enum([reason.value for reason in DropReason])

DECISIONS: pl.Schema = pl.Schema(
    {
        "segment": pl.UInt32(),  # number of the segment among the group's sources
        "row": pl.UInt32(),  # number of the utterance in the segment
        "split": SPLIT,  # null where it has none
        "reason": REASON,  # null where it is kept
        "source_hash": pl.UInt64(),
        "target_hash": pl.UInt64(),
        "source_letters": pl.UInt64(),  # hash of the text by `saturi.etl.select.letters`
        "target_letters": pl.UInt64(),
        "choice": pl.UInt64(),  # of `saturi.etl.select.choice`
        "speakers": pl.UInt32(),  # number in `Keys.speakers`
        "script": pl.UInt32(),  # number in `Keys.scripts`; null where it is none that many read, or unknown
    }
)
"""A row an utterance, in canonical order: archives by name, label files as they lie there, sentences as spoken."""

TEXT_HASHES = ("source_hash", "target_hash")
LETTER_HASHES = ("source_letters", "target_letters")


class Step(StrEnum):
    """The steps of selection after which reasons are on disk."""

    JUDGED = "judged"
    COMPARED = "compared"
    LIMITED = "limited"
    FINAL = "final"


class Keys(Struct, frozen=True):
    """
    The different speakers (ids, one a line) and scripts (of `saturi.etl.select.split.resolve_scripts`) of a group.

    `held_out` is the share of its keys that are held out, null where the split does not follow from them.
    """

    speakers: list[str]
    scripts: list[str]
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


def write_decisions(folder: Location, group: Group, decisions: pl.DataFrame, keys: Keys) -> None:
    """
    Write the table of *group* into *folder*.

    Raises:
        StorageError: It cannot be written.
    """
    write_whole(_keys_path(folder, group), [msgspec.json.encode(keys)])
    write_whole(_path(folder, group, Step.JUDGED), [to_ipc(decisions)])


def read_keys(folder: Location, group: Group) -> Keys:
    """Return the keys of *group*."""
    return msgspec.json.decode(_keys_path(folder, group).read_bytes(), type=Keys)


def read_decisions(folder: Location, group: Group, columns: Sequence[str], step: Step) -> pl.DataFrame:
    """Return *columns* of the table of *group*, `reason` among them as it stands after *step*."""
    unchanged = columns if step is Step.JUDGED else [name for name in columns if name != "reason"]
    frame = _read(_path(folder, group, Step.JUDGED), unchanged)
    if step is Step.JUDGED or "reason" not in columns:
        return frame
    return frame.with_columns(_read(_path(folder, group, step), ["reason"])["reason"]).select(columns)


def write_reasons(folder: Location, group: Group, step: Step, reasons: pl.Series) -> None:
    """
    Write the reasons of *group* as they stand after *step*.

    Raises:
        StorageError: They cannot be written.
    """
    write_whole(_path(folder, group, step), [to_ipc(reasons.alias("reason").to_frame())])


def is_there(folder: Location, group: Group, step: Step) -> bool:
    """Whether *step* is done: it was written, whole, by this build or by one that was killed later."""
    return _path(folder, group, step).is_file() and _keys_path(folder, group).is_file()


def kept_for(split: Split) -> pl.Expr:
    """Whether a row is kept, for *split*."""
    return pl.col("reason").is_null() & (pl.col("split") == split.value)


def drop(decisions: pl.DataFrame, places: Iterable[pl.Series], reason: DropReason) -> pl.DataFrame:
    """Return *decisions* where the rows at *places* are dropped for *reason*."""
    dropped = pl.concat([pl.Series(dtype=pl.UInt32), *places])
    marked = pl.zeros(decisions.height, dtype=pl.Boolean, eager=True).scatter(dropped, values=True)
    return decisions.with_columns(reason=pl.when(marked).then(pl.lit(reason.value, REASON)).otherwise("reason"))


def _path(folder: Location, group: Group, step: Step) -> Location:
    return folder / f"{group}.{step}.ipc"


def _keys_path(folder: Location, group: Group) -> Location:
    return folder / f"{group}.keys.json"


def _read(path: Location, columns: Sequence[str]) -> pl.DataFrame:
    return from_ipc(path.read_bytes(), columns)
