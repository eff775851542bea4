"""The SDK, made and spoken to: the only module that imports it, and the only place where its errors are translated."""

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import openai
from openai import OpenAI

from etl.errors import EligibilityError, EtlError, NoAnswerError, ProviderError, UnreachableError
from etl.providers.account import Account

if TYPE_CHECKING:
    import httpx2

HIDDEN = "(key)"
_WORTH_REPEATING = frozenset({408, 409, 429})
_TOO_MANY, _SERVER_ERROR = 429, 500
_NOT_SENT = frozenset(
    {"ConnectError", "ConnectTimeout", "PoolTimeout"}
)  # of httpx2, under the SDK's APIConnectionError
_USED_UP = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_CONNECT_SECONDS = 15.0


class NotJsonError(ValueError):
    """A page in the place of an answer: the address is another's, or something stands in between."""


def _refuse_pages(response: "httpx2.Response") -> None:
    """Refuse a good answer that is no JSON, of which the SDK would make a text and we would ask for the fields of a job."""
    kind = response.headers.get("content-type", "nothing said")
    if response.is_success and "json" not in kind:
        message = f"{kind} instead of JSON"
        raise NotJsonError(message)


class Sdk:
    """
    The SDK for one account. Its own repetitions are off: by themselves they also repeat the creation of a job.

    Raises:
        OptionError: There is no key.
    """

    foreign = (openai.OpenAIError, ValueError)
    """What a call raises; a ValueError is an answer that should be JSON and is none."""

    ended = (openai.NotFoundError, openai.BadRequestError)
    """What it raises where something that shall end has ended before."""

    def __init__(self, account: Account, answer_seconds: float) -> None:
        self._account = account
        self._key = account.read_key()
        self.api = OpenAI(
            api_key=self._key,
            base_url=account.base_url,
            project=account.project or None,
            max_retries=0,
            http_client=openai.DefaultHttpxClient(event_hooks={"response": [_refuse_pages]}),
            timeout=openai.Timeout(answer_seconds, connect=min(_CONNECT_SECONDS, answer_seconds)),
        )

    def without_key(self, text: str) -> str:
        """Return *text* from the provider without the key, which some say back."""
        return text.replace(self._key, HIDDEN)

    def translate(self, doing: str, error: Exception) -> EtlError:
        """Return a foreign *error*, met while *doing* something, as one of ours."""
        where = f"{self._account.base_url}, {doing}"
        if isinstance(error, openai.APIStatusError):
            return self._translate_answer(where, error)
        if isinstance(error, openai.APIConnectionError) and type(error.__cause__).__name__ in _NOT_SENT:
            cause = self.without_key(str(error.__cause__))
            return UnreachableError(where, f"cannot be reached ({cause})", "check the network and the address")
        what = "none in time" if isinstance(error, openai.APITimeoutError) else self.without_key(str(error))
        return NoAnswerError(where, f"no usable answer ({what})", "run the same command again, it goes on from here")

    def _translate_answer(self, where: str, error: openai.APIStatusError) -> EtlError:
        provider = self._account.provider
        message = self.without_key(" ".join(str(error.message).split()))
        said = f"answer {error.status_code}: {message}"
        if error.code == "training_not_available":
            closings = "; ".join(f"{day}: {what}" for day, what in provider.closings.items()) or "ask the provider"
            return EligibilityError(where, f"this account may not train ({message})", closings)
        if error.code in _USED_UP:
            advice = "add money to the account or raise its limit, and run the same command again"
            return EligibilityError(where, f"the account's balance or limit is used up ({message})", advice)
        if error.code == "model_not_found":
            return EligibilityError(where, said, "choose a model that this account can train")
        if error.status_code in (401, 403):
            place = self._account.key_file or provider.key_env
            return ProviderError(where, said, f"check the key in {place} and what it is allowed to do")
        if error.status_code == _TOO_MANY:  # never carried out
            return ProviderError(where, said, "wait a while and run the same command again")
        if worth_repeating(error):
            return NoAnswerError(where, said, "run the same command again later, it goes on from here")
        return ProviderError(where, said, "see what it says; nothing was done")


def worth_repeating(error: Exception) -> bool:
    """Return whether the same request may fare better a little later."""
    if isinstance(error, NotJsonError):
        return False
    if not isinstance(error, openai.APIStatusError):
        return True
    if error.code in _USED_UP:
        return False
    return error.status_code in _WORTH_REPEATING or error.status_code >= _SERVER_ERROR


def retry_after(error: Exception) -> float | None:
    """Return the seconds the provider asks to wait, as a number or up to a date; None where it does not say."""
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
