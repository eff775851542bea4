"""Paths and URLs as users name them; an empty one would be the working directory, and one with a NUL is none."""

from collections.abc import Iterable
from pathlib import Path

from saturi.etl.errors import OptionError
from saturi.etl.storage.location import Location, ObjectPath, is_url


def path_of(name: str | Path, what: str) -> Path:
    """
    Return the path that *name* is; where that is text, `~` and `~user` before its first slash are home folders.

    Args:
        name: The path.
        what: The option or argument, for the message.

    Raises:
        OptionError: It is empty, a URL, holds a NUL, or begins with a home folder that nobody has.
    """
    if not isinstance(name, str | Path):
        raise OptionError(what, f"{name!r} is no path", "give one as a text or a pathlib.Path")
    if isinstance(name, str) and not name:
        raise OptionError(what, "the path is empty", "name a file or a folder; the working directory is a dot")
    if "\0" in str(name):
        raise OptionError(what, f"{str(name)!r} holds a NUL", "give a path without")
    if isinstance(name, str) and is_url(name):
        raise OptionError(what, "it is a URL, and has to be a path", "give a path on this machine")
    return name if isinstance(name, Path) else _expanded(name, what)


def location_of(name: str | Location, what: str) -> Location:
    """
    Return the location that *name* is: a path as `path_of` returns it, or a name in object storage.

    Raises:
        OptionError: It is no path, and no URL of object storage.
    """
    if isinstance(name, ObjectPath):
        return name
    if not isinstance(name, str) or not is_url(name):
        return path_of(name, what)
    try:
        return ObjectPath(name)
    except OptionError as error:
        raise OptionError(what, *error.args[1:]) from None


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
    Return the path of a folder on this machine that stands in files of ours, and so has to be text.

    Raises:
        OptionError: It is no path, or has a name that is not UTF-8, perhaps that of a folder above.
    """
    folder = path_of(name, what)
    _refuse_no_text(folder, what)
    return folder


def output_of(name: str | Location, what: str) -> Location:
    """
    Return the location of an output folder or of a stage, as `folder_of` does.

    Raises:
        OptionError: It is no location, or has a name that is not UTF-8, perhaps that of a folder above.
    """
    location = location_of(name, what)
    _refuse_no_text(location, what)
    return location


def _refuse_no_text(folder: Location, what: str) -> None:
    try:
        str(folder.absolute()).encode()
    except UnicodeEncodeError as error:
        raise OptionError(what, f"{str(folder.absolute())!r} is not UTF-8", "rename the folder") from error


def paths_of(names: str | Path | Iterable[str | Path], what: str) -> tuple[Path, ...]:
    """
    Return the paths that *names* are; one text or one path is one.

    Raises:
        OptionError: One is no path.
    """
    names = (names,) if isinstance(names, str | Path) else names
    return tuple(path_of(name, what) for name in names)


def locations_of(names: str | Location | Iterable[str | Location], what: str) -> tuple[Location, ...]:
    """
    Return the locations that *names* are; one text or one path is one.

    Raises:
        OptionError: One is no location.
    """
    names = (names,) if isinstance(names, str | Path | ObjectPath) else names
    return tuple(location_of(name, what) for name in names)
