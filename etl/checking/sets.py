"""What a check is given: single files, or the folder of a build, whose chunks of one split are judged as one file."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from etl.errors import InputError, MissingPathError
from etl.output.verification import read_manifest
from schemas.terms import Split


class CheckedFile(Struct, frozen=True):
    """A file, and, of a build, its path in the manifest."""

    path: Path
    chunk: str | None = None


class FileSet(Struct, frozen=True):
    """
    Files that a provider gets as one, in their order.

    Args:
        name: What problems of the whole are said of.
        split: Learnt from, or held out.
        files: The files.
        build: Folder of the build they are of, or None.
    """

    name: str
    split: Split
    files: list[CheckedFile]
    build: Path | None = None


def file_sets(paths: Sequence[Path], validation: Sequence[Path]) -> Iterator[FileSet]:
    """
    Yield what *paths* and the files of *validation* name.

    Raises:
        InputError: A path does not exist, or is a folder without a finished build.
    """
    for split, given in ((Split.TRAIN, paths), (Split.VALIDATION, validation)):
        for path in given:
            if path.is_dir() and split is Split.TRAIN:
                yield from _sets_of_build(path)
            elif path.is_file():
                yield FileSet(str(path), split, [CheckedFile(path)])
            elif path.exists():
                raise InputError(str(path), "no file", "give files of chat JSONL one by one")
            else:
                raise MissingPathError(str(path), "does not exist", "check the path")


def _sets_of_build(out: Path) -> Iterator[FileSet]:
    chunks = read_manifest(out).chunks
    for split in Split:
        paths = [chunk.path for chunk in chunks if chunk.split == split]
        if paths or split is Split.TRAIN:  # with nothing to learn from, there is too little
            yield FileSet(str(out / "chunks" / split), split, [CheckedFile(out / path, path) for path in paths], out)
