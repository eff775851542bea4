"""
AI-Hub over HTTP: lists, details, and the stream of one archive; the only module that talks to it.

Its status says nothing: lists and refusals come with 502 alike, and only the body tells. The answer to a download is one
redirect to another of its hosts, and what comes from there is a tar without a length that cannot be resumed.
"""

import os
import socket
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import httpx2
import msgspec

from saturi.etl.download.attempts import Attempts, BrokenTransferError
from saturi.etl.download.inventory import Inventory, read_inventory
from saturi.etl.download.news import Remark
from saturi.etl.download.options import FetchOptions
from saturi.etl.download.sentences import KEY_OR_APPROVAL, refusal_in, sentence_in, wrong_key
from saturi.etl.download.tree import Tree, read_tree
from saturi.etl.errors import EtlError, OptionError, ProviderError
from saturi.etl.network.http import open_http, read_answer, stays_here, timed
from saturi.etl.output.printable import printable
from saturi.etl.settings.keys import as_header, key_in
from saturi.etl.version import __version__

KEY_VARIABLE = "AIHUB_APIKEY"
"""As in AI-Hub's own shell script."""

_API, _PORTAL, _SITE = "https://api.aihub.or.kr", "https://aihub.or.kr", "aihub.or.kr"
_INTERFACE = "0.6"  # version of the download interface, in its path
_MOST_TEXT = 64 << 10
_REDIRECTS = (301, 302, 303, 307, 308)
_UNAUTHORIZED = (401, 403)
_NO_DATA_SET = (403, 404)


class Stream:
    """
    The tar of one archive, block by block as it comes.

    Args:
        response: The answer.
        first: The first bytes of it.
        blocks: The rest.
    """

    def __init__(self, response: httpx2.Response, first: bytes, blocks: Iterator[bytes]) -> None:
        self._response, self._first, self._blocks = response, first, blocks

    def blocks(self) -> Iterator[bytes]:
        """
        Yield the blocks.

        Raises:
            BrokenTransferError: The connection breaks, or is silent for too long.
        """
        yield self._first
        with _broken():
            yield from self._blocks

    def abort(self) -> None:
        """Break the connection off, also while another thread reads from it."""
        connection = self._response.extensions["network_stream"].get_extra_info("socket")
        with suppress(OSError):  # it is closed already
            socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Answer:
    """
    The answer to a request for an archive, of which the first block is read, or all of what is no tar.

    Raises:
        BrokenTransferError: It breaks off before.
    """

    def __init__(self, response: httpx2.Response) -> None:
        blocks = response.iter_raw()
        with _broken():
            first = _take(blocks, tarfile.BLOCKSIZE)
            self.is_tar = _is_tar(first)
            self.body = first if self.is_tar else first + _take(blocks, _MOST_TEXT)
        self.status = response.status_code
        self.stream = Stream(response, first, blocks)

    @property
    def asks_for_key(self) -> bool:
        """Whether it says that the key is missing, by its status or in words."""
        words = KEY_OR_APPROVAL.search(sentence_in(self.body))
        return not self.is_tar and (self.status in _UNAUTHORIZED or words is not None)


class Hub:
    """
    AI-Hub as one user.

    Args:
        options: Where it is, and where the key is.
        attempts: Limits of time, and who hears of what.

    Raises:
        OptionError: The address or the key cannot be used.
    """

    def __init__(self, options: FetchOptions, attempts: Attempts) -> None:
        self._api = (options.base_url or _API).rstrip("/")
        self._portal = options.base_url.rstrip("/") if options.base_url else _PORTAL
        self._attempts = attempts
        self._key = _read_key(options)
        self._key_place = str(options.key_file) if options.key_file is not None else KEY_VARIABLE
        self._clients: dict[str, httpx2.Client] = {}
        self._streams: set[Stream] = set()
        self._lock = threading.Lock()
        self._passes_key_on = False
        self._client(_url(self._api))
        if not self._api.startswith("https://") and not stays_here(self._api):
            raise OptionError("--base-url", "the key would be sent unencrypted", "give one that begins with https://")

    def __enter__(self) -> "Hub":
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()

    def stop(self) -> None:
        """Break off all streams, from whatever thread."""
        with self._lock:
            for stream in self._streams:
                stream.abort()

    def refuse_without_key(self) -> str:
        """
        Return the key.

        Raises:
            OptionError: There is none.
        """
        if self._key is None:
            advice = (
                "set it there (마이페이지 at aihub.or.kr has it), or name a file by key_file under [fetch] in etl.toml"
            )
            raise OptionError(KEY_VARIABLE, "no key for AI-Hub: the environment has no such variable", advice)
        return self._key

    def tree(self, data_set: int) -> Tree:
        """
        Return the list of the files of *data_set*; no key is sent for it.

        Raises:
            OptionError: There is no such data set.
            EligibilityError: AI-Hub refuses to answer.
            ProviderError: It does not answer, or with something else.
        """
        return self._attempts.repeat(f"list of data set {data_set}", lambda: self._tree(data_set))

    def _tree(self, data_set: int) -> Tree:
        status, content = self._get(f"{self._api}/info/{data_set}.do", {})
        tree = read_tree(content.decode("utf-8", "replace"))
        if tree.files:
            return tree
        sentence = sentence_in(content, self._key)
        refusal = refusal_in(sentence, data_set)
        if refusal is None and status in _NO_DATA_SET:
            problem = f"AI-Hub does not offer it (status {status}: {sentence})"
            refusal = OptionError(f"data set {data_set}", problem, "see its number in the address of its page")
        raise refusal or BrokenTransferError(f"no list came (status {status}: {sentence or 'nothing'})")

    def inventory(self, data_set: int) -> Inventory:
        """Return the exact sizes of *data_set*; nothing where there is no key, or no answer of the form that is known."""
        if self._key is None:
            return Inventory({}, None)
        headers = {"X-API-KEY": self._key, "X-MCP-Client": "saturi", "X-MCP-Tool": "getDataSet"}
        try:
            _, content = self._get(f"{self._portal}/mcp/dataSetDetail.do?dataSetSn={data_set}", headers)
        except BrokenTransferError:
            return Inventory({}, None)
        return read_inventory(content)

    def probe(self, data_set: int, file_number: int) -> None:
        """
        Return where AI-Hub sends a file of *data_set*, of which only the first bytes are read.

        Raises:
            OptionError: The key is wrong, or there is no such file.
            EligibilityError: There is no approval, it has expired, or the connection is from abroad.
            ProviderError: AI-Hub does not answer, or with something else.
        """

        def look() -> None:
            with self.stream(data_set, file_number):
                return

        self._attempts.repeat(f"approval check of data set {data_set}", look)

    @contextmanager
    def stream(self, data_set: int, file_number: int) -> Iterator[Stream]:
        """
        Yield the tar of one file; whatever is not read of it is given up.

        Raises:
            BrokenTransferError: It does not begin.
            OptionError, EligibilityError, ProviderError: AI-Hub refuses.
        """
        key = {"apikey": self.refuse_without_key()}
        address = f"{self._api}/down/{_INTERFACE}/{data_set}.do?fileSn={file_number}"
        while True:
            passed_on = self._passes_key_on
            with self._answer(address, key) as response:
                if response.status_code not in _REDIRECTS:
                    yield from self._streamed(_Answer(response), data_set)
                    return
                target = redirect_target(address, response.headers.get("location", ""))
            with self._answer(target, key if passed_on else {}) as response:
                answer = _Answer(response)
                if passed_on or not answer.asks_for_key:
                    yield from self._streamed(answer, data_set)
                    return
            self._passes_key_on = True
            host = _url(target).host
            self._attempts.report(
                Remark(f"{host}, where AI-Hub redirects to, asks for the key, and gets it from now on")
            )

    def _streamed(self, answer: "_Answer", data_set: int) -> Iterator[Stream]:
        """Yield the stream of *answer*, once, if it is a tar."""
        if not answer.is_tar:
            raise self._refusal(answer, data_set)
        with self._lock:
            self._streams.add(answer.stream)
        try:
            self._attempts.refuse_stopped()
            yield answer.stream
        finally:
            with self._lock:
                self._streams.discard(answer.stream)

    def _refusal(self, answer: "_Answer", data_set: int) -> EtlError | BrokenTransferError:
        """Return the error for *answer*, which is no tar."""
        sentence = sentence_in(answer.body, self._key)
        refusal = refusal_in(sentence, data_set)
        if refusal is None:
            return BrokenTransferError(f"no tar came (status {answer.status}: {sentence or 'nothing'})")
        if KEY_OR_APPROVAL.search(sentence) and self._is_wrong_key():
            return wrong_key(self._key_place)
        return refusal

    def _is_wrong_key(self) -> bool:
        """Return whether AI-Hub says that it does not know the key; it may not say so although it does not."""
        try:
            _, content = self._get(
                f"{self._api}/api/keyValidate.do", {"apikey": self.refuse_without_key()}, method="POST"
            )
            answer = msgspec.json.decode(content)
        except (BrokenTransferError, ValueError, RecursionError):
            return False
        return isinstance(answer, dict) and answer.get("code") in (401, "401")

    def _get(self, address: str, headers: Mapping[str, str], method: str = "GET") -> tuple[int, bytes]:
        """Return status and content of a short answer."""
        with self._answer(address, headers, method, short=True) as response, _broken():
            return response.status_code, read_answer(response)

    @contextmanager
    def _answer(
        self, address: str, headers: Mapping[str, str], method: str = "GET", *, short: bool = False
    ) -> Iterator[httpx2.Response]:
        """Yield the answer to a request, whose content is still to be read; in time as a whole where it is *short*."""
        url, seconds = _url(address), self._attempts.patience.answer_seconds
        client = self._client(url)
        request = client.build_request(method, url, headers=headers)
        with timed(seconds, seconds) as watch:
            with _broken():
                response = client.send(request, stream=True)
            if not short:
                watch.stop()
            try:
                yield response
            finally:
                response.close()

    def _client(self, url: httpx2.URL) -> httpx2.Client:
        """Return the client for the host of *url*, which may have a proxy of its own."""
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        patience = self._attempts.patience
        with self._lock:
            if origin not in self._clients:
                self._clients[origin] = open_http(
                    origin,
                    refuse_bad_status=False,
                    timeout=httpx2.Timeout(patience.read_seconds, connect=patience.connect_seconds),
                    headers={"User-Agent": f"saturi/{__version__}", "Accept-Encoding": "identity"},
                )
            return self._clients[origin]


def _url(address: str) -> httpx2.URL:
    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL as error:
        raise OptionError("--base-url", f"no address ({error})", "give one like http://127.0.0.1:8080") from error
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        problem = "no address, or one with a password"
        raise OptionError("--base-url", problem, "give one like http://127.0.0.1:8080")
    return url


def redirect_target(address: str, location: str) -> str:
    """
    Return where *location*, the answer to a request to *address*, leads.

    Raises:
        ProviderError: To another site, or not encrypted as the request was.
    """
    first = _url(address)
    try:
        target = first.join(location)
    except httpx2.InvalidURL:
        target = httpx2.URL("")
    own = _SITE if _is_below(first.host, _SITE) else first.host
    if target.scheme == first.scheme and not target.userinfo and _is_below(target.host, own):
        return str(target)
    shown = printable(target.host, 200) or "no address"
    problem = f"it redirects to {shown}, which is not {own} over {first.scheme}"
    raise ProviderError("AI-Hub", problem, "nothing was asked there; check the network, and its proxy")


def _is_below(host: str, site: str) -> bool:
    """Return whether *host* is *site*, or one of its hosts."""
    return host == site or host.endswith(f".{site}")


def _read_key(options: FetchOptions) -> str | None:
    if options.key_file is not None:
        return key_in(options.key_file)
    key = os.environ.get(KEY_VARIABLE, "").strip()
    return as_header(KEY_VARIABLE, key) if key else None


def _take(blocks: Iterator[bytes], least: int) -> bytes:
    """Return the next blocks, of *least* bytes together; fewer only where they end."""
    taken = b""
    while len(taken) < least and (block := next(blocks, None)) is not None:
        taken += block
    return taken


def _is_tar(first: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(first[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


@contextmanager
def _broken() -> Iterator[None]:
    """Translate errors of the HTTP library; their own texts are not shown, since addresses in them are for one user."""
    try:
        yield
    except httpx2.ConnectError as error:
        raise BrokenTransferError("there is no connection") from error
    except httpx2.TimeoutException as error:
        raise BrokenTransferError("nothing came for too long") from error
    except (httpx2.HTTPError, httpx2.StreamError) as error:
        raise BrokenTransferError(f"the connection broke off ({type(error).__name__})") from error
