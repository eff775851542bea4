"""A store behind addresses that a provider gives out, each signed for one request: bytes go there, and no key."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import httpx2

from saturi.etl.network.http import open_http
from saturi.etl.providers.account import Account
from saturi.etl.providers.border import Border
from saturi.etl.providers.exchange import CONNECT_SECONDS, Exchange, unusable
from saturi.etl.providers.pace import Pace

_BLOCK_BYTES = 1 << 20
_NEVER_SENT = frozenset({"authorization", "cookie", "host", "content-length", "transfer-encoding"})


class SignedStore:
    """
    The store of one account; an answer of it is read within limits of time and size, and only its headers are used.

    Args:
        account: The account: where it is asked by https, so is the store.
        pace: Deadlines.
        limits: Makes texts printable, short, and free of secrets.
        exchange: What the requests go through.
    """

    def __init__(self, account: Account, pace: Pace, limits: Border, exchange: Exchange) -> None:
        self._schemes = ("https",) if account.base_url.startswith("https") else ("https", "http")
        self._pace, self._border, self._exchange = pace, limits, exchange

    def put(self, address: Any, content: BinaryIO, size: int, headers: Mapping[str, str], seconds: float) -> str | None:
        """
        Send the next *size* bytes of *content* to *address*, in at most *seconds*, and return the tag (ETag) they have there.

        Raises:
            RequestError: That failed, or *address*, any JSON, is no address to send examples to.
        """
        address = self.checked(address)
        headers = {**headers, "Content-Length": str(size)}
        timeout = httpx2.Timeout(self._pace.store_seconds, connect=min(CONNECT_SECONDS, self._pace.store_seconds))
        with open_http(address, timeout=timeout) as http:

            def call() -> AbstractContextManager[httpx2.Response]:
                return http.stream("PUT", address, content=_blocks(content, size), headers=headers)

            reply = self._exchange.reply(call, seconds, self._pace.store_seconds)
        return self._border.name(reply.headers.get("etag", "").strip('"'))

    def checked(self, address: Any) -> str:
        """
        Return *address*, which is as well encrypted as that of the account.

        Raises:
            RequestError: It is not, or none.
        """
        try:
            possible = isinstance(address, str) and self._border.text(address, len(address)) == address
            possible = possible and urlsplit(address).scheme in self._schemes and bool(urlsplit(address).hostname)
        except ValueError:  # half of the brackets of an IPv6 address
            possible = False
        if not possible:
            raise unusable("no address to send the file to")
        return str(address)

    def headers_in(self, given: Any) -> dict[str, str]:
        """
        Return the headers that an address is signed with, any JSON, but for those that are ours to set.

        Raises:
            RequestError: They are no headers.
        """
        if not isinstance(given, dict | None):
            raise unusable("no headers for the store")
        headers = {name: value for name, value in (given or {}).items() if name.lower() not in _NEVER_SENT}
        if any(not (_is_header(name) and _is_header(value)) for name, value in headers.items()):
            raise unusable("no headers for the store")
        return headers


def _is_header(text: Any) -> bool:
    return isinstance(text, str) and text.isascii() and text.isprintable()


def _blocks(content: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (block := content.read(min(_BLOCK_BYTES, size))):
        size -= len(block)
        yield block
