"""How far an evaluation is."""

from collections.abc import Callable

from msgspec import Struct

from saturi.etl.providers.waiting import Wait


class Progress(Struct, frozen=True):
    """
    A step, `reading`, `scoring` or `asking` a *system*, with what is done of it and what it cost so far.

    `total` is 0 where it is not known; `unanswered` counts questions that got no answer until their deadline;
    `waiting` is a wait for an answer that takes long.
    """

    step: str
    done: int
    total: int
    system: str = ""
    usd: float = 0.0
    unanswered: int = 0
    waiting: Wait | None = None


Reporter = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Report nothing."""
