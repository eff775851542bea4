"""
Find the archives of a corpus: zips, split zips, folders of loose label files, in any mix; no archive is opened here.

The order of the result and the names in it depend on the corpus alone, not on the order of the arguments or on where it
lies.
"""

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path

from msgspec import Struct, structs

from etl.corpus.directory import decode_name
from etl.corpus.names import Hints, is_audio_archive, is_deidentified, is_label_file, parse_archive
from etl.errors import ArchiveError, EmptyCorpusError, InputError, MissingPathError
from etl.output.files import MARKER
from etl.settings.paths import paths_of

_PART = re.compile(r"(?P<stem>.+\.zip)\.part(?P<offset>\d+)", re.IGNORECASE | re.DOTALL)


class Form(StrEnum):
    """How an archive lies on disk."""

    ZIP = "zip"
    PARTS = "parts"
    FOLDER = "folder"


class Archive(Struct, frozen=True, kw_only=True):
    """
    One zip, one set of parts, or one folder of loose label files.

    `name` is the path below the argument it was found in, in NFC, with forward slashes; `paths` are the files to open,
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
    """The archives of a corpus in canonical order, and how many audio archives and other files lie beside them."""

    archives: tuple[Archive, ...]
    ignored_archives: int
    ignored_files: int


class _Found(Struct, frozen=True):
    """A zip, a part of one, or a folder of loose label files: where it is, its name below the argument, and what lies above."""

    path: Path
    name: str
    context: str


class _Listing(Struct):
    """What lies below the arguments; a million loose label files are one entry, that of their folder."""

    zips: dict[Path, _Found]
    folders: dict[Path, _Found]
    others: set[Path]


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
    listing = _Listing({}, {}, set())
    for argument in arguments:
        if set(arguments).isdisjoint(argument.parents) or not argument.exists():  # else it is found below another
            _list_argument_safely(argument, listing)
    audio = {path for path, file in listing.zips.items() if is_audio_archive(f"{file.context}/{file.name}")}
    archives = [*_zips(file for path, file in listing.zips.items() if path not in audio), *_folders(listing.folders)]
    if not archives:
        where = ", ".join(map(str, arguments))
        more = f" beside {len(audio)} audio archives" if audio else ""
        advice = "give the folder that holds the downloaded label zips (TL_*.zip, VL_*.zip)"
        raise EmptyCorpusError(where, f"no label archive found{more}", advice)
    audio_archives = {_PART.sub(r"\g<stem>", str(path)) for path in audio}
    return Corpus(_named_apart(archives), len(audio_archives), len(listing.others))


def _list_argument_safely(argument: Path, listing: _Listing) -> None:
    try:
        _list_argument(argument, listing)
    except InputError:
        raise
    except OSError as error:
        raise InputError(
            str(argument), f"cannot be read ({error.strerror})", "check the path and its permissions"
        ) from error
    except RecursionError as error:
        raise InputError(str(argument), "folders nested too deeply", "give the folder further down") from error


def _list_argument(argument: Path, listing: _Listing) -> None:
    if argument.is_dir():
        _list_folder(argument, listing)
        return
    if not argument.exists():
        raise MissingPathError(str(argument), "there is no such file or folder", "check the spelling")
    part = _PART.fullmatch(argument.name)
    if part is None and argument.suffix.lower() != ".zip":
        raise InputError(
            str(argument), "neither a folder nor a zip", "give the zips as downloaded, or the folder that holds them"
        )
    siblings = [path for path in argument.parent.iterdir() if _is_part_of(path, part["stem"])] if part else [argument]
    context = _nfc("/".join(argument.parts[-3:-1]))
    for path in siblings:
        listing.zips.setdefault(path, _Found(path, _nfc(path.name), context))


def _list_folder(argument: Path, listing: _Listing) -> None:
    def fail(error: OSError) -> None:
        raise InputError(
            str(error.filename), f"the folder cannot be listed ({error.strerror})", "check its permissions"
        ) from error

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
            if _is_zip_name(name) and _is_file_or_broken(folder / name):
                listing.zips.setdefault(folder / name, _Found(folder / name, prefix + _nfc(name), context))
            elif is_label_file(os.fsencode(name)):
                if folder not in listing.folders:
                    listing.folders[folder] = _Found(folder, relative, context)
            else:
                listing.others.add(folder / name)


def _zips(files: Iterable[_Found]) -> list[Archive]:
    whole: dict[tuple[Path, str], _Found] = {}
    parts: dict[tuple[Path, str], list[tuple[int, _Found]]] = {}
    for file in files:
        match = _PART.fullmatch(file.path.name)
        if match:
            parts.setdefault((file.path.parent, match["stem"]), []).append((int(match["offset"]), file))
        else:
            whole[file.path.parent, file.path.name] = file
    archives = []
    for key in sorted(whole.keys() | parts.keys()):
        split = sorted(parts.get(key, []), key=lambda part: part[0])
        spare = tuple(str(file.path) for _, file in split)
        if key in whole:
            # A half-merged or empty zip beside the left-over parts is common; which of them is whole is seen when it is
            # opened.
            spare = spare if _gap(split) is None else ()
            archives.append(_archive(whole[key], whole[key].name, Form.ZIP, (str(whole[key].path),), spare))
        else:
            _refuse_gaps(split)
            first = split[0][1]
            archives.append(_archive(first, _PART.sub(r"\g<stem>", first.name), Form.PARTS, spare))
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


def _gap(split: Sequence[tuple[int, _Found]]) -> tuple[str, str] | None:
    """Return (the file after the gap, what is missing), or None where the parts follow one another from byte 0."""
    end = 0
    for offset, file in split:
        if offset != end:
            stem = _PART.sub(r"\g<stem>", file.path.name)
            missing = f"{stem}.part0" if end == 0 else f"{stem}.part{end}"
            return str(file.path), f"the parts do not follow one another: {missing} is missing or incomplete"
        end += file.path.stat().st_size if file.path.exists() else 0
    return None


def _refuse_gaps(split: Sequence[tuple[int, _Found]]) -> None:
    gap = _gap(split)
    if gap is not None:
        raise ArchiveError(*gap, "download the missing part again")


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
    return not name.startswith("._") and (name.lower().endswith(".zip") or _PART.fullmatch(name) is not None)


def _is_file_or_broken(path: Path) -> bool:
    """Whether *path* is a file, or a link to none, which is an error when it is opened; a pipe or a device is neither."""
    return path.is_file() or not path.exists()


def _is_part_of(path: Path, stem: str) -> bool:
    match = _PART.fullmatch(path.name)
    return match is not None and match["stem"] == stem


def _nfc(name: str) -> str:
    # A name that is no UTF-8 comes in surrogates, which cannot be written down; it is read as members' names are.
    return unicodedata.normalize("NFC", decode_name(os.fsencode(name), 0))
