"""The bytes of an archive: one file, or several parts that follow one another, mapped piece by piece and never copied whole."""

import mmap
import os
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType

from etl.errors import InputError


class MappedFile:
    """
    Read-only view of the files at *paths* as one run of bytes.

    Only what `window` names is mapped, so that memory follows the batch at work and not the size of the archive.

    Raises:
        InputError: A file cannot be opened.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._stack = ExitStack()
        self._files: list[int] = []
        self._starts: list[int] = []
        self.size = 0
        try:
            for path in paths:
                descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
                self._stack.callback(os.close, descriptor)
                self._files.append(descriptor)
                self._starts.append(self.size)
                self.size += os.fstat(descriptor).st_size
        except OSError as error:
            self._stack.close()
            raise InputError(
                path, f"cannot be opened ({error.strerror})", "check that it is there and may be read"
            ) from error
        self._maps: list[tuple[int, memoryview]] = []

    def __enter__(self) -> "MappedFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def window(self, start: int, stop: int) -> None:
        """Map bytes *start* to *stop*, the only ones `slice` gives from now on; they may reach past the end."""
        for at, size, descriptor in zip(self._starts, self._sizes(), self._files, strict=True):
            first, last = max(start, at), min(stop, at + size)
            if first >= last:
                continue
            aligned = (first - at) // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
            mapped = mmap.mmap(descriptor, last - at - aligned, access=mmap.ACCESS_READ, offset=aligned)
            self._stack.callback(mapped.close)
            view = self._stack.enter_context(memoryview(mapped))
            self._maps.append((at + aligned, view))

    def slice(self, start: int, stop: int) -> memoryview | bytes:
        """Return bytes *start* to *stop* of the mapped window; fewer where it ends before."""
        if len(self._maps) == 1:  # one file: the rule, and called twice a member
            at, view = self._maps[0]
            return view[max(start - at, 0) : stop - at]
        index = max(bisect_right(self._maps, start, key=lambda piece: piece[0]) - 1, 0)
        pieces = []
        for at, view in self._maps[index:]:
            if at >= stop:
                break
            pieces.append(view[max(start - at, 0) : stop - at])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read(self, start: int, length: int) -> bytes:
        """Return up to *length* bytes from *start*, copied; fewer only where the last file ends."""
        pieces = []
        for at, size, descriptor in zip(self._starts, self._sizes(), self._files, strict=True):
            first, last = max(start, at), min(start + length, at + size)
            if first < last:
                os.lseek(descriptor, first - at, os.SEEK_SET)
                pieces.append(read_fully(descriptor, last - first))
        return b"".join(pieces)

    def _sizes(self) -> list[int]:
        return [stop - start for start, stop in zip(self._starts, [*self._starts[1:], self.size], strict=True)]


def read_fully(descriptor: int, length: int) -> bytes:
    """Return the next *length* bytes of an open file; fewer only where it ends."""
    pieces = []
    while length > 0 and (piece := os.read(descriptor, length)):
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)
