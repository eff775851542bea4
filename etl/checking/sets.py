"""Input of a check: single files, or a finished build, whose chunks of one split are checked as one file."""

import stat
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from saturi.etl.errors import InputError, MissingPathError
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.lines import file_bytes, read_blocks
from saturi.etl.settings.regular import unread_advice
from saturi.etl.storage.client import impatient
from saturi.etl.storage.location import Location, ObjectPath
from saturi.schemas.manifest import ChunkRow
from saturi.schemas.terms import Split


class BuildChunk(NamedTuple):
    """A row of a manifest, and the build it is of."""

    build: FinishedBuild
    row: ChunkRow


class CheckedFile(NamedTuple):
    """A file, and, of a build, its chunk."""

    path: Location
    chunk: BuildChunk | None = None

    @property
    def size(self) -> int:
        """Its bytes, by the manifest where it is in one."""
        return file_bytes(self.path) if self.chunk is None else self.chunk.row.bytes

    def blocks(self) -> Iterator[bytes]:
        """
        Yield its bytes, a block at a time.

        Raises:
            BuildError: It is a chunk, and not as the manifest says.
            InputError: It cannot be read.
        """
        return read_blocks(self.path) if self.chunk is None else self.chunk.build.read_chunk(self.chunk.row)


class FileSet(NamedTuple):
    """
    Files that a provider gets as one, in their order.

    Args:
        name: Name of the whole, in its problems.
        split: Train, or held out.
        files: The files.
        build: The build they are of, or None.
    """

    name: str
    split: Split
    files: list[CheckedFile]
    build: FinishedBuild | None = None


def file_sets(paths: Sequence[Location], validation: Sequence[Location]) -> Iterator[FileSet]:
    """
    Yield what *paths* and the files of *validation* name.

    Raises:
        InputError: A path does not exist, or is a folder without a finished build.
    """
    for split, given in ((Split.TRAIN, paths), (Split.VALIDATION, validation)):
        for path in given:
            kind = _kind_of(path)
            if kind == "folder" and split is Split.TRAIN:
                yield from sets_of_build(FinishedBuild.open(path))
            elif kind == "file":
                yield FileSet(str(path), split, [CheckedFile(path)])
            else:
                raise InputError(str(path), "no file", "give files of chat JSONL one by one")


def _kind_of(path: Location) -> Literal["file", "folder", "other"]:
    """
    Return the kind of what lies at *path*.

    Raises:
        InputError: Nothing does, or the system does not say what.
    """
    try:
        if isinstance(path, ObjectPath):
            return _kind_of_object(path)
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingPathError(str(path), "does not exist", "check the path") from error
    except (OSError, ValueError) as error:
        problem = f"cannot be read ({getattr(error, 'strerror', None) or error})"  # a name with a NUL is a ValueError
        raise InputError(str(path), problem, unread_advice(path)) from error
    return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"


def _kind_of_object(path: ObjectPath) -> Literal["file", "folder"]:
    with impatient():  # a wrong name or key is to be met at once
        if path.is_file():
            return "file"
        if path.is_dir():
            return "folder"
    raise FileNotFoundError


def sets_of_build(build: FinishedBuild) -> Iterator[FileSet]:
    """Yield the chunks of *build*, those of a split together, in the order of the manifest."""
    for split in Split:
        chunks = [row for row in build.manifest.chunks if row.split == split]
        if chunks or split is Split.TRAIN:  # with nothing to learn from, there is too little
            files = [CheckedFile(build.given / row.path, BuildChunk(build, row)) for row in chunks]
            yield FileSet(str(build.given / "chunks" / split), split, files, build)
