"""
The tar of one archive, as a stream: its parts with their offsets, and nothing that is anything else.

No header makes it read or keep more than a few blocks. Refused are absolute names, `..`, links, devices, sparse files,
sizes over the archive's, and parts that overlap.
"""

import re
import tarfile
import unicodedata
from bisect import bisect
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple, cast

from saturi.etl.download.attempts import BrokenTransferError
from saturi.etl.errors import ProviderError
from saturi.etl.output.printable import printable

_PART = re.compile(r"(?P<stem>.+)\.part(?P<offset>[0-9]{1,18})", re.DOTALL)
_FOLDER_END = re.compile(r"[/\\]")
_DRIVE = re.compile(r"[A-Za-z]:")
_SPACES = re.compile(r"[\s_]+")
_MOST_HEADER_BYTES = 128 << 10  # from the end of a file to the data of the next one; names take a few blocks
_MOST_MEMBERS = 4_000  # an archive of 2 TB in parts of 1 GiB, twice
_MOST_STRAY_BYTES = 1 << 20  # of all files beside the parts
_BLOCK_BYTES = 1 << 20
_HOSTILE = (tarfile.TarError, ValueError, IndexError, KeyError, OverflowError, RecursionError)
"""What tarfile raises on headers that are no headers."""


class Piece(NamedTuple):
    """Bytes of the archive, and the offset of the first of them."""

    offset: int
    data: bytes


class Expected(NamedTuple):
    """
    What is known of an archive before it comes.

    Args:
        where: Its name in messages.
        name: Its file name.
        most_bytes: Its size, or the most that it can be.
        exact: Whether that is its size.
    """

    where: str
    name: str
    most_bytes: int
    exact: bool


def pieces(read: Callable[[], bytes], expected: Expected) -> Iterator[Piece]:
    """
    Yield the bytes of the archive in the tar that *read* returns block by block, up to its exact size.

    A file that comes a second time is passed over; where the size is not known, a second copy of the whole ends it.

    Raises:
        BrokenTransferError: The tar breaks off.
        ProviderError: It holds something that no archive of AI-Hub does.
    """
    source = _Source(read, expected.where)
    parts = _Parts(expected)
    with _open(source) as tar:
        for number, member in enumerate(_members(tar, source)):
            if number >= _MOST_MEMBERS:
                raise _hostile(expected.where, "more files than an archive has parts")
            offset = parts.place(member)
            if offset is None and parts.complete:
                return
            source.unlimited()
            at = 0
            while at < member.size:
                data = _read(tar, min(_BLOCK_BYTES, member.size - at))
                if offset is not None:
                    yield Piece(offset + at, data)
                at += len(data)
            if parts.complete:
                return


class _Source:
    """The stream as tarfile reads it: while it looks for a header it gets no more than a few blocks."""

    def __init__(self, read: Callable[[], bytes], where: str) -> None:
        self._read, self._where = read, where
        self._left: int | None = _MOST_HEADER_BYTES

    def read(self, _size: int) -> bytes:
        if self._left is not None and self._left <= 0:
            raise _hostile(self._where, f"a header of more than {_MOST_HEADER_BYTES:,} bytes")
        block = self._read()
        if self._left is not None:
            self._left -= len(block)
        return block

    def limit(self) -> None:
        """A header follows."""
        self._left = _MOST_HEADER_BYTES

    def unlimited(self) -> None:
        """Data follows, whose size is known."""
        self._left = None


class _Parts:
    """The parts of one archive that have come."""

    def __init__(self, expected: Expected) -> None:
        self._expected = expected
        self._sizes: dict[int, int] = {}
        self._offsets: list[int] = []  # in order
        self._bytes = 0
        self._stem: str | None = None
        self._latest = -1
        self._stray_bytes = self._repeated_bytes = 0
        self.complete = False

    def place(self, member: tarfile.TarInfo) -> int | None:
        """Return the offset of the data of *member* in the archive; None where it is to be passed over."""
        where, most = self._expected.where, self._expected.most_bytes
        name = _checked_name(member.name, where)
        if member.isdir():
            member.size = 0
            return None
        if not member.isreg() or member.issparse() or member.size < 0:
            raise _hostile(where, f"{name}, which is no plain file")
        offset = self._offset(name)
        if offset is None:
            self._stray_bytes += member.size
            if self._stray_bytes > _MOST_STRAY_BYTES:
                raise _hostile(where, f"{name}, which is no part of it, of {member.size:,} bytes")
            return None
        if offset + member.size > most:
            raise _hostile(where, f"{name} of {member.size:,} bytes, which is over the {most:,} bytes of the archive")
        if offset in self._sizes:
            self._repeat(name, offset, member.size)
            return None
        place = bisect(self._offsets, offset)
        before, behind = self._offsets[place - 1 : place], self._offsets[place : place + 1]
        if any(at + self._sizes[at] > offset for at in before) or any(at < offset + member.size for at in behind):
            raise _hostile(where, f"{name}, which overlaps another part")
        self._offsets.insert(place, offset)
        self._sizes[offset], self._latest = member.size, offset
        self._bytes += member.size
        self.complete = self._expected.exact and self._bytes >= most
        return offset

    def _repeat(self, name: str, offset: int, size: int) -> None:
        """Pass over a part that has come before."""
        if self._sizes[offset] != size:
            raise _hostile(self._expected.where, f"{name} twice, with other sizes")
        self._repeated_bytes += size
        if self._repeated_bytes > self._expected.most_bytes:
            raise _hostile(self._expected.where, "its parts more than twice")
        last = self._offsets[-1]
        whole = self._bytes == last + self._sizes[last]
        if not self._expected.exact and whole and offset != self._latest:
            self.complete = True  # there is no gap, and a second copy begins

    def _offset(self, name: str) -> int | None:
        match = _PART.fullmatch(name)
        stem = name if match is None else match["stem"]
        if self._stem is None and (match is not None or _squeezed(stem) == _squeezed(self._expected.name)):
            self._stem = stem
        if stem != self._stem:
            return None
        return 0 if match is None else int(match["offset"])


def _open(source: _Source) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=cast("BinaryIO", source), mode="r|", bufsize=_BLOCK_BYTES)  # it only reads
    except _HOSTILE as error:
        raise BrokenTransferError(f"the tar cannot be read ({error})") from error


def _members(tar: tarfile.TarFile, source: _Source) -> Iterator[tarfile.TarInfo]:
    while True:
        source.limit()
        try:
            member = tar.next()
        except _HOSTILE as error:
            raise BrokenTransferError(f"the tar breaks off, or is damaged ({error})") from error
        if member is None:
            return
        tar.members.clear()  # type: ignore[attr-defined]  # its types lack the list, in which it keeps every header
        yield member


def _read(tar: tarfile.TarFile, size: int) -> bytes:
    """Return the next *size* bytes of the member that *tar* is at; it copies less than its own files do."""
    stream = tar.fileobj
    data: bytes = stream.read(size) if stream is not None else b""
    if len(data) < size:
        raise BrokenTransferError("the tar breaks off within a file")
    return data


def _checked_name(name: str, where: str) -> str:
    """Return the last part of *name*, all of which lies below where it would be unpacked."""
    parts = _FOLDER_END.split(name)
    if parts[0] == "" or _DRIVE.match(parts[0]) or ".." in parts or "\0" in name:
        raise _hostile(where, f"the name {name!r}, which leads elsewhere")
    return parts[-1]


def _squeezed(name: str) -> str:
    return _SPACES.sub("", unicodedata.normalize("NFC", name)).casefold()


def _hostile(where: str, what: str) -> ProviderError:
    advice = "nothing of it was kept; report it to AI-Hub, and tell saturi's developers if it is a mistake"
    return ProviderError(where, f"its tar holds {printable(what, 300)}", advice)
