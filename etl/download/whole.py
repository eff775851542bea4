"""Whether a file on the disk is whole: a zip by its directory, any file by its hash."""

import hashlib
from pathlib import Path

from saturi.etl.corpus.directory import JOIN_VOLUMES, find_directory, read_directory
from saturi.etl.corpus.mapped import MappedFile
from saturi.etl.errors import InputError, StorageError
from saturi.etl.settings.regular import open_regular

_BLOCK_BYTES = 1 << 20


def flaw_in(name: str, *paths: Path) -> str | None:
    """
    Return what is wrong with the file *name*, or None.

    Of a zip the end record and the whole directory are read, and no member; of other files nothing is known.

    Args:
        name: Its final name.
        paths: Where it lies, or where its parts do, in their order.
    """
    if not name.lower().endswith(".zip"):
        return None
    try:
        with MappedFile([str(path) for path in paths]) as file:
            for _ in read_directory(file, find_directory(file, name), name):
                pass
    except InputError as error:
        _, problem, advice = error.args
        return (
            None if advice == JOIN_VOLUMES else str(problem)
        )  # the last of several volumes has no directory of its own
    return None


def hash_of(path: Path) -> str:
    """
    Return the SHA-256 of the file at *path*.

    Raises:
        StorageError: It cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with open_regular(path) as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise StorageError(path, f"cannot be read ({error.strerror or error})", "check the disk") from error
    return digest.hexdigest()
