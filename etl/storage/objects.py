"""Objects by bucket and key: each function is one request, or as many as a list has pages and a large content has parts."""

import errno
import io
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from saturi.etl.storage.client import ChangedError, PassingError, ask, count

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

_BLOCK_BYTES = 8 << 20
_PART_BYTES = 8 << 20
_MOST_PARTS = 9_000  # S3 takes 10,000
_PARTS_AT_ONCE = 2  # in memory
_PAGE_OBJECTS = 1_000

CHANGED = "changes while it is read"


class ObjectFacts(NamedTuple):
    """Size of an object, the time of its last change in nanoseconds by the clock of the storage, and its ETag."""

    size: int
    modified_ns: int
    etag: str


def facts_of(root: str, key: str) -> ObjectFacts | None:
    """Return the facts of an object, or None where it is not there."""
    if not key:
        return None
    try:
        return _facts_in(ask(root, key, lambda store: store.head(key)))
    except FileNotFoundError:
        return None


def list_below(root: str, folder: str, page: int = _PAGE_OBJECTS) -> Iterator[tuple[str, ObjectFacts]]:
    """
    Yield key and facts of the objects below *folder*, in the order of the storage, asked for by pages.

    What consoles leave where they made *folder* is not below it: an object of its name and a slash.
    """
    prefix = f"{folder}/" if folder else None
    after: str | None = None
    before: list[str] = []

    def one_page(store: "ObjectStore") -> "Sequence[ObjectMeta]":
        pages = store.list(prefix=prefix, offset=after, chunk_size=page)
        return next(iter(pages), [])

    while rows := ask(root, folder, one_page):
        keys = [row["path"] for row in rows]
        if keys == before:  # of a server that does not heed where a page is to begin
            raise OSError(errno.EIO, "the storage begins its list again and again", f"{root}/{folder}")
        for key, row in zip(keys, rows, strict=True):
            if key != folder:
                yield key, _facts_in(row)
        if len(rows) < page:
            return
        after, before = keys[-1], keys


def read(root: str, key: str) -> bytes:
    """Return the content of an object."""

    def get(store: "ObjectStore") -> bytes:
        result = store.get(key)
        content = bytes(result.bytes())
        _refuse_short(len(content), result.meta["size"])
        return content

    content = ask(root, key, get)
    count(read_bytes=len(content))
    return content


def read_range(root: str, key: str, start: int, stop: int, etag: str) -> memoryview:
    """
    Return bytes *start* to *stop*, which are there, of the object that had *etag*.

    Raises:
        ChangedError: It is another object by now.
    """

    def get(store: "ObjectStore") -> memoryview:
        result = store.get(key, options={"range": (start, stop)})
        if _etag_in(result.meta) != etag:  # not every server heeds If-Match
            raise ChangedError(errno.ESTALE, CHANGED)
        content = memoryview(result.bytes())
        _refuse_short(len(content), stop - start)
        return content

    if start >= stop:
        return memoryview(b"")
    content = ask(root, key, get)
    count(read_bytes=len(content))
    return content


class ObjectReader(io.RawIOBase):
    """The content of an object from beginning to end, read in blocks, all of one and the same object."""

    def __init__(self, root: str, key: str) -> None:
        facts = facts_of(root, key)
        if facts is None:
            raise FileNotFoundError(errno.ENOENT, "no such object", f"{root}/{key}")
        self._root, self._key, self._facts = root, key, facts
        self._at = 0
        self._block = memoryview(b"")

    def readable(self) -> bool:
        """Whether it can be read: yes."""
        return True

    def readinto(self, buffer: Any) -> int:  # whatever holds bytes; the standard library's own type is private
        """Fill *buffer* as far as the block reaches, and return how far that is; 0 at the end."""
        if not self._block and self._at < self._facts.size:
            stop = min(self._at + _BLOCK_BYTES, self._facts.size)
            self._block = read_range(self._root, self._key, self._at, stop, self._facts.etag)
            self._at = stop
        length = min(len(buffer), len(self._block))
        buffer[:length] = self._block[:length]
        self._block = self._block[length:]
        return length


def write(root: str, key: str, content: bytes | IO[bytes]) -> None:
    """Store *content*, of a file all of it, under *key*: it is there whole, or not at all."""
    size = len(content) if isinstance(content, bytes) else content.seek(0, io.SEEK_END)
    part = max(_PART_BYTES, size // _MOST_PARTS + 1)

    def put(store: "ObjectStore") -> None:
        if not isinstance(content, bytes):
            content.seek(0)
        store.put(key, content, chunk_size=part, use_multipart=size > part, max_concurrency=_PARTS_AT_ONCE)

    ask(root, key, put)
    count(written_bytes=size)


def create(root: str, key: str, content: bytes) -> bool:
    """
    Store *content* where no object has this name, and return whether that was so (If-None-Match: *).

    Where an answer was lost, it may be false although it is this content that is there: whoever asks sees by reading it.
    """

    def put(store: "ObjectStore") -> bool:
        from obstore.exceptions import AlreadyExistsError, PreconditionError  # noqa: PLC0415 - an extra, as the store is

        try:
            store.put(key, content, mode="create", use_multipart=False)
        except (AlreadyExistsError, PreconditionError):
            return False
        return True

    created = ask(root, key, put)
    count(written_bytes=len(content))
    return created


def copy(root: str, source: str, target: str) -> None:
    """Give *target* the content of *source*; no byte of it comes here."""
    ask(root, target, lambda store: store.copy(source, target))


def delete(root: str, key: str) -> None:
    """Delete an object; one that is not there is none to delete."""
    try:
        ask(root, key, lambda store: store.delete(key))
    except FileNotFoundError:
        return


def _facts_in(row: "ObjectMeta") -> ObjectFacts:
    modified = row["last_modified"]
    at_ns = int(modified.timestamp()) * 10**9 + modified.microsecond * 1_000
    return ObjectFacts(row["size"], at_ns, _etag_in(row))


def _etag_in(row: "ObjectMeta") -> str:
    """Return the ETag of an object without quotes, which some storages leave out in lists, and not marked as weak by a proxy."""
    return (row["e_tag"] or "").removeprefix("W/").strip('"')


def _refuse_short(length: int, expected: int) -> None:
    if length != expected:
        raise PassingError(errno.EIO, f"{length:,} bytes came, and not {expected:,}")
