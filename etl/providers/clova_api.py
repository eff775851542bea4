"""
CLOVA Studio as an adapter: tasks over its own HTTP API, and files in a bucket of Ncloud Object Storage.

A task keeps no metadata: our key is its name. It names no file afterwards, has no events, and is cancelled by being deleted.
Facts: api.ncloud-docs.com, clovastudio-posttask, -gettask, -gettasks, -deletetask, as of 2026-11-27; none was tried live.
"""

from collections.abc import Mapping
from typing import Any, BinaryIO
from urllib.parse import quote

from saturi.etl.errors import ProviderError, UnsupportedError
from saturi.etl.providers import border
from saturi.etl.providers.account import Account
from saturi.etl.providers.exchange import CODE_CHARACTERS, Exchange, Json, Rest, unusable
from saturi.etl.providers.object_store import Bucket, Secrets, Stored, read_secrets
from saturi.etl.providers.pace import Pace
from saturi.etl.providers.port import RequestError
from saturi.etl.providers.tags import metadata_of, tag_of
from saturi.etl.providers.whole_files import WholeFiles
from saturi.schemas.ledger import FAILED, SUCCEEDED
from saturi.schemas.provider import Storage
from saturi.schemas.remote import (
    JobError,
    JobEstimate,
    JobRequest,
    Page,
    RemoteEvent,
    RemoteFile,
    RemoteJob,
    RemoteModel,
)

FOLDER = "saturi"
"""Of the bucket; a file is in it under its name."""

TUNE = "tasks/"
"""What the name of a tune begins with; the id of its task follows."""

TASKS = "/tuning/v2/tasks"
_MOST_ROWS = 100
_GOOD = "2"  # the first digit of the code of an answer that is no refusal
_CODE_DIGITS = 5  # three of them are those of the status


class ClovaApi(WholeFiles):
    """
    The port to CLOVA Studio.

    Raises:
        OptionError: There is no key, or the environment names a proxy or certificates that cannot be used.
    """

    service = "CLOVA Studio"

    def __init__(self, account: Account, pace: Pace) -> None:
        self._account, self._pace = account, pace
        key, self._storage = account.read_key(), storage_of(account)
        self._secrets = read_secrets(self._storage)
        self._border = border.Border(key, *(self._secrets or ()))
        self._exchange = Exchange(account, self._border, _code_and_message, _no_code)
        self._rest = Rest(account, pace, key, self._exchange)
        self._opened: Bucket | None = None

    # Files, which are objects in the bucket.

    def list_files(self, after: str | None = None) -> Page[RemoteFile]:  # noqa: ARG002 - the port's signature
        """Return the files for fine-tuning; all are on one page."""
        return Page(tuple(map(_file, self._bucket.list(FOLDER))))

    def get_file(self, file_id: str) -> RemoteFile:
        """Return a file."""
        return _file(self._bucket.head(file_id))

    def send_file(self, name: str, content: BinaryIO, seconds: float) -> RemoteFile:  # noqa: ARG002 - what reads it has the deadline
        """Put a file into the bucket; a large one goes in parts, and is there when all of them are."""
        path = f"{FOLDER}/{name}"
        self._bucket.put(path, content)
        return self.get_file(path)

    def delete_file(self, file_id: str) -> None:
        """Delete a file."""
        self._bucket.delete(file_id)

    # Jobs, which are tasks.

    def estimate_job(self, request: JobRequest) -> JobEstimate | None:  # noqa: ARG002 - the port's signature
        """Return None: nothing is estimated there."""
        return None

    def create_job(self, request: JobRequest) -> RemoteJob:
        """Create a job; the keys of the storage are in the body of this request, and nowhere else."""
        bucket, secrets = self._account.project, self._secrets
        if secrets is None:
            raise RequestError(ProviderError, "there are no keys for the storage", "set them, and run it again")
        return self._whole(self._ask("POST", TASKS, task_body(request, bucket, secrets)))

    def list_jobs(
        self,
        metadata: Mapping[str, str] | None = None,  # noqa: ARG002 - the port's signature
        limit: int = _MOST_ROWS,
        after: str | None = None,
    ) -> Page[RemoteJob]:
        """Return a page of at most *limit* jobs, whatever they carry: nothing filters there."""
        number = int(after or 0)
        answer = self._ask("GET", TASKS, query={"page": number, "size": limit})
        rows = answer.get("content")
        if not isinstance(rows, list):
            raise unusable("no list in it")
        pages = border.count(answer.get("totalPages"))
        is_last = not rows or (pages is not None and number + 1 >= pages)
        return Page(border.rows_of(rows, self._job), None if is_last else str(number + 1))

    def get_job(self, job_id: str) -> RemoteJob:
        """Return a job."""
        return self._whole(self._task(job_id), job_id)

    def cancel_job(self, job_id: str) -> None:
        """
        Delete a job, the only way to end one, unless it has ended: with a task that succeeded its model would go.

        Two requests, since there is no other way to do that.
        """
        if self.get_job(job_id).status in (SUCCEEDED, FAILED):
            raise RequestError(ProviderError, "it has ended", "nothing was done", ended=True)
        self._ask("DELETE", _path_of(job_id))

    def list_events(self, job_id: str, after: str | None = None) -> Page[RemoteEvent]:  # noqa: ARG002 - the port's signature
        """Return the step that a job is at, as an event: there are no others."""
        task = self._task(job_id)
        info, step = _info(task), border.count(_info(task).get("currStep"))
        if step is None:
            return Page(())
        rows, tokens = border.count(info.get("dataRows")), border.count(info.get("numOfTokens"))
        facts = (
            ("step", step, info.get("totalTrainSteps")),
            ("epoch", info.get("currEpoch"), info.get("totalTrainEpochs")),
        )
        parts = [f"{name} {at} of {of}" for name, at, of in facts if border.count(at) and border.count(of)]
        parts += [f"{count:,} {name}" for name, count in (("rows", rows), ("tokens", tokens)) if count]
        return Page(
            (
                RemoteEvent(
                    id=f"{job_id}-{step}",
                    at=int(border.seconds(task.get("updatedDate")) or 0),
                    level="info",
                    message=", ".join(parts) or f"step {step}",
                    step=step,
                    train_loss=border.finite(info.get("trainLoss")),
                    valid_loss=None,
                ),
            )
        )

    def get_model(self, name: str) -> RemoteModel:
        """
        Refuse: no model can be looked up.

        Raises:
            OptionError: The keys of the storage or the bucket are missing, which is better known before anything is agreed to.
        """
        _ = self._bucket
        raise _unsupported(f"a look at the model {name}")

    def close(self) -> None:
        """Close all connections."""
        self._rest.close()

    # Requests.

    @property
    def _bucket(self) -> Bucket:
        """The bucket, opened when it is first needed: to follow a job takes no keys of the storage."""
        if self._opened is None:
            self._opened = Bucket(self._storage, self._account.project, self._secrets, self._border, self._pace)
        return self._opened

    def _ask(self, method: str, path: str, body: Json | None = None, query: Json | None = None) -> Json:
        """Return the result in the answer to a request, an empty one where there is none."""
        answer = self._rest.ask(method, path, body, query)
        self._refuse_bad_code(answer)
        result = answer.get("result")
        return result if isinstance(result, dict) else {}

    def _refuse_bad_code(self, answer: Json) -> None:
        """Raise what an answer is that has a good status of HTTP, and a code that refuses."""
        code, message = _code_and_message(answer)
        code = self._border.text(code, CODE_CHARACTERS)
        if code and not code.startswith(_GOOD):
            status = int(code[:3]) if code.isascii() and code.isdecimal() and len(code) == _CODE_DIGITS else 500
            raise self._exchange.refusal(status, code, self._border.text(message) or "nothing said", {})

    def _task(self, job_id: str) -> Json:
        return self._ask("GET", _path_of(job_id))

    def _whole(self, task: Json, job_id: str | None = None) -> RemoteJob:
        job = self._job({**task, "id": job_id} if job_id and task else task)
        if job is None:
            raise unusable("no id in it")
        return job

    def _job(self, task: Json) -> RemoteJob | None:
        """Return the job that *task* shows, or None."""
        job_id = self._border.name(task.get("id"))
        if job_id is None:
            return None
        word = self._border.text(task.get("status"), CODE_CHARACTERS)
        status = self._account.provider.statuses.get(word, word) if word else None
        return RemoteJob(
            id=job_id,
            status=status,
            model=self._border.name(task.get("model")),
            training_file=None,
            validation_file=None,
            suffix=None,
            epochs=border.count(task.get("trainEpochs")),
            metadata=metadata_of(self._border.name(task.get("name"))),
            fine_tuned_model=f"{TUNE}{job_id}" if status == SUCCEEDED else None,
            trained_tokens=None,  # whether its tokens are those of one epoch or of all is not documented
            error=self._error(_info(task)),
            created_at=border.seconds(task.get("createdDate")),
            finished_at=border.seconds(_info(task).get("endDatetime")),
        )

    def _error(self, info: Json) -> JobError | None:
        code = self._border.text(info.get("failureReason"), CODE_CHARACTERS)
        message = self._border.text(info.get("message"))
        return JobError(code=code, message=message or code, param=None) if code or message else None


def storage_of(account: Account) -> Storage:
    """
    Return the store in which files are put.

    Raises:
        RequestError: The profile names none.
    """
    if account.provider.storage is None:
        raise RequestError(ProviderError, "its profile names no storage", "give one in a file of your own").located(
            account.provider.name
        )
    return account.provider.storage


def task_body(request: JobRequest, bucket: str, secrets: Secrets) -> Json:
    """Return the body of the request that creates the task of *request*."""
    return {
        "name": tag_of(request.metadata),
        "model": request.model,
        "tuningType": "PEFT",
        "trainEpochs": request.epochs,
        "trainingDatasetFilePath": request.training_file,
        "trainingDatasetBucket": bucket,
        "trainingDatasetAccessKey": secrets.access,
        "trainingDatasetSecretKey": secrets.secret,
        **request.extra,
    }


def _file(stored: Stored) -> RemoteFile:
    name = stored.path.rpartition("/")[2]
    return RemoteFile(id=stored.path, name=name, bytes=stored.bytes, status="stored", state="ready")


def _info(task: Json) -> Json:
    """Return the details of the status of *task*; the documents say array, and show an object."""
    info = task.get("statusInfo")
    info = info[0] if isinstance(info, list) and info else info
    return info if isinstance(info, dict) else {}


def _path_of(job_id: str) -> str:
    return f"{TASKS}/{quote(job_id, safe='')}"


def _code_and_message(answer: Any) -> tuple[Any, Any]:
    """Return code and message of *answer*, any JSON."""
    status = answer.get("status") if isinstance(answer, dict) else None
    if isinstance(status, dict):
        return status.get("code"), status.get("message")
    # The gateway before it has a form of its own: {"error": {"errorCode": "200", "message": …, "details": …}}.
    error = answer.get("error") if isinstance(answer, dict) else None
    return (None, error.get("message")) if isinstance(error, dict) else (None, None)


def _no_code(code: str, message: str, problem: str) -> None:
    """Return that no code says more than its status."""


def _unsupported(what: str) -> RequestError:
    return RequestError(UnsupportedError, f"CLOVA Studio has no {what}", "leave it out")
