"""
Zips that were left in parts, as AI-Hub's own shell script leaves them: an empty or half-merged zip beside its parts.

Parts whose offsets follow one another are joined; nothing is deleted, and parts stay where they are.
"""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from saturi.etl.corpus.opening import facts_of
from saturi.etl.corpus.parts import Part, gap_in, part_of
from saturi.etl.download.whole import flaw_in
from saturi.etl.errors import InputError, MissingPathError
from saturi.etl.output.debris import is_debris
from saturi.etl.output.files import MARKER, is_there, link_whole, storage_errors, sync_folder, write_whole
from saturi.etl.settings.paths import path_of
from saturi.etl.settings.regular import open_regular
from saturi.schemas.fetch import RepairedArchive

_BLOCK_BYTES = 1 << 20
_ASIDE = ".broken"
"""Ending of a zip that is not whole, once the joined one has its name."""


def repair(folder: str | Path) -> list[RepairedArchive]:
    """
    Join the parts of every zip below *folder* whose offsets are whole, and return each zip that has parts.

    A zip that is whole is left alone. One that is empty is replaced; one that is not whole keeps its bytes, and gets
    `.broken` at the end of its name.

    Raises:
        MissingPathError: There is no such folder.
        InputError: It cannot be listed.
        StorageError: A zip cannot be written.
    """
    folder = path_of(folder, "--repair")
    if not folder.is_dir():
        raise MissingPathError(str(folder), "there is no such folder", "check the spelling")
    return [_repair(zip_path, parts, folder) for zip_path, parts in sorted(_sets(folder).items())]


def _sets(folder: Path) -> dict[Path, list[tuple[Part, Path]]]:
    """Return the parts by offset of every zip below *folder*, in their order."""

    def fail(error: OSError) -> None:
        raise InputError(str(error.filename or folder), f"cannot be listed ({error.strerror})", "check its permissions")

    sets: dict[Path, list[tuple[Part, Path]]] = {}
    for here, below, names in os.walk(folder, onerror=fail):
        if MARKER in names:
            below.clear()
            continue
        for name in names:
            part, path = part_of(name), Path(here) / name
            if part is not None and not part.numbered and not is_debris(name) and path.is_file():
                sets.setdefault(path.with_name(part.stem), []).append((part, path))
    for parts in sets.values():
        parts.sort(key=lambda row: row[0].place)
    return sets


def _repair(zip_path: Path, parts: list[tuple[Part, Path]], folder: Path) -> RepairedArchive:
    state = partial(RepairedArchive, path=zip_path.relative_to(folder).as_posix())
    there = is_there(zip_path)
    if there and flaw_in(zip_path.name, zip_path) is None:
        return state(state="whole", detail=f"{len(parts)} parts are left over beside it")
    found = "an empty or half-merged zip beside its parts" if there else "its parts alone"
    gap = gap_in(parts)
    if gap is not None:
        return state(state="incomplete", detail=f"{found}; {gap[1]}")
    paths = [path for _, path in parts]
    flaw = flaw_in(zip_path.name, *paths)
    if flaw is not None:
        return state(
            state="incomplete", detail=f"{found}; they follow one another, but joined they are no whole zip: {flaw}"
        )
    aside = zip_path.with_name(zip_path.name + _ASIDE)
    if there and facts_of(str(zip_path)).size:
        if is_there(aside):
            return state(
                state="incomplete", detail=f"{found}; {aside.name} is there already, so that nothing was moved"
            )
        link_whole(zip_path, aside)
        found += f", which is {aside.name} now"
    write_whole(zip_path, _contents(paths))
    with storage_errors(zip_path, 0):
        sync_folder(zip_path.parent)
    return state(state="joined", detail=f"{found}: {len(paths)} parts, which can be deleted")


def _contents(paths: list[Path]) -> Iterator[bytes]:
    for path in paths:
        try:
            with open_regular(path) as file:
                while block := file.read(_BLOCK_BYTES):
                    yield block
        except OSError as error:
            raise InputError(str(path), f"cannot be read ({error.strerror or error})", "check the disk") from error
