"""
The central directory of a zip, entry by entry, without an object kept for any of them.

Format: PKWARE's APPNOTE 6.3.10, sections 4.3.12 (central directory), 4.3.14 to 4.3.16 (its end), 4.5.3 (ZIP64). The
directory alone decides what an archive holds; local headers are only used to find where the data begins.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct

from saturi.etl.corpus.ranged import ArchiveFile
from saturi.etl.errors import ArchiveError
from saturi.etl.output.printable import counted

DOWNLOAD_AGAIN = "download it again"
JOIN_VOLUMES = "join the volumes to one zip (zip -s 0 NAME.zip --out whole.zip), or unpack them with 7-Zip or Bandizip"

LOCAL_HEADER = struct.Struct("<4s22xHH")
"""What stands before the data of a member; name and extra field, of the two lengths unpacked, come between."""

_END = struct.Struct("<4sHHHHLLH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQHHLLQQQQ")
_ENTRY = struct.Struct("<4s4xHH4xLLLHHH8xL")
_BLOCK_BYTES = 1 << 20
_LONGEST_COMMENT = 0xFFFF
_ABSENT16, _ABSENT32 = 0xFFFF, 0xFFFFFFFF
_ZIP64 = 0x0001

ENCRYPTED = 0x1
UTF8 = 0x800


class Entry(Struct, frozen=True, gc=False):
    """One entry of a central directory; `offset` is -1 where its ZIP64 field is damaged."""

    flags: int
    method: int
    crc32: int
    packed_bytes: int
    json_bytes: int
    offset: int
    name: bytes
    length: int


class Directory(NamedTuple):
    """Place of a central directory, number of entries it declares, and shift of all its offsets."""

    start: int
    stop: int
    entries: int
    shift: int


def find_directory(file: ArchiveFile, where: str) -> Directory:
    """
    Return the place of the central directory of *file*.

    Raises:
        ArchiveError: There is none: the file is empty, cut off, or no zip.
    """
    tail_start, tail, at = _find_end(file)
    if at < 0:
        problem = "the file is empty" if file.size == 0 else "no zip, or cut off: its central directory is missing"
        raise ArchiveError(where, problem, DOWNLOAD_AGAIN)
    _, disk, first_disk, _, entries, size, offset, _ = _END.unpack_from(tail, at)
    end = tail_start + at
    wide = _find_zip64(file, end)
    if wide is not None:
        end, disk, first_disk, entries, size, offset = wide
    if (disk, first_disk) not in ((0, 0), (_ABSENT16, _ABSENT16)):
        raise ArchiveError(where, "the last volume of a zip written in several (.z01, .z02, …)", JOIN_VOLUMES)
    start = end - size
    if start < 0 or start < offset:
        raise ArchiveError(where, "the end of its central directory contradicts the size of the file", DOWNLOAD_AGAIN)
    return Directory(start, end, entries, start - offset)


def _find_end(file: ArchiveFile) -> tuple[int, bytes, int]:
    """
    Return where the tail of *file* begins, the tail, and the offset of the end record in it, or -1.

    Few archives have a comment: of the others no more is read than the records at the end, which lie behind the directory.
    """
    for length in (_END64.size + _END64_LOCATOR.size + _END.size, _END.size + _LONGEST_COMMENT):
        tail_start = max(file.size - length, 0)
        tail = file.read(tail_start, file.size - tail_start)
        at = _end_in(tail)
        if at + _END.size == len(tail) and tail.endswith(b"\0\0"):  # no comment, by its declared length
            break
    return tail_start, tail, at


def _end_in(tail: bytes) -> int:
    """Return the offset of the end record in *tail*, or -1: the last one whose comment ends the file, else the last at all."""
    last = -1
    at = tail.rfind(b"PK\5\6")
    while at >= 0:
        if at + _END.size <= len(tail):
            if at + _END.size + int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail):
                return at
            last = max(last, at)
        at = tail.rfind(b"PK\5\6", 0, at)
    return last


def _find_zip64(file: ArchiveFile, end: int) -> tuple[int, int, int, int, int, int] | None:
    """Return (end of the directory, two numbers of volumes, entries, size, offset) of a ZIP64 archive; None where it is none."""
    locator = file.read(end - _END64_LOCATOR.size, _END64_LOCATOR.size) if end >= _END64_LOCATOR.size else b""
    if not locator.startswith(b"PK\6\7"):
        return None
    # The record is looked for where it must lie, before its locator: the offset in there is wrong when data was put in
    # front.
    at = end - _END64_LOCATOR.size - _END64.size
    record = file.read(at, _END64.size) if at >= 0 else b""
    if not record.startswith(b"PK\6\6"):
        return None
    *_, disk, first_disk, _, entries, size, offset = _END64.unpack(record)
    return at, disk, first_disk, entries, size, offset


class Block(NamedTuple):
    """A piece of a central directory, which holds whole entries only, and these entries."""

    content: bytes
    entries: list[Entry]


def read_directory(file: ArchiveFile, directory: Directory, where: str) -> Iterator[Block]:
    """
    Yield the central directory in blocks.

    Raises:
        ArchiveError: It is damaged, or holds another number of entries than declared.
    """
    carry, at, seen = b"", directory.start, 0
    while at < directory.stop:
        content = carry + file.read(at, min(_BLOCK_BYTES, directory.stop - at))
        at = at + len(content) - len(carry)
        entries, whole = parse_entries(content, directory.shift)
        seen += len(entries)
        carry = content[whole:]
        if carry and not b"PK\1\2".startswith(carry[:4]):
            damaged = at - len(carry)
            raise ArchiveError(where, f"its central directory is damaged at byte {damaged:,}", DOWNLOAD_AGAIN)
        yield Block(content[:whole], entries)
    # Without ZIP64 the number is kept modulo 65,536.
    if carry or (seen - directory.entries) % 65_536:
        held = counted(seen, "entry", "entries")
        raise ArchiveError(
            where, f"its central directory holds {held} and declares {directory.entries:,}", DOWNLOAD_AGAIN
        )


def parse_entries(content: bytes, shift: int) -> tuple[list[Entry], int]:
    """Return the whole entries that *content* begins with, their offsets moved by *shift*, and where they end."""
    entries = []
    at, last = 0, len(content) - _ENTRY.size
    while at <= last:
        signature, flags, method, crc32, packed, size, name_length, extra_length, comment_length, offset = (
            _ENTRY.unpack_from(content, at)
        )
        name_start = at + _ENTRY.size
        extra_start = name_start + name_length
        stop = extra_start + extra_length + comment_length
        if signature != b"PK\1\2" or stop > len(content):
            break
        if _ABSENT32 in (packed, size, offset):
            extra = content[extra_start : extra_start + extra_length]
            size, packed, offset = _from_zip64(extra, size, packed, offset)
        start = offset + shift if offset >= 0 else -1
        entries.append(Entry(flags, method, crc32, packed, size, start, content[name_start:extra_start], stop - at))
        at = stop
    return entries, at


def _from_zip64(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Return (size, packed, offset) with the values in the ZIP64 field of *extra*; offset -1 if it has none."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == _ZIP64:
            wide = [
                int.from_bytes(extra[i : i + 8], "little")
                for i in range(at + 4, min(at + 4 + length, len(extra)) - 7, 8)
            ]
            values = iter(wide)
            full = [next(values, -1) if value == _ABSENT32 else value for value in (size, packed, offset)]
            # No file is that large, and sums of two such numbers still fit 64 bits.
            return (full[0], full[1], full[2]) if 0 <= min(full) <= max(full) < 1 << 61 else (0, 0, -1)
        at += 4 + length
    return size, packed, offset


def decode_name(raw: bytes, flags: int) -> str:
    """
    Return a member's name: UTF-8 where it is declared or fits, else CP949, the code page of Korean Windows.

    Bytes that fit neither are shown as escapes, so that every name can be printed.
    """
    for encoding in ("utf-8",) if flags & UTF8 else ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "backslashreplace")
