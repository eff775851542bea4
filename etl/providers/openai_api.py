"""The OpenAI SDK as an adapter: the only module that imports it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, BinaryIO, Final

import httpx2
import openai
from msgspec import structs
from openai import OpenAI

from saturi.etl.errors import EligibilityError, GoneError
from saturi.etl.network.http import open_http
from saturi.etl.providers import border
from saturi.etl.providers.account import Account
from saturi.etl.providers.exchange import CONNECT_SECONDS, Exchange, Json
from saturi.etl.providers.openai_answers import OpenAIAnswers, code_and_message
from saturi.etl.providers.pace import Pace
from saturi.etl.providers.port import Part, RequestError
from saturi.schemas.remote import JobEstimate, JobRequest, Page, RemoteEvent, RemoteFile, RemoteJob, RemoteModel

_PURPOSE: Final = "fine-tune"
_MIME_TYPE = "application/jsonl"
_EVENTS_PAGE = 100
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
        self._exchange = Exchange(account, self._border, code_and_message, self._not_eligible)
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

    def begin_upload(self, name: str, size: int, parts: int) -> str:  # noqa: ARG002 - the port's signature
        """Begin the upload in parts of a file of *size* bytes, and return the id of the upload."""
        call = self._api.uploads.with_streaming_response.create
        answer = self._ask(call, bytes=size, filename=name, mime_type=_MIME_TYPE, purpose=_PURPOSE)
        return self._answers.whole(self._answers.id, answer)

    def send_part(self, upload_id: str, part: Part, content: BinaryIO, seconds: float) -> str:  # noqa: ARG002 - as above
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

    def estimate_job(self, request: JobRequest) -> JobEstimate | None:  # noqa: ARG002 - the port's signature
        """Return None: nothing is estimated there."""
        return None

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
        return self._exchange.carry_out(partial(_unwrapped, call), send_seconds, answer_seconds)

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


@contextmanager
def _unwrapped(call: Callable[[], Any]) -> Iterator[httpx2.Response]:
    """Yield the answer to *call*, and raise what is below the SDK's own errors."""
    try:
        with call() as response:
            yield response.http_response
    except openai.OpenAIError as error:
        raise error.__cause__ or httpx2.TransportError(str(error)) from None


def _timeout(seconds: float) -> openai.Timeout:
    return openai.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
