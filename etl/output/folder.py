"""
The output folder: whose it is, who writes there, and how a finished build takes the place of the one before.

While a build runs, everything lies in `.work`, and what the folder held before stays valid. At the end the old manifest
is taken away, chunks are moved to their names, and the new manifest comes last: a folder with a manifest is whole, and
a build killed in between is finished by the next one. `SHA256SUMS` lists what builds have written, and nothing else is
ever removed.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout
from msgspec import Struct

from saturi.etl.errors import ForeignFolderError, LockedError
from saturi.etl.output.debris import is_debris
from saturi.etl.output.files import MARKER, is_link, make_folder, storage_errors, sweep, sync_folder, write_whole
from saturi.etl.output.sums import file_sha256, joined, read_sums, write_sums
from saturi.etl.storage.location import Location, ObjectPath
from saturi.schemas.manifest import Manifest
from saturi.schemas.terms import Split

MANIFEST = "manifest.json"
WORK = ".work"
STAGE = "stage"
CHUNKS = "chunks"
REJECTS, LINEAGE_FILE, DECISIONS_FILE, BUILD_FACTS = (
    "rejects.jsonl",
    "lineage.parquet",
    "decisions.parquet",
    "build.json",
)
TABLES = (REJECTS, LINEAGE_FILE, DECISIONS_FILE, BUILD_FACTS)

CHUNK_PATH = re.compile(r"chunks/(?:train|validation)/[a-z]+-[a-z]+-\d{5,}\.jsonl")
"""How the files of chunks are named, as their paths in the manifest."""


class _Listed(Struct, frozen=True):
    """All that is needed of a chunk here, whatever the version of the manifest."""

    path: str


class _Listing(Struct, frozen=True):
    """The chunks of a manifest."""

    chunks: list[_Listed]


@contextmanager
def claimed(out: Path, stage: Path) -> Iterator[None]:
    """
    Hold *out* and *stage* for this process, made where they are missing.

    Raises:
        ForeignFolderError: *out* holds files and was not made by a build.
        LockedError: Another process holds one of them.
        StorageError: They cannot be written.
    """
    with ExitStack() as stack:
        for folder in dict.fromkeys((out, stage)):
            _refuse_foreign(folder)
            make_folder(folder)
            stack.enter_context(locked(folder))
        _sweep(out, stage)  # after a build that was killed
        try:
            yield
        finally:
            _sweep(out, stage)  # after a worker that was


def _sweep(out: Path, stage: Path) -> None:
    with storage_errors(stage, 0):
        segments = list(stage.glob("[0-9a-f][0-9a-f]"))
    for folder in (out, stage, *segments):
        sweep(folder)


def _refuse_foreign(folder: Path) -> None:
    with storage_errors(folder, 0):
        names = [path.name for path in folder.iterdir()] if folder.exists() else []
    if MARKER not in names and not all(map(is_debris, names)):
        raise ForeignFolderError(folder, "not empty, and not made by saturi", "give an empty or a new folder")
    for path in (WORK, CHUNKS, *(f"{CHUNKS}/{split}" for split in Split)):
        refuse_link(folder / path)


def refuse_link(path: Path) -> None:
    """
    Return if *path* is no link, so that whatever is replaced or removed below it lies there.

    Raises:
        ForeignFolderError: It leads elsewhere.
    """
    if is_link(path):
        raise ForeignFolderError(path, "a link to elsewhere", "remove the link, or give another folder")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """
    Hold *folder*, which is there, for this process.

    Raises:
        ForeignFolderError: The file to hold it by is a link to elsewhere.
        LockedError: Another process holds it.
        StorageError: It cannot be written.
    """
    with held(folder / MARKER, folder, "wait until it ends, or give another folder"):
        yield


@contextmanager
def held(file: Path, place: Path, advice: str) -> Iterator[None]:
    """
    Hold *file*, made where it is missing, for this process; *place* is what it stands for.

    Raises:
        ForeignFolderError: It is a link to elsewhere.
        LockedError: Another process holds it; *advice* says what to do.
        StorageError: It cannot be written.
    """
    refuse_link(file)
    with storage_errors(file, 0):
        file.touch()
        lock = FileLock(file, timeout=0, preserve_lock_file=True, fallback_to_soft=False)
        try:
            lock.acquire()
        except Timeout:
            raise LockedError(place, "another command is writing there", advice) from None
    try:
        yield
    finally:
        lock.release()


def open_work(out: Path, key: str) -> Path:
    """Return the work folder for the build *key*: what a killed build of that key left, or an empty one."""
    work = out / WORK
    named = work / "key"
    with storage_errors(work, 0):
        if not (named.exists() and named.read_bytes() == key.encode()):
            if work.exists():
                shutil.rmtree(work)
            work.mkdir()
            write_whole(named, [key.encode()])
        for folder in (work, *(path for path in work.rglob("*") if path.is_dir())):
            sweep(folder)
    return work


def publish_build(out: Path, manifest: Manifest) -> None:
    """
    Put the build in the work folder of *out* in the place of the one before; may be repeated after a crash.

    Only chunks and tables of builds are replaced; whatever else lies in *out* stays.

    Raises:
        ForeignFolderError: A file that no build wrote has the name of a chunk.
        StorageError: The system does not allow it.
    """
    work = out / WORK
    chunks = {chunk.path: frozenset({chunk.sha256}) for chunk in manifest.chunks}
    with storage_errors(out, 0):
        before = _own_files(out)
        for path in chunks.keys() - before.keys() if before else ():
            if (out / path).exists():
                problem = "no build wrote this, and one would now"
                raise ForeignFolderError(out / path, problem, "move it elsewhere, and run the same command again")
        after = chunks | {name: frozenset({file_sha256(work / name)}) for name in (*TABLES, MANIFEST)}
        write_sums(out, joined(before, after))
        (out / MANIFEST).unlink(missing_ok=True)
        sync_folder(out)
        for path in before.keys() - after.keys():
            if CHUNK_PATH.fullmatch(path):
                (out / path).unlink(missing_ok=True)
        _move(work, out, (*sorted(chunks), *TABLES))
        write_sums(out, after)
        (work / MANIFEST).replace(out / MANIFEST)
        sync_folder(out)
        shutil.rmtree(work)


def _own_files(out: Path) -> dict[str, frozenset[str]]:
    """Return the files that builds wrote to *out*, by the list of them and by the manifest that is there."""
    try:
        content = (out / MANIFEST).read_bytes()
        chunks = msgspec.json.decode(content, type=_Listing).chunks
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        chunks = []
    return joined(read_sums(out), {chunk.path: frozenset() for chunk in chunks if CHUNK_PATH.fullmatch(chunk.path)})


def _move(work: Path, out: Path, paths: Iterable[str]) -> None:
    """Give the files at *paths* below *work* their places below *out*, and remove splits that have none."""
    folders = {out, out / CHUNKS}
    for path in paths:
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        folders.add(target.parent)
        (work / path).replace(target)
    for folder in (*(out / CHUNKS / split for split in Split), out / CHUNKS):
        if folder.exists() and not any(folder.iterdir()):
            folder.rmdir()
    for folder in folders:
        if folder.exists():
            sync_folder(folder)


def chunk_files(out: Location) -> list[str]:
    """
    Return every file below `chunks`, relative to *out*, with forward slashes, sorted; without what file managers left there.

    Raises:
        OSError: A folder cannot be listed.
    """
    below = _files_below(out / CHUNKS)
    return sorted(f"{CHUNKS}/{path}" for path in below if not is_debris(f"{CHUNKS}/{path}"))


def _files_below(folder: Location) -> list[str]:
    """Return every file below *folder*, relative to it."""
    if isinstance(folder, ObjectPath):
        return [path.relative_to(folder).as_posix() for path, _ in folder.below()]

    def fail(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    return [
        (Path(here) / name).relative_to(folder).as_posix()
        for here, _, names in os.walk(folder, onerror=fail)
        for name in names
    ]


def encode_manifest(manifest: Manifest) -> bytes:
    """Return *manifest* as it is written: keys sorted, indented by two spaces, a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"
