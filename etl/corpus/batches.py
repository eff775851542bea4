"""A batch: a run of entries of one archive, cut by bytes and never by worker count, and what names its segment."""

import hashlib
from typing import TypeVar, cast

import msgspec
from msgspec import Struct

from saturi.etl.corpus.discover import Archive
from saturi.etl.storage.location import Location

Stage = TypeVar("Stage", bound=Location)

BATCH_BYTES = 32 * 1024 * 1024
"""JSON in a batch: 0.1 s of work, of which a killed build loses little. A worker holds its texts, a tenth of it in 2022, several
times over: 32 MiB of nothing but text would take it to 360 MiB, a third of that to less than 256."""

_LARGE_BYTES, _LARGE_WEIGHT = 1 << 20, 16
"""A label file above this size may well be all text, and counts so many times: a batch holds 2 MiB of such, or one of them."""

BATCH_ENTRIES = 4096
"""Entries in a batch, so that a million tiny members need no more memory than a thousand large ones."""

DECODER_VERSION = 5
"""Goes up whenever the same bytes would give another segment; older segments are then made anew."""


class Extent(Struct, frozen=True, kw_only=True):
    """
    How much a batch holds.

    `first` is the number of its first entry in the archive; `label_files`, `packed_bytes` and `json_bytes` are those of its
    label files, as declared.
    """

    first: int
    entries: int
    label_files: int
    packed_bytes: int
    json_bytes: int

    @property
    def last(self) -> int:
        """Number of the entry behind the batch."""
        return self.first + self.entries


class Place(Struct, frozen=True, kw_only=True):
    """
    Where the entries of a batch are: a slice of a central directory, or file names of a folder.

    `start` to `stop` is the slice, of CRC-32 `crc32`, in an archive of `archive_bytes`; `shift` what all offsets in it are
    moved by, `window` the bytes of the archive that hold the members, `overlapping` those entries whose data overlaps
    another's, `repeated` those that an earlier entry lists already; `names` are the file names of a folder, separated by NUL.
    """

    start: int = 0
    stop: int = 0
    crc32: int = 0
    archive_bytes: int = 0
    shift: int = 0
    window: tuple[int, int] = (0, 0)
    overlapping: tuple[int, ...] = ()
    repeated: tuple[int, ...] = ()
    names: bytes = b""

    def listed(self) -> list[bytes]:
        """Return the file names of a folder."""
        return self.names.split(b"\0")


class Limits(Struct, frozen=True):
    """What a label file may be at most; with other limits a segment would have to be made again."""

    max_member_bytes: int
    max_ratio: float


class Batch(Struct, frozen=True):
    """
    One task of reading.

    `key` names the bytes of an archive, or the names of loose files, and the limits that decide its segment; `witness` is that
    of the files of the archive, or of the loose files, when they were scanned.
    """

    archive: Archive
    key: str
    extent: Extent
    place: Place
    limits: Limits
    witness: str


def key_of(fingerprint: str, extent: Extent, limits: Limits) -> str:
    """Return the key of the batch *extent* of the archive, or of the label files, named *fingerprint*."""
    facts = (DECODER_VERSION, fingerprint, extent.first, extent.entries, limits)
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()


def path_in_stage(stage: Stage, key: str, ending: str) -> Stage:
    """Return the path of a file in the stage; a folder for each first byte, since file systems dislike many names in one."""
    return cast("Stage", stage / key[:2] / f"{key[:32]}.{ending}")  # `/` gives of each kind the same kind


def segment_path(stage: Stage, key: str) -> Stage:
    """Return the path of the segment *key*."""
    return path_in_stage(stage, key, "segment")


class BatchCutter:
    """
    Gather entries until a batch is full.

    Args:
        max_member_bytes: A label file that declares more is refused unread, so it is no work and must not fill a batch.
    """

    def __init__(self, max_member_bytes: int) -> None:
        self._max_member_bytes = max_member_bytes
        self._first = self.entries = self._label_files = self._packed_bytes = self._json_bytes = self._weight = 0

    def add(self, packed_bytes: int, json_bytes: int, *, label_file: bool) -> bool:
        """Count one entry, and return whether the batch should end here."""
        self.entries += 1
        if label_file:
            self._label_files += 1
            self._packed_bytes += packed_bytes
            if json_bytes <= self._max_member_bytes:
                self._json_bytes += json_bytes
                self._weight += json_bytes if json_bytes <= _LARGE_BYTES else _LARGE_WEIGHT * json_bytes
        return self._weight >= BATCH_BYTES or self.entries >= BATCH_ENTRIES

    def take(self) -> Extent:
        """Return the batch that ends here, and begin the next."""
        extent = Extent(
            first=self._first,
            entries=self.entries,
            label_files=self._label_files,
            packed_bytes=self._packed_bytes,
            json_bytes=self._json_bytes,
        )
        self._first = extent.last
        self.entries = self._label_files = self._packed_bytes = self._json_bytes = self._weight = 0
        return extent
