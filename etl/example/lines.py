"""Read JSONL in blocks of whole lines: split at newlines and nothing else, in memory that does not grow with the file."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from etl.errors import InputError

BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 64 << 20
"""A longer line is no example, whatever the model: it is passed over, so that memory stays bounded."""

BOM = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Whole lines in one piece, without the newline after the last; or one line that is too long, and then no content."""

    content: bytes
    too_long: bool = False


def read_blocks(path: Path) -> Iterator[Block]:
    """
    Yield the lines of the file at *path*, a block at a time; an empty file has none.

    Raises:
        InputError: It cannot be read.
    """
    begun: list[bytes] = []  # pieces of the line at the end of what has been read
    skipping = False
    try:
        with path.open("rb", buffering=0) as file:
            while read := file.read(BLOCK_BYTES):
                lines, newline, rest = read.rpartition(b"\n")
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
    except OSError as error:
        raise _unreadable(path, error) from error
    if skipping:
        yield Block(b"", too_long=True)
    elif any(begun):
        yield Block(b"".join(begun))


def file_bytes(path: Path) -> int:
    """
    Return the size of the file at *path*.

    Raises:
        InputError: It cannot be asked.
    """
    try:
        return path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(str(path), f"cannot be read ({error.strerror})", "check the path and its permissions")
