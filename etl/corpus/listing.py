"""The files below the arguments of a corpus, on a disk or in object storage: one listing, and the same rules for both."""

import os
import shlex
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from saturi.etl.corpus.directory import decode_name
from saturi.etl.corpus.names import is_audio_archive, is_label_file
from saturi.etl.corpus.opening import failure
from saturi.etl.corpus.parts import Part, part_of
from saturi.etl.corpus.unread import Unread, unread_kind
from saturi.etl.errors import EtlError, InputError, MissingPathError
from saturi.etl.output.debris import is_debris
from saturi.etl.output.files import MARKER
from saturi.etl.output.folder import CLAIMS, MANIFEST
from saturi.etl.settings.regular import kind_of
from saturi.etl.storage.client import impatient
from saturi.etl.storage.location import Location, ObjectPath
from saturi.etl.storage.objects import ObjectFacts

_MARKERS = frozenset({MARKER, CLAIMS})
"""In object storage, what says that the folder around it is a build's: an object, or the folder of claims."""

_AS_DOWNLOADED = "give the zips as downloaded, or the folder that holds them"


class Found(Struct, frozen=True):
    """
    A zip, a part of one, or a folder of loose label files: where it is, its name below the argument, and what lies above.

    `facts` are those of an object that is a zip or a part.
    """

    path: Location
    name: str
    context: str
    facts: ObjectFacts | None = None


class Listing(Struct):
    """Files below the arguments; a million loose label files are one entry, that of their folder."""

    zips: dict[Location, Found]
    folders: dict[Location, Found]
    others: set[str]
    unread: dict[Unread, list[str]]


class _Folder(NamedTuple):
    """
    A folder of an argument, whose name is `context`: its path and its name below the argument, which is empty for itself.

    `others` are its files that are no label files; of an object that is a zip or a part with its facts.
    """

    path: Location
    name: str
    context: str
    has_label_files: bool
    others: Mapping[str, ObjectFacts | None]


def list_argument(argument: Location, listing: Listing) -> None:
    """
    Add the files below *argument* to *listing*, or, where it is a zip or a part, that zip.

    Raises:
        MissingPathError: It is not there.
        InputError: It is neither a folder nor a zip, a build's, or cannot be listed.
    """
    try:
        if isinstance(argument, ObjectPath):
            _list_objects(argument, listing)
        else:
            _list_path(argument, listing)
    except EtlError:
        raise
    except OSError as error:
        if isinstance(argument, ObjectPath):
            raise _storage_failure(argument, error) from error
        raise failure(str(argument), "read", error, "check the path and its permissions") from error
    except RecursionError as error:
        raise InputError(str(argument), "folders nested too deeply", "give the folder further down") from error


def _storage_failure(argument: ObjectPath, error: OSError) -> EtlError:
    if isinstance(error, FileNotFoundError):
        return _missing(argument)
    return failure(str(argument), "read", error, "check the name, the endpoint and the credentials in the environment")


def _missing(argument: Location) -> MissingPathError:
    if isinstance(argument, ObjectPath):
        problem = "there is no such bucket, or nothing of this name in it"
        return MissingPathError(str(argument), problem, "check the spelling and the endpoint")
    return MissingPathError(str(argument), "there is no such file or folder", "check the spelling")


def _list_path(argument: Path, listing: Listing) -> None:
    if argument.is_dir():
        if (argument / MARKER).exists() and (argument / MANIFEST).exists():
            raise _refusal_of_build(argument)
        for folder in _walk(argument):
            _add_folder(folder, listing)
        return
    if not argument.exists():
        raise _missing(argument)
    kind = kind_of(argument.stat().st_mode)
    if kind is not None:
        raise InputError(str(argument), f"it is {kind}", _AS_DOWNLOADED)
    part = _part_or_zip(argument)
    siblings = [path for path in argument.parent.iterdir() if _is_part_of(path, part)] if part else [argument]
    _add_zips(argument, ((path, None) for path in siblings), listing)


def _list_objects(argument: ObjectPath, listing: Listing) -> None:
    """Add the objects below *argument*, or the one that it is; a wrong name, key or endpoint is met by its first request."""
    if _is_zip_name(argument.name):
        with impatient():
            facts = argument.facts()
        if facts is not None:
            _list_object(argument, facts, listing)
            return
    rows = argument.below()
    with impatient():
        first = next(rows, None)
    if first is None:
        if _is_zip_name(argument.name) or not argument.is_file():
            raise _missing(argument)
        raise InputError(str(argument), *_refusal_of(argument.name))
    objects, beginning = _Objects(), len(f"{argument.key}/" if argument.key else "")
    for path, facts in chain((first,), rows):
        objects.add(path.key[beginning:], facts)
    if "" in objects.marked and (argument / MANIFEST).is_file():
        raise _refusal_of_build(argument)
    for folder in objects.folders(argument):
        _add_folder(folder, listing)


def _list_object(argument: ObjectPath, facts: ObjectFacts, listing: Listing) -> None:
    part = _part_or_zip(argument)
    zips = [(argument, facts)]
    if part:
        beside = (row for row in argument.parent.below() if row[0].parent == argument.parent)
        zips = [(path, one) for path, one in beside if _is_part_of(path, part)]
    _add_zips(argument, zips, listing)


def _add_zips(argument: Location, zips: Iterable[tuple[Location, ObjectFacts | None]], listing: Listing) -> None:
    context = nfc("/".join(argument.parts[-3:-1]))
    for path, facts in zips:
        listing.zips.setdefault(path, Found(path, nfc(path.name), context, facts))


def _part_or_zip(argument: Location) -> Part | None:
    """Return the part that a file is, or None for a whole zip."""
    part = part_of(argument.name)
    if part is None and not argument.name.lower().endswith(".zip"):
        raise InputError(str(argument), *_refusal_of(argument.name))
    return part


def _refusal_of(name: str) -> tuple[str, str]:
    """Return (what is wrong with a file *name* that is given as a corpus, what to do)."""
    kind = unread_kind(name)
    if kind is not None:
        problem, advice = kind.split("; ", 1)
        return problem, advice
    return "neither a folder nor a zip", _AS_DOWNLOADED


def _refusal_of_build(argument: Location) -> InputError:
    advice = f"give what it was made from, or see saturi inspect {shlex.quote(str(argument))}"
    return InputError(str(argument), "the folder of a build, not a corpus", advice)


def _walk(argument: Path) -> Iterator[_Folder]:
    """Yield the folders of *argument*, which is one of them."""

    def fail(error: OSError) -> None:
        raise failure(str(error.filename or argument), "listed", error, "check its permissions") from error

    context = nfc(argument.name)
    seen: set[str] = set()
    for here, below, names in os.walk(argument, onerror=fail, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:  # a link back up, or a second one to the same place
            below.clear()
            continue
        seen.add(real)
        if MARKER in names:  # the output of a build is no part of a corpus, wherever it lies
            below.clear()
            continue
        folder = Path(here)
        relative = nfc(folder.relative_to(argument).as_posix())
        # Of a million loose label files nothing is kept but their folder.
        others = dict.fromkeys(name for name in names if not is_label_file(os.fsencode(name)))
        yield _Folder(folder, "" if relative == "." else relative, context, len(others) < len(names), others)


class _Objects:
    """
    The objects below an argument by their folders; they come in any order, and of label files nothing is kept.

    An object of no bytes that has the name of a folder, or of neither a zip nor a label file, is what consoles leave where a
    folder was made.
    """

    def __init__(self) -> None:
        self.marked: set[str] = set()
        """The folders that are a build's."""
        self._others: dict[str, dict[str, ObjectFacts | None]] = {}
        self._with_label_files: set[str] = set()
        self._empty: dict[str, ObjectFacts] = {}
        self._folders: set[str] = {""}

    def add(self, name: str, facts: ObjectFacts) -> None:
        """Take in an object by its name below the argument."""
        if any(marker in name for marker in _MARKERS) and self._mark(name.split("/")):
            return
        folder, _, file = name.rpartition("/")
        if folder not in self._folders:
            self._folders.update(_with_folders_above(folder))
        if facts.size:
            self._put(folder, file, facts)
        elif file:
            self._empty[name] = facts

    def _mark(self, parts: list[str]) -> bool:
        """Note the folder that an object marks as a build's, and return whether it does."""
        depth = next((depth for depth, part in enumerate(parts) if part in _MARKERS), None)
        if depth is not None:
            self.marked.add("/".join(parts[:depth]))
        return depth is not None

    def _put(self, folder: str, file: str, facts: ObjectFacts) -> None:
        if is_label_file(file.encode()):
            self._with_label_files.add(folder)
        else:
            self._others.setdefault(folder, {})[file] = facts if _is_zip_name(file) else None

    def folders(self, argument: ObjectPath) -> Iterator[_Folder]:
        """Yield the folders of *argument* that are no build's."""
        for name, facts in self._empty.items():
            folder, _, file = name.rpartition("/")
            if name not in self._folders and (is_label_file(file.encode()) or _is_zip_name(file)):
                self._put(folder, file, facts)
        for name in sorted(self._with_label_files | self._others.keys()):
            if self.marked.isdisjoint(_with_folders_above(name)):
                others = self._others.get(name, {})
                yield _Folder(argument / name, nfc(name), nfc(argument.name), name in self._with_label_files, others)


def _with_folders_above(name: str) -> Iterator[str]:
    """Yield the folder *name* and those above it, that of the argument, which is empty, last."""
    while name:
        yield name
        name = name.rpartition("/")[0]
    yield ""


def _add_folder(folder: _Folder, listing: Listing) -> None:
    prefix = f"{folder.name}/" if folder.name else ""
    for name, facts in folder.others.items():
        _add_file(Found(folder.path / name, prefix + nfc(name), folder.context, facts), folder.others, listing)
    if folder.has_label_files and folder.path not in listing.folders:
        listing.folders[folder.path] = Found(folder.path, folder.name or ".", folder.context)


def _add_file(file: Found, names: Collection[str], listing: Listing) -> None:
    """Add a file that is no label file to its list; *names* are those of the others in its folder."""
    name = file.path.name
    if _is_zip_name(name) and _is_file_or_broken(file.path):
        listing.zips.setdefault(file.path, file)
    elif str(file.path) not in listing.others:
        listing.others.add(str(file.path))
        kind = unread_kind(name, names)
        if kind is not None and not is_audio_archive(f"{file.context}/{file.name}"):
            listing.unread.setdefault(kind, []).append(file.name)


def _is_zip_name(name: str) -> bool:
    """Whether a file *name* is a zip's or a part's, and not the shadow a Mac leaves beside it (`._x.zip`)."""
    return not is_debris(name) and (name.lower().endswith(".zip") or part_of(name) is not None)


def _is_file_or_broken(path: Location) -> bool:
    """Whether *path* is a file, or a link to none, which is an error when it is opened; a pipe or a device is neither."""
    return isinstance(path, ObjectPath) or path.is_file() or not path.exists()


def _is_part_of(path: Location, part: Part) -> bool:
    """Whether *path* is a part of the same zip as *part*, cut in the same way."""
    other = part_of(path.name)
    return other is not None and (other.stem, other.numbered) == (part.stem, part.numbered)


def nfc(name: str) -> str:
    """Return *name* in NFC; one that is no UTF-8 comes in surrogates, which cannot be written: it is read as members' names are."""
    return unicodedata.normalize("NFC", decode_name(os.fsencode(name), 0))
