"""
Files on their way to a provider: a file that is there already is used again, any other is sent as a stream, whole or in parts.

A file's name holds the hash of its content, so that an upload whose answer was lost is seen in the list of files.
"""

import hashlib
import io
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, BinaryIO, cast

from msgspec import structs

from saturi.etl.errors import BuildError, NoAnswerError, ProviderError, RefusedError
from saturi.etl.providers.port import Part
from saturi.etl.providers.waiting import Wait
from saturi.etl.providers.wires import Renderer, renderer_of
from saturi.etl.submission.content import Rendered, Span
from saturi.etl.submission.plan import PlannedFile
from saturi.etl.submission.remote import Remote
from saturi.schemas.ledger import FileRow
from saturi.schemas.remote import RemoteFile

PARALLEL_PARTS = 4

SentReporter = Callable[[int, int], None]
"""Takes how many bytes of a file have arrived, and how many there will be."""


class Meter:
    """
    Bytes of one file on their way, from any number of threads.

    Args:
        total: How many there will be.
        report: Takes how many have gone, and how many there will be.
        deadline: When to stop, by `time.monotonic`.
    """

    def __init__(self, total: int, report: SentReporter, deadline: float) -> None:
        self._total, self._report, self.deadline = total, report, deadline
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
            self._report(self._done, self._total)

    def stop(self) -> None:
        """Make every thread that sends a part of the file stop."""
        self._stopped.set()


class Sending(io.RawIOBase):
    """
    A span of a content that is being sent, counted and hashed as it goes.

    Of a file that goes whole the last bytes are not handed over where its content is not the one it was planned with, so that
    no such file comes to be at the provider.

    Args:
        file: The file.
        part: Where it begins and where it ends, in bytes.
        meter: Counts the bytes of the file.

    Raises:
        NoAnswerError: While reading: see `Meter`.
        BuildError: While reading: the content was changed.
    """

    def __init__(self, file: PlannedFile, part: tuple[int, int], meter: Meter) -> None:
        self._source = _opened(file, part)
        self._file, self._meter = file, meter
        self._counted = 0
        self._sha256 = hashlib.sha256()

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position, from the start of the span."""
        return self._source.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to *offset*; at the start, begin anew."""
        position = self._source.seek(offset, whence)
        if position == 0 and self._counted:
            self._meter.add(-self._counted)
            self._counted = 0
            self._sha256 = hashlib.sha256()
        return position

    def readinto(self, buffer: Any) -> int:  # whatever holds bytes; the standard library's own type is private
        """Read into *buffer*, and return how many bytes."""
        count = self._source.readinto(buffer)
        self._sha256.update(buffer[:count])
        self._counted += count
        if self._counted == self._file.bytes and self._sha256.hexdigest() != self._file.sha256:
            raise BuildError(str(self._file.content.folder), "changed while it was sent", "build and submit again")
        self._meter.add(count)
        return count

    def close(self) -> None:
        """Close the chunk that is open."""
        self._source.close()
        super().close()


def _opened(file: PlannedFile, part: tuple[int, int]) -> Span | Rendered:
    """Return a part of the chunks of *file*, or all of them in the form that the provider takes, which has no parts."""
    make_renderer = partial(renderer_of, file.content.wire)
    if make_renderer() is None:
        return Span(file.content, *part)
    return Rendered(file.content, cast("Callable[[], Renderer]", make_renderer), file.bytes)


def put_file(remote: Remote, file: PlannedFile, report: SentReporter) -> FileRow:
    """
    Return the row of *file* once it is at the provider, whole and ready.

    Raises:
        NoAnswerError: It did not get there in time.
        ProviderError: The provider refuses it, or has something against it.
        BuildError: A chunk cannot be read, or was changed meanwhile.
    """
    client, ledger, account = remote.client, remote.ledger, remote.account
    row = ledger.file(account, file.name) or FileRow(
        account=account, name=file.name, sha256=file.sha256, bytes=file.bytes, pieces=file.content.pieces
    )
    there = client.find_file(file.name, file.bytes)
    if there is None:
        if row.upload_id is not None:
            client.cancel_upload(row.upload_id)
        row = structs.replace(row, state="sending", file_id=None, upload_id=None)
        ledger.save_file(row)
        meter = Meter(file.bytes, report, time.monotonic() + client.pace.upload_seconds)
        threshold = client.provider.uploads_threshold_bytes
        in_parts = threshold is not None and file.bytes > threshold
        there = _send_parts(remote, row, file, meter) if in_parts else _send_whole(remote, file, meter)
        _check_size(remote, file, there)
    # The same content may be cut into other chunks than when it was first sent.
    row = structs.replace(row, state="there", file_id=there.id, upload_id=None, pieces=file.content.pieces)
    ledger.save_file(row)
    report(file.bytes, file.bytes)
    _wait_until_ready(remote, there)
    return row


def _send_whole(remote: Remote, file: PlannedFile, meter: Meter) -> RemoteFile:
    with Sending(file, (0, file.bytes), meter) as span:
        return remote.client.send_file(file.name, file.bytes, _as_file(span), meter.deadline)


def _send_parts(remote: Remote, row: FileRow, file: PlannedFile, meter: Meter) -> RemoteFile:
    provider = remote.client.provider
    cuts = file.content.cuts(provider.max_part_bytes, equal=provider.equal_parts)
    upload_id = remote.client.begin_upload(file.name, file.bytes, len(cuts), meter.deadline)
    remote.ledger.save_file(structs.replace(row, upload_id=upload_id))
    arrived = False
    try:
        part_ids = _send_all_parts(remote, upload_id, file, cuts, meter)
        whole = (file.name, file.bytes)
        sent = remote.client.complete_upload(upload_id, part_ids, file.md5, whole, meter.deadline)
        arrived = True
    finally:
        meter.stop()
        if not arrived:  # the row holds its id: where this fails, the next run cancels it
            remote.client.abandon_upload(upload_id)
    return sent


def _send_all_parts(
    remote: Remote, upload_id: str, file: PlannedFile, cuts: Sequence[tuple[int, int]], meter: Meter
) -> list[str]:
    """Send the parts of *file* between *cuts*, some at a time, and return their ids in the order of the parts."""

    def send(number: int, cut: tuple[int, int]) -> str:
        start, end = cut
        with Sending(file, cut, meter) as span:
            doing = f"uploading bytes {start:,} to {end:,} of {file.name}"
            part = Part(number, end - start)
            return remote.client.send_part(doing, upload_id, part, _as_file(span), meter.deadline)

    with ThreadPoolExecutor(PARALLEL_PARTS, thread_name_prefix="upload") as pool:
        futures = [pool.submit(send, number, cut) for number, cut in enumerate(cuts, 1)]
        try:
            return [future.result() for future in futures]
        finally:
            if any(future.done() and not future.cancelled() and future.exception() for future in futures):
                meter.stop()
            pool.shutdown(cancel_futures=True)


def _as_file(span: Sending) -> BinaryIO:
    """Return *span* under the type that the port asks for; it reads and seeks, and that is all that is needed."""
    return cast("BinaryIO", span)


def _check_size(remote: Remote, file: PlannedFile, sent: RemoteFile) -> None:
    """Raise if *sent* has another size than *file*, after it was deleted where that can be; some providers give no size."""
    if sent.bytes in (file.bytes, None):
        return
    problem = f"{file.bytes:,} bytes were sent, {sent.bytes:,} arrived"
    raise ProviderError(file.name, problem, f"{_discarded(remote, sent)}; run the same command again")


def _discarded(remote: Remote, file: RemoteFile) -> str:
    """Delete *file*, of a wrong size, where that can be, and return what has become of it."""
    if not remote.client.provider.deletes_files:
        return "it is not used"
    try:
        remote.client.delete_file(file.id)
    except (ProviderError, RefusedError) as error:  # the size is what went wrong first
        return f"it is not used, and could not be deleted there ({error})"
    return "it was deleted there"


def _wait_until_ready(remote: Remote, file: RemoteFile) -> None:
    """
    Wait while the provider looks at *file*; not every one does that before it lists a file.

    Raises:
        NoAnswerError: It takes too long.
        ProviderError: The provider has something against it.
    """
    pace, name = remote.client.pace, file.name or file.id
    began = time.monotonic()
    deadline = began + pace.upload_seconds
    wait = pace.first_wait_seconds
    while file.state == "pending":
        now = time.monotonic()
        if now + wait > deadline:
            raise NoAnswerError(name, f"still {file.status}", "run the same command again later")
        if now + wait - began > pace.quiet_seconds:
            doing = f"until the provider has looked at {name}"
            remote.client.report_wait(
                Wait(doing=doing, problem=f"still {file.status}", again_seconds=wait, left_seconds=deadline - now)
            )
        time.sleep(wait)
        wait = min(2 * wait, pace.longest_wait_seconds)
        file = remote.client.get_file(file.id)
    if file.state == "broken":
        raise ProviderError(name, f"the provider says {file.status} of it", "see what `saturi check` says of it")
