"""The bytes of an archive: one file, or several parts that follow one another, mapped piece by piece and never copied whole."""

import mmap
import os
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import NamedTuple

from saturi.etl.corpus.opening import FileFacts, facts_in, failure
from saturi.etl.errors import InputError
from saturi.etl.settings.regular import open_descriptor

CHANGED = "has changed since the build began"
CHANGED_ADVICE = "leave the corpus alone while it is read, and run the same command again"


class UnreadableBytesError(InputError):
    """Some bytes of a file cannot be read, and others may."""


class _Piece(NamedTuple):
    """One of the files: its path and descriptor, the place of its first byte among all, and its size."""

    path: str
    descriptor: int
    start: int
    size: int


class MappedFile:
    """
    Read-only view of the files at *paths* as one run of bytes.

    Only the bytes of `window` are mapped, so that memory follows the batch at work and not the size of the archive.

    Raises:
        InputError: A file cannot be opened.
        ExhaustedError: The process cannot open any more.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._stack = ExitStack()
        self._pieces: list[_Piece] = []
        self.size = 0
        self.facts: list[FileFacts] = []
        try:
            for path in paths:
                descriptor = open_descriptor(path)
                self._stack.callback(os.close, descriptor)
                self.facts.append(facts_in(os.fstat(descriptor)))
                self._pieces.append(_Piece(path, descriptor, self.size, self.facts[-1].size))
                self.size += self.facts[-1].size
        except OSError as error:
            self._stack.close()
            raise failure(path, "opened", error, "check that it is there and may be read") from error
        self._maps: list[tuple[int, memoryview]] = []

    def __enter__(self) -> "MappedFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def window(self, start: int, stop: int) -> None:
        """
        Map bytes *start* to *stop*, the only ones `slice` gives from now on; they may reach past the end.

        Where a file cannot be mapped, as on some network disks or for want of address space, `slice` reads instead.

        Raises:
            InputError: A file is shorter than when it was opened.
        """
        for piece in self._pieces:
            first, last = max(start, piece.start), min(stop, piece.start + piece.size)
            if first >= last:
                continue
            aligned = (first - piece.start) // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
            length = last - piece.start - aligned
            try:
                mapped = mmap.mmap(piece.descriptor, length, access=mmap.ACCESS_READ, offset=aligned)
            except OSError:
                self._maps.clear()
                return
            except ValueError as error:  # longer than the file, which was as long when it was opened
                raise InputError(piece.path, CHANGED, CHANGED_ADVICE) from error
            self._stack.callback(_close, mapped)
            if hasattr(mmap, "MADV_WILLNEED"):  # else a disk is asked for 128 kB at a time, and waited for each time
                mapped.madvise(mmap.MADV_WILLNEED)
            view = self._stack.enter_context(memoryview(mapped))
            self._maps.append((piece.start + aligned, view))

    def slice(self, start: int, stop: int) -> memoryview | bytes:
        """
        Return bytes *start* to *stop* of the mapped window; fewer where it ends before.

        Raises:
            UnreadableBytesError: They are not mapped, and cannot be read.
        """
        if len(self._maps) == 1:  # one file: the rule, and called twice a member
            at, view = self._maps[0]
            return view[start - at if start > at else 0 : stop - at]
        if not self._maps:
            return self.read(start, stop - start)
        index = max(bisect_right(self._maps, start, key=lambda piece: piece[0]) - 1, 0)
        pieces = []
        for at, view in self._maps[index:]:
            if at >= stop:
                break
            pieces.append(view[max(start - at, 0) : stop - at])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read(self, start: int, length: int) -> bytes:
        """
        Return up to *length* bytes from *start*, copied; fewer only where the last file ends.

        Raises:
            UnreadableBytesError: The system cannot read them.
        """
        contents = []
        for piece in self._pieces:
            first, last = max(start, piece.start), min(start + length, piece.start + piece.size)
            if first < last:
                try:
                    os.lseek(piece.descriptor, first - piece.start, os.SEEK_SET)
                    contents.append(read_fully(piece.descriptor, last - first))
                except OSError as error:
                    problem = f"cannot be read at byte {first - piece.start:,} ({error.strerror or error})"
                    raise UnreadableBytesError(piece.path, problem, "check the disk, or download it again") from error
        return b"".join(contents)


def _close(mapped: mmap.mmap) -> None:
    """
    Unmap *mapped*, or leave that to the last who holds bytes of it.

    A profiler that looks at a worker meanwhile, as Dask's does every 10 ms, holds the frames that it looks at, and so the bytes
    in them.
    """
    with suppress(BufferError):
        mapped.close()


def read_fully(descriptor: int, length: int) -> bytes:
    """Return the next *length* bytes of an open file; fewer only where it ends."""
    pieces = []
    while length > 0 and (piece := os.read(descriptor, length)):
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)
