"""
The output folder: whose it is, who writes there, and how a finished build takes the place of the one before.

While a build runs, everything lies in `.work`, and what the folder held before stays valid. At the end the old manifest
is taken away, chunks are moved to their names, and the new manifest comes last: a folder with a manifest is whole, and
a build killed in between is finished by the next one.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from etl.errors import ForeignFolderError, LockedError
from etl.output.debris import is_debris
from etl.output.files import MARKER, make_folder, storage_errors, sweep, sync_folder, write_whole
from schemas.manifest import Manifest

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
    for folder in (out, stage, *stage.glob("[0-9a-f][0-9a-f]")):
        sweep(folder)


def _refuse_foreign(folder: Path) -> None:
    with storage_errors(folder, 0):
        if folder.exists() and not (folder / MARKER).exists() and any(folder.iterdir()):
            raise ForeignFolderError(folder, "not empty, and not made by saturi", "give an empty or a new folder")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """
    Hold *folder*, which is there, for this process.

    Raises:
        LockedError: Another process holds it.
        StorageError: It cannot be written.
    """
    marker = folder / MARKER
    with storage_errors(marker, 0):
        marker.touch()
        lock = FileLock(marker, timeout=0, preserve_lock_file=True, fallback_to_soft=False)
        try:
            lock.acquire()
        except Timeout:
            raise LockedError(
                folder, "another build or submission is writing there", "wait until it ends, or give another folder"
            ) from None
    try:
        yield
    finally:
        lock.release()


def open_work(out: Path, key: str) -> Path:
    """Return the work folder for the build *key*: what a killed build of that key left, or an empty one."""
    work = out / WORK
    named = work / "key"
    with storage_errors(work, 0):
        if not (named.exists() and named.read_text() == key):
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

    Only chunks and tables of a build are replaced; whatever else lies in *out* stays.

    Raises:
        StorageError: The system does not allow it.
    """
    work = out / WORK
    wanted = {chunk.path for chunk in manifest.chunks}
    with storage_errors(out, 0):
        (out / MANIFEST).unlink(missing_ok=True)
        sync_folder(out)
        for path in chunk_files(out):
            if CHUNK_PATH.fullmatch(path) and path not in wanted:
                (out / path).unlink()
        for path in (*sorted(wanted), *TABLES):
            target = out / path
            target.parent.mkdir(parents=True, exist_ok=True)
            (work / path).replace(target)
        _remove_empty_folders(out / CHUNKS)
        for folder in {(out / path).parent for path in wanted} | {out / CHUNKS, out}:
            if folder.exists():
                sync_folder(folder)
        (work / MANIFEST).replace(out / MANIFEST)
        sync_folder(out)
        shutil.rmtree(work)


def chunk_files(out: Path) -> list[str]:
    """
    Return every file below `chunks`, relative to *out*, with forward slashes, sorted; without what file managers left there.

    Raises:
        OSError: A folder cannot be listed.
    """

    def fail(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    files = [
        (Path(folder) / name).relative_to(out).as_posix()
        for folder, _, names in os.walk(out / CHUNKS, onerror=fail)
        for name in names
    ]
    return sorted(path for path in files if not is_debris(path))


def encode_manifest(manifest: Manifest) -> bytes:
    """Return *manifest* as it is written: keys sorted, indented by two spaces, a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"


def _remove_empty_folders(folder: Path) -> None:
    for below in sorted(folder.rglob("*"), reverse=True):
        if below.is_dir() and not any(below.iterdir()):
            below.rmdir()
