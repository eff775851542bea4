"""
Put a file there: found again if it is there already, else sent as a stream, whole or in parts, until it is there.

A file's name holds the hash of its content, so whether an upload with a lost answer arrived is seen from the list.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from msgspec import structs

from etl.errors import BuildError, NoAnswerError, ProviderError
from etl.providers.client import Client
from etl.submission.content import Content, Span
from etl.submission.ledger import Ledger
from etl.submission.plan import PlannedFile
from schemas.ledger import FileRow

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import FileObject

PARALLEL_PARTS = 4
_PURPOSE: Final = "fine-tune"
_MIME_TYPE = "application/jsonl"
_BROKEN = frozenset({"error", "deleted", "deleting", "failed"})
_NOT_READY = frozenset({"pending", "running", "uploading", "processing", "notRunning", "importing"})

Sent = Callable[[int, int], None]
"""Told how many bytes of a file are there, and how many there will be."""


class Meter:
    """
    Bytes of one file on their way, from any number of threads.

    Args:
        total: How many there will be.
        tell: Told how many have gone, and how many there will be.
        deadline: When to stop, by `time.monotonic`.
    """

    def __init__(self, total: int, tell: Sent, deadline: float) -> None:
        self._total, self._tell, self.deadline = total, tell, deadline
        self._done = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def add(self, count: int) -> None:
        """
        Count *count* bytes more, negative where some must go again.

        Raises:
            NoAnswerError: The deadline has passed, or the file was given up.
        """
        if self._stopped.is_set() or time.monotonic() > self.deadline:
            raise NoAnswerError("upload", "not done in time", "run the same command again, on a better connection")
        with self._lock:
            self._done += count
            self._tell(self._done, self._total)

    def stop(self) -> None:
        """Make every thread that sends a part of the file stop."""
        self._stopped.set()


class Sending(Span):
    """
    A span of a content that is being sent, counted and hashed as it goes.

    Raises:
        NoAnswerError: While reading: see `Meter`.
    """

    def __init__(self, content: Content, part: tuple[int, int], meter: Meter) -> None:
        super().__init__(content, *part)
        self._meter = meter
        self._counted = 0
        self.sha256 = hashlib.sha256()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to *offset*; at the start, begin anew."""
        position = super().seek(offset, whence)
        if position == 0 and self._counted:
            self._meter.add(-self._counted)
            self._counted = 0
            self.sha256 = hashlib.sha256()
        return position

    def readinto(self, buffer: Any) -> int:  # as in the class above
        """Read into *buffer*, and return how many bytes."""
        count = super().readinto(buffer)
        self.sha256.update(buffer[:count])
        self._counted += count
        self._meter.add(count)
        return count


def put_file(client: Client, ledger: Ledger, file: PlannedFile, tell: Sent) -> FileRow:
    """
    Return the row of *file* once it is at the provider, whole and ready.

    Raises:
        NoAnswerError: It did not get there in time.
        ProviderError: The provider refuses it, or finds something wrong with it.
        BuildError: A chunk cannot be read, or was changed meanwhile.
    """
    account = client.account.id
    row = ledger.file(account, file.name) or FileRow(
        account=account, name=file.name, sha256=file.sha256, bytes=file.bytes, pieces=file.content.pieces
    )
    found = find_file(client, file.name, file.bytes)
    if found is None:
        if row.upload_id is not None:
            cancel_upload(client, row.upload_id)
        row = structs.replace(row, state="sending", file_id=None, upload_id=None)
        ledger.save_file(row)
        meter = Meter(file.bytes, tell, time.monotonic() + client.pace.upload_seconds)
        threshold = client.provider.uploads_threshold_bytes
        in_parts = threshold is not None and file.bytes > threshold
        found = _send_parts(client, ledger, row, file, meter) if in_parts else _send_whole(client, file, meter)
    # The same content may be cut into other chunks than when it was first sent.
    row = structs.replace(row, state="there", file_id=found.id, upload_id=None, pieces=file.content.pieces)
    ledger.save_file(row)
    tell(file.bytes, file.bytes)
    _wait_until_ready(client, found)
    return row


def find_file(client: Client, name: str, size: int) -> "FileObject | None":
    """Return the file *name* of *size* bytes that is there already and not broken, or None."""
    return _pick(list_files(client), name, size)


def list_files(client: Client) -> list["FileObject"]:
    """Return all files for fine-tuning that are there."""
    return client.repeat("looking for files", lambda api: list(api.files.list(purpose=_PURPOSE)))


def delete_file(client: Client, file_id: str) -> None:
    """Delete a file; one that is gone already is no error."""
    client.end(f"deleting the file {file_id}", lambda api: api.files.delete(file_id))


def cancel_upload(client: Client, upload_id: str) -> None:
    """Cancel an upload in parts, so that its parts do not stay; one that has ended otherwise is no error."""
    client.end(f"cancelling the upload {upload_id}", lambda api: api.uploads.cancel(upload_id))


def _send_whole(client: Client, file: PlannedFile, meter: Meter) -> "FileObject":
    with Sending(file.content, (0, file.bytes), meter) as span:

        def create(api: "OpenAI") -> "FileObject":
            sent = api.files.create(
                file=(file.name, _as_file(span), _MIME_TYPE), purpose=_PURPOSE, timeout=client.pace.store_seconds
            )
            if span.sha256.hexdigest() != file.sha256:
                delete_file(client, sent.id)
                raise BuildError(str(file.content.folder), "changed while it was sent", "build and submit again")
            return sent

        return _arrive(client, file, meter, create)


def _send_parts(client: Client, ledger: Ledger, row: FileRow, file: PlannedFile, meter: Meter) -> "FileObject":
    upload = client.repeat(
        f"beginning the upload of {file.name}",
        lambda api: api.uploads.create(bytes=file.bytes, filename=file.name, mime_type=_MIME_TYPE, purpose=_PURPOSE),
        meter.deadline,
    )
    ledger.save_file(structs.replace(row, upload_id=upload.id))
    arrived = False
    try:
        part_ids = _send_all_parts(client, upload.id, file, meter)

        def complete(api: "OpenAI") -> "FileObject":
            done = api.uploads.complete(
                upload.id, part_ids=part_ids, md5=file.md5, timeout=client.pace.store_seconds
            ).file
            if done is None:  # not every provider says which file it made
                done = next(named for named in api.files.list(purpose=_PURPOSE) if named.filename == file.name)
            return done

        sent = _arrive(client, file, meter, complete)
        arrived = True
    finally:
        meter.stop()
        if not arrived:
            with suppress(ProviderError):  # the row holds its id: the next run cancels it
                client.once(f"cancelling the upload {upload.id}", lambda api: api.uploads.cancel(upload.id))
    return sent


def _send_all_parts(client: Client, upload_id: str, file: PlannedFile, meter: Meter) -> list[str]:
    """Send all parts of *file*, some at a time, and return their ids in the order of the parts."""

    def send(part: tuple[int, int]) -> str:
        with Sending(file.content, part, meter) as span:
            doing = f"uploading bytes {part[0]:,} to {part[1]:,} of {file.name}"
            create = partial(_create_part, upload_id, span, client.pace.store_seconds)
            return client.repeat(doing, create, meter.deadline)

    with ThreadPoolExecutor(PARALLEL_PARTS, thread_name_prefix="upload") as pool:
        futures = [pool.submit(send, part) for part in file.content.cuts(client.provider.max_part_bytes)]
        try:
            return [future.result() for future in futures]
        finally:
            if any(future.done() and not future.cancelled() and future.exception() for future in futures):
                meter.stop()
            pool.shutdown(cancel_futures=True)


def _create_part(upload_id: str, span: Sending, store_seconds: float, api: "OpenAI") -> str:
    data = ("part", _as_file(span), "application/octet-stream")
    return api.uploads.parts.create(upload_id, data=data, timeout=store_seconds).id


def _as_file(span: Sending) -> BinaryIO:
    """Return *span* under the type the SDK asks for; it reads and seeks, and that is all it needs."""
    return cast("BinaryIO", span)


def _arrive(client: Client, file: PlannedFile, meter: Meter, send: Callable[["OpenAI"], "FileObject"]) -> "FileObject":
    """
    Return *file* as it is there after *send*, which is repeated only while the list of files does not show it.

    Raises:
        ProviderError: What is there has another size.
    """
    tries = 0

    def attempt(api: "OpenAI") -> "FileObject":
        nonlocal tries
        tries += 1
        # After a lost answer it may be there; sent again, it would be there twice.
        found = _pick(api.files.list(purpose=_PURPOSE), file.name, file.bytes) if tries > 1 else None
        return found or send(api)

    sent = client.repeat(f"uploading {file.name}", attempt, meter.deadline)
    if sent.bytes not in (file.bytes, None):  # some do not say
        delete_file(client, sent.id)
        problem = f"{file.bytes:,} bytes were sent, {sent.bytes:,} arrived"
        raise ProviderError(file.name, problem, "it was deleted there; run the same command again")
    return sent


def _pick(files: Iterable["FileObject"], name: str, size: int) -> "FileObject | None":
    """Return the file *name* of *size* bytes among *files* that is not broken, or None."""
    return next(
        (file for file in files if file.filename == name and file.bytes in (size, None) and file.status not in _BROKEN),
        None,
    )


def _wait_until_ready(client: Client, file: "FileObject") -> None:
    """
    Wait while *file* is being looked at; not every provider does that before it says that a file is there.

    Raises:
        NoAnswerError: It takes too long.
        ProviderError: The provider finds something wrong with it.
    """
    deadline = time.monotonic() + client.pace.upload_seconds
    wait = client.pace.first_wait_seconds
    status: str = file.status
    while status in _NOT_READY:
        if time.monotonic() + wait > deadline:
            raise NoAnswerError(file.filename, f"still {status}", "run the same command again later")
        time.sleep(wait)
        wait = min(2 * wait, client.pace.longest_wait_seconds)
        status = client.repeat("looking at a file", lambda api: api.files.retrieve(file.id)).status
    if status in _BROKEN:
        raise ProviderError(file.filename, f"the provider says {status} of it", "see what `saturi check` says of it")
