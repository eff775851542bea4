"""JSONL in blocks of whole lines: split at newlines and nothing else, in memory that does not grow with the file."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from saturi.etl.errors import InputError
from saturi.etl.settings.regular import open_regular, unread_advice
from saturi.etl.storage.location import Location, ObjectPath

BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 64 << 20
"""A longer line is no example, whatever the model: it is passed over, so that memory stays bounded."""

BOM = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Whole lines in one piece, without the newline after the last; or one line that is too long, and then no content."""

    content: bytes
    too_long: bool = False


def read_blocks(path: Location) -> Iterator[bytes]:
    """
    Yield the bytes of the file, or the object, at *path*, at most `BLOCK_BYTES` at a time.

    Raises:
        InputError: It cannot be read.
    """
    try:
        with open_regular(path) as file:
            while block := file.read(BLOCK_BYTES):
                yield block
    except OSError as error:
        raise _unreadable(path, error) from error


def whole_lines(blocks: Iterable[bytes]) -> Iterator[Block]:
    """
    Yield the lines of a file, several at a time; an empty file has none.

    Args:
        blocks: Its bytes, cut anywhere.
    """
    begun: list[bytes] = []  # pieces of the line at the end of what has been read
    skipping = False
    for block in blocks:
        lines, newline, rest = block.rpartition(b"\n")
        if newline:
            if skipping:
                yield Block(b"", too_long=True)
                _, newline, lines = lines.partition(b"\n")
            if newline:
                yield Block(b"".join((*begun, lines)))
            begun, skipping = [], False
        begun.append(rest)
        skipping = skipping or sum(map(len, begun)) > MAX_LINE_BYTES
        if skipping:
            begun.clear()
    if skipping:
        yield Block(b"", too_long=True)
    elif any(begun):
        yield Block(b"".join(begun))


def file_bytes(path: Location) -> int:
    """
    Return the size of the file, or the object, at *path*.

    Raises:
        InputError: The system does not give it.
    """
    try:
        if isinstance(path, ObjectPath):
            facts = path.facts()
            return 0 if facts is None else facts.size  # whoever reads it will see that it is gone
        return path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Location, error: OSError) -> InputError:
    return InputError(str(path), f"cannot be read ({error.strerror or error})", unread_advice(path))
