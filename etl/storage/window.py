"""A window on an object: any bytes of it, read by blocks, so that small reads are no requests of their own."""

import errno

from saturi.etl.storage.location import ObjectPath

_BLOCK_BYTES = 8 << 20


class Window:
    """
    The object at *path*, of which one block is held.

    All blocks are of one and the same object.

    Raises:
        FileNotFoundError: There is no such object.
        ChangedError: While reading: it is another one by now.
        OSError: The storage does not answer.
    """

    def __init__(self, path: ObjectPath) -> None:
        facts = path.facts()
        if facts is None:
            raise FileNotFoundError(errno.ENOENT, "no such object", str(path))
        self._path, self._facts = path, facts
        self._start = 0
        self._block = memoryview(b"")

    def read(self, start: int, most: int, stop: int) -> memoryview:
        """
        Return 1 to *most* bytes from *start* on; none at the end of the object.

        Args:
            start: Position of the first.
            most: How many are wanted.
            stop: Position up to which the reader will go on, and no byte behind it is read.
        """
        if not self._start <= start < self._start + len(self._block):
            stop = min(start + _BLOCK_BYTES, stop, self._facts.size)
            self._start, self._block = start, self._path.read_range(start, stop, self._facts.etag)
        return self._block[start - self._start :][:most]
