"""How often a request is sent: again and again while that may help, until a deadline, with longer and longer waits in between."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from saturi.etl.providers.pace import Pace
from saturi.etl.providers.port import RequestError

Answer = TypeVar("Answer")

WaitReporter = Callable[[str], None]
"""Takes the problem for which a request is repeated."""


class Repetition:
    """
    Requests to one address, each repeated while that may help.

    Args:
        address: The address, which errors name.
        pace: Waits and deadlines.
        report_wait: Takes the problem for which a request is repeated, if that goes on for some seconds.
    """

    def __init__(self, address: str, pace: Pace, report_wait: WaitReporter) -> None:
        self._address, self._pace, self._report_wait = address, pace, report_wait

    def deadline(self) -> float:
        """Return when a read that begins now must be at its end, by `time.monotonic`."""
        return time.monotonic() + self._pace.read_seconds

    def run(self, doing: str, call: Callable[[], Answer], deadline: float | None = None) -> Answer:
        """
        Return what *call* returns; it is made again while that may help, so it must do no harm twice.

        Args:
            doing: What it does, for the sentence of an error.
            call: Makes the request.
            deadline: When to stop, by `time.monotonic`; None for that of a read.

        Raises:
            EtlError: The request failed.
        """
        began = time.monotonic()
        deadline = self.deadline() if deadline is None else deadline
        wait = self._pace.first_wait_seconds
        while True:
            try:
                return call()
            except RequestError as error:
                pause = self._pause(wait, error.wait_seconds)
                if not error.repeatable or time.monotonic() + pause > deadline:
                    raise error.located(self._where(doing)) from None
                problem = error.problem
            if time.monotonic() + pause - began > self._pace.quiet_seconds:
                self._report_wait(f"{self._where(doing)}: {problem}")
            time.sleep(pause)
            wait = min(2 * wait, self._pace.longest_wait_seconds)

    def end(self, doing: str, call: Callable[[], None]) -> None:
        """Make *call*, which ends something; that it has ended before, or was never there, is no error."""

        def end() -> None:
            try:
                call()
            except RequestError as error:
                if not error.ended:
                    raise

        self.run(doing, end)

    def _where(self, doing: str) -> str:
        return f"{self._address}, {doing}"

    def _pause(self, wait: float, asked: float | None) -> float:
        """Return the seconds before a repetition: some of *wait*, or as long as the provider asks for if that is longer."""
        # Between half of the wait and all of it, so that clients turned away together do not come back together.
        own = wait * random.uniform(0.5, 1)  # noqa: S311 - no secret
        return max(own, min(asked or 0.0, self._pace.longest_asked_seconds))
