"""Connections to AI-Hub's hosts: one for each request, all of which can be broken off; no redirect is followed."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx2

from saturi.etl.download.addresses import url_of
from saturi.etl.download.attempts import Attempts, BrokenTransferError
from saturi.etl.errors import ProviderError
from saturi.etl.network.http import Stopwatch, open_http, read_answer, timed
from saturi.etl.version import __version__


class Connections:
    """
    Connections of one run.

    Args:
        attempts: Limits of time.
    """

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts
        self._clients: dict[str, httpx2.Client] = {}
        self._watches: set[Stopwatch] = set()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of all clients."""
        for client in self._clients.values():
            client.close()

    def stop(self) -> None:
        """Break off all requests, from whatever thread, also those that wait for an answer."""
        with self._lock:
            for watch in self._watches:
                watch.ring()

    def get(self, address: str, headers: Mapping[str, str], method: str = "GET") -> tuple[int, bytes]:
        """
        Return status and content of a short answer.

        Raises:
            BrokenTransferError: There is none in time.
        """
        with self.opened(address, headers, method) as (response, _), broken():
            return response.status_code, read_answer(response)

    @contextmanager
    def opened(
        self, address: str, headers: Mapping[str, str], method: str = "GET"
    ) -> Iterator[tuple[httpx2.Response, Stopwatch]]:
        """
        Yield the answer to a request, whose content is still to be read, and the stopwatch that runs until it is stopped.

        Raises:
            BrokenTransferError: There is none.
        """
        url, seconds = url_of(address), self._attempts.patience.answer_seconds
        client = self.client(url)
        request = client.build_request(method, url, headers=headers)
        with timed(seconds, seconds) as watch:
            with self._lock:
                self._watches.add(watch)
            try:
                self._attempts.refuse_stopped()
                with broken():
                    response = client.send(request, stream=True)
                try:
                    yield response, watch
                finally:
                    response.close()
            finally:
                with self._lock:
                    self._watches.discard(watch)

    def client(self, url: httpx2.URL) -> httpx2.Client:
        """
        Return the client for the host of *url*, which may have a proxy of its own.

        Raises:
            OptionError: The environment names a proxy or certificates that cannot be used.
        """
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


@contextmanager
def broken() -> Iterator[None]:
    """Translate errors of the HTTP library; their own texts are not shown, since addresses in them are for one user."""
    try:
        yield
    except httpx2.ConnectError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            problem = "the certificate of its server, or of a proxy in between, is not one to trust"
            advice = "check the proxy; its certificates may be named by SSL_CERT_FILE"
            raise ProviderError("AI-Hub", problem, advice) from error
        raise BrokenTransferError("there is no connection") from error
    except httpx2.TimeoutException as error:
        raise BrokenTransferError("nothing came for too long") from error
    except httpx2.ProxyError as error:
        raise BrokenTransferError("the proxy refuses the connection") from error
    except (httpx2.HTTPError, httpx2.StreamError) as error:
        raise BrokenTransferError(f"the connection broke off ({type(error).__name__})") from error
