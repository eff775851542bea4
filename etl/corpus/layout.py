"""
The layout of an archive: how the entries of its central directory fall into batches.

It follows from the bytes of the directory alone, so that it is kept in the stage under their hash: a second build hashes
the directory, and looks at no entry.
"""

import hashlib
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Container, Iterable

import msgspec
from msgspec import Struct, structs

from saturi.etl.corpus.batches import BATCH_BYTES, BATCH_ENTRIES, BatchCutter, Extent, Limits, Place, path_in_stage
from saturi.etl.corpus.directory import LOCAL_HEADER, Directory, Entry, read_directory
from saturi.etl.corpus.names import is_label_file
from saturi.etl.corpus.ranged import ArchiveFile, RangedFile
from saturi.etl.corpus.unread import is_archive
from saturi.etl.errors import ArchiveError
from saturi.etl.output.files import make_folder, write_whole
from saturi.etl.storage.location import Location

LAYOUT_VERSION = 2
"""Goes up whenever the same directory would be laid out otherwise."""

_LONGEST_EXTRA_FIELD = 0xFFFF
_BLOCK_BYTES = 1 << 20
_MOST_CARRIED = 128 << 10
"""Bytes of a slice of a directory, deflated, that travels with its batch; that of 350 label files has 8 kB."""


class Layout(Struct, frozen=True):
    """
    The batches of an archive.

    `fingerprint` identifies it. Of its `entries`, `transcripts` are `.txt`, `archives` are archives themselves, and `repeated`
    list a member that an earlier one lists already.
    """

    fingerprint: str
    batches: list[tuple[Extent, Place]]
    entries: int
    transcripts: int
    archives: int
    repeated: int


_DECODER = msgspec.json.Decoder(Layout)


def find_layout(stage: Location, file: ArchiveFile, directory: Directory, limits: Limits) -> Layout | None:
    """Return the layout of the archive *file* that lies in *stage*, or None where there is none that is whole."""
    digest = _digest(file, directory)
    for at in range(directory.start, directory.stop, _BLOCK_BYTES):
        digest.update(file.read(at, min(_BLOCK_BYTES, directory.stop - at)))
    fingerprint = digest.hexdigest()
    try:
        checksum, _, content = _path(stage, fingerprint, directory, limits).read_bytes().partition(b"\n")
        layout = _DECODER.decode(content) if checksum == _checksum(content) else None
    except (OSError, msgspec.DecodeError):
        return None
    return layout if layout is not None and layout.fingerprint == fingerprint else None


def write_layout(stage: Location, layout: Layout, directory: Directory, limits: Limits) -> None:
    """
    Write *layout* into *stage*.

    Raises:
        StorageError: It cannot be written.
    """
    path = _path(stage, layout.fingerprint, directory, limits)
    make_folder(path.parent)
    content = msgspec.json.encode(layout)
    write_whole(path, [_checksum(content), b"\n", content], durable=False)


def _path(stage: Location, fingerprint: str, directory: Directory, limits: Limits) -> Location:
    """Return the path of the layout of the archive *fingerprint*, beside the segments."""
    facts = (LAYOUT_VERSION, BATCH_BYTES, BATCH_ENTRIES, fingerprint, directory, limits)
    return path_in_stage(stage, hashlib.sha256(msgspec.json.encode(facts)).hexdigest(), "layout")


def _digest(file: ArchiveFile, directory: Directory) -> "hashlib._Hash":
    """Return the beginning of a fingerprint: the SHA-256 of the size of an archive and of its central directory."""
    return hashlib.sha256(f"{file.size} {directory.start} ".encode())


def _checksum(content: bytes) -> bytes:
    return b"%08x" % zlib.crc32(content)


def lay_out(file: ArchiveFile, directory: Directory, limits: Limits, where: str, max_entries: int) -> Layout:
    """
    Return the layout of all entries of *directory*.

    Raises:
        ArchiveError: The directory is damaged, or holds more than *max_entries*.
    """
    digest = _digest(file, directory)
    offsets, ends = array("q"), array("q")
    cutter = BatchCutter(limits.max_member_bytes)
    slicer = _Slicer(file, directory)
    slices: list[tuple[Place, Extent]] = []
    transcripts = archives = 0
    for block in read_directory(file, directory, where):
        digest.update(block.content)
        begin = at = 0
        for entry in block.entries:
            offset, end = _claim(entry, directory.start)
            offsets.append(offset)
            ends.append(end)
            is_label = is_label_file(entry.name)
            if not is_label:
                transcripts += entry.name.endswith(b".txt")
                archives += is_archive(entry.name)
            at += entry.length
            if cutter.add(entry.packed_bytes, entry.json_bytes, label_file=is_label):
                slices.append((slicer.cut(block.content[begin:at]), cutter.take()))
                begin = at
        slicer.hold(block.content[begin:])
        refuse_beyond(max_entries, len(offsets), where)
    if cutter.entries:
        slices.append((slicer.cut(b""), cutter.take()))
    overlapping = _overlapping(offsets, ends)
    repeats = _repeats(file, directory, where, set(overlapping)) if overlapping else {}
    if repeats:
        for number in repeats:
            offsets[number] = ends[number] = -1
        overlapping = _overlapping(offsets, ends)
    ordered = _ordered(offsets) if isinstance(file, RangedFile) else None
    batches = []
    for place, extent in slices:
        again = {number: entry for number, entry in repeats.items() if extent.first <= number < extent.last}
        place = structs.replace(  # noqa: PLW2901 - the same place, of which more is known
            place,
            window=_window(offsets, ends, extent, directory.start),
            next=_next(ordered, ends, extent, directory.start) if ordered is not None else 0,
            overlapping=tuple(_among(overlapping, extent)),
            repeated=tuple(again),
        )
        batches.append((_without(extent, again.values(), limits), place))
    return Layout(digest.hexdigest(), batches, len(offsets), transcripts, archives, len(repeats))


class _Slicer:
    """
    Cut a directory, block by block, into the slices of batches.

    That of an object is a part of the place of its batch, so that no worker asks for it again.
    """

    def __init__(self, file: ArchiveFile, directory: Directory) -> None:
        self._carries = isinstance(file, RangedFile)
        self._archive_bytes, self._shift = file.size, directory.shift
        self._start = directory.start
        self._held = bytearray()

    def hold(self, content: bytes) -> None:
        """Take in what a block holds of the next slice."""
        self._held += content

    def cut(self, content: bytes) -> Place:
        """Return the place of the slice that ends with *content*, as far as it follows from the slice, and begin the next."""
        self._held += content
        packed = zlib.compress(self._held, 6) if self._carries else b""
        place = Place(
            start=self._start,
            stop=self._start + len(self._held),
            crc32=zlib.crc32(self._held),
            archive_bytes=self._archive_bytes,
            shift=self._shift,
            directory=packed if len(packed) <= _MOST_CARRIED else b"",
        )
        self._start = place.stop
        self._held.clear()
        return place


def _among(numbers: list[int], extent: Extent) -> list[int]:
    """Return those of *numbers*, which are sorted, that are entries of *extent*."""
    return numbers[bisect_left(numbers, extent.first) : bisect_left(numbers, extent.last)]


def _without(extent: Extent, entries: Iterable[Entry], limits: Limits) -> Extent:
    """Return *extent* where *entries* of it are no label files."""
    for entry in entries:
        if is_label_file(entry.name):
            extent = structs.replace(
                extent,
                label_files=extent.label_files - 1,
                packed_bytes=extent.packed_bytes - entry.packed_bytes,
                json_bytes=extent.json_bytes - (entry.json_bytes if entry.json_bytes <= limits.max_member_bytes else 0),
            )
    return extent


def _repeats(file: ArchiveFile, directory: Directory, where: str, suspects: Container[int]) -> dict[int, Entry]:
    """Return by number, in order, those of *suspects* that list the very member that an earlier one of them lists."""
    repeats: dict[int, Entry] = {}
    known: set[int] = set()  # hashes: a hostile directory may hold millions
    number = 0
    for block in read_directory(file, directory, where):
        for entry in block.entries:
            if number in suspects and entry.offset >= 0:
                key = hash(structs.astuple(entry)[:-1])
                if key in known:
                    repeats[number] = entry
                known.add(key)
            number += 1
    return repeats


def refuse_beyond(max_entries: int, entries: int, where: str) -> None:
    """
    Do nothing while there are no more *entries* than *max_entries*.

    Raises:
        ArchiveError: There are more.
    """
    if entries > max_entries:
        raise ArchiveError(where, f"more than {max_entries:,} entries", "raise --max-entries if that is meant")


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


def _ordered(offsets: "array[int]") -> "array[int]":
    """Return *offsets* in ascending order."""
    in_order = all(offsets[i] <= offsets[i + 1] for i in range(len(offsets) - 1))
    return offsets if in_order else array("q", sorted(offsets))


def _next(ordered: "array[int]", ends: "array[int]", extent: Extent, directory_start: int) -> int:
    """Return where the first entry begins that is behind all of *extent*; where there is none, the directory begins."""
    index = bisect_left(ordered, max(ends[extent.first : extent.last]))
    return ordered[index] if index < len(ordered) else directory_start


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
