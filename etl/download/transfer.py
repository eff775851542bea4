"""The transfer of one archive: from the stream to a whole file with its name."""

import hashlib
from pathlib import Path

from saturi.etl.download.ahead import read_ahead
from saturi.etl.download.attempts import Attempts, BrokenTransferError
from saturi.etl.download.hub import Hub
from saturi.etl.download.news import Finished, Moved
from saturi.etl.download.record import Record
from saturi.etl.download.tar import Expected, pieces
from saturi.etl.download.whole import flaw_in, hash_of
from saturi.etl.output.files import PendingFile, make_folder, storage_errors, sync_folder
from saturi.schemas.fetch import FetchedArchive, ListedArchive

_NEWS_BYTES = 4 << 20
_MOST_BYTES = 1 << 40  # where AI-Hub tells none; files may be longer on all systems


class Transfer:
    """
    The transfer of *archive* to its place below *to*.

    Args:
        archive: As AI-Hub lists it.
        to: The folder of the data.
        hub: Where it comes from.
        attempts: How often it is begun.
    """

    def __init__(self, archive: ListedArchive, to: Path, hub: Hub, attempts: Attempts) -> None:
        self._archive, self._hub, self._attempts = archive, hub, attempts
        self._path = to / archive.path
        self._name = self._path.name

    def carry_out(self, record: Record) -> FetchedArchive:
        """
        Return the archive, which is on the disk whole and in *record*.

        Raises:
            ProviderError: AI-Hub does not send it whole, or sends something else.
            EligibilityError, OptionError: AI-Hub refuses to send it.
            StorageError: It cannot be written.
        """
        make_folder(self._path.parent)
        file = PendingFile(self._path)
        try:
            size, sha256 = self._attempts.repeat(
                self._name, lambda: self._receive(file), self._attempts.patience.attempts
            )
            row = FetchedArchive(
                data_set=self._archive.data_set,
                file_number=self._archive.file_number,
                path=self._archive.path,
                bytes=size,
                sha256=sha256,
            )
            # The record comes first: a file with its name is always known to be ours.
            record.add(row)
            file.finish()
            with storage_errors(self._path, 0):
                sync_folder(self._path.parent)
        finally:
            file.discard()
        self._attempts.report(Finished(row))
        return row

    def _receive(self, file: PendingFile) -> tuple[int, str]:
        """Return size and hash of the archive, which is in *file* afterwards, and on the disk."""
        file.clear()
        archive = self._archive
        most_bytes = _MOST_BYTES if archive.rounded and not archive.bytes else archive.bytes
        expected = Expected(f"AI-Hub, {self._name}", self._name, most_bytes, not archive.rounded)
        self._attempts.report(Moved(archive, 0))
        with (
            self._hub.stream(archive.data_set, archive.file_number) as stream,
            read_ahead(stream.blocks(), stream.abort) as read,
        ):
            arrivals = _Arrivals()
            reported = 0
            for offset, data in pieces(read, expected):
                self._attempts.refuse_stopped()
                file.write_at(offset, data)
                arrivals.take(offset, data)
                if arrivals.bytes - reported >= _NEWS_BYTES:
                    reported = arrivals.bytes
                    self._attempts.report(Moved(archive, reported))
        size = arrivals.bytes
        if not archive.rounded and size != archive.bytes:
            raise BrokenTransferError(f"the tar ended after {size:,} of {archive.bytes:,} bytes")
        if arrivals.end != size:
            raise BrokenTransferError(
                f"a part is missing: {size:,} bytes came, and the last of them ends at {arrivals.end:,}"
            )
        file.sync()
        flaw = flaw_in(self._name, file.temporary)
        if flaw is not None:
            raise BrokenTransferError(f"what came is not whole ({flaw})")
        return size, arrivals.sha256 or hash_of(file.temporary)


class _Arrivals:
    """What has come: bytes, their end, and their hash as long as they came in order."""

    def __init__(self) -> None:
        self.bytes = self.end = 0
        self._digest = hashlib.sha256()
        self._in_order = True

    @property
    def sha256(self) -> str | None:
        """The hash, or None where they did not come in order."""
        return self._digest.hexdigest() if self._in_order else None

    def take(self, offset: int, data: bytes) -> None:
        """Take note of *data* at *offset*."""
        self._in_order = self._in_order and offset == self.bytes
        if self._in_order:
            self._digest.update(data)
        self.bytes += len(data)
        self.end = max(self.end, offset + len(data))
