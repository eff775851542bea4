"""Attempts at what may break, waits in between, and the end of all of them."""

import threading
from collections.abc import Callable
from typing import TypeVar

from saturi.etl.download.news import Again, Reporter
from saturi.etl.download.options import Patience
from saturi.etl.errors import ProviderError

Result = TypeVar("Result")


class BrokenTransferError(Exception):
    """A transfer that may be whole the next time."""


class StoppedError(Exception):
    """The run ends, for whatever reason, and what this thread does with it."""


class Attempts:
    """
    Attempts of all threads of one run.

    Args:
        patience: The waits between them.
        report: Takes news.
    """

    def __init__(self, patience: Patience, report: Reporter) -> None:
        self.patience, self.report = patience, report
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End all waits, and let no attempt begin."""
        self._stopped.set()

    def refuse_stopped(self) -> None:
        """
        Return while the run goes on.

        Raises:
            StoppedError: It ends.
        """
        if self._stopped.is_set():
            raise StoppedError

    def repeat(self, what: str, action: Callable[[], Result], attempts: int) -> Result:
        """
        Return what *action* returns, which is repeated where a transfer breaks.

        Args:
            what: Its name in messages.
            action: What may break.
            attempts: How often it is begun.

        Raises:
            ProviderError: It broke in every attempt.
            StoppedError: The run ends.
        """
        for number in range(1, attempts):
            try:
                return action()
            except BrokenTransferError as error:
                self.refuse_stopped()
                wait = min(self.patience.first_wait_seconds * 2 ** (number - 1), self.patience.longest_wait_seconds)
                self.report(Again(what, str(error), wait))
            if self._stopped.wait(wait):
                raise StoppedError
        try:
            return action()
        except BrokenTransferError as error:
            self.refuse_stopped()
            problem = f"{error}, {attempts} times in all"
            raise ProviderError(f"AI-Hub, {what}", problem, "run the same command again later") from error
