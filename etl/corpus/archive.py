"""
The members of a batch: find, inflate, and check size and CRC of every byte.

ISA-L inflates 2.2 times as fast as zlib and 1.1 times as fast as libdeflate (95 kB label files, one core, November
2026), and it has the interface of zlib, which does the work where its wheel is absent: bounded output, and a reason for
what it refuses.
"""

import os
import zlib
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import ExitStack

from msgspec import Struct

from saturi.etl.corpus.batches import Batch, Limits, Place
from saturi.etl.corpus.directory import ENCRYPTED, LOCAL_HEADER, Entry, decode_name, parse_entries
from saturi.etl.corpus.discover import Form
from saturi.etl.corpus.mapped import CHANGED, CHANGED_ADVICE, UnreadableBytesError, read_fully
from saturi.etl.corpus.names import is_label_file
from saturi.etl.corpus.opening import failure, is_exhausted
from saturi.etl.corpus.ranged import STORAGE_ADVICE, ArchiveFile, RangedFile, open_archive
from saturi.etl.errors import InputError
from saturi.etl.runtime.stopwatch import lap
from saturi.etl.settings.regular import open_descriptor
from saturi.etl.storage.client import ChangedError, impatient
from saturi.etl.storage.location import object_of
from saturi.schemas.terms import RejectReason

try:
    from isal import isal_zlib as inflater
except ImportError:  # no wheel for this platform: the same bytes, more slowly
    import zlib as inflater  # type: ignore[no-redef]  # the same interface

crc32, decompress = inflater.crc32, inflater.decompress
INFLATER = "zlib" if inflater is zlib else "ISA-L"
"""Name of the library that inflates here."""


_STORED, _DEFLATED = 0, 8
_RATIO_FREE_BYTES = 1 << 20
"""Below this size the ratio is not looked at: small files of repeated text may well be packed 200:1."""

_EXTRA_FIELD_BYTES = 1 << 10
"""What is read behind a member at once, as far as the next does not begin: its local header may be longer than is known."""


class Defect(Struct, frozen=True):
    """Why a label file could not be read; `detail` holds no text of it."""

    reason: RejectReason
    position: int | None
    detail: str


class Member(Struct, frozen=True, gc=False):
    """A label file of a batch: its number in the archive, its path there, its size and CRC-32, and its bytes or the defect."""

    number: int
    path: str
    json_bytes: int
    crc32: int
    content: bytes | Defect


def read_members(batch: Batch, spared: Container[int] = frozenset()) -> Iterator[Member | None]:
    """
    Yield the label files of *batch* in order, and None for every entry that is none; those *spared* are not touched.

    Raises:
        InputError: The archive cannot be opened or listed any more, or is another one by now.
        ExhaustedError: The process cannot open any more files, or has no more memory.
    """
    return _read_folder(batch, spared) if batch.archive.form is Form.FOLDER else _read_zip(batch, spared)


def _read_zip(batch: Batch, spared: Container[int]) -> Iterator[Member | None]:
    place, overlapping, repeated = batch.place, set(batch.place.overlapping), set(batch.place.repeated)
    with open_archive(batch.archive.paths, batch.archive.facts) as file:
        directory = _slice_of_directory(file, place)
        if (file.size, zlib.crc32(directory)) != (place.archive_bytes, place.crc32):
            raise InputError(batch.archive.paths[0], CHANGED, CHANGED_ADVICE)
        entries, _ = parse_entries(directory, place.shift)
        if isinstance(file, RangedFile):
            file.gather(_spans(batch, entries, spared), place.window[1])
        else:
            file.window(*place.window)
        # All at once: between two members, the processor's caches would hold nothing of what decoding a name needs.
        paths = [decode_name(entry.name, entry.flags) if is_label_file(entry.name) else None for entry in entries]
        for number, (entry, path) in enumerate(zip(entries, paths, strict=True), batch.extent.first):
            if path is None or number in repeated:
                yield None
                continue
            refusal = (
                _spared(entry.offset) if number in spared else _refusal(entry, batch.limits, number in overlapping)
            )
            try:
                content = refusal or _content(file, entry, place.window[1])
            except UnreadableBytesError as error:
                content = Defect(RejectReason.UNREADABLE, entry.offset, error.args[1])
            yield Member(number, path, entry.json_bytes, entry.crc32, content)


def _slice_of_directory(file: ArchiveFile, place: Place) -> bytes:
    """Return the slice of the directory that lists a batch."""
    if place.directory:
        return zlib.decompress(place.directory)
    return file.read(place.start, place.stop - place.start)


def _spans(batch: Batch, entries: Sequence[Entry], spared: Container[int]) -> Iterator[tuple[int, int]]:
    """Yield from where to where those members of a batch reach that are to be read, or what lies behind one up to the next."""
    place, left_out = batch.place, {*batch.place.repeated, *batch.place.overlapping}
    for number, entry in enumerate(entries, batch.extent.first):
        if number in left_out or number in spared or not is_label_file(entry.name):
            continue
        if _refusal(entry, batch.limits, overlaps=False) is None:
            end = entry.offset + LOCAL_HEADER.size + len(entry.name) + _most_packed(entry)
            yield entry.offset, max(end, min(end + _EXTRA_FIELD_BYTES, place.next))


def _most_packed(entry: Entry) -> int:
    """Return the bytes of a packed member that are read: a longer one than it could need to inflate is no work of packing."""
    return min(entry.packed_bytes, entry.json_bytes + entry.json_bytes // 8 + _RATIO_FREE_BYTES)


def _spared(at: int | None) -> Defect:
    return Defect(RejectReason.WORKER_KILLED, at, "every process that read it was killed")


def _refusal(entry: Entry, limits: Limits, overlaps: bool) -> Defect | None:  # noqa: FBT001 - called once, for speed
    """Return the defect for which a member is not read at all, or None."""
    at = entry.offset
    if at < 0:
        return Defect(RejectReason.BAD_HEADER, None, "its ZIP64 field is damaged")
    if entry.flags & ENCRYPTED:
        return Defect(RejectReason.ENCRYPTED, at, "encrypted")
    if entry.method not in (_STORED, _DEFLATED):
        return Defect(RejectReason.UNSUPPORTED_METHOD, at, f"compression method {entry.method}")
    if entry.json_bytes > limits.max_member_bytes:
        return Defect(
            RejectReason.TOO_LARGE,
            at,
            f"declares {entry.json_bytes} bytes, {limits.max_member_bytes} are allowed",
        )
    if entry.json_bytes > _RATIO_FREE_BYTES and entry.json_bytes > limits.max_ratio * entry.packed_bytes:
        return Defect(RejectReason.RATIO, at, f"{entry.packed_bytes} bytes declare to inflate to {entry.json_bytes}")
    if overlaps:
        return Defect(RejectReason.OVERLAP, at, "shares bytes with another member")
    return None


def _content(file: ArchiveFile, entry: Entry, limit: int) -> bytes | Defect:
    """Return the bytes of a member, checked; *limit* is where the data of members ends at the latest."""
    at = entry.offset
    header = file.slice(at, at + LOCAL_HEADER.size)
    if len(header) < LOCAL_HEADER.size:
        return Defect(RejectReason.TRUNCATED, at, "begins past the end of the data")
    signature, name_length, extra_length = LOCAL_HEADER.unpack(header)
    if signature != b"PK\3\4":
        return Defect(RejectReason.BAD_HEADER, at, "no local header where the directory says")
    start = at + LOCAL_HEADER.size + name_length + extra_length
    if start + entry.packed_bytes > limit:
        return Defect(RejectReason.TRUNCATED, at, "reaches past the end of the data")
    packed = file.slice(start, start + _most_packed(entry))
    lap("find")
    content = bytes(packed) if entry.method == _STORED else inflate(packed, entry.json_bytes, at)
    lap("inflate")
    if isinstance(content, Defect):
        return content
    if len(content) != entry.json_bytes:
        return Defect(RejectReason.SIZE_MISMATCH, at, f"{len(content)} bytes, {entry.json_bytes} declared")
    checksum = crc32(content)
    lap("crc")
    return (
        content
        if checksum == entry.crc32
        else Defect(RejectReason.CRC_MISMATCH, at, "its bytes differ from those packed")
    )


def inflate(packed: bytes | memoryview, size: int, at: int) -> bytes | Defect:
    """Return *packed* inflated, *size* bytes and never more, or the defect of the member at byte *at* of its archive."""
    stream = inflater.decompressobj(-zlib.MAX_WBITS)
    try:
        content = stream.decompress(packed, size + 1)
    except inflater.error:  # type: ignore[misc]  # isal's stubs call the class an instance
        return Defect(RejectReason.CORRUPT, at, "its deflated data is damaged")
    if len(content) > size:
        return Defect(RejectReason.SIZE_MISMATCH, at, f"inflates to more than the {size} bytes declared")
    if not stream.eof:
        return Defect(RejectReason.TRUNCATED, at, "its deflated data is cut off")
    return content


def _read_folder(batch: Batch, spared: Container[int]) -> Iterator[Member | None]:
    content_of = _object_contents(batch) if batch.place.states else _file_contents(batch)
    for index, raw in enumerate(batch.place.listed(), batch.extent.first):
        content = _spared(None) if index in spared else content_of(index - batch.extent.first, raw)
        lap("read file")
        size = 0 if isinstance(content, Defect) else len(content)
        # Of a file that cannot be read the reason stands for its bytes, so that no empty file is like it.
        check = crc32(content.reason.encode() if isinstance(content, Defect) else content)
        lap("crc")
        yield Member(index, decode_name(raw, 0), size, check, content)


def _file_contents(batch: Batch) -> Callable[[int, bytes], bytes | Defect]:
    """Return a function that reads a file of a batch, by its place in there and its name."""
    folder = os.path.join(os.fsencode(batch.archive.paths[0]), b"")  # noqa: PTH118 - a Path takes as long as to open a file
    return lambda _, name: _file_content(folder + name, batch.limits.max_member_bytes)


def _object_contents(batch: Batch) -> Callable[[int, bytes], bytes | Defect]:
    """
    Return a function that reads an object of a batch, by its place in there and its name.

    Where the storage has refused one to the last, the others are asked for once: else a batch of them would take hours.
    """
    folder, states, max_bytes = (
        object_of(batch.archive.paths[0]),
        batch.place.listed_states(),
        batch.limits.max_member_bytes,
    )
    refused = False

    def content_of(index: int, name: bytes) -> bytes | Defect:
        nonlocal refused
        size, etag = states[index]
        if size > max_bytes:
            return Defect(RejectReason.TOO_LARGE, None, f"more than the {max_bytes} bytes allowed")
        path = folder / name.decode()
        try:
            with ExitStack() as stack:
                if refused:
                    stack.enter_context(impatient())
                return bytes(path.read_range(0, size, etag))
        except (ChangedError, FileNotFoundError, PermissionError) as error:
            refused = refused or isinstance(error, PermissionError)
            detail = error.strerror if isinstance(error, ChangedError) else f"cannot be read ({error.strerror})"
            return Defect(RejectReason.UNREADABLE, None, str(detail))
        except OSError as error:
            raise failure(str(path), "read", error, STORAGE_ADVICE) from error

    return content_of


def _file_content(path: bytes, max_bytes: int) -> bytes | Defect:
    """
    Return the content of a loose label file, or why it cannot be read.

    Raises:
        ExhaustedError: The process cannot open any more files, or has no more memory, which is no fault of the file.
    """
    try:
        descriptor = open_descriptor(path)
        try:
            before = os.fstat(descriptor)
            # Room for as much as allowed would take ten times as long as reading.
            content = read_fully(descriptor, min(before.st_size, max_bytes) + 1)
            if len(content) > before.st_size:  # some files do not say how much they hold
                content += read_fully(descriptor, max_bytes + 1 - len(content))
            after = os.fstat(descriptor)
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                return Defect(RejectReason.UNREADABLE, None, "changes while it is read")
        finally:
            os.close(descriptor)
    except OSError as error:
        if is_exhausted(error):
            raise failure(os.fsdecode(path), "read", error, "") from error
        return Defect(RejectReason.UNREADABLE, None, f"cannot be read ({error.strerror})")
    if len(content) > max_bytes:
        return Defect(RejectReason.TOO_LARGE, None, f"more than the {max_bytes} bytes allowed")
    return content
