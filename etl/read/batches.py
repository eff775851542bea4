"""Cut an archive into batches of members, by bytes and never by worker count, from its directory alone."""

import hashlib
import os
import stat
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct, structs

from etl.errors import ArchiveError, InputError
from etl.options import BuildOptions
from etl.read.directory import Entry, decode_name, find_directory, parse_entries, read_directory
from etl.read.discover import Archive, Form
from etl.read.mapped import MappedFile
from etl.read.names import is_label_file

BATCH_BYTES = 32 * 1024 * 1024
"""JSON in a batch: about 0.3 s of work, so that a killed build loses little and few cores wait for the last one."""

BATCH_ENTRIES = 4096
"""Entries in a batch, so that a million tiny members need no more memory than a thousand large ones."""

DECODER_VERSION = 1
"""Goes up whenever the same bytes would give another segment; older segments are then made anew."""


class Batch(Struct, frozen=True, kw_only=True):
    """
    A run of entries of one archive: a slice of its central directory, or file names of a folder.

    `key` names the bytes and the limits that decide the segment. `start` to `stop` is the slice of the directory, `first` the
    number of its first entry in the archive, `shift` what all offsets are moved by, `window` the bytes of the archive that hold
    the members, `overlapping` those entries whose data overlaps another's. `names` are the file names of a folder, separated by
    NUL. `packed_bytes` and `json_bytes` are those of the label files, as declared.
    """

    archive: Archive
    key: str
    first: int
    entries: int
    label_files: int
    packed_bytes: int
    json_bytes: int
    max_member_bytes: int
    max_ratio: float
    start: int = 0
    stop: int = 0
    shift: int = 0
    window: tuple[int, int] = (0, 0)
    overlapping: tuple[int, ...] = ()
    names: bytes = b""


class Scan(Struct, frozen=True, kw_only=True):
    """What the directory of an archive tells; `fingerprint` is empty for a folder, whose files have to be read for one."""

    archive: Archive
    fingerprint: str
    batches: list[Batch]
    problem: str | None = None

    @property
    def label_files(self) -> int:
        """Number of label files in the archive."""
        return sum(batch.label_files for batch in self.batches)

    @property
    def packed_bytes(self) -> int:
        """Bytes of the archive that label files take."""
        return sum(batch.packed_bytes for batch in self.batches)

    @property
    def json_bytes(self) -> int:
        """Bytes of the label files, inflated, as declared."""
        return sum(batch.json_bytes for batch in self.batches)


class ScanTask(Struct, frozen=True):
    """An archive to scan, and the options that matter for it."""

    archive: Archive
    options: BuildOptions


def scan(task: ScanTask) -> Scan:
    """
    Return the batches of an archive.

    Raises:
        ArchiveError: The archive as a whole cannot be read, or holds no label file, and that is not allowed.
        InputError: The archive cannot be opened.
    """
    archive = task.archive
    try:
        try:
            found = _scan(archive, task.options)
        except ArchiveError:
            if not archive.spare:
                raise
            found = _scan(structs.replace(archive, form=Form.PARTS, paths=archive.spare, spare=()), task.options)
        if found.label_files == 0:
            advice = "check that it is a label archive (TL_*.zip, VL_*.zip), or go on without it by --allow-bad-archives"
            raise ArchiveError(archive.paths[0], "no label file in it", advice)
    except ArchiveError as error:
        if not task.options.allow_bad_archives:
            raise
        return Scan(archive=archive, fingerprint="", batches=[], problem=error.args[1])
    return found


def _scan(archive: Archive, options: BuildOptions) -> Scan:
    return _scan_folder(archive, options) if archive.form is Form.FOLDER else _scan_zip(archive, options)


class _Cutter:
    """Gather entries until a batch is full."""

    def __init__(self, max_member_bytes: int) -> None:
        self.max_member_bytes = max_member_bytes
        self.first = self.entries = self.label_files = self.packed_bytes = self.json_bytes = 0

    def add(self, packed_bytes: int, json_bytes: int, *, label_file: bool) -> None:
        self.entries += 1
        if label_file:
            self.label_files += 1
            self.packed_bytes += packed_bytes
            # A declared size over the limit is refused unread, so it is no work and must not fill a batch.
            self.json_bytes += json_bytes if json_bytes <= self.max_member_bytes else 0

    @property
    def full(self) -> bool:
        return self.json_bytes >= BATCH_BYTES or self.entries >= BATCH_ENTRIES

    def take(self) -> dict[str, int]:
        taken = {name: getattr(self, name) for name in ("first", "entries", "label_files", "packed_bytes", "json_bytes")}
        self.first += self.entries
        self.entries = self.label_files = self.packed_bytes = self.json_bytes = 0
        return taken


def _scan_zip(archive: Archive, options: BuildOptions) -> Scan:
    where = archive.paths[0]
    with MappedFile(archive.paths) as file:
        directory = find_directory(file, where)
        digest = hashlib.sha256(f"{file.size} {directory.start} ".encode())
        offsets, ends = array("q"), array("q")
        cutter = _Cutter(options.max_member_bytes)
        rows = []
        at = start = directory.start
        for block in read_directory(file, directory, where):
            digest.update(block)
            for entry in parse_entries(block, directory.shift):
                offsets.append(entry.offset)
                ends.append(_end(entry))
                cutter.add(entry.packed_bytes, entry.json_bytes, label_file=_is_label_entry(entry))
                at += entry.length
                if cutter.full:
                    rows.append((start, at, cutter.take()))
                    start = at
            if len(offsets) > options.max_entries:
                raise ArchiveError(where, f"more than {options.max_entries:,} entries", "raise --max-entries if that is meant")
        if cutter.entries:
            rows.append((start, at, cutter.take()))
    fingerprint = digest.hexdigest()
    overlapping = _overlapping(offsets, ends)
    batches = []
    for start, stop, counted in rows:
        last = counted["first"] + counted["entries"]
        batches.append(
            Batch(
                archive=archive,
                key=_key(options, fingerprint, counted["first"], counted["entries"]),
                start=start,
                stop=stop,
                shift=directory.shift,
                window=_window(offsets, ends, counted["first"], last, directory.start),
                overlapping=tuple(overlapping[bisect_left(overlapping, counted["first"]) : bisect_left(overlapping, last)]),
                max_member_bytes=options.max_member_bytes,
                max_ratio=options.max_ratio,
                **counted,
            )
        )
    return Scan(archive=archive, fingerprint=fingerprint, batches=batches)


def _is_label_entry(entry: Entry) -> bool:
    return entry.name[-5:].lower() == b".json" and is_label_file(decode_name(entry.name, entry.flags))


def _end(entry: Entry) -> int:
    """Where the data of *entry* ends at the earliest: its local header may hold a longer extra field than we know of."""
    return entry.offset + 30 + len(entry.name) + entry.packed_bytes


def _window(offsets: "array[int]", ends: "array[int]", first: int, last: int, directory_start: int) -> tuple[int, int]:
    """Return the bytes to map for entries *first* to *last*: all of their headers and data, and none of the directory."""
    longest_extra = 0xFFFF
    start = min((offset for offset in offsets[first:last] if offset >= 0), default=0)
    return start, min(max(ends[first:last]) + longest_extra, directory_start)


def _overlapping(offsets: "array[int]", ends: "array[int]") -> list[int]:
    """Return, in order, the entries whose bytes another entry claims too: the sign of a zip bomb, or of damage."""
    count = len(offsets)
    order: Iterable[int] = range(count)
    if any(offsets[i] > offsets[i + 1] for i in range(count - 1)):
        order = sorted(order, key=offsets.__getitem__)
    flagged = set()
    reach, owner = -1, -1
    for i in order:
        if offsets[i] < reach:
            flagged.update((owner, i))
        if ends[i] > reach:
            reach, owner = ends[i], i
    return sorted(flagged)


def _scan_folder(archive: Archive, options: BuildOptions) -> Scan:
    folder = archive.paths[0]
    batches: list[Batch] = []
    cutter = _Cutter(options.max_member_bytes)
    names: list[str] = []
    digest = hashlib.sha256()

    def cut() -> None:
        packed = b"\0".join(map(os.fsencode, names))
        counted = cutter.take()
        batches.append(
            Batch(
                archive=archive,
                key=_key(options, digest.hexdigest(), counted["first"], counted["entries"]),
                names=packed,
                max_member_bytes=options.max_member_bytes,
                max_ratio=options.max_ratio,
                **counted,
            )
        )
        names.clear()

    for name, facts in _regular_files(folder):
        digest.update(msgspec.json.encode((os.fsencode(name).hex(), facts.st_size, facts.st_mtime_ns)))
        names.append(name)
        cutter.add(facts.st_size, facts.st_size, label_file=True)
        if cutter.full:
            cut()
            digest = hashlib.sha256()
    if names:
        cut()
    return Scan(archive=archive, fingerprint="", batches=batches)


def _regular_files(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the label files directly in *folder* with their facts, sorted by name in NFC."""
    try:
        names = [name for name in os.listdir(folder) if is_label_file(name)]  # noqa: PTH208 - a Path a file is 20 times the memory
        names.sort(key=lambda name: (unicodedata.normalize("NFC", name), name))
        for name in names:
            facts = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - likewise
            if stat.S_ISREG(facts.st_mode):
                yield name, facts
    except OSError as error:
        raise InputError(str(error.filename), f"cannot be read ({error.strerror})", "check that it is there and may be read") from error


def _key(options: BuildOptions, fingerprint: str, first: int, entries: int) -> str:
    facts = (DECODER_VERSION, fingerprint, first, entries, *options.of_reading())
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()
