"""
Publication: how a finished build takes the place of the one before.

While a build runs, everything lies in `.work`, and what the folder held before stays valid. At the end the old manifest
is taken away, chunks are moved to their names, and the new manifest comes last: a folder with a manifest is whole, and
a build killed in between is finished by the next one. `SHA256SUMS` lists what builds have written, and nothing else is
ever removed. In object storage chunks are copied to their names by the storage itself.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from saturi.etl.errors import ForeignFolderError
from saturi.etl.output.claim import Hold
from saturi.etl.output.files import storage_errors, sweep, sync_folder, write_whole
from saturi.etl.output.folder import CHUNK_PATH, CHUNKS, MANIFEST, TABLES, WORK, chunk_files
from saturi.etl.output.moving import at_once, move, remove, remove_all
from saturi.etl.output.sums import file_sha256, joined, read_sums, write_sums
from saturi.etl.storage.location import Location, ObjectPath
from saturi.schemas.manifest import Manifest
from saturi.schemas.terms import Split


class _Listed(Struct, frozen=True):
    """All that is needed of a chunk here, whatever the version of the manifest."""

    path: str


class _Listing(Struct, frozen=True):
    """The chunks of a manifest."""

    chunks: list[_Listed]


def open_work(out: Location, key: str, hold: Hold) -> Location:
    """
    Return the work folder for the build *key*: what a killed build of that key left, or an empty one.

    In object storage it is named by the key: what a build that has lost its claim still writes is no part of another one.

    Raises:
        LockedError: Another command has taken *out* over.
        StorageError: The system does not allow it.
    """
    if isinstance(out, Path):
        return open_local_work(out, key)
    work = out / WORK
    hold.refuse_loss(look=True)
    with storage_errors(work, 0):
        remove_all(work, but=key)
    return work / key


def open_local_work(out: Path, key: str) -> Path:
    """
    Return the work folder of *out*, on a disk, for what is named *key*: what a killed run of that key left, or an empty one.

    Raises:
        StorageError: The system does not allow it.
    """
    work = out / WORK
    named = work / "key"
    with storage_errors(work, 0):
        if not (named.exists() and named.read_bytes() == key.encode()):
            if work.exists():
                remove_all(work)
            work.mkdir()
            write_whole(named, [key.encode()])
        for folder in (work, *(path for path in work.rglob("*") if path.is_dir())):
            sweep(folder)
    return work


def publish_build(out: Location, work: Location, manifest: Manifest, hold: Hold) -> None:
    """
    Put the build in the folder *work* of *out* in the place of the one before; may be repeated after a crash.

    Only chunks and tables of builds are replaced; whatever else lies in *out* stays.

    Raises:
        ForeignFolderError: A file that no build wrote has the name of a chunk.
        LockedError: Another command has taken *out* over.
        StorageError: The system does not allow it.
    """
    chunks = {chunk.path: frozenset({chunk.sha256}) for chunk in manifest.chunks}
    with storage_errors(out, 0):
        before = _own_files(out)
        there = chunk_files(out) if before else []
        foreign = next((path for path in there if path in chunks and path not in before), None)
        if foreign is not None:
            problem = "no build wrote this, and one would now"
            advice = "move it elsewhere, and run the same command again"
            raise ForeignFolderError(str(out / foreign), problem, advice)
        after = chunks | {name: frozenset({file_sha256(work / name)}) for name in (*TABLES, MANIFEST)}
        hold.refuse_loss(look=True)
        write_sums(out, joined(before, after))
        remove(out / MANIFEST)
        sync_folder(out)
        for path in before.keys() - after.keys():
            if CHUNK_PATH.fullmatch(path):
                hold.refuse_loss()
                remove(out / path)
        _move(work, out, (*sorted(chunks), *TABLES), hold)
        write_sums(out, after)
        hold.refuse_loss(look=True)
        move(work / MANIFEST, out / MANIFEST)
        sync_folder(out)
        remove_all(out / WORK)


def _own_files(out: Location) -> dict[str, frozenset[str]]:
    """Return the files that builds wrote to *out*, by the list of them and by the manifest that is there."""
    try:
        content = (out / MANIFEST).read_bytes()
        chunks = msgspec.json.decode(content, type=_Listing).chunks
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        chunks = []
    return joined(read_sums(out), {chunk.path: frozenset() for chunk in chunks if CHUNK_PATH.fullmatch(chunk.path)})


def _move(work: Location, out: Location, paths: Iterable[str], hold: Hold) -> None:
    """Give the files at *paths* below *work* their places below *out*, and remove splits that have none."""
    if isinstance(out, ObjectPath):

        def copy(path: str) -> None:
            hold.refuse_loss()
            move(work / path, out / path)

        at_once(copy, paths)
        return
    folders = {out, out / CHUNKS}
    for path in paths:
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        folders.add(target.parent)
        move(work / path, target)
    for folder in (*(out / CHUNKS / split for split in Split), out / CHUNKS):
        if folder.exists() and not any(folder.iterdir()):
            folder.rmdir()
    for folder in folders:
        if folder.exists():
            sync_folder(folder)
