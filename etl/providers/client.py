"""The only door to a provider: what goes through it is sent once, or repeated where that does no harm."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import BinaryIO

from saturi.etl.errors import BusyError, NoAnswerError
from saturi.etl.providers.account import Account
from saturi.etl.providers.listing import MOST_EVENT_PAGES, pick, rows_of
from saturi.etl.providers.pace import Pace
from saturi.etl.providers.port import Part, Port, RequestError
from saturi.etl.providers.repetition import Repetition
from saturi.etl.providers.waiting import WaitReporter, no_report
from saturi.etl.providers.wires import open_port
from saturi.schemas.provider import Provider
from saturi.schemas.remote import JobEstimate, JobRequest, RemoteEvent, RemoteFile, RemoteJob, RemoteModel


class Client:
    """
    The API of a provider, as one account sees it.

    Every method repeats its request while that may help, but for `abandon_upload`, and `create_job` unless the provider has
    one job at a time and says that another one is under way.

    Args:
        account: The account.
        pace: Waits and deadlines.
        report_wait: Takes each wait that goes on for some seconds: for an answer, or until a request is repeated.
        port: What the requests go through; None for the adapter of the account's provider.

    Raises:
        OptionError: When made: there is no key, or the environment names a proxy or certificates that cannot be used.
        NoAnswerError: There was no answer that helps until the deadline; the provider may or may not have acted.
        UnreachableError: There was no connection until the deadline.
        GoneError: There is no such thing at the provider.
        EligibilityError: The provider does not do this for this account.
        ProviderError: It refused.
    """

    def __init__(
        self, account: Account, pace: Pace, report_wait: WaitReporter = no_report, port: Port | None = None
    ) -> None:
        self.account, self.pace = account, pace
        self.report_wait = report_wait
        self._requests = Repetition(account.base_url, pace, report_wait)
        self._port = port or open_port(account, pace)

    @property
    def provider(self) -> Provider:
        """The profile."""
        return self.account.provider

    def close(self) -> None:
        """Close the connections."""
        self._port.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Files.

    def list_files(self) -> list[RemoteFile]:
        """Return all files for fine-tuning."""
        deadline = self._requests.deadline()
        return self._requests.run("looking for files", lambda: list(self._files(deadline)), deadline)

    def find_file(self, name: str, size: int) -> RemoteFile | None:
        """Return the file *name* of *size* bytes that is there and not broken, or None."""
        return pick(self.list_files(), name, size)

    def get_file(self, file_id: str) -> RemoteFile:
        """Return a file."""
        return self._requests.run("looking at a file", lambda: self._port.get_file(file_id))

    def send_file(self, name: str, size: int, content: BinaryIO, deadline: float) -> RemoteFile:
        """
        Send a file whole, and return it; it is sent again only while the list of files does not show it.

        Args:
            name: Its name at the provider.
            size: Its bytes.
            content: The bytes, which are read from the start each time.
            deadline: When to stop, by `time.monotonic`.
        """

        def send() -> RemoteFile:
            return self._port.send_file(name, content, deadline - time.monotonic())

        return self._arrive(name, size, send, deadline)

    def delete_file(self, file_id: str) -> None:
        """Delete a file; one that is gone already is no error."""
        self._requests.end(f"deleting the file {file_id}", lambda: self._port.delete_file(file_id))

    # Uploads in parts.

    def begin_upload(self, name: str, size: int, parts: int, deadline: float) -> str:
        """Begin the upload of a file in so many *parts*, and return the id of the upload."""
        doing = f"beginning the upload of {name}"
        return self._requests.run(doing, lambda: self._port.begin_upload(name, size, parts), deadline)

    def send_part(self, doing: str, upload_id: str, part: Part, content: BinaryIO, deadline: float) -> str:
        """Send a part, and return its id; *doing* names the part in the sentence of an error."""

        def send() -> str:
            return self._port.send_part(upload_id, part, content, deadline - time.monotonic())

        return self._requests.run(doing, send, deadline, sends=True)

    def complete_upload(
        self, upload_id: str, part_ids: Sequence[str], md5: str, file: tuple[str, int], deadline: float
    ) -> RemoteFile:
        """Make the *file*, of a name and a size, of the parts in this order, and return it."""
        name, size = file

        def complete() -> RemoteFile:
            made = self._port.complete_upload(upload_id, part_ids, md5)
            arrived = made or pick(self._files(deadline), name, size)
            if arrived is None:
                raise RequestError(NoAnswerError, "no usable answer (no file in it)", "run the same command again")
            return arrived

        return self._arrive(name, size, complete, deadline)

    def cancel_upload(self, upload_id: str) -> None:
        """Cancel an upload in parts, so that its parts do not stay; one that has ended otherwise is no error."""
        self._requests.end(f"cancelling the upload {upload_id}", lambda: self._port.cancel_upload(upload_id))

    def abandon_upload(self, upload_id: str) -> None:
        """Cancel an upload in parts if one request is enough for that."""
        with suppress(RequestError):
            self._port.cancel_upload(upload_id)

    # Jobs.

    def estimate_job(self, request: JobRequest) -> JobEstimate | None:
        """Return what the provider says that a job costs whose files are there; None where it says nothing of any."""
        return self._requests.run("asking for a price", lambda: self._port.estimate_job(request))

    def create_job(self, request: JobRequest) -> RemoteJob:
        """
        Create a job; the request is sent once, and again only where it was not carried out since another job is under way.

        A job may have come to its end and still be tidied up; so that is borne with for as long as a read is repeated.

        Raises:
            NoAnswerError: It may or may not have been created.
            EligibilityError, ProviderError: It certainly was not.
        """

        def create() -> RemoteJob:
            try:
                return self._port.create_job(request)
            except RequestError as error:
                is_turned_away = error.kind is BusyError and self.provider.one_job
                error.repeatable = error.repeatable and is_turned_away
                raise

        return self._requests.run("creating a job", create)

    def list_jobs(self, metadata: Mapping[str, str] | None = None) -> list[RemoteJob]:
        """Return all jobs, the newest first; with *metadata*, of those that carry it, where the provider filters."""
        deadline = self._requests.deadline()

        def read() -> list[RemoteJob]:
            return list(rows_of(lambda after: self._port.list_jobs(metadata, after=after), deadline))

        return self._requests.run("looking for jobs", read, deadline)

    def has_jobs(self) -> bool:
        """Return whether the account has any job."""
        return bool(self._requests.run("looking for jobs", lambda: self._port.list_jobs(limit=1)).rows)

    def get_job(self, job_id: str) -> RemoteJob:
        """Return a job."""
        return self._requests.run(f"looking at {job_id}", lambda: self._port.get_job(job_id))

    def cancel_job(self, job_id: str) -> None:
        """Cancel a job; one that has ended already is no error."""
        self._requests.end(f"cancelling {job_id}", lambda: self._port.cancel_job(job_id))

    def list_events(self, job_id: str, known: Collection[str] = ()) -> list[RemoteEvent]:
        """Return the newest events of a job, the newest first, up to the first whose id is *known*; at most 100 pages."""
        deadline = self._requests.deadline()

        def read() -> list[RemoteEvent]:
            events: list[RemoteEvent] = []
            for event in rows_of(lambda after: self._port.list_events(job_id, after), deadline, MOST_EVENT_PAGES):
                if event.id in known:
                    break
                events.append(event)
            return events

        return self._requests.run("reading events", read, deadline)

    def get_model(self, name: str) -> RemoteModel:
        """Return a model."""
        return self._requests.run(f"looking for {name}", lambda: self._port.get_model(name))

    # How often a request is sent.

    def _files(self, deadline: float) -> Iterator[RemoteFile]:
        return rows_of(self._port.list_files, deadline)

    def _arrive(self, name: str, size: int, send: Callable[[], RemoteFile], deadline: float) -> RemoteFile:
        """Return the file as it is there after *send*, which is repeated only while the list of files does not show it."""
        tries = 0

        def attempt() -> RemoteFile:
            nonlocal tries
            tries += 1
            # After a lost answer it may be there; sent again, it would be there twice.
            there = pick(self._files(deadline), name, size) if tries > 1 else None
            return there or send()

        return self._requests.run(f"uploading {name}", attempt, deadline, sends=True)
