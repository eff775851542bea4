"""The content of a file that is sent: chunks joined on the fly, read in any part and any number of times, never held."""

import hashlib
import io
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import accumulate
from math import ceil
from typing import Any, BinaryIO, NamedTuple

from msgspec import Struct

from saturi.etl.errors import BuildError
from saturi.etl.providers.wires import Renderer, renderer_of
from saturi.etl.settings.regular import unread_advice
from saturi.etl.storage.location import Location, ObjectPath
from saturi.etl.storage.window import Window
from saturi.schemas.ledger import Piece
from saturi.schemas.provider import Wire

BOM = b"\xef\xbb\xbf"
_BLOCK_BYTES = 1 << 20
_LINE_BYTES = 1 << 16  # in which the end of a line is looked for first; most examples have a hundredth of it


class Digests(NamedTuple):
    """The two hashes of a content, as hexadecimal digits, and its length."""

    sha256: str
    md5: str
    bytes: int


class Content(Struct, frozen=True, kw_only=True):
    """
    Chunks of a build, one after the other, as one file.

    Args:
        folder: The output folder of the build, or its URL.
        pieces: The chunks, in order.
        bom: Whether a UTF-8 byte order mark goes first.
        wire: The wire format that decides its form.
    """

    folder: Location
    pieces: tuple[Piece, ...]
    bom: bool = False
    wire: Wire = "openai"

    @property
    def bytes(self) -> int:
        """Length of the whole, as long as its form is that of the chunks."""
        return len(BOM) * self.bom + sum(piece.bytes for piece in self.pieces)

    @property
    def examples(self) -> int:
        """Number of lines."""
        return sum(piece.examples for piece in self.pieces)

    def cuts(self, most_bytes: int, *, equal: bool = False) -> list[tuple[int, int]]:
        """
        Return (start, end) of consecutive parts of at most *most_bytes*, each ending at the end of a line.

        A line that is longer than that alone is cut through.

        Args:
            most_bytes: Most bytes of a part.
            equal: All parts but the last have one size instead, wherever a line ends.
        """
        if equal:
            size = ceil(self.bytes / ceil(self.bytes / most_bytes))
            return [(start, min(start + size, self.bytes)) for start in range(0, self.bytes, size)]
        parts = []
        start = 0
        while start < self.bytes:
            end = min(start + most_bytes, self.bytes)
            if end < self.bytes:
                end = self._line_end(start, end) or end
            parts.append((start, end))
            start = end
        return parts

    def _line_end(self, start: int, end: int) -> int | None:
        """Return the last position in (*start*, *end*] that follows a newline, or None."""
        while end > start:
            first = max(start, end - _LINE_BYTES)
            with Span(self, first, end) as span:
                at = span.readall().rfind(b"\n")
            if at >= 0:
                return first + at + 1
            end = first
        return None


class Digester:
    """
    Hash contents while their chunks are read for something else: an observer of `check_build`.

    Args:
        contents: The contents, each with its chunks in the order in which they are read.
    """

    def __init__(self, contents: Iterable[Content]) -> None:
        self._digests = {content: _Digest(content) for content in contents}
        self._by_chunk: dict[str, list[_Digest]] = defaultdict(list)
        for content, digest in self._digests.items():
            for piece in content.pieces:
                self._by_chunk[piece.path].append(digest)

    def __call__(self, chunk: str, block: bytes) -> None:
        """
        Hash *block*, the next bytes of *chunk*.

        Raises:
            BuildError: The form of the content has no place for a line of it.
        """
        for one in self._by_chunk.get(chunk, ()):
            one.add(block)

    def digests(self, content: Content) -> Digests:
        """Return the hashes and the length of *content*, whose chunks were all read."""
        return self._digests[content].digests()


class _Digest:
    """The hashes and the length of one content, in the form in which it is sent."""

    def __init__(self, content: Content) -> None:
        self._renderer = renderer_of(content.wire)
        start = BOM * content.bom if self._renderer is None else self._renderer.start()
        self._hashes = hashlib.sha256(start), hashlib.md5(start, usedforsecurity=False)
        self._bytes = len(start)

    def add(self, block: bytes) -> None:
        sent = block if self._renderer is None else self._renderer.render(block)
        self._bytes += len(sent)
        for one in self._hashes:
            one.update(sent)

    def digests(self) -> Digests:
        sha256, md5 = (one.hexdigest() for one in self._hashes)
        return Digests(sha256, md5, self._bytes)


def locate(pieces: tuple[Piece, ...], line: int) -> tuple[str, int] | None:
    """Return the path of the chunk that holds *line* (from 1) of the joined file, and its line there, or None."""
    before = 0
    for piece in pieces:
        if before < line <= before + piece.examples:
            return piece.path, line - before
        before += piece.examples
    return None


class Span(io.RawIOBase):
    """
    The bytes of a content from *start* to *end*, as a file to read and to rewind; one chunk is open at a time.

    Raises:
        BuildError: While reading: a chunk cannot be read, or is shorter than the manifest says.
    """

    def __init__(self, content: Content, start: int, end: int) -> None:
        self._start, self._length = start, end - start
        self._position = 0
        chunks = [(content.folder / piece.path, piece.bytes) for piece in content.pieces]
        self._sources: list[Location | None] = [*([None] if content.bom else []), *(path for path, _ in chunks)]
        sizes = [*([len(BOM)] if content.bom else []), *(size for _, size in chunks)]
        self._ends = list(accumulate(sizes))
        self._open: tuple[int, BinaryIO | Window] | None = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position, from the start of the span."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to *offset*, and return the position."""
        self._position = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}[whence] + offset
        return self._position

    def readinto(self, buffer: Any) -> int:  # whatever holds bytes; the standard library's own type is private
        """Read into *buffer*, and return how many bytes; 0 at the end."""
        block = self._some(min(len(buffer), self._length - self._position))
        buffer[: len(block)] = block
        self._position += len(block)
        return len(block)

    def _some(self, wanted: int) -> bytes:
        """Return 1 to *wanted* bytes at the position, no more than one chunk has."""
        if wanted <= 0:
            return b""
        at = self._start + self._position
        index = bisect_right(self._ends, at)
        offset = at - (self._ends[index - 1] if index else 0)
        wanted = min(wanted, self._ends[index] - at)
        path = self._sources[index]
        if path is None:
            return BOM[offset : offset + wanted]
        try:
            file = self._opened(index, path)
            if isinstance(file, Window):
                block = bytes(file.read(offset, wanted, offset + self._start + self._length - at))
            else:
                file.seek(offset)
                block = file.read(wanted)
        except OSError as error:
            advice = unread_advice(path, "build again")
            raise BuildError(str(path), f"cannot be read ({error.strerror})", advice) from error
        if not block:
            raise BuildError(str(path), "shorter than the manifest says", "build again")
        return block

    def _opened(self, index: int, path: Location) -> BinaryIO | Window:
        if self._open is None or self._open[0] != index:
            self._close_chunk()
            self._open = (index, Window(path) if isinstance(path, ObjectPath) else path.open("rb", buffering=0))
        return self._open[1]

    def _close_chunk(self) -> None:
        if self._open is not None and not isinstance(self._open[1], Window):
            self._open[1].close()
        self._open = None

    def close(self) -> None:
        """Close the chunk that is open."""
        self._close_chunk()
        super().close()


class Rendered(io.RawIOBase):
    """
    The bytes of a content in another form than that of its chunks, as a file to read from the start, again and again.

    Args:
        content: The content.
        make_renderer: Returns what makes that form, for one reading.
        size: Its length.

    Raises:
        BuildError: While reading: see `Span`, and the renderer.
    """

    def __init__(self, content: Content, make_renderer: Callable[[], Renderer], size: int) -> None:
        self._lines = Span(content, 0, content.bytes)
        self._make_renderer, self._size = make_renderer, size
        self._position = 0
        self._ready = memoryview(b"")
        self._rewind()

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True: it can be rewound, and its end be asked for."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """
        Go to *offset*, and return the position.

        Raises:
            io.UnsupportedOperation: That is neither the start, nor the end, nor where it is.
        """
        position = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence] + offset
        if position not in (0, self._size, self._position):
            raise io.UnsupportedOperation
        if position == 0:
            self._rewind()
        self._position = position
        return position

    def readinto(self, buffer: Any) -> int:  # as in the class above
        """Read into *buffer*, and return how many bytes; 0 at the end."""
        while not self._ready and (block := self._lines.read(_BLOCK_BYTES)):
            self._ready = memoryview(self._renderer.render(block))
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        self._position += count
        return count

    def _rewind(self) -> None:
        self._lines.seek(0)
        self._renderer = self._make_renderer()
        self._ready = memoryview(self._renderer.start())

    def close(self) -> None:
        """Close the chunk that is open."""
        self._lines.close()
        super().close()
