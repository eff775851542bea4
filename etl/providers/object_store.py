"""A bucket of an S3 store, through obstore: the only module that imports it, and the only place where its errors are translated."""

import io
import os
import re
import time
from collections.abc import Callable
from datetime import timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeVar

from saturi.etl.errors import EtlError, GoneError, NoAnswerError, OptionError, ProviderError, UnreachableError
from saturi.etl.network.http import proxy_of
from saturi.etl.providers.border import Border
from saturi.etl.providers.listing import MOST_PAGES
from saturi.etl.providers.pace import Pace
from saturi.etl.providers.port import RequestError
from saturi.schemas.provider import Storage

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ClientConfig, S3Store

Made = TypeVar("Made")

_PART_BYTES = 8 << 20
_MOST_PARTS = 9_000  # S3 takes 10,000
_AT_ONCE = 2  # parts in memory
_CONNECT_SECONDS = 15
_STATUS = re.compile(r"status code: (\d{3})")
_NOT_FOUND, _FORBIDDEN = 404, frozenset({401, 403})
_PASSING = frozenset({408, 429})
_GOOD_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class Secrets(NamedTuple):
    """Access key and secret key of a store; they are in no text that is shown or kept."""

    access: str
    secret: str


def read_secrets(storage: Storage) -> Secrets | None:
    """Return the keys of *storage* that the environment holds, or None where one is missing."""
    access, secret = (os.environ.get(name, "").strip() for name in (storage.access_key_env, storage.secret_key_env))
    return Secrets(access, secret) if access and secret else None


class Stored(NamedTuple):
    """An object: its path in the bucket, and its bytes."""

    path: str
    bytes: int


class Bucket:
    """
    One bucket; every call is sent once, but for the parts of a large object.

    Args:
        storage: Where the store is.
        name: Name of the bucket.
        secrets: Its keys.
        limits: Makes the texts of errors printable, short, and free of secrets.
        pace: Deadlines.

    Raises:
        OptionError: The name is none, a key is missing, or the package obstore is.
    """

    def __init__(self, storage: Storage, name: str, secrets: Secrets | None, limits: Border, pace: Pace) -> None:
        if find_spec("obstore") is None:
            raise OptionError("submit", "the package obstore is not installed", "run `pip install 'saturi[s3]'`")
        if secrets is None:
            names = f"{storage.access_key_env} and {storage.secret_key_env}"
            advice = "set both, best to the keys of a sub-account that can use this one bucket"
            raise OptionError(names, "no keys for the storage: one of them is not set", advice)
        if _GOOD_NAME.fullmatch(name) is None:
            problem = "it does not name a bucket" if name else "it is not set, so that there is no bucket for the file"
            raise OptionError(storage.bucket_env, problem, "set it to the name of a bucket of your own")
        self._border, self._read_seconds = limits, pace.read_seconds
        # The library has no limit on the size of an answer: what is small is given the time of an answer alone.
        self._store = _open_store(storage, name, secrets, pace.answer_seconds)
        self._puts = _open_store(storage, name, secrets, pace.store_seconds)

    def put(self, path: str, content: BinaryIO) -> None:
        """Store *content* under *path*; it is there whole, or not at all."""
        import obstore  # noqa: PLC0415 - an extra, which only those have who need it

        noting = _Noting(content)
        size = noting.seek(0, io.SEEK_END)
        noting.seek(0)
        part = max(_PART_BYTES, size // _MOST_PARTS + 1)
        try:
            self._ask(lambda: obstore.put(self._puts, path, noting, chunk_size=part, max_concurrency=_AT_ONCE))
        except RequestError:
            if noting.error is not None:  # what went wrong is on this side
                raise noting.error from None
            raise

    def list(self, folder: str) -> list[Stored]:
        """Return the objects in *folder*."""
        import obstore  # noqa: PLC0415 - as above

        deadline = time.monotonic() + self._read_seconds

        def read() -> "list[ObjectMeta]":
            objects: list[ObjectMeta] = []
            for number, page in enumerate(obstore.list(self._store, prefix=folder), 1):
                objects += page
                if number > MOST_PAGES or time.monotonic() > deadline:
                    problem = "the storage: no usable answer (a list that does not end)"
                    raise RequestError(NoAnswerError, problem, "ask the provider why")
            return objects

        rows = ((self._border.name(row["path"]), row["size"]) for row in self._ask(read))
        return [Stored(path, size) for path, size in rows if path is not None]

    def head(self, path: str) -> Stored:
        """Return the object at *path*."""
        import obstore  # noqa: PLC0415 - as above

        return Stored(path, self._ask(lambda: obstore.head(self._store, path))["size"])

    def delete(self, path: str) -> None:
        """Delete the object at *path*; S3 says nothing where there is none."""
        import obstore  # noqa: PLC0415 - as above

        self._ask(lambda: obstore.delete(self._store, path))

    def _ask(self, call: Callable[[], Made]) -> Made:
        from obstore.exceptions import BaseError, NotFoundError  # noqa: PLC0415 - as above

        try:
            return call()
        except NotFoundError as error:
            raise self._not_found(error) from None
        except (BaseError, OSError) as error:  # an OSError is what a content raised that cannot be read
            raise self._failure(error) from None

    def _failure(self, error: Exception) -> RequestError:
        message = self._message(error)
        match = _STATUS.search(message)  # the library has a class for a few of them, and of a list for none
        status = int(match[1]) if match else 0
        if status == _NOT_FOUND:
            return self._not_found(error)
        if status in _FORBIDDEN:
            advice = "check the keys of the storage, and what they are allowed to do with the bucket"
            return RequestError(ProviderError, message, advice)
        if match and status < 500 and status not in _PASSING:  # noqa: PLR2004 - a server's own error
            return RequestError(ProviderError, message, "see what it says; this request changed nothing")
        if "connect" in message.lower() and match is None:
            return RequestError(UnreachableError, message, "check the network and the address", repeatable=True)
        return RequestError(NoAnswerError, message, "run the same command again, it goes on from here", repeatable=True)

    def _not_found(self, error: Exception) -> RequestError:
        return RequestError(GoneError, self._message(error), "check the name of the bucket", ended=True)

    def _message(self, error: Exception) -> str:
        """Return what *error* says, without what is for those who wrote the library."""
        text = str(error).partition("\n\nDebug source:")[0]
        return f"the storage: {self._border.text(text) or type(error).__name__}"


class _Noting(io.RawIOBase):
    """*content*, with the error that reading it raised, of which the library keeps only the text."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        self.error: EtlError | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._content.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:  # whatever holds bytes; the standard library's own type is private
        try:
            block = self._content.read(len(buffer))
        except EtlError as error:
            self.error = error
            raise
        buffer[: len(block)] = block
        return len(block)


def _open_store(storage: Storage, name: str, secrets: Secrets, seconds: float) -> "S3Store":
    from obstore.store import S3Store  # noqa: PLC0415 - as above

    client: ClientConfig = {
        "allow_http": storage.endpoint.startswith("http://"),
        "connect_timeout": timedelta(seconds=min(_CONNECT_SECONDS, seconds)),
        "timeout": timedelta(seconds=seconds),
    }
    proxy = proxy_of(storage.endpoint)
    if proxy is not None:
        client["proxy_url"] = proxy
    return S3Store(
        name,
        endpoint=storage.endpoint,
        region=storage.region,
        access_key_id=secrets.access,
        secret_access_key=secrets.secret,
        virtual_hosted_style_request=False,
        client_options=client,
        retry_config={"max_retries": 0},  # repetition is the client's
    )
