"""
AI-Hub over HTTP: lists, details, and the stream of one archive; the only module that talks to it.

Its status says nothing: lists and refusals come with 502 alike, and only the body tells. The answer to a download is one
redirect to another of its hosts, and what comes from there is a tar without a length that cannot be resumed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from saturi.etl.download.addresses import API, PORTAL, redirect_target, url_of
from saturi.etl.download.attempts import Attempts, BrokenTransferError
from saturi.etl.download.connections import Connections
from saturi.etl.download.inventory import Inventory, read_inventory
from saturi.etl.download.news import Remark
from saturi.etl.download.options import FetchOptions
from saturi.etl.download.sentences import asks_for_key, refusal_in, sentence_in, text_in, wrong_key
from saturi.etl.download.stream import Stream
from saturi.etl.download.tree import Tree, read_tree
from saturi.etl.errors import OptionError
from saturi.etl.network.http import stays_here
from saturi.etl.settings.keys import as_header, key_in

KEY_VARIABLE = "AIHUB_APIKEY"
"""As in AI-Hub's own shell script."""

_INTERFACE = "0.6"  # version of the download interface, in its path
_REDIRECTS = (301, 302, 303, 307, 308)
_NO_DATA_SET = (403, 404)


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
        self._api = (options.base_url or API).rstrip("/")
        self._portal = options.base_url.rstrip("/") if options.base_url else PORTAL
        self._attempts = attempts
        self._key = _read_key(options)
        self._key_place = str(options.key_file) if options.key_file is not None else KEY_VARIABLE
        self._connections = Connections(attempts)
        self._hosts_with_key: set[bytes] = set()
        self._connections.client(url_of(self._api))
        if not self._api.startswith("https://") and not stays_here(self._api):
            raise OptionError("--base-url", "the key would be sent unencrypted", "give one that begins with https://")

    def __enter__(self) -> "Hub":
        return self

    def __exit__(self, *_: object) -> None:
        self._connections.close()

    def stop(self) -> None:
        """Break off all requests, from whatever thread."""
        self._connections.stop()

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
        attempts = self._attempts.patience.answer_attempts
        return self._attempts.repeat(f"list of data set {data_set}", lambda: self._tree(data_set), attempts)

    def _tree(self, data_set: int) -> Tree:
        status, content = self._connections.get(f"{self._api}/info/{data_set}.do", {})
        tree = read_tree(text_in(content))
        if tree.files:
            return tree
        if tree.unread:
            raise BrokenTransferError(f"none of its {tree.unread} rows names a file that can be stored")
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
            _, content = self._connections.get(f"{self._portal}/mcp/dataSetDetail.do?dataSetSn={data_set}", headers)
        except BrokenTransferError:
            return Inventory({}, None)
        return read_inventory(content)

    def probe(self, data_set: int, file_number: int) -> None:
        """
        Ask for a file of *data_set*, of which only the first bytes are read.

        Raises:
            OptionError: The key is wrong, or there is no such file.
            EligibilityError: There is no approval, it has expired, or the connection is from abroad.
            ProviderError: AI-Hub does not answer, or with something else.
        """

        def look() -> None:
            with self.stream(data_set, file_number):
                return

        attempts = self._attempts.patience.answer_attempts
        self._attempts.repeat(f"approval check of data set {data_set}", look, attempts)

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
            with self._connections.opened(address, key) as (response, watch):
                if response.status_code not in _REDIRECTS:
                    yield self._tar_of(Stream(response.status_code, response.iter_raw(), watch), data_set, file_number)
                    return
                target = redirect_target(address, response.headers.get("location", ""))
            host = url_of(target)
            has_key = host.netloc in self._hosts_with_key
            with self._connections.opened(target, key if has_key else {}) as (response, watch):
                stream = Stream(response.status_code, response.iter_raw(), watch)
                if has_key or not stream.asks_for_key:
                    yield self._tar_of(stream, data_set, file_number)
                    return
            self._hosts_with_key.add(host.netloc)
            self._attempts.report(
                Remark(f"{host.host}, where AI-Hub redirects to, asks for the key, and gets it from now on")
            )

    def _tar_of(self, stream: Stream, data_set: int, file_number: int) -> Stream:
        """Return *stream*, which is a tar."""
        if stream.is_tar:
            return stream
        sentence = sentence_in(stream.text, self._key)
        refusal = refusal_in(sentence, data_set, file_number)
        if refusal is None:
            raise BrokenTransferError(f"no tar came (status {stream.status}: {sentence or 'nothing'})")
        raise wrong_key(self._key_place) if asks_for_key(sentence) and self._is_wrong_key() else refusal

    def _is_wrong_key(self) -> bool:
        """Return whether AI-Hub says that it does not know the key; it may not say so although it does not."""
        try:
            _, content = self._connections.get(
                f"{self._api}/api/keyValidate.do", {"apikey": self.refuse_without_key()}, method="POST"
            )
            answer = msgspec.json.decode(content)
        except (BrokenTransferError, ValueError, RecursionError):
            return False
        return isinstance(answer, dict) and answer.get("code") in (401, "401")


def _read_key(options: FetchOptions) -> str | None:
    if options.key_file is not None:
        return key_in(options.key_file)
    key = os.environ.get(KEY_VARIABLE, "").strip()
    return as_header(KEY_VARIABLE, key) if key else None
