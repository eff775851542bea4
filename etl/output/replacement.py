"""Write a set of files into a folder in the place of the set that was written before; whatever else lies there stays."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from saturi.etl.errors import ForeignFolderError
from saturi.etl.output.files import is_link, link_whole, make_folder, storage_errors, sweep, sync_folder, write_whole
from saturi.etl.output.sums import file_sha256, joined, read_sums, write_sums


class Content(NamedTuple):
    """The bytes of a file to write, or the file whose content it gets; and their hash."""

    source: bytes | Path
    sha256: str

    @classmethod
    def of(cls, text: str) -> "Content":
        """Return *text* in UTF-8."""
        return cls(text.encode(), sha256(text.encode()).hexdigest())


def replace_files(folder: Path, files: Mapping[str, Content]) -> None:
    """
    Write *files* into *folder*, and remove what was written there before and is not among them.

    Their list, `SHA256SUMS`, is written first with the old hashes and the new ones, and last with the new ones, so that a
    run that was killed is finished by the next one.

    Args:
        folder: Made where it is missing. The caller holds a lock.
        files: Contents by path below *folder*, with forward slashes; the last one is written last.

    Raises:
        ForeignFolderError: A file of one of these names was not written here, or was changed since; nothing is changed.
        StorageError: The system does not allow it.
    """
    make_folder(folder)
    with storage_errors(folder, 0):
        sweep(folder)  # after a run that was killed
        before = read_sums(folder)
    after = {path: frozenset({content.sha256}) for path, content in files.items()}
    there = _refuse_foreign(folder, joined(before, after))
    write_sums(folder, joined(before, after))
    _remove(folder, there.keys() - files.keys())
    for path, content in files.items():
        if there.get(path) != content.sha256:
            _write(folder / path, content)
    write_sums(folder, after)
    with storage_errors(folder, 0):
        sync_folder(folder)


def _refuse_foreign(folder: Path, sums: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """Return the hash of each file of *sums* that is there, if all of them have a hash that it names."""
    there = {}
    for path, digests in sums.items():
        for parent in (folder / path).parents[: path.count("/")]:
            if is_link(parent):
                raise ForeignFolderError(parent, "a link to elsewhere", "remove it, then do this again")
            with storage_errors(parent, 0):
                sweep(parent)
        target = folder / path
        with storage_errors(target, 0):
            if not target.is_symlink() and not target.exists():
                continue
            digest = "" if target.is_symlink() else file_sha256(target)
        if digest not in digests:
            problem = "changed since it was written here, or not written by saturi"
            raise ForeignFolderError(target, problem, "move it or delete it, then do this again")
        there[path] = digest
    return there


def _remove(folder: Path, paths: Iterable[str]) -> None:
    """Remove the files at *paths* below *folder*, and the folders that are empty then."""
    for path in paths:
        with storage_errors(folder / path, 0):
            (folder / path).unlink(missing_ok=True)
            for parent in (folder / path).parents[: path.count("/")]:
                if any(parent.iterdir()):
                    break
                parent.rmdir()


def _write(target: Path, content: Content) -> None:
    make_folder(target.parent)
    if isinstance(content.source, Path):
        link_whole(content.source, target)
    else:
        write_whole(target, [content.source])
