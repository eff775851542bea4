"""The bytes of an archive in object storage: one object, or several parts that follow one another, read by ranges."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import NamedTuple

from saturi.etl.corpus.mapped import CHANGED, CHANGED_ADVICE, MappedFile
from saturi.etl.corpus.opening import failure
from saturi.etl.errors import InputError
from saturi.etl.storage.client import ChangedError
from saturi.etl.storage.location import ObjectPath, object_of
from saturi.etl.storage.objects import ObjectFacts

STORAGE_ADVICE = "check that it is there and may be read, and run the same command again"

_RUN_BYTES = 16 << 20
"""Asked for at once, unless a member is larger: the library holds an answer twice while it comes."""

_HELD_BYTES = 3 * _RUN_BYTES
_GAP_BYTES = 1 << 20
"""Between members, above which it is left out: as many bytes come in the time of a request (20 to 50 ms at 50 MB/s)."""


class _Piece(NamedTuple):
    """One of the objects: its path, the place of its first byte among all, and its facts."""

    path: ObjectPath
    start: int
    facts: ObjectFacts


class _Run(NamedTuple):
    """Bytes that are asked for at once."""

    start: int
    stop: int


class RangedFile:
    """
    Read-only view of the objects at *paths* as one run of bytes: what `MappedFile` is for files.

    Nothing is asked for before it is read. Each range is of the object that was listed, by its ETag.

    Args:
        paths: URLs.
        facts: Those of the listing.
    """

    def __init__(self, paths: Sequence[str], facts: Sequence[ObjectFacts]) -> None:
        self.size = 0
        self.facts = facts
        self._pieces: list[_Piece] = []
        for path, one in zip(paths, facts, strict=True):
            self._pieces.append(_Piece(object_of(path), self.size, one))
            self.size += one.size
        self._limit = self._tail_start = self.size
        self._tail = b""
        self._runs: list[_Run] = []
        self._held: dict[int, memoryview | bytes] = {}

    def __enter__(self) -> "RangedFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.clear()

    def gather(self, spans: Iterable[tuple[int, int]], limit: int) -> None:
        """
        Take in which bytes `slice` will be asked for, so that those that lie together are asked for at once.

        Args:
            spans: From where to where, as far as is known; where more is needed, it is asked for.
            limit: Where what `slice` gives ends.
        """
        self._limit = limit
        runs: list[_Run] = []
        for start, end in sorted(spans):
            stop = min(end, limit)
            if start >= stop:
                continue
            last = runs[-1] if runs else _Run(start, start)
            if runs and start - last.stop <= _GAP_BYTES and stop - last.start <= _RUN_BYTES:
                runs[-1] = _Run(last.start, max(last.stop, stop))
            else:
                if runs and last.start < start < last.stop:
                    runs[-1] = _Run(last.start, start)
                runs.append(_Run(start, stop))
        self._runs = runs

    def slice(self, start: int, stop: int) -> memoryview | bytes:
        """
        Return bytes *start* to *stop*; fewer where the limit is before.

        Raises:
            InputError: They cannot be read, or the object is another one by now.
        """
        stop = min(stop, self._limit)
        index = bisect_right(self._runs, start, key=lambda run: run.start) - 1
        if index < 0 or start >= self._runs[index].stop:
            return self.read(start, stop - start)
        run = self._runs[index]
        content = self._content(index)[start - run.start : stop - run.start]
        # The local header may hold a longer extra field than the directory.
        return content if stop <= run.stop else b"".join((content, self.read(run.stop, stop - run.stop)))

    def _content(self, index: int) -> memoryview | bytes:
        """Return the bytes of a run, held as long as there is room: members may lie in another order than listed."""
        held = self._held.get(index)
        if held is None:
            run = self._runs[index]
            if sum(map(len, self._held.values())) + run.stop - run.start > _HELD_BYTES:
                self._held.clear()
            held = self._held[index] = self._fetch(run.start, run.stop)
        return held

    def read(self, start: int, length: int) -> bytes:
        """
        Return up to *length* bytes from *start*; fewer only where the last object ends.

        What reaches to the end is kept, since a directory is looked for there, and not asked for again.

        Raises:
            InputError: They cannot be read, or the object is another one by now.
        """
        stop = min(start + length, self.size)
        if start >= stop:
            return b""
        before = self._fetch(start, min(stop, self._tail_start)) if start < self._tail_start else b""
        content = b"".join((before, self._tail[max(start - self._tail_start, 0) : max(stop - self._tail_start, 0)]))
        if stop == self.size and start < self._tail_start:
            self._tail_start, self._tail = start, content
        return content

    def _fetch(self, start: int, stop: int) -> memoryview | bytes:
        contents = []
        for piece in self._pieces:
            first, last = max(start, piece.start), min(stop, piece.start + piece.facts.size)
            if first < last:
                contents.append(_range(piece, first - piece.start, last - piece.start))
        return contents[0] if len(contents) == 1 else b"".join(contents)


def _range(piece: _Piece, start: int, stop: int) -> memoryview:
    try:
        return piece.path.read_range(start, stop, piece.facts.etag)
    except ChangedError as error:
        raise InputError(str(piece.path), CHANGED, CHANGED_ADVICE) from error
    except OSError as error:
        raise failure(str(piece.path), f"read at byte {start:,}", error, STORAGE_ADVICE) from error


ArchiveFile = MappedFile | RangedFile


def open_archive(paths: Sequence[str], facts: Sequence[ObjectFacts]) -> ArchiveFile:
    """
    Return a view of an archive.

    Args:
        paths: Its files, or the URLs of its objects.
        facts: Those of its objects; none of files, which are looked at when they are opened.

    Raises:
        InputError: A file cannot be opened.
        ExhaustedError: The process cannot open any more.
    """
    return RangedFile(paths, facts) if facts else MappedFile(paths)
