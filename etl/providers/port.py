"""The port: all that is asked of a provider, a request a call, in our own structs. An adapter a wire format speaks it."""

from collections.abc import Mapping, Sequence
from typing import BinaryIO, NamedTuple, Protocol

from saturi.etl.errors import BusyError, EtlError, ProviderError, RefusedError
from saturi.schemas.remote import JobEstimate, JobRequest, Page, RemoteEvent, RemoteFile, RemoteJob, RemoteModel


class RequestError(Exception):
    """
    A request that failed, as an adapter reports it; the client repeats the request, or makes an `EtlError` of it.

    Args:
        kind: The class of that error.
        problem: What is wrong.
        advice: What to do.
        repeatable: Whether the same request may fare better a little later.
        ended: Whether what it was about is not there any more, or has ended otherwise.
        wait_seconds: How long the provider asks to wait; None where it does not.
    """

    def __init__(
        self,
        kind: type[ProviderError | RefusedError],
        problem: str,
        advice: str,
        *,
        repeatable: bool = False,
        ended: bool = False,
        wait_seconds: float | None = None,
    ) -> None:
        super().__init__(kind, problem, advice)
        self.kind, self.problem, self.advice = kind, problem, advice
        self.repeatable, self.ended, self.wait_seconds = repeatable, ended, wait_seconds

    def located(self, where: str) -> EtlError:
        """Return the error of a request made *where*."""
        if self.kind is BusyError:
            return BusyError(where, self.problem, self.advice, self.wait_seconds)
        return self.kind(where, self.problem, self.advice)


class Part(NamedTuple):
    """A part of a file: its number, from 1, and its bytes."""

    number: int
    bytes: int


class Port(Protocol):
    """
    A provider as one account sees it; every call is one request, sent once.

    Ids, names and texts that a call returns hold no control character and no key.

    Raises:
        RequestError: In every call: the request failed.
        OptionError: When made: the key, the address or the environment cannot be used.
    """

    def list_files(self, after: str | None = None) -> Page[RemoteFile]:
        """Return a page of the files for fine-tuning."""

    def get_file(self, file_id: str) -> RemoteFile:
        """Return a file."""

    def send_file(self, name: str, content: BinaryIO, seconds: float) -> RemoteFile:
        """Send a file whole, in at most *seconds*."""

    def delete_file(self, file_id: str) -> None:
        """Delete a file."""

    def begin_upload(self, name: str, size: int, parts: int) -> str:
        """Begin the upload of a file of *size* bytes in so many *parts*, and return the id of the upload."""

    def send_part(self, upload_id: str, part: Part, content: BinaryIO, seconds: float) -> str:
        """Send a part, in at most *seconds*, and return its id."""

    def complete_upload(self, upload_id: str, part_ids: Sequence[str], md5: str) -> RemoteFile | None:
        """Make a file of the parts, in this order, and return it; None where the answer does not name it."""

    def cancel_upload(self, upload_id: str) -> None:
        """Cancel an upload in parts."""

    def estimate_job(self, request: JobRequest) -> JobEstimate | None:
        """Return what the provider says that a job costs whose files are there; None where it says nothing of any."""

    def create_job(self, request: JobRequest) -> RemoteJob:
        """Create a job."""

    def list_jobs(
        self, metadata: Mapping[str, str] | None = None, limit: int = 100, after: str | None = None
    ) -> Page[RemoteJob]:
        """Return a page of at most *limit* jobs, the newest first; with *metadata*, of those that carry it."""

    def get_job(self, job_id: str) -> RemoteJob:
        """Return a job."""

    def cancel_job(self, job_id: str) -> None:
        """Cancel a job."""

    def list_events(self, job_id: str, after: str | None = None) -> Page[RemoteEvent]:
        """Return a page of the events of a job, the newest first."""

    def get_model(self, name: str) -> RemoteModel:
        """Return a model."""

    def close(self) -> None:
        """Close all connections."""
