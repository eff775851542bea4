"""Paths as users name them; an empty one would be the working directory, and one with a NUL is none."""

from collections.abc import Iterable
from pathlib import Path

from saturi.etl.errors import OptionError


def path_of(name: str | Path, what: str) -> Path:
    """
    Return the path that *name* is; where that is text, `~` and `~user` before its first slash are home folders.

    Args:
        name: The path.
        what: The option or argument, for the message.

    Raises:
        OptionError: It is empty, holds a NUL, or begins with a home folder that nobody has.
    """
    if not isinstance(name, str | Path):
        raise OptionError(what, f"{name!r} is no path", "give one as a text or a pathlib.Path")
    if isinstance(name, str) and not name:
        raise OptionError(what, "the path is empty", "name a file or a folder; the working directory is a dot")
    if "\0" in str(name):
        raise OptionError(what, f"{str(name)!r} holds a NUL", "give a path without")
    return name if isinstance(name, Path) else _expanded(name, what)


def _expanded(name: str, what: str) -> Path:
    """Return the path *name*, from the home folder where it begins with one; a folder called `~` is `./~`."""
    if not name.startswith("~"):
        return Path(name)
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise OptionError(what, f"{name!r} begins with no home folder", "write ./ before a name with ~") from error


def folder_of(name: str | Path, what: str) -> Path:
    """
    Return the path of a folder of builds, which stands in files of ours, and so has to be text.

    Raises:
        OptionError: It is empty, holds a NUL, or has a name that is not UTF-8, perhaps that of a folder above.
    """
    folder = path_of(name, what)
    try:
        str(folder.absolute()).encode()
    except UnicodeEncodeError as error:
        raise OptionError(what, f"{str(folder.absolute())!r} is not UTF-8", "rename the folder") from error
    return folder


def paths_of(names: str | Path | Iterable[str | Path], what: str) -> tuple[Path, ...]:
    """
    Return the paths that *names* are; one text or one path is one.

    Raises:
        OptionError: One is empty, or holds a NUL.
    """
    names = (names,) if isinstance(names, str | Path) else names
    return tuple(path_of(name, what) for name in names)
