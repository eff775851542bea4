"""The only door to a provider: what goes through it is sent once, or repeated where that does no harm."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from etl.errors import EtlError
from etl.providers.account import Account
from etl.providers.pace import Pace
from schemas.provider import Provider

if TYPE_CHECKING:
    from openai import OpenAI

Found = TypeVar("Found")


class Client:
    """
    The API of a provider, as one account sees it.

    Raises:
        OptionError: There is no key.
    """

    def __init__(self, account: Account, pace: Pace) -> None:
        from etl.providers import sdk  # noqa: PLC0415 - half a second, which only they wait for who talk to a provider

        self.account, self.pace = account, pace
        self._sdk = sdk.Sdk(account, pace.answer_seconds)
        self._worth_repeating, self._retry_after = sdk.worth_repeating, sdk.retry_after

    @property
    def provider(self) -> Provider:
        """The profile."""
        return self.account.provider

    def close(self) -> None:
        """Close the connections."""
        self._sdk.api.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def once(self, doing: str, call: Callable[["OpenAI"], Found]) -> Found:
        """
        Return what *call* returns; it is made once.

        Args:
            doing: What it does, for the sentence of an error.

        Raises:
            NoAnswerError: It may or may not have been carried out.
            EligibilityError: The provider does not do this for this account.
            ProviderError: It was certainly not carried out.
        """
        try:
            return call(self._sdk.api)
        except EtlError:  # some are ValueErrors
            raise
        except self._sdk.foreign as error:
            # Without its cause: the text of that is the provider's, and may hold the key.
            raise self._sdk.translate(doing, error) from None

    def repeat(self, doing: str, call: Callable[["OpenAI"], Found], deadline: float | None = None) -> Found:
        """
        Return what *call* returns; it is made again while that may help, so it must do no harm twice.

        Args:
            doing: What it does, for the sentence of an error.
            deadline: When to stop, by `time.monotonic`; None for that of reads.

        Raises:
            NoAnswerError: Until the deadline there was no answer that helps.
            EligibilityError: The provider does not do this for this account.
            ProviderError: It was refused.
        """
        deadline = time.monotonic() + self.pace.read_seconds if deadline is None else deadline
        wait = self.pace.first_wait_seconds
        while True:
            try:
                return call(self._sdk.api)
            except EtlError:  # as above
                raise
            except self._sdk.foreign as error:
                asked = self._retry_after(error)
                # Between half of the wait and all of it, so that clients turned away together do not come back together.
                pause = wait * random.uniform(0.5, 1) if asked is None else asked  # noqa: S311 - no secret
                if not self._worth_repeating(error) or time.monotonic() + pause > deadline:
                    raise self._sdk.translate(doing, error) from None  # as above
            time.sleep(pause)
            wait = min(2 * wait, self.pace.longest_wait_seconds)

    def end(self, doing: str, call: Callable[["OpenAI"], object]) -> None:
        """Make *call*, which ends something, as `repeat` does; that it has ended before, or was never there, is no error."""

        def ended(api: "OpenAI") -> None:
            with suppress(*self._sdk.ended):
                call(api)

        self.repeat(doing, ended)

    def without_key(self, text: str) -> str:
        """Return *text* from the provider without the key, which some say back."""
        return self._sdk.without_key(text)
