"""Files and objects of ours that get other names, or are removed; in object storage several at a time, since each is a request."""

import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from saturi.etl.storage.location import Location, ObjectPath

Item = TypeVar("Item")

_AT_ONCE = 8


def move(source: Location, target: Location) -> None:
    """
    Give *target* what *source* holds; in object storage a copy, as there is no other way, and *source* stays.

    Raises:
        OSError: It cannot be done.
    """
    match source, target:
        case ObjectPath(), ObjectPath():
            source.copy_to(target)
        case Path(), Path():
            source.replace(target)
        case _:
            raise TypeError(f"{source} and {target} are not in one place")


def remove(path: Location) -> None:
    """
    Remove a file, or an object; one that is not there is none to remove.

    Raises:
        OSError: It cannot be done.
    """
    if isinstance(path, ObjectPath):
        path.delete()
    else:
        path.unlink(missing_ok=True)


def remove_all(folder: Location, but: str | None = None) -> None:
    """
    Remove *folder* and all that is in it; of objects, those below the folder *but* in it stay.

    Raises:
        OSError: It cannot be done.
    """
    if not isinstance(folder, ObjectPath):
        shutil.rmtree(folder)
        return
    spared = None if but is None else folder / but
    at_once(ObjectPath.delete, [path for path, _ in folder.below() if spared is None or spared not in path.parents])


def at_once(call: Callable[[Item], None], items: Iterable[Item]) -> None:
    """Call *call* with each of *items*, some at a time."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(call, items):
            pass
