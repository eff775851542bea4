"""
HTTP for whoever talks to a server: no redirect is followed, and every answer has a limit of size and of time.

Of the environment only proxies and certificates are used, and a variable that holds none is named.
"""

import importlib.util
import ipaddress
import os
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.request import getproxies

import httpx2

from saturi.etl.errors import OptionError

MOST_ANSWER_BYTES = 64 << 20
"""An answer that is larger is not read: all that is asked for are rows of lists."""

_SOCKS = ("socks", "socks4", "socks5", "socks5h")  # `socks://` is how desktops write the address of theirs
_PORTS = range(1, 1 << 16)
_WITH_PORT = re.compile(r"(?:\[.*\]|[^:]+):[0-9]{1,5}")
_PROXIES = {"http": "HTTP_PROXY", "https": "HTTPS_PROXY", "all": "ALL_PROXY"}


_CURRENT = threading.local()
"""The stopwatch of the request that a thread makes."""


class AnswerError(httpx2.TransportError):
    """An answer over a limit."""


class StatusError(Exception):
    """
    An answer with a status other than those of success.

    Args:
        response: The answer; its content has been read.
        content: That content.
    """

    def __init__(self, response: httpx2.Response, content: bytes) -> None:
        super().__init__(response.status_code)
        self.response, self.content = response, content


def stays_here(address: str) -> bool:
    """
    Return whether what is sent to *address* stays on this machine: it is one of loopback, and no proxy is in between.

    Raises:
        OptionError: A variable of the environment names a proxy that cannot be used.
    """
    url = httpx2.URL(address)
    try:
        loopback = ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        loopback = url.host == "localhost"
    return loopback and proxy_for(url) is None


def proxy_of(address: str) -> str | None:
    """
    Return the address of the proxy that the environment names for *address*, or None.

    Raises:
        OptionError: As below.
    """
    return proxy_for(httpx2.URL(address))


def proxy_for(url: httpx2.URL) -> str | None:
    """
    Return the address of the proxy that the environment names for *url*, or None.

    Raises:
        OptionError: A variable holds no address of a proxy, or one that needs a package which is not installed.
    """
    named = getproxies()
    settings = {scheme: address for scheme, address in named.items() if scheme in _PROXIES and address}
    checked = {scheme: _check_proxy(scheme, address) for scheme, address in settings.items()}
    exceptions = [entry.strip() for entry in named.get("no", "").split(",")]
    if any(_bypasses(entry.lower(), url) for entry in exceptions if entry):
        return None
    return checked.get(url.scheme, checked.get("all"))


def _bypasses(entry: str, url: httpx2.URL) -> bool:
    """Return whether an *entry* of `NO_PROXY` is for *url*: `*`, a network, or a host or domain, perhaps with a port."""
    if entry == "*":
        return True
    with suppress(ValueError):  # of what is no network, or no address
        return ipaddress.ip_address(url.host) in ipaddress.ip_network(entry, strict=False)
    name, _, port = entry.rpartition(":") if _WITH_PORT.fullmatch(entry) else (entry, "", "")
    if port and int(port) != (url.port or {"http": 80, "https": 443}[url.scheme]):
        return False
    name = name.lstrip("*").lstrip(".").strip("[]")
    return url.host == name or url.host.endswith(f".{name}")


def _check_proxy(scheme: str, address: str) -> str:
    """Return *address* as the HTTP library takes it."""
    name = _variable(_PROXIES[scheme])
    try:
        url = httpx2.URL(address if "://" in address else f"http://{address}")
        possible = url.scheme in ("http", "https", *_SOCKS) and url.host and (url.port is None or url.port in _PORTS)
        possible = possible and len(address.split()) == 1
    except httpx2.InvalidURL:
        possible = False
    if not possible:
        raise OptionError(name, "it holds no address of a proxy", _proxy_advice(name))
    if url.scheme in _SOCKS:
        if importlib.util.find_spec("socksio") is None:
            advice = f"run `pip install 'saturi[socks]'`, or unset {name}"
            raise OptionError(name, "it holds a SOCKS proxy, and the package socksio is not installed", advice)
        url = url.copy_with(scheme="socks5h" if url.scheme == "socks5h" else "socks5")
    return str(url)


def _proxy_advice(name: str) -> str:
    return f"set it to one like http://host:8080, or unset {name}"


def _variable(name: str) -> str:
    """Return *name* as the environment spells it."""
    return next((spelling for spelling in (name.lower(), name) if os.environ.get(spelling)), name)


def ssl_context() -> ssl.SSLContext:
    """
    Return the certificates that `SSL_CERT_FILE` or `SSL_CERT_DIR` names, or those that the HTTP library knows.

    Raises:
        OptionError: There are none.
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    name, path = ("SSL_CERT_FILE", file) if file else ("SSL_CERT_DIR", folder)
    if not path:
        return _certificates(None, None, 0)
    if not (Path(path).is_file() if file else Path(path).is_dir()):  # a pipe would be waited for
        kind = "file" if file else "folder"
        raise OptionError(name, f"{path} is no {kind} of certificates", f"correct it, or unset {name}")
    try:
        return _certificates(file or None, None if file else folder, Path(path).stat().st_mtime_ns)
    except (OSError, ValueError) as error:  # what is wrong with a certificate is an OSError, too
        reason = "no certificates in it" if isinstance(error, ssl.SSLError) else getattr(error, "strerror", error)
        raise OptionError(name, f"{path} cannot be used ({reason})", f"correct it, or unset {name}") from error


@lru_cache(maxsize=2)
def _certificates(file: str | None, folder: str | None, changed: int) -> ssl.SSLContext:  # noqa: ARG001 - another time, other contents
    """Return the certificates in *file* or *folder*, read once: a store with signed addresses takes a client for each of them."""
    if file is None and folder is None:
        return httpx2.create_ssl_context(trust_env=False)
    return ssl.create_default_context(cafile=file, capath=folder)


def read_answer(response: httpx2.Response) -> bytes:
    """
    Return the content of *response*.

    Raises:
        AnswerError: It is over the limit of size, or might be by far.
        httpx2.ReadTimeout: It is not whole, since its time was up.
    """
    if len(response.headers.get_list("content-encoding", split_commas=True)) > 1:
        message = "an answer that is packed more than once"  # a few bytes of it can be any number unpacked
        raise AnswerError(message)
    content = bytearray()
    for block in response.iter_bytes():
        content += block
        if len(content) > MOST_ANSWER_BYTES:
            message = f"an answer of more than {MOST_ANSWER_BYTES >> 20} MiB"
            raise AnswerError(message)
    watch: Stopwatch | None = getattr(_CURRENT, "watch", None)
    if watch is not None and watch.rang:  # where no length was declared, this looks like the end
        message = "none in time"
        raise httpx2.ReadTimeout(message)
    return bytes(content)


class Stopwatch:
    """
    Breaks off the connection of one request when its time is up.

    Timeouts of the HTTP library are for each read by itself, so that a byte a second would never end.

    Args:
        send_seconds: From the connection to the last byte sent.
        answer_seconds: From there to the last byte of the answer.
    """

    def __init__(self, send_seconds: float, answer_seconds: float) -> None:
        self._send_seconds, self._answer_seconds = send_seconds, answer_seconds
        self._socket: socket.socket | None = None
        self._timer: threading.Timer | None = None
        self.rang = False

    def __call__(self, name: str, info: dict[str, Any]) -> None:
        """Take note of an event of the connection; the `trace` extension of the HTTP library."""
        stream = info.get("return_value")
        if stream is not None and hasattr(stream, "get_extra_info"):
            self._socket = stream.get_extra_info("socket")
            if self.rang:  # before there was a connection
                self.ring()
            self._start(self._send_seconds)
        elif name.endswith("receive_response_headers.started"):
            self._start(self._answer_seconds)

    def stop(self) -> None:
        """Let the connection be."""
        if self._timer is not None:
            self._timer.cancel()

    def ring(self) -> None:
        """Break the connection off, from whatever thread."""
        self.rang = True
        if self._socket is not None:
            with suppress(OSError):  # it is closed already
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _start(self, seconds: float) -> None:
        self.stop()
        self._timer = threading.Timer(seconds, self.ring)
        self._timer.daemon = True
        self._timer.start()


@contextmanager
def timed(send_seconds: float, answer_seconds: float) -> Iterator[Stopwatch]:
    """Yield the stopwatch of the requests that this thread makes inside; the client must have been made by `open_http`."""
    watch = _CURRENT.watch = Stopwatch(send_seconds, answer_seconds)
    try:
        yield watch
    finally:
        watch.stop()
        _CURRENT.watch = None


def open_http(
    base_url: str,
    *,
    refuse_bad_status: bool = True,
    **options: Any,  # those of the library
) -> httpx2.Client:
    """
    Return an HTTP client for the one host of *base_url*.

    Args:
        base_url: The address of the host, or one below it.
        refuse_bad_status: Whether an answer with a status other than those of success is a `StatusError`.
        options: Of the library's client.

    Raises:
        OptionError: The address cannot be one, or the environment names proxies or certificates that cannot be used.
    """
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL as error:
        raise OptionError("--base-url", f"no address ({error})", "give one like https://host/v1") from error
    return httpx2.Client(
        proxy=proxy_for(url),
        verify=ssl_context(),
        trust_env=False,  # it would take the same variables, and raise what names none of them
        follow_redirects=False,  # what is sent is for this host and no other
        # The stopwatch hears of a connection when it is made, so that each request makes one.
        limits=httpx2.Limits(max_keepalive_connections=0),
        event_hooks={"request": [_set_stopwatch], "response": [_refuse_bad_status] if refuse_bad_status else []},
        **options,
    )


def _set_stopwatch(request: httpx2.Request) -> None:
    watch = getattr(_CURRENT, "watch", None)
    if watch is not None:
        request.extensions["trace"] = watch


def _refuse_bad_status(response: httpx2.Response) -> None:
    """Raise a bad status here, where its content is read within the limits."""
    if not response.is_success:
        raise StatusError(response, read_answer(response))
