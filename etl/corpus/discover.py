"""
Find the archives of a corpus: zips, split zips, folders of loose label files, in any mix; no archive is opened here.

The order of the result and the names in it depend on the corpus alone, not on the order of the arguments or on where it
lies.
"""

import os
import shlex
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from msgspec import Struct, structs

from saturi.etl.corpus.directory import decode_name
from saturi.etl.corpus.names import Hints, is_audio_archive, is_deidentified, is_label_file, parse_archive
from saturi.etl.corpus.opening import failure
from saturi.etl.corpus.parts import Part, gap_in, part_of, refuse_gaps, without_part
from saturi.etl.corpus.unread import Unread, notes_on, unread_kind
from saturi.etl.errors import EmptyCorpusError, EtlError, InputError, MissingPathError
from saturi.etl.output.debris import is_debris
from saturi.etl.output.files import MARKER
from saturi.etl.output.folder import MANIFEST
from saturi.etl.output.printable import counted
from saturi.etl.settings.paths import paths_of
from saturi.etl.settings.regular import kind_of


class Form(StrEnum):
    """Form of an archive on disk."""

    ZIP = "zip"
    PARTS = "parts"
    FOLDER = "folder"


class Archive(Struct, frozen=True, kw_only=True):
    """
    One zip, one set of parts, or one folder of loose label files.

    `name` is the path below its argument, in NFC, with forward slashes; `paths` are the files to open,
    in order; `spare` are the parts that may stand in where `paths` turns out to be no whole zip. `deidentified` is whether
    a name says so ("비식별화완료").
    """

    name: str
    form: Form
    paths: tuple[str, ...]
    hints: Hints
    spare: tuple[str, ...] = ()
    deidentified: bool = False


class Corpus(Struct, frozen=True):
    """
    The archives of a corpus in canonical order, and how many audio archives and other files lie beside them.

    `notes` are sentences on those of the other files that may well hold label files.
    """

    archives: tuple[Archive, ...]
    ignored_archives: int
    ignored_files: int
    notes: tuple[str, ...] = ()


class _Found(Struct, frozen=True):
    """A zip, a part of one, or a folder of loose label files: where it is, its name below the argument, and what lies above."""

    path: Path
    name: str
    context: str


class _Listing(Struct):
    """Files below the arguments; a million loose label files are one entry, that of their folder."""

    zips: dict[Path, _Found]
    folders: dict[Path, _Found]
    others: set[Path]
    unread: dict[Unread, list[str]]


def discover(paths: str | Path | Iterable[str | Path]) -> Corpus:
    """
    Return the archives below *paths*.

    Raises:
        OptionError: A path is empty.
        MissingPathError: A path is not there.
        InputError: A path is neither a folder nor a zip, or a folder cannot be listed.
        ArchiveError: A part of a split archive is missing.
        EmptyCorpusError: There is no archive.
    """
    arguments = sorted({Path(os.path.abspath(path)) for path in paths_of(paths, "CORPUS")})  # noqa: PTH100 - resolve() would follow links out of the corpus
    if not arguments:
        raise EmptyCorpusError("corpus", "no path was given", "name a folder or a zip with label files")
    listing = _Listing({}, {}, set(), {})
    for argument in arguments:
        if set(arguments).isdisjoint(argument.parents) or not os.path.exists(argument):  # noqa: PTH110 - this one never raises; else it is found below another
            _list_argument_safely(argument, listing)
    audio = {path for path, file in listing.zips.items() if is_audio_archive(f"{file.context}/{file.name}")}
    archives = [*_zips(file for path, file in listing.zips.items() if path not in audio), *_folders(listing.folders)]
    if not archives:
        raise EmptyCorpusError(", ".join(map(str, arguments)), *_lack_of(listing, len(audio)))
    audio_archives = {without_part(str(path)) for path in audio}
    notes = tuple(notes_on(listing.unread))
    return Corpus(_named_apart(archives), len(audio_archives), len(listing.others), notes)


def _lack_of(listing: _Listing, audio: int) -> tuple[str, str]:
    """Return (what is wrong with a corpus without an archive, what to do)."""
    advice = "give the folder that holds the downloaded label zips (TL_*.zip, VL_*.zip)"
    beside = f" beside {counted(audio, 'audio archive')}" if audio else f" among {counted(len(listing.others), 'file')}"
    if listing.unread:
        return f"no label archive found{beside}", "; ".join(notes_on(listing.unread))
    if not audio and not listing.others:
        return "nothing is in it", advice
    return f"no label archive found{beside}", advice


def _list_argument_safely(argument: Path, listing: _Listing) -> None:
    try:
        _list_argument(argument, listing)
    except EtlError:
        raise
    except OSError as error:
        raise failure(str(argument), "read", error, "check the path and its permissions") from error
    except RecursionError as error:
        raise InputError(str(argument), "folders nested too deeply", "give the folder further down") from error


def _list_argument(argument: Path, listing: _Listing) -> None:
    if argument.is_dir():
        if (argument / MARKER).exists() and (argument / MANIFEST).exists():
            advice = f"give what it was made from, or see saturi inspect {shlex.quote(str(argument))}"
            raise InputError(str(argument), "the folder of a build, not a corpus", advice)
        _list_folder(argument, listing)
        return
    if not argument.exists():
        raise MissingPathError(str(argument), "there is no such file or folder", "check the spelling")
    kind = kind_of(argument.stat().st_mode)
    if kind is not None:
        raise InputError(str(argument), f"it is {kind}", "give the zips as downloaded, or the folder that holds them")
    part = part_of(argument.name)
    if part is None and argument.suffix.lower() != ".zip":
        raise InputError(str(argument), *_refusal_of(argument.name))
    siblings = [path for path in argument.parent.iterdir() if _is_part_of(path, part)] if part else [argument]
    context = _nfc("/".join(argument.parts[-3:-1]))
    for path in siblings:
        listing.zips.setdefault(path, _Found(path, _nfc(path.name), context))


def _refusal_of(name: str) -> tuple[str, str]:
    """Return (what is wrong with a file *name* that is given as a corpus, what to do)."""
    kind = unread_kind(name)
    if kind is not None:
        problem, advice = kind.split("; ", 1)
        return problem, advice
    return "neither a folder nor a zip", "give the zips as downloaded, or the folder that holds them"


def _list_folder(argument: Path, listing: _Listing) -> None:
    def fail(error: OSError) -> None:
        raise failure(str(error.filename or argument), "listed", error, "check its permissions") from error

    context = _nfc(argument.name)
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
        relative = _nfc(folder.relative_to(argument).as_posix())
        prefix = "" if relative == "." else relative + "/"
        for name in names:
            # Of a million loose label files nothing is kept but their folder.
            if not is_label_file(os.fsencode(name)):
                _list_file(_Found(folder / name, prefix + _nfc(name), context), names, listing)
            elif folder not in listing.folders:
                listing.folders[folder] = _Found(folder, relative, context)


def _list_file(file: _Found, names: Iterable[str], listing: _Listing) -> None:
    """Add a file that is no label file to its list; *names* are those of all files in its folder."""
    if _is_zip_name(file.path.name) and _is_file_or_broken(file.path):
        listing.zips.setdefault(file.path, file)
    elif file.path not in listing.others:
        listing.others.add(file.path)
        kind = unread_kind(file.path.name, names)
        if kind is not None and not is_audio_archive(f"{file.context}/{file.name}"):
            listing.unread.setdefault(kind, []).append(file.name)


def _zips(files: Iterable[_Found]) -> list[Archive]:
    whole: dict[tuple[Path, str], _Found] = {}
    parts: dict[tuple[Path, str, bool], list[tuple[Part, _Found]]] = {}
    for file in files:
        part = part_of(file.path.name)
        if part is not None:
            parts.setdefault((file.path.parent, part.stem, part.numbered), []).append((part, file))
        else:
            whole[file.path.parent, file.path.name] = file
    spares: dict[tuple[Path, str], tuple[str, ...]] = {}
    archives = []
    for (folder, stem, _), members in sorted(parts.items()):
        members.sort(key=lambda member: member[0].place)
        split = [(part, file.path) for part, file in members]
        paths = tuple(str(path) for _, path in split)
        if (folder, stem) not in whole:
            refuse_gaps(split)
            first = members[0][1]
            archives.append(_archive(first, without_part(first.name), Form.PARTS, paths))
        elif gap_in(split) is None:
            # A half-merged or empty zip beside the left-over parts is common; which of them is whole is seen when it is
            # opened.
            spares.setdefault((folder, stem), paths)
    for key, file in sorted(whole.items()):
        archives.append(_archive(file, file.name, Form.ZIP, (str(file.path),), spares.get(key, ())))
    return archives


def _folders(folders: dict[Path, _Found]) -> list[Archive]:
    """Return an archive for every folder that directly holds label files."""
    return [_archive(file, file.name, Form.FOLDER, (str(folder),)) for folder, file in folders.items()]


def _archive(file: _Found, name: str, form: Form, paths: tuple[str, ...], spare: tuple[str, ...] = ()) -> Archive:
    parts = [*reversed(name.split("/")), *reversed(file.context.split("/"))]
    return Archive(
        name=name,
        form=form,
        paths=paths,
        hints=parse_archive(parts),
        spare=spare,
        deidentified=is_deidentified(parts),
    )


def _named_apart(archives: Iterable[Archive]) -> tuple[Archive, ...]:
    """Return *archives* in canonical order; those of one name (from different arguments) get a number."""
    ordered = sorted(archives, key=lambda archive: (archive.name, archive.form, archive.paths))
    taken = {archive.name for archive in ordered}
    seen: set[str] = set()
    named = []
    for archive in ordered:
        name, number = archive.name, 1
        while name in seen or (number > 1 and name in taken):
            number += 1
            name = f"{archive.name} ({number})"
        seen.add(name)
        named.append(structs.replace(archive, name=name))
    return tuple(named)


def _is_zip_name(name: str) -> bool:
    """Whether a file *name* is a zip's or a part's, and not the shadow a Mac leaves beside it (`._x.zip`)."""
    return not is_debris(name) and (name.lower().endswith(".zip") or part_of(name) is not None)


def _is_file_or_broken(path: Path) -> bool:
    """Whether *path* is a file, or a link to none, which is an error when it is opened; a pipe or a device is neither."""
    return path.is_file() or not path.exists()


def _is_part_of(path: Path, part: Part) -> bool:
    """Whether *path* is a part of the same zip as *part*, cut in the same way."""
    other = part_of(path.name)
    return other is not None and (other.stem, other.numbered) == (part.stem, part.numbered)


def _nfc(name: str) -> str:
    # A name that is no UTF-8 comes in surrogates, which cannot be written down; it is read as members' names are.
    return unicodedata.normalize("NFC", decode_name(os.fsencode(name), 0))
