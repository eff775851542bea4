"""
An S3 server on loopback, with faults and lies on demand: localbucket.

Its buckets are folders, so that a test fills and reads them as such.
"""

import os
import random
import socket
import struct
import threading
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from localbucket import S3Error, S3Handler

from saturi.etl.storage.client import _store

NAME = "bucket"
KEYS = {
    "AWS_ACCESS_KEY_ID": "invented-access-key",
    "AWS_SECRET_ACCESS_KEY": "invented-secret-key",
    "AWS_REGION": "us-east-1",
}
"""Keys of the environment; this server checks none."""


class Fault(StrEnum):
    """What may happen to a request instead of its answer, or with it."""

    ERROR = "500, before anything is done"
    SLOW_DOWN = "503 SlowDown, before anything is done"
    FORBIDDEN = "403, before anything is done"
    RESET = "the connection is reset in the middle of the answer's body"
    TRUNCATED = "the connection ends in the middle of the answer's body"
    SLOW = "the answer comes half a second late"
    LOST = "it is done, and the connection is reset instead of an answer"


class Request(NamedTuple):
    """A request: its method, the key or prefix, the range that it asks for, and the bytes of its answer's body."""

    method: str
    key: str
    range: str
    sent_bytes: int


class Storage:
    """
    A server with one bucket.

    `folder` holds its objects, `url` and `environment` are for clients. `faults` is asked before each request (method, key)
    for what shall happen to it; `lies` makes it ignore If-None-Match, `restarts` where a list is to go on, `forgets_to_copy`
    what an object is to be a copy of. `markers` are keys of folders, with a slash at the end, which consoles leave where a
    folder was made; they are listed. `requests` holds all of them.
    """

    def __init__(self, root: Path) -> None:
        self.folder = root / NAME
        self.folder.mkdir(parents=True)
        self.url = f"s3://{NAME}"
        self.behave()
        self.requests: list[Request] = []
        self._noting = threading.Lock()
        handler = type("Handler", (_Handler,), {"data_root": root, "storage": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead to this server."""
        return {**KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._server.server_address[1]}"}

    def behave(self) -> None:
        """Be honest and undisturbed from now on."""
        self.faults: Callable[[str, str], Fault | None] = undisturbed
        self.lies = False
        self.restarts = False
        self.forgets_to_copy = False
        self.markers: list[str] = []

    def note(self, request: Request) -> None:
        """Remember a request."""
        with self._noting:
            self.requests.append(request)

    def asked(self) -> Counter[str]:
        """Return how many requests there were of each method."""
        return Counter(request.method for request in self.requests)

    def keys(self) -> list[str]:
        """Return the keys of all objects, sorted."""
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())

    def stop(self) -> None:
        """End the server; requests under way are cut."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def object_storage(root: Path) -> Iterator[Storage]:
    """Run a server whose bucket is a folder in *root*."""
    _store.cache_clear()  # which knows the server of the test before by the same name
    storage = Storage(root)
    try:
        yield storage
    finally:
        storage.stop()


def undisturbed(_method: str, _key: str) -> Fault | None:
    """Return no fault."""
    return None


def random_faults(seed: int, share: float) -> Callable[[str, str], Fault | None]:
    """Return faults for a *share* of all requests, of any kind, the same for the same *seed* and order of requests."""
    chance = random.Random(seed)
    deciding = threading.Lock()

    def decide(_method: str, _key: str) -> Fault | None:
        with deciding:
            return chance.choice(list(Fault)) if chance.random() < share else None

    return decide


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that a client, or a fault, has cut."""


class _Handler(S3Handler):  # type: ignore[misc]  # has no types
    disable_nagle_algorithm = True  # it writes an answer in two pieces, and the second would wait 40 ms
    storage: Storage
    wfile: Any

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its base's name
        """Log nothing."""

    def do_PUT(self) -> None:  # noqa: N802 - the name that the server calls
        """Store an object, or a copy of one."""
        if self.storage.forgets_to_copy:
            del self.headers["x-amz-copy-source"]
        super().do_PUT()

    def _dispatch(self, action: Any) -> None:
        self.fault: Fault | None = None
        self.noted = False
        self.action = action  # the base parses the URL, and then calls this
        try:
            super()._dispatch(self._act)
        finally:
            self._note(0)

    def _note(self, sent_bytes: int) -> None:
        """Remember this request once, before its answer, so that whoever has that finds it."""
        if not self.noted:
            self.noted = True
            key, asked = getattr(self, "key", ""), self.headers.get("Range", "")
            self.storage.note(Request(self.command, key, asked, sent_bytes))

    def _act(self, bucket: str, key: str) -> None:
        self.key = key or self.query.get("prefix", "")
        self.fault = self.storage.faults(self.command, self.key)
        if self.storage.lies and "If-None-Match" in self.headers:
            del self.headers["If-None-Match"]
        if self.storage.restarts:
            self.query.pop("start-after", None)
        match self.fault:
            case Fault.ERROR | Fault.SLOW_DOWN | Fault.FORBIDDEN:
                self._read_body()
                raise _ERRORS[self.fault]
            case Fault.SLOW:
                time.sleep(0.5)
        self.action(bucket, key)

    def _add_list_entries(self, root: Any, contents: Any, common_prefixes: Any, encode: Any) -> None:
        if "start-after" not in self.query:
            for key in self.storage.markers:
                if key.startswith(self.query.get("prefix", "")):
                    item = ET.SubElement(root, "Contents")
                    facts = {"LastModified": "2026-01-01T00:00:00.000Z", "ETag": '"0"', "Size": "0"}
                    for name, value in {"Key": encode(key), **facts}.items():
                        ET.SubElement(item, name).text = value
        super()._add_list_entries(root, contents, common_prefixes, encode)

    def _send_headers(self, status: HTTPStatus, length: int, headers: Any = None) -> None:
        if self.fault is Fault.LOST or (self.fault in (Fault.RESET, Fault.TRUNCATED) and length == 0):
            self._reset()
        self._note(length)
        super()._send_headers(status, length, headers)
        if self.fault in (Fault.RESET, Fault.TRUNCATED) and status < HTTPStatus.BAD_REQUEST:
            self.wfile = _Cut(self.wfile, length // 2, self)

    def _reset(self) -> None:
        """Cut the connection, so that the client sees a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True
        raise ConnectionResetError


class _Cut:
    """A connection that ends after some bytes."""

    def __init__(self, file: Any, left: int, handler: _Handler) -> None:
        self._file, self._left, self._handler = file, left, handler

    def write(self, data: bytes) -> int:
        """Send what may still be sent."""
        self._file.write(data[: self._left])
        self._left -= len(data)
        if self._left <= 0:
            self._file.flush()
            if self._handler.fault is Fault.RESET:
                self._handler._reset()
            self._handler.close_connection = True
            self._handler.connection.shutdown(socket.SHUT_WR)
            raise ConnectionAbortedError
        return len(data)

    def flush(self) -> None:
        """Send what is gathered."""
        self._file.flush()

    def close(self) -> None:
        """Close the connection."""
        self._file.close()

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return bool(self._file.closed)


_ERRORS = {
    Fault.ERROR: S3Error(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", "An invented fault."),
    Fault.SLOW_DOWN: S3Error(HTTPStatus.SERVICE_UNAVAILABLE, "SlowDown", "An invented fault."),
    Fault.FORBIDDEN: S3Error(HTTPStatus.FORBIDDEN, "AccessDenied", "An invented fault."),
}


def put_tree(storage: Storage, folder: Path, name: str) -> str:
    """Put the files below *folder* under *name* into the bucket, and return the URL of it."""
    target = storage.folder / name
    for here, _, names in os.walk(folder):
        for file in names:
            place = target / Path(here).relative_to(folder) / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes((Path(here) / file).read_bytes())
    return f"{storage.url}/{name}"
