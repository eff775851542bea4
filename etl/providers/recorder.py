"""The recorder: a port that sends nothing and keeps each request, with answers of a provider that has nothing and does all."""

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Protocol

from msgspec import Struct

from saturi.etl.providers.port import Part
from saturi.schemas.ledger import SUCCEEDED
from saturi.schemas.remote import JobEstimate, JobRequest, Page, RemoteEvent, RemoteFile, RemoteJob, RemoteModel

_BLOCK_BYTES = 1 << 20


class Request(Struct, frozen=True, kw_only=True):
    """One request; what only the provider's answers hold is in angle brackets, and `repeated` is how often it is made."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    repeated: int = 1


class Script(Protocol):
    """The requests of one wire format; None for what is not asked there."""

    def list_files(self) -> Request | None:
        """Return the request for the files."""

    def send_file(self, name: str, size: int) -> Request:
        """Return the request that sends a file whole."""

    def send_parts(self, name: str, size: int, parts: int) -> list[Request]:
        """Return the requests that send a file in parts; none where every file goes whole."""

    def file_id(self, name: str) -> str:
        """Return the id of a file, in angle brackets where only the provider knows it."""

    def estimate_job(self, request: JobRequest) -> Request | None:
        """Return the request for the price of a job."""

    def create_job(self, request: JobRequest) -> Request:
        """Return the request that creates a job."""

    def list_jobs(self, metadata: Mapping[str, str], limit: int) -> Request:
        """Return the request for the jobs that carry *metadata*."""

    def get_model(self, name: str) -> Request | None:
        """Return the request for a model."""


class OpenAIScript:
    """The requests of OpenAI's API."""

    def list_files(self) -> Request | None:
        """Return the request for the files."""
        return Request(method="GET", path="/files?purpose=fine-tune")

    def send_file(self, name: str, size: int) -> Request:
        """Return the request that sends a file whole."""
        return Request(method="POST", path="/files", body={"purpose": "fine-tune", "filename": name, "bytes": size})

    def send_parts(self, name: str, size: int, parts: int) -> list[Request]:
        """Return the requests that send a file in parts."""
        about = {"purpose": "fine-tune", "filename": name, "bytes": size, "mime_type": "application/jsonl"}
        return [
            Request(method="POST", path="/uploads", body=about),
            Request(method="POST", path="/uploads/<upload>/parts", repeated=parts),
            Request(
                method="POST", path="/uploads/<upload>/complete", body={"part_ids": ["<part>"], "md5": "<MD5 of all>"}
            ),
        ]

    def file_id(self, name: str) -> str:
        """Return the id of a file."""
        return f"<{name}>"

    def estimate_job(self, request: JobRequest) -> Request | None:  # noqa: ARG002 - the script's signature
        """Return None: nothing is estimated there."""
        return None

    def create_job(self, request: JobRequest) -> Request:
        """Return the request that creates a job."""
        return Request(method="POST", path="/fine_tuning/jobs", body=_body(request))

    def list_jobs(self, metadata: Mapping[str, str], limit: int) -> Request:
        """Return the request for the jobs that carry *metadata*."""
        wanted = "".join(f"&metadata[{name}]={value}" for name, value in metadata.items())
        return Request(method="GET", path=f"/fine_tuning/jobs?limit={limit}{wanted}")

    def get_model(self, name: str) -> Request | None:
        """Return the request for a model."""
        return Request(method="GET", path=f"/models/{name}")


class Recorder:
    """
    A port that keeps the requests of a wire format, in their order; jobs come to their end at once.

    Args:
        script: The requests; None for those of OpenAI's API.
    """

    def __init__(self, script: Script | None = None) -> None:
        self._script = script or OpenAIScript()
        self.requests: list[Request] = []
        self._files: list[RemoteFile] = []
        self._jobs = 0
        self._upload: tuple[str, int] = ("", 0)

    def list_files(self, after: str | None = None) -> Page[RemoteFile]:  # noqa: ARG002 - the port's signature
        """Return the files that were sent."""
        self._keep(self._script.list_files())
        return Page(tuple(self._files))

    def get_file(self, file_id: str) -> RemoteFile:
        """Return a file that was sent."""
        self._record("GET", f"/files/{file_id}")
        return next(file for file in self._files if file.id == file_id)

    def send_file(self, name: str, content: BinaryIO, seconds: float) -> RemoteFile:  # noqa: ARG002 - the port's signature
        """Read the content of a file, and return the file."""
        size = _read_all(content)
        self._keep(self._script.send_file(name, size))
        return self._add(name, size)

    def delete_file(self, file_id: str) -> None:
        """Delete nothing."""
        self._record("DELETE", f"/files/{file_id}")

    def begin_upload(self, name: str, size: int, parts: int) -> str:
        """Return a name for the upload."""
        for request in self._script.send_parts(name, size, parts):
            self._keep(request)
        self._upload = (name, size)
        return "<upload>"

    def send_part(self, upload_id: str, part: Part, content: BinaryIO, seconds: float) -> str:  # noqa: ARG002 - as above
        """Read the content of a part."""
        _read_all(content)
        return "<part>"

    def complete_upload(self, upload_id: str, part_ids: Sequence[str], md5: str) -> RemoteFile | None:  # noqa: ARG002 - as above
        """Return the file."""
        return self._add(*self._upload)

    def cancel_upload(self, upload_id: str) -> None:
        """Cancel nothing."""
        self._record("POST", f"/uploads/{upload_id}/cancel")

    def estimate_job(self, request: JobRequest) -> JobEstimate | None:
        """Return no price."""
        self._keep(self._script.estimate_job(request))
        return None

    def create_job(self, request: JobRequest) -> RemoteJob:
        """Return a job that has succeeded."""
        self._keep(self._script.create_job(request))
        self._jobs += 1
        return RemoteJob(
            id=f"<job {self._jobs}>",
            status=SUCCEEDED,
            model=request.model,
            training_file=request.training_file,
            validation_file=request.validation_file,
            suffix=request.suffix,
            metadata=request.metadata,
            fine_tuned_model=f"<model of job {self._jobs}>",
            trained_tokens=None,
            error=None,
            created_at=None,
            finished_at=None,
        )

    def list_jobs(
        self,
        metadata: Mapping[str, str] | None = None,
        limit: int = 100,
        after: str | None = None,  # noqa: ARG002 - the port's signature
    ) -> Page[RemoteJob]:
        """Return no job."""
        self._keep(self._script.list_jobs(metadata or {}, limit))
        return Page(())

    def get_job(self, job_id: str) -> RemoteJob:
        """Return nothing: a job that has ended is not asked for."""
        raise NotImplementedError(job_id)

    def cancel_job(self, job_id: str) -> None:
        """Cancel nothing."""
        self._record("POST", f"/fine_tuning/jobs/{job_id}/cancel")

    def list_events(self, job_id: str, after: str | None = None) -> Page[RemoteEvent]:  # noqa: ARG002 - the port's signature
        """Return no event."""
        self._record("GET", f"/fine_tuning/jobs/{job_id}/events?limit=100")
        return Page(())

    def get_model(self, name: str) -> RemoteModel:
        """Return the model."""
        self._keep(self._script.get_model(name))
        return RemoteModel(id=name, shutdown_date=None)

    def close(self) -> None:
        """Do nothing."""

    def _record(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        self._keep(Request(method=method, path=path, body=body))

    def _keep(self, request: Request | None) -> None:
        if request is not None:
            self.requests.append(request)

    def _add(self, name: str, size: int) -> RemoteFile:
        file = RemoteFile(id=self._script.file_id(name), name=name, bytes=size, status="processed", state="ready")
        self._files.append(file)
        return file


def _body(request: JobRequest) -> dict[str, Any]:
    optional = {
        "validation_file": request.validation_file,
        "metadata": request.metadata or None,
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": request.epochs}}},
        "suffix": request.suffix,
        "seed": request.seed,
    }
    given = {name: value for name, value in optional.items() if value is not None}
    return {"model": request.model, "training_file": request.training_file, **given, **request.extra}


def _read_all(content: BinaryIO) -> int:
    """Return the number of bytes of *content*, after all of it was read."""
    size = 0
    while block := content.read(_BLOCK_BYTES):
        size += len(block)
    return size
