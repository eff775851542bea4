"""News of a download while it runs."""

from collections.abc import Callable

from msgspec import Struct

from saturi.schemas.fetch import FetchedArchive, FetchPlan, ListedArchive


class Planned(Struct, frozen=True):
    """The plan, before anything is downloaded."""

    plan: FetchPlan


class Remark(Struct, frozen=True):
    """A sentence on something that the user may want to know."""

    sentence: str


class Moved(Struct, frozen=True):
    """Bytes of an archive that this attempt has got."""

    archive: ListedArchive
    done: int


class Again(Struct, frozen=True):
    """An attempt has failed, and another begins after a wait."""

    what: str
    problem: str
    wait_seconds: float


class Finished(Struct, frozen=True):
    """An archive is whole and has its name."""

    archive: FetchedArchive


News = Planned | Remark | Moved | Again | Finished

Reporter = Callable[[News], None]
"""Takes news; calls come from several threads, one at a time."""
