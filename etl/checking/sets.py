"""Input of a check: single files, or a finished build, whose chunks of one split are checked as one file."""

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from saturi.etl.errors import InputError, MissingPathError
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.lines import file_bytes, read_blocks
from saturi.schemas.manifest import ChunkRow
from saturi.schemas.terms import Split


class BuildChunk(NamedTuple):
    """A row of a manifest, and the build it is of."""

    build: FinishedBuild
    row: ChunkRow


class CheckedFile(NamedTuple):
    """A file, and, of a build, its chunk."""

    path: Path
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


def file_sets(paths: Sequence[Path], validation: Sequence[Path]) -> Iterator[FileSet]:
    """
    Yield what *paths* and the files of *validation* name.

    Raises:
        InputError: A path does not exist, or is a folder without a finished build.
    """
    for split, given in ((Split.TRAIN, paths), (Split.VALIDATION, validation)):
        for path in given:
            kind = _kind_of(path)
            if stat.S_ISDIR(kind) and split is Split.TRAIN:
                yield from sets_of_build(FinishedBuild.open(path))
            elif stat.S_ISREG(kind):
                yield FileSet(str(path), split, [CheckedFile(path)])
            else:
                raise InputError(str(path), "no file", "give files of chat JSONL one by one")


def _kind_of(path: Path) -> int:
    """
    Return the mode of what lies at *path*.

    Raises:
        InputError: Nothing does, or the system does not say what.
    """
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingPathError(str(path), "does not exist", "check the path") from error
    except (OSError, ValueError) as error:
        raise InputError(str(path), f"cannot be read ({error})", "check the path and its permissions") from error


def sets_of_build(build: FinishedBuild) -> Iterator[FileSet]:
    """Yield the chunks of *build*, those of a split together, in the order of the manifest."""
    for split in Split:
        chunks = [row for row in build.manifest.chunks if row.split == split]
        if chunks or split is Split.TRAIN:  # with nothing to learn from, there is too little
            files = [CheckedFile(build.given / row.path, BuildChunk(build, row)) for row in chunks]
            yield FileSet(str(build.given / "chunks" / split), split, files, build)
