"""How often a request is sent: again and again while that may help, until a deadline, with longer and longer waits in between."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from saturi.etl.providers.pace import Pace
from saturi.etl.providers.port import RequestError
from saturi.etl.providers.waiting import NO_ANSWER, Wait, WaitReporter
from saturi.etl.runtime.waiting import reported_after

Answer = TypeVar("Answer")


class Repetition:
    """
    Requests to one address, each repeated while that may help.

    Args:
        address: The address, which errors name.
        pace: Waits and deadlines.
        report_wait: Takes each wait that goes on for some seconds: for an answer, or until a request is repeated.
    """

    def __init__(self, address: str, pace: Pace, report_wait: WaitReporter) -> None:
        self._address, self._pace, self._report_wait = address, pace, report_wait

    def deadline(self) -> float:
        """Return when a read that begins now must be at its end, by `time.monotonic`."""
        return time.monotonic() + self._pace.read_seconds

    def run(
        self, doing: str, call: Callable[[], Answer], deadline: float | None = None, *, sends: bool = False
    ) -> Answer:
        """
        Return what *call* returns; it is made again while that may help, so it must do no harm twice.

        Args:
            doing: What it does, for the sentence of an error.
            call: Makes the request.
            deadline: When to stop, by `time.monotonic`; None for that of a read.
            sends: It sends a file, which takes its time and is seen by the bytes that have arrived; no report of that.

        Raises:
            EtlError: The request failed.
        """
        began = time.monotonic()
        deadline = self.deadline() if deadline is None else deadline
        wait = self._pace.first_wait_seconds
        while True:
            try:
                return call() if sends else self._awaited(doing, call, deadline)
            except RequestError as error:
                pause = self._pause(wait, error.wait_seconds)
                if not error.repeatable or time.monotonic() + pause > deadline:
                    raise error.located(self._where(doing)) from None
                problem = error.problem
            if time.monotonic() + pause - began > self._pace.quiet_seconds:
                self._tell(doing, problem, pause, deadline)
            time.sleep(pause)
            wait = min(2 * wait, self._pace.longest_wait_seconds)

    def _awaited(self, doing: str, call: Callable[[], Answer], deadline: float) -> Answer:
        """Return what *call* returns, and report that it is awaited if that takes some seconds."""
        with reported_after(self._pace.quiet_seconds, lambda: self._tell(doing, NO_ANSWER, None, deadline)):
            return call()

    def _tell(self, doing: str, problem: str, again_seconds: float | None, deadline: float) -> None:
        left = max(deadline - time.monotonic(), 0.0)
        wait = Wait(doing=self._where(doing), problem=problem, again_seconds=again_seconds, left_seconds=left)
        self._report_wait(wait)

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
