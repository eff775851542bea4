"""Formats of `fetch`: `fetch.json`, the record of what it has fetched, and what it prints by `--json`."""

from typing import Literal

from msgspec import Struct

from saturi.schemas.brief import brief

FETCH_VERSION = 1
"""Of `fetch.json`."""

RepairState = Literal["joined", "whole", "incomplete"]


class ListedArchive(Struct, frozen=True, kw_only=True):
    """
    An archive as AI-Hub lists it.

    Args:
        data_set: Number of its data set.
        file_number: Its number at AI-Hub (fileSn).
        path: Its place below the folder of the data, with forward slashes.
        bytes: Its size; where that is `rounded`, the most that it may stand for, or 0 where AI-Hub tells none.
        rounded: Whether AI-Hub tells a rounded size only.
        labels: Whether it holds labels, by its name and its folders.
    """

    data_set: int
    file_number: int
    path: str
    bytes: int
    rounded: bool
    labels: bool


class DataSetList(Struct, frozen=True, kw_only=True):
    """
    A data set as AI-Hub lists it.

    Args:
        data_set: Its number.
        title: Its name.
        archives: All its files, in the order of the list.
        approval_ends: When the approval of the user ends, in AI-Hub's words; None where it does not say.
    """

    data_set: int
    title: str
    archives: tuple[ListedArchive, ...]
    approval_ends: str | None = None

    def __repr__(self) -> str:
        return brief(self, data_set=self.data_set, title=self.title, archives=len(self.archives))


class FetchPlan(Struct, frozen=True, kw_only=True):
    """
    The archives that will be fetched, and what that takes.

    Args:
        archives: Those that are not there yet.
        present: Number of those that are.
        bytes: Size of `archives` in all.
        rounded: Whether that is an upper limit, since some sizes are rounded.
        seconds: Time it takes at the usual speed of one transfer.
        needed_bytes: Space it needs: the size once, and a part.
        free_bytes: Space there is.
        approvals: When the approval of the user ends, by data set, where AI-Hub says so.
    """

    archives: tuple[ListedArchive, ...]
    present: int
    bytes: int
    rounded: bool
    seconds: int
    needed_bytes: int
    free_bytes: int
    approvals: dict[str, str] = {}

    def __repr__(self) -> str:
        return brief(self, archives=len(self.archives), bytes=self.bytes, present=self.present)


class FetchedArchive(Struct, frozen=True, kw_only=True):
    """An archive that was fetched whole."""

    data_set: int
    file_number: int
    path: str
    bytes: int
    sha256: str


class FetchRecord(Struct, frozen=True, kw_only=True):
    """
    `fetch.json`: what was fetched into a folder, and the terms that were agreed to.

    Args:
        version: Of this format.
        terms: SHA-256 of the terms that were agreed to; None before.
        archives: What was fetched, by path.
    """

    version: int = FETCH_VERSION
    terms: str | None = None
    archives: tuple[FetchedArchive, ...] = ()


class FetchResult(Struct, frozen=True, kw_only=True):
    """
    The archives that are there after a run.

    Args:
        archives: All that were asked for.
        fetched: Number of those that this run has fetched.
        present: Number of those that were there, compared with their hashes.
    """

    archives: tuple[FetchedArchive, ...]
    fetched: int
    present: int

    def __repr__(self) -> str:
        return brief(self, fetched=self.fetched, present=self.present)


class RepairedArchive(Struct, frozen=True, kw_only=True):
    """
    A zip that has parts beside it, or lies in parts alone.

    Args:
        path: The zip.
        state: `joined`, `whole` (it was already), or `incomplete`.
        detail: What was done, or what is missing.
    """

    path: str
    state: RepairState
    detail: str
