"""Waits on a provider, as whoever waits is told of them: what is awaited, why, when it is asked again, and until when."""

from collections.abc import Callable

from msgspec import Struct

NO_ANSWER = "no answer yet"
"""Why one waits for an answer that is on its way."""


class Wait(Struct, frozen=True, kw_only=True):
    """
    A wait on a provider that goes on for some seconds.

    Args:
        doing: Where, and what is awaited.
        problem: Why it takes longer, or is asked again.
        again_seconds: Time until it is asked again; None while an answer is awaited.
        left_seconds: Time until it is given up.
    """

    doing: str
    problem: str
    again_seconds: float | None
    left_seconds: float


WaitReporter = Callable[[Wait], None]


def no_report(_: Wait) -> None:
    """Report nothing."""
