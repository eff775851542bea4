"""
The client of object storage: obstore, which only this room imports, and repetition of what may pass.

Whatever the storage answers is an `OSError` here, as from a disk: `FileNotFoundError`, `PermissionError`, or another one whose
`strerror` says what it was. What may pass (a server's error, too many requests, a connection that breaks, a body that ends
early, a refusal for a while) is asked again, at growing intervals.
"""

import errno
import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from saturi.etl.errors import OptionError
from saturi.etl.storage.credentials import shared_settings

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

Made = TypeVar("Made")

_WAITS_SECONDS = (0.1, 0.3, 1.0, 3.0, 8.0, 15.0)
"""Before a request is sent again; the library has tried some times each time, within three seconds or so."""

_RETRY: "RetryConfig" = {
    "max_retries": 4,
    "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=2), "base": 2},
    "retry_timeout": timedelta(seconds=60),
}
_CLIENT: "ClientConfig" = {
    "connect_timeout": timedelta(seconds=5),  # five times, so that one that is not there is met within half a minute
    "read_timeout": timedelta(seconds=60),
    "timeout": timedelta(seconds=600),
}

_STATUS = re.compile(r"status(?: code)?: (\d{3})|HTTP status (?:client|server) error \((\d{3})")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_NO_RANGE = "the storage answers a range with other bytes"
_METADATA = re.compile(
    r"(?:PUT|GET) http://\S+/(?:latest/(?:api/token|meta-data/)|computeMetadata/|metadata/identity/)"
)
"""Where a machine in a cloud has keys; the last place that the library looks at, and not there on others."""

_ANSWERS = {
    "InvalidPathError": "the name of an object there is no path: it has //, a dot or two between slashes, or a control character",
    "inner: BareRedirect": "the bucket is in another region: see AWS_REGION",
    "source: BadScheme": "its address is without encryption, and AWS_ALLOW_HTTP is not set",
    "source: NotPartial": _NO_RANGE,
    "source: NoContentRange": _NO_RANGE,
    "source: UnexpectedRange": _NO_RANGE,
}
"""By what the library's error is, or has in its text: answers that stay what they are, and have no status."""

_NOT_FOUND = 404
_PASSING_STATUS = frozenset({408, 409, 425, 429})
_FORBIDDEN = frozenset({401, 403})
_ADDRESS = re.compile(r"https?://[\w.\[\]:-]+(?:/[\w./~-]*)?", re.ASCII | re.IGNORECASE)
_LOOPBACK = re.compile(r"http://(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?(/|$)")


class ChangedError(OSError):
    """An object is another one than it was."""


class PassingError(OSError):
    """An answer that may be another one when it is asked for again."""


class Traffic(NamedTuple):
    """Requests (those that the library repeats by itself counted once), and the bytes of contents both ways."""

    requests: int = 0
    read_bytes: int = 0
    written_bytes: int = 0

    def plus(self, other: "Traffic") -> "Traffic":
        """Return the sum."""
        return Traffic(*(one + more for one, more in zip(self, other, strict=True)))

    def since(self, before: "Traffic") -> "Traffic":
        """Return what came after *before*."""
        return Traffic(*(now - then for now, then in zip(self, before, strict=True)))


_traffic = Traffic()
_counting = threading.Lock()
_patient: ContextVar[bool] = ContextVar("patient", default=True)


def traffic() -> Traffic:
    """Return what this process has asked for so far."""
    return _traffic


def count(requests: int = 0, read_bytes: int = 0, written_bytes: int = 0) -> None:
    """Add to the traffic of this process."""
    global _traffic  # noqa: PLW0603 - one sum a process
    with _counting:
        _traffic = _traffic.plus(Traffic(requests, read_bytes, written_bytes))


@contextmanager
def impatient() -> Iterator[None]:
    """Ask once, where a wrong name or key is to be met at once."""
    token = _patient.set(False)
    try:
        yield
    finally:
        _patient.reset(token)


def ask(root: str, key: str, call: "Callable[[ObjectStore], Made]") -> Made:
    """
    Return what *call* makes with the store of the bucket *root*, asked again while what it meets may pass.

    Raises:
        FileNotFoundError: There is no such object, or no such bucket.
        ChangedError: The object is another one by now.
        PermissionError: The storage refuses, again and again.
        OSError: It does not answer, or answers something else.
        OptionError: The package obstore is not installed, or the environment does not fit.
    """
    store = _store(root)
    from obstore.exceptions import BaseError  # noqa: PLC0415 - an extra, which only those have who need it

    where = f"{root}/{key}" if key else root
    waits = iter(_WAITS_SECONDS if _patient.get() else ())
    while True:
        count(requests=1)
        try:
            return call(store)
        except FileNotFoundError:
            raise FileNotFoundError(errno.ENOENT, "no such object, or no such bucket", where) from None
        except ChangedError as error:
            raise ChangedError(error.errno, error.strerror, where) from None
        except (BaseError, OSError) as error:
            failure, passes = _failure(where, error)
            wait = next(waits, None) if passes else None
            if wait is None:
                raise failure from None
        time.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 - no secret: workers are not to ask all at once


def _failure(where: str, error: Exception) -> tuple[OSError, bool]:
    """
    Return the error that *error* of the library is here, and whether it may pass.

    Its own text is not shown: it holds what the server said, and that may hold the name of a key.
    """
    if isinstance(error, PassingError):
        return OSError(error.errno, error.strerror, where), True
    text, name = str(error), type(error).__name__
    match, code = _STATUS.search(text), _CODE.search(text)
    status = int(match[1] or match[2]) if match else 0
    if status == _NOT_FOUND:  # of a list the library has no class for it
        return FileNotFoundError(errno.ENOENT, "no such object, or no such bucket", where), False
    if _METADATA.search(text):
        return PermissionError(errno.EACCES, "there are no keys, in the environment or elsewhere", where), True
    settled = next((_ANSWERS[sign] for sign in _ANSWERS if sign == name or (status == 0 and sign in text)), None)
    if settled is not None:
        return OSError(errno.EIO, settled, where), False
    answer = " ".join(filter(None, [str(status or ""), code[1] if code else ""])) or name
    if status in _FORBIDDEN or name in ("PermissionDeniedError", "UnauthenticatedError"):
        return PermissionError(errno.EACCES, f"the storage refuses: {answer}", where), True
    if status == 0 and "connect" in text.lower():
        return OSError(errno.ECONNREFUSED, "the storage cannot be reached", where), True
    passes = status == 0 or status in _PASSING_STATUS or status >= 500  # noqa: PLR2004 - a server's own error
    return OSError(errno.EIO, f"the storage answers: {answer}", where), passes


@cache
def _store(root: str) -> "ObjectStore":
    """Return the store of a bucket; keys, endpoint and region are those of the environment."""
    if find_spec("obstore") is None:
        raise OptionError(root, "object storage needs the package obstore", "run `pip install 'saturi[s3]'`")
    from obstore.exceptions import BaseError  # noqa: PLC0415 - as above
    from obstore.store import AzureStore, GCSStore, S3Store  # noqa: PLC0415 - as above

    scheme, _, bucket = root.partition("://")
    try:
        if scheme == "gs":
            return GCSStore(bucket, client_options=_CLIENT, retry_config=_RETRY)
        if scheme == "az":
            return AzureStore(bucket, client_options=_CLIENT, retry_config=_RETRY)
        settings = shared_settings()
        endpoint = settings.get("endpoint") or _endpoint()
        _refuse_no_address(root, endpoint)
        return S3Store(
            bucket,
            **settings,
            disable_bulk_delete=True,  # some servers that speak S3 do not have it
            client_options=_client(endpoint),
            retry_config=_RETRY,
        )
    except OptionError:
        raise
    except (BaseError, ValueError) as error:
        problem = f"the environment names no usable storage ({type(error).__name__})"
        raise OptionError(root, problem, "see docs/cluster.md for what it has to hold") from None


def _endpoint() -> str:
    names = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


def _refuse_no_address(root: str, endpoint: str) -> None:
    """Return if *endpoint* is none, or an address; one that is not is not repeated, as it may hold a key."""
    if endpoint and not _ADDRESS.fullmatch(endpoint):
        raise OptionError(root, "the address of the storage is none", "set AWS_ENDPOINT_URL to https://host:port")


def _client(endpoint: str) -> "ClientConfig":
    """
    Return the client for *endpoint*: without encryption on loopback alone.

    Elsewhere texts of the corpus go over the network in clear only where the user says so by AWS_ALLOW_HTTP.
    """
    if _LOOPBACK.match(endpoint):
        return {**_CLIENT, "allow_http": True}
    return _CLIENT
