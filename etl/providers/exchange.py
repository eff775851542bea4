"""One request and its answer, for any adapter: limits of time and size, JSON decoded, and what goes wrong translated here alone."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, NamedTuple

import httpx2

from saturi.etl.errors import (
    BusyError,
    EtlError,
    GoneError,
    NoAnswerError,
    ProviderError,
    UnreachableError,
    UnsupportedError,
)
from saturi.etl.network.http import AnswerError, StatusError, open_http, read_answer, timed
from saturi.etl.providers import border, retry_after
from saturi.etl.providers.account import Account
from saturi.etl.providers.pace import Pace
from saturi.etl.providers.port import RequestError

Json = dict[str, Any]
Call = Callable[[], AbstractContextManager[httpx2.Response]]
"""Sends a request, and returns its answer, of which only the headers need be there."""

AGAIN = "run the same command again, it goes on from here"
CODE_CHARACTERS = 200
"""Of a status, a code or a level; more is no such word."""

CONNECT_SECONDS = 15.0

_FOREIGN = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError)
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
_IMPOSSIBLE = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.InvalidURL)

_GONE = frozenset({404, 410})
_UNSUPPORTED = frozenset({405, 501})
_ENDED = frozenset({400, 404})
_WORTH_REPEATING = frozenset({408, 409, 429})
_MOVED = frozenset({301, 302, 303, 307, 308})
_NOT_CARRIED_OUT = frozenset({307, 308})  # the others may be an answer to a request that was
_CONFLICT, _TOO_MANY, _SERVER_ERROR = 409, 429, 500

Refusal = Callable[[str, str, str], RequestError | None]
"""Returns the error that a code stands for at this provider, by code, message and both in a sentence; None for any other."""


class Reply(NamedTuple):
    """An answer: its status, its headers, and its content, which is within the limit."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Exchange:
    """
    Requests to one account, each sent once.

    Args:
        account: The account.
        limits: Makes texts printable, short, and free of secrets.
        code_and_message: Returns code and message of a refusal, any JSON.
        refusal_of: What a code stands for.
    """

    def __init__(
        self,
        account: Account,
        limits: border.Border,
        code_and_message: Callable[[Any], tuple[Any, Any]],
        refusal_of: Refusal,
    ) -> None:
        self._account, self._border = account, limits
        self._code_and_message, self._refusal_of = code_and_message, refusal_of

    def carry_out(self, call: Call, send_seconds: float, answer_seconds: float) -> Json:
        """
        Return the answer to a request, an object; an empty one where there is no content.

        Raises:
            RequestError: It failed.
        """
        return self.object_in(self.reply(call, send_seconds, answer_seconds))

    def reply(
        self, call: Call, send_seconds: float, answer_seconds: float, expected: frozenset[int] = frozenset()
    ) -> Reply:
        """
        Return the answer to a request, whatever is in it.

        Args:
            call: Sends the request.
            send_seconds: How long that may take, to the last byte.
            answer_seconds: How long the answer may take, from there to its own last byte.
            expected: Statuses other than those of success that are an answer, too, such as that of a redirect.

        Raises:
            RequestError: It failed.
        """
        with self._translated(send_seconds, answer_seconds):
            try:
                with call() as http:
                    return Reply(http.status_code, http.headers, read_answer(http))
            except StatusError as error:
                if error.response.status_code not in expected:
                    raise
                return Reply(error.response.status_code, error.response.headers, error.content)

    def object_in(self, reply: Reply) -> Json:
        """Return the JSON object in *reply*; an empty one where there is no content."""
        if not reply.content:
            return {}
        kind = self._border.text(reply.headers.get("content-type", "nothing said")) or ""
        if "json" not in kind:
            raise RequestError(NoAnswerError, f"no usable answer ({kind} instead of JSON)", AGAIN)
        try:
            answer = border.decode(reply.content)
        except ValueError:
            raise unusable("no JSON", repeatable=True) from None
        if not isinstance(answer, dict):
            raise unusable("no JSON object")
        return answer

    def refusal(self, status: int, code: str | None, message: str, headers: Mapping[str, str]) -> RequestError:
        """Return what an answer is that refuses a request, with a bad *status*."""
        provider = self._account.provider
        problem = f"answer {status}: {message}"
        if code is not None and (known := self._refusal_of(code, message, problem)) is not None:
            return known
        if status in (401, 403):
            place = self._account.key_file or provider.key_env
            return RequestError(ProviderError, problem, f"check the key in {place} and what it is allowed to do")
        wait = retry_after.wait_seconds(headers)
        if status == _CONFLICT and provider.one_job:  # never carried out
            return _turned_away(problem, wait, passing=code is None)
        if status == _TOO_MANY:  # never carried out
            advice = "wait a while and run the same command again"
            return RequestError(BusyError, problem, advice, repeatable=True, wait_seconds=wait)
        if status not in _UNSUPPORTED and (status in _WORTH_REPEATING or status >= _SERVER_ERROR):
            advice = "run the same command again later, it goes on from here"
            return RequestError(NoAnswerError, problem, advice, repeatable=True, wait_seconds=wait)
        kind = GoneError if status in _GONE else UnsupportedError if status in _UNSUPPORTED else ProviderError
        return RequestError(kind, problem, "see what it says; this request changed nothing", ended=status in _ENDED)

    @contextmanager
    def _translated(self, send_seconds: float, answer_seconds: float) -> Iterator[None]:
        """Limit the time of one request, and translate what goes wrong with it."""
        with timed(send_seconds, answer_seconds) as watch:
            try:
                yield
            except StatusError as error:
                # Without its cause, here and below: the text of that is the provider's, and may hold the key.
                raise self._bad_status(error.response, error.content) from None
            except _FOREIGN as error:
                raise self._failure(error, in_time=not watch.rang) from None
            except EtlError:  # a content that cannot be read, or a deadline that has passed; some are ValueErrors
                raise
            except ValueError as error:  # a text that cannot be encoded
                problem = f"cannot be asked ({self._border.text(str(error))})"
                raise RequestError(UnreachableError, problem, "check model, suffix and address") from None

    def _failure(self, error: Exception, *, in_time: bool) -> RequestError:
        """Return what *error* is, where there was no answer, or not all of one."""
        reason = self._border.text(str(error)) or type(error).__name__
        if isinstance(error, _IMPOSSIBLE):
            return RequestError(UnreachableError, f"cannot be asked ({reason})", "check the address and the key")
        if isinstance(error, _NOT_SENT) and in_time:
            passing = not isinstance(error, httpx2.ProxyError) and "CERTIFICATE_VERIFY_FAILED" not in reason
            advice = "check the network and the address" if passing else "check the proxy and the certificates"
            return RequestError(UnreachableError, f"cannot be reached ({reason})", advice, repeatable=passing)
        if isinstance(error, httpx2.TimeoutException) or not in_time:
            reason = "none in time"
        return unusable(reason, repeatable=not isinstance(error, AnswerError))

    def _bad_status(self, response: httpx2.Response, content: bytes) -> RequestError:
        if response.status_code in _MOVED:
            return self._redirect(response)
        code, message = self._problem(content)
        return self.refusal(response.status_code, code, message, response.headers)

    def _problem(self, content: bytes) -> tuple[str | None, str]:
        """Return code and message of an answer with a bad status."""
        try:
            answer = border.decode(content)
        except ValueError:
            answer = None
        code, message = self._code_and_message(answer)
        page = self._border.text(content.decode(errors="replace"), CODE_CHARACTERS)
        return self._border.text(code, CODE_CHARACTERS), self._border.text(message) or page or "nothing said"

    def _redirect(self, response: httpx2.Response) -> RequestError:
        location = response.headers.get("location", "").partition("?")[0]  # what follows may be a signature
        address = self._border.text(location) or "an address that is not named"
        certain = response.status_code in _NOT_CARRIED_OUT
        advice = "nothing was sent there; if it is right, give it as --base-url"
        kind: type[ProviderError] = ProviderError if certain else NoAnswerError
        return RequestError(kind, f"answer {response.status_code}: it has moved to {address}", advice)


class Rest:
    """
    JSON over HTTP with a key: how an adapter without an SDK asks.

    Args:
        account: The account.
        pace: Deadlines.
        key: Its key.
        exchange: What the requests go through.

    Raises:
        OptionError: The address, or the environment's proxies or certificates, cannot be used.
    """

    def __init__(self, account: Account, pace: Pace, key: str, exchange: Exchange) -> None:
        self._base, self._pace, self._exchange = account.base_url, pace, exchange
        seconds = pace.answer_seconds
        self._http = open_http(
            account.base_url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=httpx2.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
        )

    def ask(self, method: str, path: str, body: Json | None = None, query: Json | None = None) -> Json:
        """Return the answer to *method* at *path* below the account's address; *body* goes as JSON."""
        call = self._call(method, path, json=body, params=query)
        return self._exchange.carry_out(call, self._pace.answer_seconds, self._pace.answer_seconds)

    def post_form(self, path: str, fields: Mapping[str, str], expected: frozenset[int]) -> Reply:
        """Return the answer to a form of *fields* at *path*; *expected* are its statuses beside those of success."""
        call = self._call("POST", path, files={name: (None, text) for name, text in fields.items()})
        return self._exchange.reply(call, self._pace.answer_seconds, self._pace.answer_seconds, expected)

    def _call(self, method: str, path: str, **content: Any) -> Call:  # what the HTTP library takes
        return partial(self._http.stream, method, f"{self._base}{path}", **content)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()


def unusable(reason: str, *, repeatable: bool = False) -> RequestError:
    """Return the failure of a request whose answer cannot be used, for a *reason*."""
    return RequestError(NoAnswerError, f"no usable answer ({reason})", AGAIN, repeatable=repeatable)


def _turned_away(problem: str, wait: float | None, *, passing: bool) -> RequestError:
    """Return what the 409 of a provider with one job at a time is: another job, or what does not pass and has a code."""
    if not passing:
        return RequestError(ProviderError, problem, "see what it says; this request changed nothing")
    advice = "nothing was done: when that has ended, run the same command again, it goes on from here"
    return RequestError(BusyError, problem, advice, repeatable=True, wait_seconds=wait)
