"""The answer to a request for an archive: a tar, block by block as it comes, or a text in its place."""

import tarfile
from collections.abc import Iterator

from saturi.etl.download.connections import broken
from saturi.etl.download.sentences import asks_for_key, sentence_in
from saturi.etl.network.http import Stopwatch

_MOST_TEXT = 64 << 10
_UNAUTHORIZED = (401, 403)


class Stream:
    """
    An answer, of which the first block is read, or all of what is no tar: in time, which a tar as a whole need not be.

    Args:
        status: Its status.
        blocks: Its content.
        watch: Its stopwatch.

    Raises:
        BrokenTransferError: It breaks off before.
    """

    def __init__(self, status: int, blocks: Iterator[bytes], watch: Stopwatch) -> None:
        self.status, self._blocks, self._watch = status, blocks, watch
        with broken():
            self._first = _take(self._blocks, tarfile.BLOCKSIZE)
            self.is_tar = _is_tar(self._first)
            self.text = b"" if self.is_tar else self._first + _take(self._blocks, _MOST_TEXT)
        watch.stop()

    @property
    def asks_for_key(self) -> bool:
        """Whether it says that the key is missing, by its status or in words."""
        return not self.is_tar and (self.status in _UNAUTHORIZED or asks_for_key(sentence_in(self.text)))

    def blocks(self) -> Iterator[bytes]:
        """
        Yield the blocks of the tar.

        Raises:
            BrokenTransferError: The connection breaks, or is silent for too long.
        """
        yield self._first
        with broken():
            yield from self._blocks

    def abort(self) -> None:
        """Break the connection off, also while another thread reads from it."""
        self._watch.ring()


def _take(blocks: Iterator[bytes], least: int) -> bytes:
    """Return the next blocks, of *least* bytes together; fewer only where they end."""
    taken = bytearray()
    while len(taken) < least and (block := next(blocks, None)) is not None:
        taken += block
    return bytes(taken)


def _is_tar(first: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(first[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True
