"""The OpenAI SDK as an adapter: the only module that imports it, and the only place where its errors are translated."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, BinaryIO, Final

import httpx2
import openai
from msgspec import structs
from openai import OpenAI

from etl.errors import (
    BusyError,
    EligibilityError,
    EtlError,
    GoneError,
    NoAnswerError,
    ProviderError,
    UnreachableError,
    UnsupportedError,
)
from etl.network.http import AnswerError, StatusError, open_http, read_answer, timed
from etl.providers import border, retry_after
from etl.providers.account import Account
from etl.providers.openai_answers import AGAIN, CODE_CHARACTERS, Json, OpenAIAnswers, said_of, unusable
from etl.providers.pace import Pace
from etl.providers.port import RequestError
from schemas.remote import JobRequest, Page, RemoteEvent, RemoteFile, RemoteJob, RemoteModel

_PURPOSE: Final = "fine-tune"
_MIME_TYPE = "application/jsonl"
_EVENTS_PAGE = 100
_CONNECT_SECONDS = 15.0

_FOREIGN = (openai.OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError)
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
_IMPOSSIBLE = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.InvalidURL)

_GONE = frozenset({404, 410})
_UNSUPPORTED = frozenset({405, 501})
_ENDED = frozenset({400, 404})
_WORTH_REPEATING = frozenset({408, 409, 429})
_MOVED = frozenset({301, 302, 303, 307, 308})
_NOT_CARRIED_OUT = frozenset({307, 308})  # the others may be an answer to a request that was
_CONFLICT, _TOO_MANY, _SERVER_ERROR = 409, 429, 500
_USED_UP = frozenset({"insufficient_quota", "billing_hard_limit_reached"})


class OpenAIApi:
    """
    The port to a provider that speaks OpenAI's API.

    Answers are decoded here and not by the SDK, which makes an object of any JSON.

    Raises:
        OptionError: There is no key, or the environment names a proxy or certificates that cannot be used.
    """

    def __init__(self, account: Account, pace: Pace) -> None:
        self._account, self._pace = account, pace
        key = account.read_key()
        self._border = border.Border(key)
        self._answers = OpenAIAnswers(self._border, account.provider.statuses)
        self._api = OpenAI(
            api_key=key,
            base_url=account.base_url,
            max_retries=0,  # by itself it also repeats the creation of a job
            http_client=open_http(account.base_url),
            timeout=_timeout(pace.answer_seconds),
        )
        # The SDK fills these from the environment, for any provider; the account has what goes to this one.
        self._api.organization, self._api.project = account.organization or None, account.project or None
        self._api._custom_headers = {}

    # Files.

    def list_files(self, after: str | None = None) -> Page[RemoteFile]:
        """Return a page of the files for fine-tuning."""
        query = {} if after is None else {"after": after}
        answer = self._ask(self._api.files.with_streaming_response.list, purpose=_PURPOSE, **query)
        return self._answers.page(answer, self._answers.file)

    def get_file(self, file_id: str) -> RemoteFile:
        """Return a file."""
        file = self._answers.whole(
            self._answers.file, self._ask(self._api.files.with_streaming_response.retrieve, file_id)
        )
        return structs.replace(file, id=file_id)  # that which it is known by here

    def send_file(self, name: str, content: BinaryIO, seconds: float) -> RemoteFile:
        """Send a file whole, in at most *seconds*."""
        call = self._api.files.with_streaming_response.create
        answer = self._send(call, seconds, file=(name, content, _MIME_TYPE), purpose=_PURPOSE)
        return self._answers.whole(self._answers.file, answer)

    def delete_file(self, file_id: str) -> None:
        """Delete a file."""
        self._ask(self._api.files.with_streaming_response.delete, file_id)

    # Uploads in parts.

    def begin_upload(self, name: str, size: int) -> str:
        """Begin the upload in parts of a file of *size* bytes, and return the id of the upload."""
        call = self._api.uploads.with_streaming_response.create
        answer = self._ask(call, bytes=size, filename=name, mime_type=_MIME_TYPE, purpose=_PURPOSE)
        return self._answers.whole(self._answers.id, answer)

    def send_part(self, upload_id: str, content: BinaryIO, seconds: float) -> str:
        """Send a part, in at most *seconds*, and return its id."""
        call = self._api.uploads.parts.with_streaming_response.create
        answer = self._send(call, seconds, upload_id, data=("part", content, "application/octet-stream"))
        return self._answers.whole(self._answers.id, answer)

    def complete_upload(self, upload_id: str, part_ids: Sequence[str], md5: str) -> RemoteFile | None:
        """Make a file of the parts, in this order, and return it; None where the answer does not name it."""
        call = self._api.uploads.with_streaming_response.complete
        answer = self._send(call, self._pace.answer_seconds, upload_id, part_ids=list(part_ids), md5=md5)
        file = answer.get("file")
        return self._answers.file(file) if isinstance(file, dict) else None

    def cancel_upload(self, upload_id: str) -> None:
        """Cancel an upload in parts."""
        self._ask(self._api.uploads.with_streaming_response.cancel, upload_id)

    # Jobs.

    def create_job(self, request: JobRequest) -> RemoteJob:
        """Create a job."""
        given: Json = {
            "model": request.model,
            "training_file": request.training_file,
            "validation_file": request.validation_file,
            "metadata": request.metadata,
            "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": request.epochs}}},
            "suffix": request.suffix,
            "seed": request.seed,
            "extra_body": request.extra,
        }
        given = {name: value for name, value in given.items() if value not in (None, {})}
        return self._answers.whole(
            self._answers.job, self._ask(self._api.fine_tuning.jobs.with_streaming_response.create, **given)
        )

    def list_jobs(
        self, metadata: Mapping[str, str] | None = None, limit: int = 100, after: str | None = None
    ) -> Page[RemoteJob]:
        """Return a page of at most *limit* jobs, the newest first; with *metadata*, of those that carry it."""
        query: Json = {"limit": limit, "metadata": metadata, "after": after}
        call = self._api.fine_tuning.jobs.with_streaming_response.list
        return self._answers.page(
            self._ask(call, **{name: value for name, value in query.items() if value}), self._answers.job
        )

    def get_job(self, job_id: str) -> RemoteJob:
        """Return a job."""
        job = self._answers.whole(
            self._answers.job, self._ask(self._api.fine_tuning.jobs.with_streaming_response.retrieve, job_id)
        )
        return structs.replace(job, id=job_id)  # as above

    def cancel_job(self, job_id: str) -> None:
        """Cancel a job."""
        self._ask(self._api.fine_tuning.jobs.with_streaming_response.cancel, job_id)

    def list_events(self, job_id: str, after: str | None = None) -> Page[RemoteEvent]:
        """Return a page of the events of a job, the newest first."""
        query = {} if after is None else {"after": after}
        call = self._api.fine_tuning.jobs.with_streaming_response.list_events
        return self._answers.page(self._ask(call, job_id, limit=_EVENTS_PAGE, **query), self._answers.event)

    def get_model(self, name: str) -> RemoteModel:
        """Return a model; where not every model is listed, one that is not there is gone, whatever the provider calls that."""
        try:
            answer = self._ask(self._api.models.with_streaming_response.retrieve, name)
        except RequestError as error:
            if error.ended and not self._account.provider.models:
                raise RequestError(GoneError, error.problem, error.advice) from None
            raise
        return RemoteModel(id=name, shutdown_date=border.day(answer.get("shutdown_date")))

    def close(self) -> None:
        """Close all connections."""
        self._api.close()

    # Requests.

    def _ask(self, call: Callable[..., Any], *arguments: str, **given: Any) -> Json:
        """Return the answer to a request that is sent at once."""
        return self._request(partial(call, *arguments, **given), self._pace.answer_seconds, self._pace.answer_seconds)

    def _send(self, call: Callable[..., Any], seconds: float, *arguments: str, **given: Any) -> Json:
        """Return the answer to a request whose body is long, or which takes the provider long; sending may take *seconds*."""
        store_seconds = self._pace.store_seconds
        return self._request(
            partial(call, *arguments, timeout=_timeout(store_seconds), **given), seconds, store_seconds
        )

    def _request(self, call: Callable[[], Any], send_seconds: float, answer_seconds: float) -> Json:
        with self._translated(send_seconds, answer_seconds), call() as response:
            http: httpx2.Response = response.http_response
            kind = self._border.text(http.headers.get("content-type", "nothing said")) or ""
            content = read_answer(http)
        if not content:
            return {}
        if "json" not in kind:
            raise RequestError(NoAnswerError, f"no usable answer ({kind} instead of JSON)", AGAIN)
        try:
            answer = border.decode(content)
        except ValueError:
            raise unusable("no JSON", repeatable=True) from None
        if not isinstance(answer, dict):
            raise unusable("no JSON object")
        return answer

    @contextmanager
    def _translated(self, send_seconds: float, answer_seconds: float) -> Iterator[None]:
        """Limit the time of one request, and translate what goes wrong with it."""
        with timed(send_seconds, answer_seconds) as watch:
            try:
                yield
            except StatusError as error:
                # Without its cause, here and below: the text of that is the provider's, and may hold the key.
                raise self._refusal(error.response, error.content) from None
            except _FOREIGN as error:
                raise self._failure(error, in_time=not watch.rang) from None
            except EtlError:  # a content that cannot be read, or a deadline that has passed; some are ValueErrors
                raise
            except ValueError as error:  # a text that cannot be encoded
                problem = f"cannot be asked ({self._border.text(str(error))})"
                raise RequestError(UnreachableError, problem, "check model, suffix and address") from None

    def _failure(self, error: Exception, *, in_time: bool) -> RequestError:
        """Return what *error* is, where there was no answer, or not all of one."""
        cause = error.__cause__ if isinstance(error, openai.APIConnectionError) and error.__cause__ else error
        reason = self._border.text(str(cause)) or type(cause).__name__
        if isinstance(cause, _IMPOSSIBLE):
            return RequestError(UnreachableError, f"cannot be asked ({reason})", "check the address and the key")
        if isinstance(cause, _NOT_SENT) and in_time:
            passing = not isinstance(cause, httpx2.ProxyError) and "CERTIFICATE_VERIFY_FAILED" not in reason
            advice = "check the network and the address" if passing else "check the proxy and the certificates"
            return RequestError(UnreachableError, f"cannot be reached ({reason})", advice, repeatable=passing)
        if isinstance(error, openai.APITimeoutError) or not in_time:
            reason = "none in time"
        return unusable(reason, repeatable=not isinstance(cause, AnswerError))

    def _refusal(self, response: httpx2.Response, content: bytes) -> RequestError:
        """Return what an answer with a bad status is."""
        provider, status = self._account.provider, response.status_code
        code, message = self._problem(content)
        problem = f"answer {status}: {message}"
        if status in _MOVED:
            return self._redirect(response)
        if code is not None and (refusal := self._not_eligible(code, message, problem)) is not None:
            return refusal
        if status in (401, 403):
            place = self._account.key_file or provider.key_env
            return RequestError(ProviderError, problem, f"check the key in {place} and what it is allowed to do")
        wait = retry_after.wait_seconds(response.headers)
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

    def _not_eligible(self, code: str, message: str, problem: str) -> RequestError | None:
        """Return the error of a *code* by which a provider does not do something for an account, or None for any other."""
        if code == "training_not_available":
            closings = "; ".join(f"{day}: {what}" for day, what in self._account.provider.closings.items())
            problem, advice = f"this account may not train ({message})", closings or "ask the provider"
        elif code in _USED_UP:
            problem = f"the account's balance or limit is used up ({message})"
            advice = "add money to the account or raise its limit, and run the same command again"
        elif code == "model_not_found":
            advice = "choose a model that this account can train"
        else:
            return None
        return RequestError(EligibilityError, problem, advice, ended=code == "model_not_found")

    def _problem(self, content: bytes) -> tuple[str | None, str]:
        """Return code and message of an answer with a bad status."""
        try:
            answer = border.decode(content)
        except ValueError:
            answer = None
        code, said = said_of(answer)
        page = self._border.text(content.decode(errors="replace"), CODE_CHARACTERS)
        return self._border.text(code, CODE_CHARACTERS), self._border.text(said) or page or "nothing said"

    def _redirect(self, response: httpx2.Response) -> RequestError:
        address = self._border.text(response.headers.get("location")) or "an address that is not named"
        certain = response.status_code in _NOT_CARRIED_OUT
        advice = "nothing was sent there; if it is right, give it as --base-url"
        kind: type[ProviderError] = ProviderError if certain else NoAnswerError
        return RequestError(kind, f"answer {response.status_code}: it has moved to {address}", advice)


def _turned_away(problem: str, wait: float | None, *, passing: bool) -> RequestError:
    """Return what the 409 of a provider with one job at a time is: another job, or what does not pass and has a code."""
    if not passing:
        return RequestError(ProviderError, problem, "see what it says; this request changed nothing")
    advice = "nothing was done: when that has ended, run the same command again, it goes on from here"
    return RequestError(BusyError, problem, advice, repeatable=True, wait_seconds=wait)


def _timeout(seconds: float) -> openai.Timeout:
    return openai.Timeout(seconds, connect=min(_CONNECT_SECONDS, seconds))
