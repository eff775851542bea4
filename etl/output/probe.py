"""
The probe of object storage: whether it keeps what claims rely on, tried out before anything else is written there.

Some servers that speak S3 ignore the condition of a conditional write, or keep it only while one writer comes after the other;
some answer ranges with other bytes (measured November 2026). One that does not know how to copy stores an object of no bytes.
"""

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from saturi.etl.errors import StorageError
from saturi.etl.output.files import storage_errors
from saturi.etl.storage.client import impatient
from saturi.etl.storage.location import ObjectPath

_RACERS = 8
_BYTES = 64
ADVICE = "give --out (and --stage) on a disk, and copy it there when it is built, or give another storage"

PROBE = "probe-"
"""What begins the names of the objects that are written to try."""


def probe(folder: ObjectPath) -> int:
    """
    Try out the storage with objects in *folder*, which are removed again.

    Returns:
        The time by the clock of the storage, in nanoseconds.

    Raises:
        StorageError: It cannot be written to, or does not keep what it is relied on for.
    """
    path = folder / f"{PROBE}{secrets.token_hex(8)}"
    race = path.with_name(f"{path.name}-race")
    with storage_errors(folder, 0):
        try:
            now_ns = _try_ranges(path)
            _try_race(race)
            _try_copy(path, race)
        except OSError:
            with suppress(OSError), impatient():  # whoever holds the folder next removes what is left
                path.delete()
                race.delete()
            raise
        path.delete()
        race.delete()
    return now_ns


def _try_ranges(path: ObjectPath) -> int:
    """Create an object, be refused the second time, and read a range of it; return its time."""
    content = secrets.token_bytes(_BYTES)
    with impatient():  # a wrong key is met here
        path.create(content)
    facts = path.facts()
    if path.create(secrets.token_bytes(_BYTES)) or facts is None:
        raise _lie(path)
    there = bytes(path.read_range(_BYTES // 4, _BYTES // 2, facts.etag))
    if there != content[_BYTES // 4 : _BYTES // 2]:
        raise StorageError(str(path.parent), "this storage answers a range with other bytes", ADVICE)
    return facts.modified_ns


def _try_race(path: ObjectPath) -> None:
    """Let several writers race for a name: one of them has to win."""
    contents = [secrets.token_bytes(_BYTES) for _ in range(_RACERS)]
    with ThreadPoolExecutor(_RACERS) as racers:
        won = [content for content, one in zip(contents, racers.map(path.create, contents), strict=True) if one]
    if len(won) > 1 or path.read_bytes() not in (won or contents):  # none won where an answer was lost
        raise _lie(path)


def _try_copy(path: ObjectPath, target: ObjectPath) -> None:
    """Let the storage copy an object to a name that is taken."""
    path.copy_to(target)
    if target.read_bytes() != path.read_bytes():
        raise StorageError(str(path.parent), "this storage copies an object to other bytes", ADVICE)


def _lie(path: ObjectPath) -> StorageError:
    return StorageError(str(path.parent), "this storage lets two writers win one name", ADVICE)
