"""Scan an archive: read its directory, and nothing else of it, and cut it into batches."""

import hashlib
import os
import stat
import unicodedata
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

import msgspec
from msgspec import Struct, structs

from etl.errors import ArchiveError, InputError
from etl.options import BuildOptions
from etl.read.batches import Batch, BatchCutter, Extent, Limits, Place, make_batch
from etl.read.directory import LOCAL_HEADER, Entry, find_directory, read_directory
from etl.read.discover import Archive, Form
from etl.read.mapped import MappedFile
from etl.read.names import is_label_file

_LONGEST_EXTRA_FIELD = 0xFFFF


class Scan(Struct, frozen=True, kw_only=True):
    """
    What the directory of an archive tells.

    `fingerprint` is empty for a folder, whose files have to be read for one; `transcripts` counts the `.txt` twins that
    AI-Hub packs beside the label files of 2020.
    """

    archive: Archive
    fingerprint: str
    batches: list[Batch]
    transcripts: int = 0
    problem: str | None = None

    @property
    def label_files(self) -> int:
        """Number of label files in the archive."""
        return sum(batch.extent.label_files for batch in self.batches)

    @property
    def packed_bytes(self) -> int:
        """Bytes of the archive that label files take."""
        return sum(batch.extent.packed_bytes for batch in self.batches)

    @property
    def json_bytes(self) -> int:
        """Bytes of the label files, inflated, as declared."""
        return sum(batch.extent.json_bytes for batch in self.batches)


def scan(archive: Archive, options: BuildOptions) -> Scan:
    """
    Return the batches of an archive.

    Raises:
        ArchiveError: The archive as a whole cannot be read, or holds no label file, and that is not allowed.
        InputError: The archive cannot be opened.
    """
    try:
        try:
            found = _scan(archive, options)
        except ArchiveError:
            if not archive.spare:
                raise
            found = _scan(structs.replace(archive, form=Form.PARTS, paths=archive.spare, spare=()), options)
        if found.label_files == 0:
            raise ArchiveError(archive.paths[0], *_nothing_in(found))
    except InputError as error:
        if not options.allow_bad_archives:
            raise
        return Scan(archive=archive, fingerprint="", batches=[], problem=error.args[1])
    return found


def _nothing_in(found: Scan) -> tuple[str, str]:
    """Return (what is wrong with an archive without a label file, what to do)."""
    go_on = "or go on without it by --allow-bad-archives"
    if found.transcripts:
        problem = f"no JSON in it, only {found.transcripts:,} .txt, which do not tell dialect from standard Korean"
        return problem, f"look for its .json elsewhere (전라's training labels of 2020 came without), {go_on}"
    return "no label file in it", f"check that it is a label archive (TL_*.zip, VL_*.zip), {go_on}"


def _scan(archive: Archive, options: BuildOptions) -> Scan:
    return _scan_folder(archive, options) if archive.form is Form.FOLDER else _scan_zip(archive, options)


def _scan_zip(archive: Archive, options: BuildOptions) -> Scan:
    where = archive.paths[0]
    limits = Limits.of(options)
    with MappedFile(archive.paths) as file:
        directory = find_directory(file, where)
        digest = hashlib.sha256(f"{file.size} {directory.start} ".encode())
        offsets, ends = array("q"), array("q")
        cutter = BatchCutter(limits.max_member_bytes)
        slices: list[tuple[int, int, Extent]] = []
        transcripts = 0
        at = start = directory.start
        for block in read_directory(file, directory, where):
            digest.update(block.content)
            for entry in block.entries:
                offset, end = _claim(entry, directory.start)
                offsets.append(offset)
                ends.append(end)
                is_label = is_label_file(entry.name)
                transcripts += not is_label and entry.name.endswith(b".txt")
                at += entry.length
                if cutter.add(entry.packed_bytes, entry.json_bytes, label_file=is_label):
                    slices.append((start, at, cutter.take()))
                    start = at
            if len(offsets) > options.max_entries:
                problem = f"more than {options.max_entries:,} entries"
                raise ArchiveError(where, problem, "raise --max-entries if that is meant")
        if cutter.entries:
            slices.append((start, at, cutter.take()))
        overlapping = _overlapping(offsets, ends)
        fingerprint = digest.hexdigest()
        batches = []
        for start, stop, extent in slices:
            among = slice(bisect_left(overlapping, extent.first), bisect_left(overlapping, extent.last))
            place = Place(
                start=start,
                stop=stop,
                crc32=zlib.crc32(file.read(start, stop - start)),
                archive_bytes=file.size,
                shift=directory.shift,
                window=_window(offsets, ends, extent, directory.start),
                overlapping=tuple(overlapping[among]),
            )
            batches.append(make_batch(archive, fingerprint, extent, place, limits))
    return Scan(archive=archive, fingerprint=fingerprint, batches=batches, transcripts=transcripts)


def _claim(entry: Entry, limit: int) -> tuple[int, int]:
    """
    Return from where to where *entry* reaches at least; its local header may hold a longer extra field than we know of.

    One that reaches past *limit*, where the data ends, will be rejected; it claims nothing, and harms no other: (-1, -1).
    """
    end = entry.offset + LOCAL_HEADER.size + len(entry.name) + entry.packed_bytes
    return (entry.offset, end) if entry.offset >= 0 and end <= limit else (-1, -1)


def _window(offsets: "array[int]", ends: "array[int]", extent: Extent, directory_start: int) -> tuple[int, int]:
    """Return the bytes to map for the entries of *extent*: all of their headers and data, and none of the directory."""
    start = min((offset for offset in offsets[extent.first : extent.last] if offset >= 0), default=0)
    return start, min(max(ends[extent.first : extent.last]) + _LONGEST_EXTRA_FIELD, directory_start)


def _overlapping(offsets: "array[int]", ends: "array[int]") -> list[int]:
    """Return, in order, the entries whose bytes another entry claims too: the sign of a zip bomb, or of damage."""
    count = len(offsets)
    order: Iterable[int] = range(count)
    if any(offsets[i] > offsets[i + 1] for i in range(count - 1)):
        order = sorted(order, key=offsets.__getitem__)
    flagged: set[int] = set()
    reach, owner = -1, -1
    for i in order:
        if 0 <= offsets[i] < reach:
            flagged.update((owner, i))
        if ends[i] > reach:
            reach, owner = ends[i], i
    return sorted(flagged)


def _scan_folder(archive: Archive, options: BuildOptions) -> Scan:
    limits = Limits.of(options)
    batches: list[Batch] = []
    cutter = BatchCutter(limits.max_member_bytes)
    names: list[bytes] = []
    here = hashlib.sha256(os.fsencode(archive.paths[0]))
    digest = here.copy()
    for name, facts in _files(archive.paths[0]):
        names.append(os.fsencode(name))
        digest.update(msgspec.json.encode((names[-1].hex(), facts)))
        if cutter.add(facts.size, facts.size, label_file=True):
            batches.append(
                make_batch(archive, digest.hexdigest(), cutter.take(), Place(names=b"\0".join(names)), limits)
            )
            names, digest = [], here.copy()
    if names:
        batches.append(make_batch(archive, digest.hexdigest(), cutter.take(), Place(names=b"\0".join(names)), limits))
    return Scan(archive=archive, fingerprint="", batches=batches)


class _FileFacts(NamedTuple):
    """What tells a loose file from the one that was there before: nothing in its contents has been read yet."""

    size: int
    changed_ns: int
    inode_changed_ns: int
    inode: int


def _files(folder: str) -> Iterator[tuple[str, _FileFacts]]:
    """Yield the label files directly in *folder*, sorted by name in NFC."""
    try:
        names = [name for name in os.listdir(folder) if is_label_file(os.fsencode(name))]  # noqa: PTH208 - a Path is 20 times the memory
    except OSError as error:
        raise InputError(folder, f"cannot be listed ({error.strerror})", "check its permissions") from error
    names.sort()
    names.sort(key=partial(unicodedata.normalize, "NFC"))
    for name in names:
        try:
            facts = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - likewise
        except OSError:
            yield name, _FileFacts(0, 0, 0, 0)  # a link to nowhere: it cannot be read, and is rejected for that
            continue
        if stat.S_ISREG(facts.st_mode):
            yield name, _FileFacts(facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)
