"""The only door to a provider: what goes through it is sent once, or repeated where that does no harm."""

import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import BinaryIO, TypeVar

from saturi.etl.errors import BusyError, NoAnswerError
from saturi.etl.providers.account import Account
from saturi.etl.providers.pace import Pace
from saturi.etl.providers.port import Port, RequestError
from saturi.etl.providers.waiting import NO_ANSWER, Wait, WaitReporter, no_report, reported_after
from saturi.etl.providers.wires import open_port
from saturi.schemas.provider import Provider
from saturi.schemas.remote import JobRequest, Page, RemoteEvent, RemoteFile, RemoteJob, RemoteModel

Answer = TypeVar("Answer")
Row = TypeVar("Row", RemoteFile, RemoteJob, RemoteEvent)

MOST_PAGES = 1_000
"""Of one list; OpenAI's have 10,000 files or 100 jobs each."""

MOST_EVENT_PAGES = 100
"""Of the events of a job; those before are left out."""


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
        deadline = self._read_deadline()
        return self._repeat("looking for files", lambda: list(self._files(deadline)), deadline)

    def find_file(self, name: str, size: int) -> RemoteFile | None:
        """Return the file *name* of *size* bytes that is there and not broken, or None."""
        return _pick(self.list_files(), name, size)

    def get_file(self, file_id: str) -> RemoteFile:
        """Return a file."""
        return self._repeat("looking at a file", lambda: self._port.get_file(file_id))

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
        self._end(f"deleting the file {file_id}", lambda: self._port.delete_file(file_id))

    # Uploads in parts.

    def begin_upload(self, name: str, size: int, deadline: float) -> str:
        """Begin the upload in parts of a file, and return the id of the upload."""
        doing = f"beginning the upload of {name}"
        return self._repeat(doing, lambda: self._port.begin_upload(name, size), deadline)

    def send_part(self, doing: str, upload_id: str, content: BinaryIO, deadline: float) -> str:
        """Send a part, and return its id; *doing* names the part in the sentence of an error."""

        def send() -> str:
            return self._port.send_part(upload_id, content, deadline - time.monotonic())

        return self._repeat(doing, send, deadline, sends=True)

    def complete_upload(
        self, upload_id: str, part_ids: Sequence[str], md5: str, file: tuple[str, int], deadline: float
    ) -> RemoteFile:
        """Make the *file*, of a name and a size, of the parts in this order, and return it."""
        name, size = file

        def complete() -> RemoteFile:
            made = self._port.complete_upload(upload_id, part_ids, md5)
            arrived = made or _pick(self._files(deadline), name, size)
            if arrived is None:
                raise RequestError(NoAnswerError, "no usable answer (no file in it)", "run the same command again")
            return arrived

        return self._arrive(name, size, complete, deadline)

    def cancel_upload(self, upload_id: str) -> None:
        """Cancel an upload in parts, so that its parts do not stay; one that has ended otherwise is no error."""
        self._end(f"cancelling the upload {upload_id}", lambda: self._port.cancel_upload(upload_id))

    def abandon_upload(self, upload_id: str) -> None:
        """Cancel an upload in parts if one request is enough for that."""
        with suppress(RequestError):
            self._port.cancel_upload(upload_id)

    # Jobs.

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

        return self._repeat("creating a job", create)

    def list_jobs(self, metadata: Mapping[str, str] | None = None) -> list[RemoteJob]:
        """Return all jobs, the newest first; with *metadata*, of those that carry it, where the provider filters."""
        deadline = self._read_deadline()

        def read() -> list[RemoteJob]:
            return list(_rows(lambda after: self._port.list_jobs(metadata, after=after), deadline))

        return self._repeat("looking for jobs", read, deadline)

    def has_jobs(self) -> bool:
        """Return whether the account has any job."""
        return bool(self._repeat("looking for jobs", lambda: self._port.list_jobs(limit=1)).rows)

    def get_job(self, job_id: str) -> RemoteJob:
        """Return a job."""
        return self._repeat(f"looking at {job_id}", lambda: self._port.get_job(job_id))

    def cancel_job(self, job_id: str) -> None:
        """Cancel a job; one that has ended already is no error."""
        self._end(f"cancelling {job_id}", lambda: self._port.cancel_job(job_id))

    def list_events(self, job_id: str, known: Collection[str] = ()) -> list[RemoteEvent]:
        """Return the newest events of a job, the newest first, up to the first whose id is *known*; at most 100 pages."""
        deadline = self._read_deadline()

        def read() -> list[RemoteEvent]:
            events: list[RemoteEvent] = []
            for event in _rows(lambda after: self._port.list_events(job_id, after), deadline, MOST_EVENT_PAGES):
                if event.id in known:
                    break
                events.append(event)
            return events

        return self._repeat("reading events", read, deadline)

    def get_model(self, name: str) -> RemoteModel:
        """Return a model."""
        return self._repeat(f"looking for {name}", lambda: self._port.get_model(name))

    # How often a request is sent.

    def _files(self, deadline: float) -> Iterator[RemoteFile]:
        return _rows(self._port.list_files, deadline)

    def _read_deadline(self) -> float:
        return time.monotonic() + self.pace.read_seconds

    def _where(self, doing: str) -> str:
        return f"{self.account.base_url}, {doing}"

    def _repeat(
        self, doing: str, call: Callable[[], Answer], deadline: float | None = None, *, sends: bool = False
    ) -> Answer:
        """
        Return what *call* returns; until *deadline* it is made again while that may help, so it must do no harm twice.

        A call that *sends* a file takes its time, which is seen by the bytes that have arrived; any other is reported.
        """
        began = time.monotonic()
        deadline = began + self.pace.read_seconds if deadline is None else deadline
        wait = self.pace.first_wait_seconds
        while True:
            try:
                return call() if sends else self._awaited(doing, call, deadline)
            except RequestError as error:
                pause = self._pause(wait, error.wait_seconds)
                if not error.repeatable or time.monotonic() + pause > deadline:
                    raise error.located(self._where(doing)) from None
                problem = error.problem
            if time.monotonic() + pause - began > self.pace.quiet_seconds:
                self._tell(doing, problem, pause, deadline)
            time.sleep(pause)
            wait = min(2 * wait, self.pace.longest_wait_seconds)

    def _awaited(self, doing: str, call: Callable[[], Answer], deadline: float) -> Answer:
        """Return what *call* returns, and report that it is awaited if that takes some seconds."""
        with reported_after(self.pace.quiet_seconds, lambda: self._tell(doing, NO_ANSWER, None, deadline)):
            return call()

    def _tell(self, doing: str, problem: str, again_seconds: float | None, deadline: float) -> None:
        left = max(deadline - time.monotonic(), 0.0)
        wait = Wait(doing=self._where(doing), problem=problem, again_seconds=again_seconds, left_seconds=left)
        self.report_wait(wait)

    def _pause(self, wait: float, asked: float | None) -> float:
        """Return the seconds before a repetition: some of *wait*, or as long as the provider asks for if that is longer."""
        # Between half of the wait and all of it, so that clients turned away together do not come back together.
        own = wait * random.uniform(0.5, 1)  # noqa: S311 - no secret
        return max(own, min(asked or 0.0, self.pace.longest_asked_seconds))

    def _end(self, doing: str, call: Callable[[], None]) -> None:
        """Make *call*, which ends something; that it has ended before, or was never there, is no error."""

        def end() -> None:
            try:
                call()
            except RequestError as error:
                if not error.ended:
                    raise

        self._repeat(doing, end)

    def _arrive(self, name: str, size: int, send: Callable[[], RemoteFile], deadline: float) -> RemoteFile:
        """Return the file as it is there after *send*, which is repeated only while the list of files does not show it."""
        tries = 0

        def attempt() -> RemoteFile:
            nonlocal tries
            tries += 1
            # After a lost answer it may be there; sent again, it would be there twice.
            there = _pick(self._files(deadline), name, size) if tries > 1 else None
            return there or send()

        return self._repeat(f"uploading {name}", attempt, deadline, sends=True)


def _rows(
    read_page: Callable[[str | None], Page[Row]], deadline: float, most_pages: int | None = None
) -> Iterator[Row]:
    """
    Yield the rows of a list, each once; a page without a new row is the last one, even where there should be more.

    Args:
        read_page: Returns the page after a cursor.
        deadline: When the list must be at its end, by `time.monotonic`.
        most_pages: How many pages are enough; None where all are needed.

    Raises:
        RequestError: The list does not end.
    """
    seen: set[str] = set()
    after: str | None = None
    for _ in range(most_pages or MOST_PAGES):
        page = read_page(after)
        new = [row for row in page.rows if row.id not in seen]
        seen.update(row.id for row in new)
        yield from new
        after = page.after
        if after is None or not new:
            return
        if time.monotonic() > deadline:
            break
    if most_pages is None:
        raise RequestError(NoAnswerError, "no usable answer (a list that does not end)", "ask the provider why")


def _pick(files: Iterable[RemoteFile], name: str, size: int) -> RemoteFile | None:
    """Return the file *name* of *size* bytes among *files* that is not broken, or None; some give no size."""
    return next(
        (file for file in files if file.name == name and file.bytes in (size, None) and file.state != "broken"), None
    )
