"""
Together as an adapter: files by way of addresses that it gives out, jobs without metadata, and an estimate of their price.

Facts: together 3.1.1 (PyPI), of which no line is here, as of 2026-11-27; none was tried live.
"""

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO
from urllib.parse import quote

from msgspec import structs

from saturi.etl.errors import NoAnswerError, ProviderError
from saturi.etl.providers import border
from saturi.etl.providers.account import Account
from saturi.etl.providers.exchange import AGAIN, Exchange, Json, Rest, unusable
from saturi.etl.providers.openai_answers import code_and_message
from saturi.etl.providers.pace import Pace
from saturi.etl.providers.port import Part, RequestError
from saturi.etl.providers.signed_store import SignedStore
from saturi.etl.providers.together_answers import NOT_ASKED_FOR, TogetherAnswers
from saturi.etl.providers.together_requests import (
    ESTIMATE,
    FILES,
    JOBS,
    LIMITS,
    PARTS,
    estimate_body,
    file_form,
    job_body,
    parts_body,
)
from saturi.schemas.ledger import FAILED
from saturi.schemas.remote import JobEstimate, JobRequest, Page, RemoteEvent, RemoteFile, RemoteJob, RemoteModel

_GIVEN, _THERE = 302, 409
_JOINT = "/"  # in our id of an upload, between the ids of file and upload; an id of a file goes into paths and has none


class TogetherApi:
    """
    The port to Together.

    Raises:
        OptionError: There is no key, or the environment names a proxy or certificates that cannot be used.
    """

    def __init__(self, account: Account, pace: Pace) -> None:
        self._account = account
        key = account.read_key()
        self._border = border.Border(key)
        self._answers = TogetherAnswers(self._border, account.provider.statuses)
        self._exchange = Exchange(account, self._border, code_and_message, _no_code)
        self._rest = Rest(account, pace, key, self._exchange)
        self._store = SignedStore(account, pace, self._border, self._exchange)
        self._looked_at: set[str] = set()  # files that were asked to be looked at from here
        self._places: dict[str, dict[int, Json]] = {}  # of the parts of an upload, by their numbers

    # Files.

    def list_files(self, after: str | None = None) -> Page[RemoteFile]:  # noqa: ARG002 - the port's signature
        """Return the files; all are on one page, and one whose sending was broken off is broken, and can be sent again."""
        rows = self._answers.rows(self._rest.ask("GET", FILES))
        return Page(border.rows_of(rows, self._answers.file))

    def get_file(self, file_id: str) -> RemoteFile:
        """Return a file; one that nobody asked to look at is looked at, which is what ends its sending."""
        answer = self._rest.ask("GET", _path(FILES, file_id))
        if answer.get("processing_status") in NOT_ASKED_FOR and file_id not in self._looked_at:
            answer = self._look_at(file_id) or answer
        return self._sent(answer, file_id)

    def send_file(self, name: str, content: BinaryIO, seconds: float) -> RemoteFile:
        """Send a file whole, in at most *seconds*, to the address that is given out for its name and checksum."""
        content.seek(0)
        given = self._rest.post_form(FILES, file_form(name), frozenset({_GIVEN, _THERE}))
        if given.status == _THERE:
            there = self._there_already(self._exchange.object_in(given).get("file_id"), name)
            if there is not None:
                return there
            given = self._rest.post_form(FILES, file_form(name), frozenset({_GIVEN}))
        file_id = self._border.name(given.headers.get("x-together-file-id"))
        if given.status != _GIVEN or file_id is None or _JOINT in file_id:
            raise unusable("no address to send the file to")
        size = content.seek(0, 2)
        content.seek(0)
        self._store.put(given.headers.get("location"), content, size, {}, seconds)
        answer = self._look_at(file_id)
        return self.get_file(file_id) if answer is None else self._sent(answer, file_id)

    def delete_file(self, file_id: str) -> None:
        """Delete a file."""
        self._rest.ask("DELETE", _path(FILES, file_id))

    # Uploads in parts.

    def begin_upload(self, name: str, size: int, parts: int) -> str:
        """Begin the upload of a file of *size* bytes in so many *parts*, and return the id of the upload."""
        try:
            answer = self._rest.ask("POST", f"{PARTS}/initiate", parts_body(name, size, parts))
        except RequestError as error:
            if not error.problem.startswith(f"answer {_THERE}"):
                raise
            problem = "a file of this content is there already, under another name"
            raise RequestError(ProviderError, problem, "delete it there, and run the same command again") from None
        file_id, upload_id = (self._border.name(answer.get(field)) for field in ("file_id", "upload_id"))
        places = answer.get("parts")
        if file_id is None or upload_id is None or _JOINT in file_id or not isinstance(places, list):
            raise unusable("no id in it")
        ours = f"{file_id}{_JOINT}{upload_id}"
        rows = [place for place in places if isinstance(place, dict)]
        # Two spellings of each field: together 3.1.1 takes either.
        self._places[ours] = {border.count(row.get("PartNumber", row.get("part_number"))) or 0: row for row in rows}
        return ours

    def send_part(self, upload_id: str, part: Part, content: BinaryIO, seconds: float) -> str:
        """Send a part, in at most *seconds*, and return its tag, by which it is named when all are there."""
        content.seek(0)
        place = self._places.get(upload_id, {}).get(part.number, {})
        headers = self._store.headers_in(place.get("Headers"))
        tag = self._store.put(place.get("URL", place.get("UploadURL")), content, part.bytes, headers, seconds)
        if tag is None:
            raise RequestError(NoAnswerError, "no usable answer (no tag of the part in it)", AGAIN, repeatable=True)
        return tag

    def complete_upload(self, upload_id: str, part_ids: Sequence[str], md5: str) -> RemoteFile | None:  # noqa: ARG002 - as above
        """Make a file of the parts, in this order, and return it; None where the answer does not name it."""
        parts = [{"part_number": number, "etag": tag} for number, tag in enumerate(part_ids, 1)]
        answer = self._rest.ask("POST", f"{PARTS}/complete", {**_ids_in(upload_id), "parts": parts})
        file = answer.get("file", answer)
        if not isinstance(file, dict) or self._border.name(file.get("id")) is None:
            return None
        return self._sent(file, file["id"])

    def cancel_upload(self, upload_id: str) -> None:
        """Cancel an upload in parts."""
        self._rest.ask("POST", f"{PARTS}/abort", _ids_in(upload_id))

    # Jobs.

    def estimate_job(self, request: JobRequest) -> JobEstimate | None:
        """Return what Together says that a job costs whose files are there."""
        return self._answers.estimate(self._rest.ask("POST", ESTIMATE, estimate_body(request)))

    def create_job(self, request: JobRequest) -> RemoteJob:
        """Create a job."""
        return self._whole(self._rest.ask("POST", JOBS, job_body(request)))

    def list_jobs(
        self,
        metadata: Mapping[str, str] | None = None,  # noqa: ARG002 - the port's signature
        limit: int = 0,  # noqa: ARG002 - as above
        after: str | None = None,  # noqa: ARG002 - as above
    ) -> Page[RemoteJob]:
        """Return the jobs, the newest first, whatever they carry; all are on one page."""
        jobs = border.rows_of(self._answers.rows(self._rest.ask("GET", JOBS)), self._answers.job)
        return Page(tuple(sorted(jobs, key=lambda job: job.created_at or 0.0, reverse=True)))

    def get_job(self, job_id: str) -> RemoteJob:
        """Return a job; of one that failed without a word, its events have the reason."""
        job = structs.replace(self._whole(self._rest.ask("GET", _path(JOBS, job_id))), id=job_id)
        if job.status == FAILED and job.error is None:
            job = structs.replace(job, error=self._answers.error(self._events_of(job_id)))
        return job

    def cancel_job(self, job_id: str) -> None:
        """Cancel a job."""
        self._rest.ask("POST", _path(JOBS, job_id, "/cancel"), {})

    def list_events(self, job_id: str, after: str | None = None) -> Page[RemoteEvent]:  # noqa: ARG002 - the port's signature
        """Return the events of a job, the newest first; all are on one page."""
        return Page(self._answers.events(self._events_of(job_id)))

    def get_model(self, name: str) -> RemoteModel:
        """Return a model that can be trained."""
        self._rest.ask("GET", LIMITS, query={"model_name": name})
        return RemoteModel(id=name, shutdown_date=None)

    def close(self) -> None:
        """Close all connections."""
        self._rest.close()

    # Requests and answers.

    def _look_at(self, file_id: str) -> Json | None:
        """Ask for a look at a file that was sent, and return its answer; None where there is nothing to look at."""
        try:
            answer = self._rest.ask("POST", _path(FILES, file_id, "/preprocess"))
        except RequestError as error:
            if not error.ended:
                raise
            return None
        self._looked_at.add(file_id)
        return answer

    def _there_already(self, given: Any, name: str) -> RemoteFile | None:
        """
        Return the file of the same checksum that is there, by its id; None where it was begun from here and never sent.

        Such a one is deleted, as nothing else can be done with it.
        """
        file_id = self._border.name(given)
        if file_id is None:
            raise unusable("a file of this content is there, and no id of it")
        file = self.get_file(file_id)
        if file.state != "broken" or file.name != name or file.bytes:
            return file
        self.delete_file(file_id)
        return None

    def _sent(self, answer: Json, file_id: str) -> RemoteFile:
        """Return the file that *answer* shows; one looked at from here is pending at least, or ready where nothing is said."""
        file = self._answers.file({**answer, "id": file_id})
        if file is None:
            raise unusable("no id in it")
        if file.status in NOT_ASKED_FOR and file_id in self._looked_at:
            return structs.replace(file, state="ready" if file.status is None and file.bytes else "pending")
        return file

    def _events_of(self, job_id: str) -> list[Any]:
        return self._answers.rows(self._rest.ask("GET", _path(JOBS, job_id, "/events")))

    def _whole(self, answer: Json) -> RemoteJob:
        job = self._answers.job(answer)
        if job is None:
            raise unusable("no id in it")
        return job


def _path(kind: str, name: str, more: str = "") -> str:
    return f"{kind}/{quote(name, safe='')}{more}"


def _ids_in(upload_id: str) -> Json:
    file_id, _, upload = upload_id.partition(_JOINT)
    return {"upload_id": upload, "file_id": file_id}


def _no_code(code: str, message: str, problem: str) -> None:
    """Return that no code says more than its status."""
