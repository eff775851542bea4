"""
Zips that were left in parts, as AI-Hub's own shell script leaves them: an empty or half-merged zip beside its parts.

Parts whose offsets follow one another are joined; nothing is deleted, and parts stay where they are.
"""

import filecmp
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from saturi.etl.corpus.opening import facts_of
from saturi.etl.corpus.parts import Part, gap_in, part_of
from saturi.etl.download.whole import flaw_in
from saturi.etl.errors import InputError, MissingPathError
from saturi.etl.output.debris import is_debris
from saturi.etl.output.files import (
    MARKER,
    PendingFile,
    is_link,
    is_there,
    link_whole,
    storage_errors,
    sweep,
    sync_folder,
)
from saturi.etl.settings.paths import path_of
from saturi.etl.settings.regular import open_regular
from saturi.schemas.fetch import RepairedArchive

_BLOCK_BYTES = 1 << 20
_ASIDE = ".broken"
"""Ending of a zip that is not whole, once the joined one has its name."""


def repair(folder: str | Path) -> list[RepairedArchive]:
    """
    Join the parts of every zip below *folder* whose offsets are whole, and return each zip that has parts.

    A zip that is whole, and holds what its parts do, is left alone. One that is empty is replaced; one that is not whole, or
    was merged in another order, keeps its bytes, and gets `.broken` at the end of its name. What is no plain file stays.

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
    there, paths = is_there(zip_path), [path for _, path in parts]
    before = "an empty or half-merged zip beside its parts" if there else "its parts alone"
    gap = gap_in([(part, str(path), facts_of(str(path)).size) for part, path in parts])
    if there and flaw_in(zip_path.name, zip_path) is None:
        if _holds(zip_path, parts):
            return state(state="whole", detail=f"{len(parts)} parts are left over beside it")
        if gap is not None or facts_of(str(zip_path)).size != sum(facts_of(str(path)).size for path in paths):
            return state(
                state="incomplete", detail="a zip with a whole directory beside parts of other bytes; keep both"
            )
        before = "a zip merged in another order than its parts"
    if gap is not None:
        return state(state="incomplete", detail=f"{before}; {gap[1]}")
    flaw = flaw_in(zip_path.name, *paths)
    if flaw is not None:
        return state(
            state="incomplete", detail=f"{before}; they follow one another, but joined they are no whole zip: {flaw}"
        )
    aside = _aside(zip_path) if there else None
    if aside is not None and aside.problem is not None:
        return state(state="incomplete", detail=f"{before}; {aside.problem}, so that nothing was moved")
    _join(paths, zip_path, None if aside is None else aside.path)
    if aside is not None and aside.path is not None:
        before += f", which is {aside.path.name} now"
    return state(state="joined", detail=f"{before}: {len(paths)} parts, which can be deleted")


def _holds(zip_path: Path, parts: list[tuple[Part, Path]]) -> bool:
    """Return whether *zip_path* has the bytes of each of *parts* at its offset."""
    with _readable(zip_path), open_regular(zip_path) as file:
        for part, path in parts:
            file.seek(part.place)
            if any(file.read(len(block)) != block for block in _contents([path])):
                return False
    return True


class _Aside(NamedTuple):
    """Where the bytes of a zip go that is replaced: None where there are none; or why it cannot be."""

    path: Path | None
    problem: str | None


def _aside(zip_path: Path) -> _Aside:
    if is_link(zip_path) or not zip_path.is_file():
        return _Aside(None, f"{zip_path.name} is no plain file")
    if not facts_of(str(zip_path)).size:
        return _Aside(None, None)
    aside = zip_path.with_name(zip_path.name + _ASIDE)
    # A run that was killed may have put the same bytes there.
    if is_there(aside) and (is_link(aside) or not aside.is_file() or not filecmp.cmp(zip_path, aside, shallow=False)):
        return _Aside(None, f"{aside.name} is there already")
    return _Aside(aside, None)


def _join(paths: list[Path], zip_path: Path, aside: Path | None) -> None:
    """Write *paths* one after the other to *zip_path*, whose bytes until then are at *aside*, if that is given."""
    sweep(zip_path.parent, of=zip_path.name)  # after a run that was killed
    file = PendingFile(zip_path)
    try:
        for block in _contents(paths):
            file.write(block)
        file.sync()
        if aside is not None:
            link_whole(zip_path, aside)
        file.finish()
    finally:
        file.discard()
    with storage_errors(zip_path, 0):
        sync_folder(zip_path.parent)


def _contents(paths: list[Path]) -> Iterator[bytes]:
    for path in paths:
        with _readable(path), open_regular(path) as file:
            while block := file.read(_BLOCK_BYTES):
                yield block


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Translate errors of the system about *path*."""
    try:
        yield
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror or error})", "check the disk") from error
