"""
Fireworks as an adapter: datasets of shards, sent to addresses that it gives out, and jobs whose ids are ours.

A second request for the same job collides with the first, and is answered with that one. Facts: fireworks-ai 1.2.30 and
docs.fireworks.ai, as of 2026-11-27; none was tried live.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote, urlsplit

import httpx2
from msgspec import structs

from saturi.etl.errors import OptionError, ProviderError
from saturi.etl.network.http import open_http
from saturi.etl.providers import border
from saturi.etl.providers.account import Account
from saturi.etl.providers.exchange import CODE_CHARACTERS, CONNECT_SECONDS, Exchange, Json, Rest, unusable
from saturi.etl.providers.pace import Pace
from saturi.etl.providers.port import RequestError
from saturi.etl.providers.tags import metadata_of, tag_of
from saturi.etl.providers.whole_files import WholeFiles
from saturi.schemas.ledger import FAILED, SUCCEEDED
from saturi.schemas.remote import FileState, JobError, JobRequest, Page, RemoteEvent, RemoteFile, RemoteJob, RemoteModel

SHARD_BYTES = 1_000_000_000
"""Most bytes of a shard: what a store takes in one request is 5 GB, and a broken one begins again."""

_MOST_ROWS = 200
_BLOCK_BYTES = 1 << 20
_JOBS, _DATASETS = "supervisedFineTuningJobs", "datasets"
_STATE = "JOB_STATE_"
_CONFLICT = "answer 409"
_FILE = re.compile(r"saturi-([0-9a-f]{64})\.jsonl")
_DATASET = re.compile(r"saturi-([a-z2-7]{52})")
_UNDER_WAY = "UPLOADING"


class Shard(NamedTuple):
    """A part of a file, from the end of a line to the end of another."""

    name: str
    bytes: int
    lines: int


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
        self._exchange = Exchange(account, self._border, _said_of, _no_code)
        self._rest = Rest(account, pace, key, self._exchange)

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
            self._put(self._checked(address), shard, content, seconds)
        self._validate(dataset_id)
        return self.get_file(dataset_id)

    def delete_file(self, file_id: str) -> None:
        """Delete a file."""
        self._rest.ask("DELETE", self._path(_DATASETS, file_id))

    # Jobs.

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

    def _checked(self, address: Any) -> str:
        """Return *address*, which is one to send examples to: as well encrypted as that of the account."""
        schemes = ("https",) if self._account.base_url.startswith("https") else ("https", "http")
        try:
            possible = isinstance(address, str) and self._border.text(address, len(address)) == address
            possible = possible and urlsplit(address).scheme in schemes and bool(urlsplit(address).hostname)
        except ValueError:  # half of the brackets of an IPv6 address
            possible = False
        if not possible:
            raise unusable("no address to send the file to")
        return str(address)

    def _put(self, address: str, shard: Shard, content: BinaryIO, seconds: float) -> None:
        """Send the next bytes of *content* to an address that was given out, which gets no key."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(shard.bytes),
            "x-goog-content-length-range": f"{shard.bytes},{shard.bytes}",
        }
        timeout = httpx2.Timeout(self._pace.store_seconds, connect=min(CONNECT_SECONDS, self._pace.store_seconds))
        with open_http(address, timeout=timeout) as http:

            def call() -> AbstractContextManager[httpx2.Response]:
                return http.stream("PUT", address, content=_blocks(content, shard.bytes), headers=headers)

            self._exchange.carry_out(call, seconds, self._pace.store_seconds)

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


def dataset_of(name: str) -> str:
    """
    Return the id of the dataset of the file *name*, which is the hash in it in fewer letters: an id has 63 at most.

    Raises:
        RequestError: The file is none of ours.
    """
    match = _FILE.fullmatch(name)
    if match is None:
        raise RequestError(ProviderError, f"{name} is no file of ours", "leave it out")
    return "saturi-" + base64.b32encode(bytes.fromhex(match[1])).decode().rstrip("=").lower()


def file_of(dataset_id: str) -> str:
    """Return the name of the file of a dataset; of one that is none of ours, its id."""
    match = _DATASET.fullmatch(dataset_id)
    return dataset_id if match is None else f"saturi-{base64.b32decode(match[1].upper() + '====').hex()}.jsonl"


def shards_of(content: BinaryIO, most_bytes: int = 0) -> Iterator[Shard]:
    """Yield the shards of *content*, which is read once; each ends with a line, and is not over the limit by more than a block."""
    most, size, lines, number = most_bytes or SHARD_BYTES, 0, 0, 0
    while block := content.read(_BLOCK_BYTES):
        cut = block.rfind(b"\n") + 1
        if cut and size + cut >= most:
            yield Shard(f"{number:05d}.jsonl", size + cut, lines + block.count(b"\n"))
            number, size, lines = number + 1, len(block) - cut, 0
        else:
            size, lines = size + len(block), lines + block.count(b"\n")
    if size:
        yield Shard(f"{number:05d}.jsonl", size, lines)


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


def _blocks(content: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (block := content.read(min(_BLOCK_BYTES, size))):
        size -= len(block)
        yield block


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


def _said_of(answer: Any) -> tuple[Any, Any]:
    """Return code and message of *answer*, any JSON: `{"code": 5, "message": …}`, or the same under `error`."""
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    return (None, error.get("message")) if isinstance(error, dict) else (None, error)


def _no_code(code: str, message: str, problem: str) -> None:
    """Return that no code says more than its status."""
