"""
The only door to a provider: the SDK, with repetitions where they do no harm, and its errors translated.

The SDK's own repetitions are off: by themselves they also repeat a job's creation, and what was refused for good.
"""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import NoReturn, TypeVar

import openai
from openai import OpenAI

from etl.errors import EligibilityError, EtlError, NoAnswerError, ProviderError
from etl.submit.account import Account
from etl.submit.pace import Pace
from schemas.provider import Provider

Found = TypeVar("Found")

HIDDEN = "(key)"
_WORTH_REPEATING = frozenset({408, 409, 429})
_SERVER_ERROR = 500
_NOT_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout"})  # of httpx2, under the SDK's APIConnectionError
_FOR_GOOD = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_QUOTA_ADVICE = "add money to the account or raise its limit, and run the same command again"
_CONNECT_SECONDS = 15.0
# What the SDK raises; ValueError where an answer that should be JSON is none.
_FOREIGN = (openai.OpenAIError, ValueError)


class Client:
    """
    A provider's API.

    Raises:
        OptionError: There is no key.
    """

    def __init__(self, account: Account, pace: Pace) -> None:
        self.account, self.pace = account, pace
        self._key = account.read_key()
        self._sdk = OpenAI(
            api_key=self._key,
            base_url=account.base_url,
            project=account.project or None,
            max_retries=0,
            timeout=openai.Timeout(pace.answer_seconds, connect=min(_CONNECT_SECONDS, pace.answer_seconds)),
        )

    @property
    def provider(self) -> Provider:
        """The profile."""
        return self.account.provider

    def close(self) -> None:
        """Close the connections."""
        self._sdk.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def once(self, doing: str, call: Callable[[OpenAI], Found]) -> Found:
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
            return call(self._sdk)
        except _FOREIGN as error:
            self._give_up(doing, error)

    def repeat(self, doing: str, call: Callable[[OpenAI], Found], deadline: float | None = None) -> Found:
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
                return call(self._sdk)
            except _FOREIGN as error:
                asked = _retry_after(error)
                # Between half of the wait and all of it, so that clients turned away together do not come back together.
                pause = wait * random.uniform(0.5, 1) if asked is None else asked  # noqa: S311 - no secret
                if not _worth_repeating(error) or time.monotonic() + pause > deadline:
                    self._give_up(doing, error)
            time.sleep(pause)
            wait = min(2 * wait, self.pace.longest_wait_seconds)

    def end(self, doing: str, call: Callable[[OpenAI], object]) -> None:
        """Make *call*, which ends something, as `repeat` does; that it has ended before, or was never there, is no error."""

        def ended(sdk: OpenAI) -> None:
            with suppress(openai.NotFoundError, openai.BadRequestError):
                call(sdk)

        self.repeat(doing, ended)

    def clean(self, text: str) -> str:
        """Return *text* from the provider without the key, which some say back."""
        return text.replace(self._key, HIDDEN)

    def _give_up(self, doing: str, error: Exception) -> NoReturn:
        # Without its cause: the text of that is the provider's, and may hold the key.
        raise self._translate(doing, error) from None

    def _translate(self, doing: str, error: Exception) -> EtlError:
        """Return what the SDK says as an error of ours; the only place that does."""
        where = f"{self.account.base_url}, {doing}"
        if not isinstance(error, openai.APIStatusError):
            if isinstance(error, openai.APIConnectionError) and type(error.__cause__).__name__ in _NOT_SENT:
                cause = self.clean(str(error.__cause__))
                return ProviderError(where, f"cannot be reached ({cause})", "check the network and the address")
            what = "no answer in time" if isinstance(error, openai.APITimeoutError) else self.clean(str(error))
            return NoAnswerError(where, f"no usable answer ({what})", "run the same command again, it goes on from here")
        message = self.clean(" ".join(str(error.message).split()))
        said = f"answer {error.status_code}: {message}"
        if error.code == "training_not_available":
            closings = "; ".join(f"{day}: {what}" for day, what in self.provider.closings.items()) or "ask the provider"
            return EligibilityError(where, f"this account may not train ({message})", closings)
        if error.code in _FOR_GOOD:
            return EligibilityError(where, f"the account's balance or limit is used up ({message})", _QUOTA_ADVICE)
        if error.code == "model_not_found":
            return EligibilityError(where, said, "choose a model that this account can train")
        if error.status_code in (401, 403):
            key = self.account.key_file or self.provider.key_env
            return ProviderError(where, said, f"check the key in {key} and what it is allowed to do")
        if error.status_code == 429:  # noqa: PLR2004 - too many requests: never carried out
            return ProviderError(where, said, "wait a while and run the same command again")
        if error.status_code >= _SERVER_ERROR or error.status_code in _WORTH_REPEATING:
            return NoAnswerError(where, said, "run the same command again later, it goes on from here")
        return ProviderError(where, said, "look at what it says; nothing was done")


def _worth_repeating(error: Exception) -> bool:
    if not isinstance(error, openai.APIStatusError):
        return True
    if error.code in _FOR_GOOD:
        return False
    return error.status_code in _WORTH_REPEATING or error.status_code >= _SERVER_ERROR


def _retry_after(error: Exception) -> float | None:
    """Return the seconds the provider asks to wait, or None where it does not say."""
    said = error.response.headers.get("retry-after") if isinstance(error, openai.APIStatusError) else None
    if said is None:
        return None
    try:
        seconds = float(said)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(said).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds)
