"""
Fireworks as an adapter: datasets of shards, sent to addresses that it gives out, and jobs whose ids are ours.

A second request for the same job collides with the first, and is answered with that one. Facts: fireworks-ai 1.2.30 and
docs.fireworks.ai, as of 2026-11-27; none was tried live.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO
from urllib.parse import quote

from msgspec import structs

from saturi.etl.errors import OptionError
from saturi.etl.providers import border
from saturi.etl.providers.account import Account
from saturi.etl.providers.exchange import CODE_CHARACTERS, Exchange, Json, Rest, unusable
from saturi.etl.providers.fireworks_datasets import dataset_of, file_of, shards_of
from saturi.etl.providers.pace import Pace
from saturi.etl.providers.port import RequestError
from saturi.etl.providers.signed_store import SignedStore
from saturi.etl.providers.tags import metadata_of, tag_of
from saturi.etl.providers.whole_files import WholeFiles
from saturi.schemas.ledger import FAILED, SUCCEEDED
from saturi.schemas.remote import (
    FileState,
    JobError,
    JobEstimate,
    JobRequest,
    Page,
    RemoteEvent,
    RemoteFile,
    RemoteJob,
    RemoteModel,
)

_MOST_ROWS = 200
_JOBS, _DATASETS = "supervisedFineTuningJobs", "datasets"
_STATE = "JOB_STATE_"
_CONFLICT = "answer 409"
_UNDER_WAY = "UPLOADING"


class FireworksApi(WholeFiles):
    """
    The port to Fireworks.

    Raises:
        OptionError: There is no key or no id of an account, or the environment names a proxy or certificates that cannot be used.
    """

    service = "Fireworks"

    def __init__(self, account: Account, pace: Pace) -> None:
        self._account, self._pace = account, pace
        key = account.read_key()
        if not account.project:
            advice = "set it to the id of your account, as the address of your own pages has it"
            raise OptionError(account.provider.project_env or "", "it is not set, so that no account is asked", advice)
        self._border = border.Border(key)
        self._exchange = Exchange(account, self._border, _code_and_message, _no_code)
        self._rest = Rest(account, pace, key, self._exchange)
        self._store = SignedStore(account, pace, self._border, self._exchange)

    # Files, which are datasets.

    def list_files(self, after: str | None = None) -> Page[RemoteFile]:
        """Return a page of the files for fine-tuning; one whose sending was broken off is broken, and can be sent again."""
        answer = self._rest.ask("GET", self._path(_DATASETS), query=_paging(after))

        def file(dataset: Json) -> RemoteFile | None:
            return self._file(dataset, under_way="broken")

        return Page(border.rows_of(_rows(answer, _DATASETS), file), self._border.name(answer.get("nextPageToken")))

    def get_file(self, file_id: str) -> RemoteFile:
        """Return a file; one that is not validated yet is validated, which is what ends its sending."""
        dataset = self._rest.ask("GET", self._path(_DATASETS, file_id))
        if dataset.get("state") == _UNDER_WAY:
            self._validate(file_id)
        file = self._file({**dataset, "name": file_id}, under_way="pending")
        if file is None:
            raise unusable("no id in it")
        return file

    def send_file(self, name: str, content: BinaryIO, seconds: float) -> RemoteFile:
        """Send a file as the shards of a dataset, in at most *seconds* each; their addresses are asked for in one request."""
        content.seek(0)
        dataset_id, shards = dataset_of(name), list(shards_of(content))
        about = {"exampleCount": str(sum(shard.lines for shard in shards)), "format": "CHAT", "userUploaded": {}}
        with _unless_there():
            self._rest.ask("POST", self._path(_DATASETS), {"datasetId": dataset_id, "dataset": about})
        sizes = {shard.name: str(shard.bytes) for shard in shards}
        answer = self._rest.ask(
            "POST", self._path(_DATASETS, f"{dataset_id}:getUploadEndpoint"), {"filenameToSize": sizes}
        )
        addresses = answer.get("filenameToSignedUrls")
        content.seek(0)
        for shard in shards:
            address = addresses.get(shard.name) if isinstance(addresses, dict) else None
            exact = {"x-goog-content-length-range": f"{shard.bytes},{shard.bytes}"}
            headers = {"Content-Type": "application/octet-stream", **exact}
            self._store.put(address, content, shard.bytes, headers, seconds)
        self._validate(dataset_id)
        return self.get_file(dataset_id)

    def delete_file(self, file_id: str) -> None:
        """Delete a file."""
        self._rest.ask("DELETE", self._path(_DATASETS, file_id))

    # Jobs.

    def estimate_job(self, request: JobRequest) -> JobEstimate | None:  # noqa: ARG002 - the port's signature
        """Return None: nothing is estimated there."""
        return None

    def create_job(self, request: JobRequest) -> RemoteJob:
        """Create a job under an id of ours, or return the one that is there under it: the same job, created before."""
        job_id = tag_of(request.metadata)
        path = f"{self._path(_JOBS)}?supervisedFineTuningJobId={job_id}"
        with _unless_there():
            return self._whole(self._rest.ask("POST", path, job_body(request, self._account.project)), job_id)
        return self.get_job(job_id)

    def list_jobs(
        self,
        metadata: Mapping[str, str] | None = None,  # noqa: ARG002 - the port's signature
        limit: int = _MOST_ROWS,
        after: str | None = None,
    ) -> Page[RemoteJob]:
        """Return a page of at most *limit* jobs, the newest first, whatever they carry."""
        query = {**_paging(after), "pageSize": limit, "orderBy": "create_time desc"}
        answer = self._rest.ask("GET", self._path(_JOBS), query=query)
        return Page(border.rows_of(_rows(answer, _JOBS), self._job), self._border.name(answer.get("nextPageToken")))

    def get_job(self, job_id: str) -> RemoteJob:
        """Return a job."""
        return self._whole(self._rest.ask("GET", self._path(_JOBS, job_id)), job_id)

    def cancel_job(self, job_id: str) -> None:
        """Cancel a job."""
        self._rest.ask("POST", self._path(_JOBS, f"{job_id}:cancel"), {})

    def list_events(self, job_id: str, after: str | None = None) -> Page[RemoteEvent]:  # noqa: ARG002 - the port's signature
        """Return how far a job is, as an event: there are no others."""
        job = self._rest.ask("GET", self._path(_JOBS, job_id))
        progress = job.get("jobProgress")
        progress = progress if isinstance(progress, dict) else {}
        percent, epoch = border.count(progress.get("percent")), border.count(progress.get("epoch"))
        tokens = border.count(progress.get("inputTokens"))
        if percent is None:
            return Page(())
        parts = [
            f"{percent} %",
            *([f"epoch {epoch}"] if epoch is not None else []),
            *([f"{tokens:,} tokens"] if tokens else []),
        ]
        return Page(
            (
                RemoteEvent(
                    id=f"{job_id}-{epoch}-{percent}",
                    at=int(border.seconds(job.get("updateTime")) or 0),
                    level="info",
                    message=", ".join(parts),
                    step=None,
                    train_loss=None,
                    valid_loss=None,
                ),
            )
        )

    def get_model(self, name: str) -> RemoteModel:
        """Return a model, by its full name."""
        self._rest.ask("GET", f"/v1/{quote(name)}")
        return RemoteModel(id=name, shutdown_date=None)

    def close(self) -> None:
        """Close all connections."""
        self._rest.close()

    # Requests and answers.

    def _path(self, kind: str, name: str = "") -> str:
        return (
            f"/v1/accounts/{quote(self._account.project, safe='')}/{kind}{'/' if name else ''}{quote(name, safe=':')}"
        )

    def _validate(self, dataset_id: str) -> None:
        """Ask for the end of an upload; that its files are not there yet is no error."""
        try:
            self._rest.ask("POST", self._path(_DATASETS, f"{dataset_id}:validateUpload"), {})
        except RequestError as error:
            if not error.ended:
                raise

    def _file(self, dataset: Json, *, under_way: FileState) -> RemoteFile | None:
        dataset_id = _last(self._border.name(dataset.get("name")))
        if dataset_id is None:
            return None
        word = self._border.text(dataset.get("state"), CODE_CHARACTERS)
        problem = dataset.get("status")
        code = problem.get("code") if isinstance(problem, dict) else None
        is_bad = code not in (None, "OK", 0) and word != _UNDER_WAY
        state: FileState = "broken" if is_bad else under_way if word == _UNDER_WAY else "ready"
        return RemoteFile(id=dataset_id, name=file_of(dataset_id), bytes=None, status=word, state=state)

    def _whole(self, answer: Json, job_id: str) -> RemoteJob:
        job = self._job(answer)
        if job is None:
            raise unusable("no id in it")
        return structs.replace(job, id=job_id, metadata=metadata_of(job_id))  # that which it is known by here

    def _job(self, job: Json) -> RemoteJob | None:
        """Return the job that *job* shows, or None."""
        job_id = _last(self._border.name(job.get("name")))
        if job_id is None:
            return None
        word = (self._border.text(job.get("state"), CODE_CHARACTERS) or "").removeprefix(_STATE)
        status = self._account.provider.statuses.get(word, word.lower()) or None
        model = self._border.name(job.get("outputModel"))
        return RemoteJob(
            id=job_id,
            status=status,
            model=self._border.name(job.get("baseModel")) or self._border.name(job.get("warmStartFrom")),
            training_file=_last(self._border.name(job.get("dataset"))),
            validation_file=_last(self._border.name(job.get("evaluationDataset"))),
            suffix=self._border.name(job.get("displayName")),
            epochs=border.count(job.get("epochs")),
            metadata=metadata_of(job_id),
            fine_tuned_model=self._model_name(model) if status == SUCCEEDED and model else None,
            trained_tokens=None,
            error=self._error(job.get("status")) if status == FAILED else None,
            created_at=border.seconds(job.get("createTime")),
            finished_at=border.seconds(job.get("completedTime")),
        )

    def _model_name(self, model: str) -> str:
        """Return the full name of a model of this account, which may be shown without it."""
        return model if model.startswith("accounts/") else f"accounts/{self._account.project}/models/{model}"

    def _error(self, status: Any) -> JobError | None:
        if not isinstance(status, dict):
            return None
        code, message = self._border.text(status.get("code"), CODE_CHARACTERS), self._border.text(status.get("message"))
        return JobError(code=code, message=message, param=None) if code or message else None


def job_body(request: JobRequest, account_id: str) -> Json:
    """Return the body of the request that creates the job of *request*."""
    datasets = f"accounts/{account_id}/{_DATASETS}"
    is_tune = request.model.startswith(f"accounts/{account_id}/")
    given: Json = {
        "dataset": f"{datasets}/{request.training_file}",
        "evaluationDataset": f"{datasets}/{request.validation_file}" if request.validation_file else None,
        "warmStartFrom" if is_tune else "baseModel": request.model,
        "epochs": request.epochs,
        "displayName": request.suffix,
        **request.extra,
    }
    return {name: value for name, value in given.items() if value is not None}


@contextmanager
def _unless_there() -> Iterator[None]:
    """Let a request be that collides with what is there already under the same id."""
    try:
        yield
    except RequestError as error:
        if not error.problem.startswith(_CONFLICT):
            raise


def _paging(after: str | None) -> Json:
    return {"pageSize": _MOST_ROWS, **({} if after is None else {"pageToken": after})}


def _rows(answer: Json, kind: str) -> list[Any]:
    """Return the rows of a list; one without any is left out of the answer."""
    rows = answer.get(kind, [])
    if not isinstance(rows, list):
        raise unusable("no list in it")
    return rows


def _last(name: str | None) -> str | None:
    return name.rpartition("/")[2] or None if name else None


def _code_and_message(answer: Any) -> tuple[Any, Any]:
    """Return code and message of *answer*, any JSON: `{"code": 5, "message": …}`, or the same under `error`."""
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    return (None, error.get("message")) if isinstance(error, dict) else (None, error)


def _no_code(code: str, message: str, problem: str) -> None:
    """Return that no code says more than its status."""
