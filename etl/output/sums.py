"""
`SHA256SUMS`: the files that were written into a folder, by the hash of their content, in the form that `sha256sum -c` reads.

It tells what is damaged, and, when the folder is written again, what is ours to replace: whatever is not in it stays.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from saturi.etl.output.files import write_whole
from saturi.etl.settings.regular import open_regular, read_regular
from saturi.etl.storage.location import Location

SUMS = "SHA256SUMS"

Sums = Mapping[str, frozenset[str]]
"""Hashes by path below the folder, with forward slashes; several while one content takes the place of another."""

_BLOCK_BYTES = 1 << 20
_LINE = re.compile(r"([0-9a-f]{64})  ([^\r\n]+)")


def file_sha256(path: Location) -> str:
    """
    Return the hash of the file, or the object, at *path*.

    Raises:
        OSError: It cannot be read, or is no regular file.
    """
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def read_sums(folder: Location) -> dict[str, frozenset[str]]:
    """
    Return what the list in *folder* holds: nothing where there is none; lines that are none of a list are left out.

    Raises:
        OSError: It cannot be read.
    """
    try:
        lines = read_regular(folder / SUMS).decode(errors="replace").split("\n")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    sums: dict[str, frozenset[str]] = {}
    for match in filter(None, map(_LINE.fullmatch, lines)):
        sums[match[2]] = sums.get(match[2], frozenset()) | {match[1]}
    return sums


def write_sums(folder: Path, sums: Mapping[str, Iterable[str]]) -> None:
    """
    Write the list of *folder*.

    Raises:
        StorageError: It cannot be written.
    """
    lines = [f"{digest}  {path}\n".encode() for path in sorted(sums) for digest in sorted(sums[path])]
    write_whole(folder / SUMS, lines)


def joined(*several: Sums) -> dict[str, frozenset[str]]:
    """Return all paths and hashes of *several* lists."""
    paths = {path for sums in several for path in sums}
    return {path: frozenset().union(*(sums.get(path, frozenset()) for sums in several)) for path in paths}
