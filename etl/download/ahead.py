"""Reading ahead: a thread that takes blocks from the network as they come, so that it does not wait for the disk."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from saturi.etl.download.attempts import BrokenTransferError

MOST_BYTES = 56 << 20
"""
Kept in memory at once for one transfer: half a minute of AI-Hub's 2 MB/s, and as much as two may take of 200 MiB.

A disk that is silent for longer is waited for after all, since nothing else has room for what comes.
"""

END = b""
"""What is returned where the blocks end."""


class _Queue:
    """Blocks between the thread that reads them and the one that writes them."""

    def __init__(self) -> None:
        self._blocks: deque[bytes] = deque()
        self._bytes = 0
        self._failure: BrokenTransferError | None = None
        self._ended = self._closed = False
        self._changed = threading.Condition()

    def put(self, block: bytes) -> bool:
        """Add *block*, and return whether more are wanted."""
        with self._changed:
            self._changed.wait_for(lambda: self._bytes < MOST_BYTES or self._closed)
            self._blocks.append(block)
            self._bytes += len(block)
            self._changed.notify_all()
            return not self._closed

    def end(self, failure: BrokenTransferError | None = None) -> None:
        """Say that no block will follow."""
        with self._changed:
            self._failure, self._ended = failure, True
            self._changed.notify_all()

    def close(self) -> None:
        """Say that no block is wanted any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def get(self) -> bytes:
        """Return the next block, or `END`."""
        with self._changed:
            self._changed.wait_for(lambda: self._blocks or self._ended)
            if not self._blocks:
                if self._failure is not None:
                    raise self._failure
                return END
            block = self._blocks.popleft()
            self._bytes -= len(block)
            self._changed.notify_all()
            return block


@contextmanager
def read_ahead(blocks: Iterator[bytes], abort: Callable[[], None]) -> Iterator[Callable[[], bytes]]:
    """
    Yield a function that returns the next of *blocks*, which a thread takes as they come.

    Args:
        blocks: None of them is empty.
        abort: Ends *blocks* soon, from another thread; called where they are not wanted to their end.

    Raises:
        BrokenTransferError: From the function, where the blocks broke off.
    """
    queue = _Queue()

    def read() -> None:
        try:
            for block in blocks:
                if block and not queue.put(block):
                    return
        except BrokenTransferError as error:
            queue.end(error)
        else:
            queue.end()

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield queue.get
    finally:
        queue.close()
        abort()
        thread.join()
