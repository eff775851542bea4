"""Locations: a path on a disk, or the name of an object in object storage, which is asked for the same things."""

import io
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any

from saturi.etl.errors import OptionError

if TYPE_CHECKING:
    from saturi.etl.storage.objects import ObjectFacts

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://(?P<rest>.*)", re.DOTALL)

_NO_NAME = re.compile(r"(?:^|/)\.\.(?:/|$)|[\x00-\x1f\x7f]")
"""In the name of an object, what the library takes for none."""

SCHEMES = ("s3", "gs", "az")
"""S3 and what speaks it, Google Cloud Storage, Azure Blob Storage; a bucket, or a container, follows."""


class ObjectPath:
    """
    The name of an object, or the beginning of names (a folder), in object storage.

    It has those methods of `pathlib.Path` that are needed of both, and they raise what a Path raises: an `OSError`, of which
    `strerror` says what the storage answered. A folder is there as long as an object is below it, and is not made.

    Args:
        url: `s3://bucket/name`, or another of `SCHEMES`; without a query, a fragment, or anything secret.
    """

    __slots__ = ("_name", "root")

    def __init__(self, url: str) -> None:
        match = _URL.fullmatch(url)
        if match is None or match["scheme"].lower() not in SCHEMES:
            raise OptionError(
                "URL", f"{url!r} is no object storage", "give s3://, gs:// or az:// with a bucket and a name"
            )
        bucket, _, name = match["rest"].partition("/")
        if not bucket or "@" in bucket or any(mark in match["rest"] for mark in "?#\0"):
            raise OptionError(
                "URL",
                f"{match['scheme']}:// is followed by more than a bucket and a name",  # which may be a secret
                "give s3://bucket/name alone; credentials come from the environment",
            )
        if _NO_NAME.search(name):
            raise OptionError(
                "URL", f"{url!r} holds two dots between slashes, or a control character", "give a name without"
            )
        self.root = f"{match['scheme'].lower()}://{bucket}"
        """Scheme and bucket."""
        self._name = PurePosixPath(*[part for part in name.split("/") if part])

    @property
    def key(self) -> str:
        """The name within the bucket, without a slash at its ends; empty for the bucket itself."""
        return "" if self._name == PurePosixPath() else str(self._name)

    @property
    def name(self) -> str:
        """The part behind the last slash; the bucket where there is none."""
        return self._name.name or self.root.partition("://")[2]

    @property
    def stem(self) -> str:
        """`name` without its ending."""
        return self._name.stem

    @property
    def parts(self) -> tuple[str, ...]:
        """The bucket, and the parts of the name."""
        return (self.root.partition("://")[2], *self._name.parts)

    @property
    def parent(self) -> "ObjectPath":
        """The folder that this is in; that of a bucket is the bucket."""
        return self._with(self._name.parent)

    @property
    def parents(self) -> tuple["ObjectPath", ...]:
        """All folders that this is in, the next one first."""
        return tuple(map(self._with, self._name.parents))

    def with_name(self, name: str) -> "ObjectPath":
        """Return the path with another last part."""
        return self._with(self._name.with_name(name))

    def absolute(self) -> "ObjectPath":
        """Return the path itself: no other is meant by it elsewhere."""
        return self

    def relative_to(self, folder: "ObjectPath") -> PurePosixPath:
        """
        Return the name below *folder*.

        Raises:
            ValueError: It is not there.
        """
        if self.root != folder.root:
            raise ValueError(f"{self} is not below {folder}")
        return self._name.relative_to(folder._name)

    def _with(self, name: PurePosixPath) -> "ObjectPath":
        path = object.__new__(ObjectPath)
        path.root, path._name = self.root, name
        return path

    def __truediv__(self, below: str | PurePosixPath) -> "ObjectPath":
        return self._with(self._name / below)

    def __str__(self) -> str:
        return f"{self.root}/{self.key}" if self.key else self.root

    def __repr__(self) -> str:
        return f"ObjectPath({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectPath) and (self.root, self._name) == (other.root, other._name)

    def __lt__(self, other: "ObjectPath") -> bool:
        return str(self) < str(other)

    def __hash__(self) -> int:
        return hash((self.root, self._name))

    def __reduce__(self) -> tuple[Any, ...]:
        return object_of, (str(self),)

    def facts(self) -> "ObjectFacts | None":
        """Return size, time and ETag of the object, or None where it is not there."""
        from saturi.etl.storage import objects  # noqa: PLC0415 - nothing of storage is loaded where only paths are used

        return objects.facts_of(self.root, self.key)

    def is_file(self) -> bool:
        """Whether the object is there."""
        return self.facts() is not None

    def is_dir(self) -> bool:
        """Whether an object is below it."""
        from saturi.etl.storage import objects  # noqa: PLC0415 - as above

        return next(objects.list_below(self.root, self.key, page=2), None) is not None  # one may be that of the folder

    def exists(self) -> bool:
        """Whether the object is there, or one below it."""
        return self.is_file() or self.is_dir()

    def below(self) -> "Iterator[tuple[ObjectPath, ObjectFacts]]":
        """Yield the objects below this folder with their facts, in the order of the storage."""
        from saturi.etl.storage import objects  # noqa: PLC0415 - as above

        bucket = ObjectPath(self.root)
        for key, facts in objects.list_below(self.root, self.key):
            yield bucket / key, facts

    def read_bytes(self) -> bytes:
        """Return the content of the object."""
        from saturi.etl.storage import objects  # noqa: PLC0415 - as above

        return objects.read(self.root, self.key)

    def read_range(self, start: int, stop: int, etag: str) -> memoryview:
        """Return bytes *start* to *stop*, which are there, of the object; where it has not *etag*, a `ChangedError`."""
        from saturi.etl.storage import objects  # noqa: PLC0415 - as above

        return objects.read_range(self.root, self.key, start, stop, etag)

    def open_raw(self) -> io.RawIOBase:
        """Return the content as a stream, read in blocks; it is not to be sought in."""
        from saturi.etl.storage import objects  # noqa: PLC0415 - as above

        return objects.ObjectReader(self.root, self.key)

    def write(self, content: bytes | IO[bytes]) -> None:
        """Store *content*, of a file all of it: it is there whole, or not at all."""
        from saturi.etl.storage import objects  # noqa: PLC0415 - as above

        objects.write(self.root, self.key, content)

    def create(self, content: bytes) -> bool:
        """Store *content* unless there is such an object, and return whether there was none (see `objects.create`)."""
        from saturi.etl.storage import objects  # noqa: PLC0415 - as above

        return objects.create(self.root, self.key, content)

    def copy_to(self, target: "ObjectPath") -> None:
        """Give *target*, in the same bucket, the content of this object."""
        from saturi.etl.storage import objects  # noqa: PLC0415 - as above

        objects.copy(self.root, self.key, target.key)

    def delete(self) -> None:
        """Delete the object; one that is not there is none to delete."""
        from saturi.etl.storage import objects  # noqa: PLC0415 - as above

        objects.delete(self.root, self.key)


Location = Path | ObjectPath


def is_url(text: str) -> bool:
    """Whether *text* has the form of a URL, of whatever kind; no path of a disk that users have looks like one."""
    return _URL.fullmatch(text) is not None


def location_of(text: str) -> Location:
    """
    Return the location that *text*, which stands for one in a task or a file, names; a key in it may hold `?` and `#`.

    Raises:
        OptionError: It is a URL, and none of object storage.
    """
    return object_of(text) if is_url(text) else Path(text)


def object_of(url: str) -> ObjectPath:
    """
    Return the path that *url*, the text of one, names.

    Raises:
        OptionError: It is none of object storage.
    """
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    return ObjectPath(f"{scheme}://{bucket}") / key
