"""
Find the archives of a corpus: zips, split zips, folders of loose label files, in any mix; no archive is opened here.

The order of the result and the names in it depend on the corpus alone, not on the order of the arguments or on where it
lies.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from msgspec import Struct, structs

from saturi.etl.corpus.listing import Found, Listing, list_argument
from saturi.etl.corpus.names import Hints, is_audio_archive, is_deidentified, parse_archive
from saturi.etl.corpus.opening import facts_of
from saturi.etl.corpus.parts import Part, gap_in, part_of, refuse_gaps, without_part
from saturi.etl.corpus.unread import notes_on
from saturi.etl.errors import EmptyCorpusError
from saturi.etl.output.printable import counted
from saturi.etl.settings.paths import locations_of
from saturi.etl.storage.location import Location, ObjectPath, is_url
from saturi.etl.storage.objects import ObjectFacts


class Form(StrEnum):
    """Form of an archive."""

    ZIP = "zip"
    PARTS = "parts"
    FOLDER = "folder"


class Archive(Struct, frozen=True, kw_only=True):
    """
    One zip, one set of parts, or one folder of loose label files.

    `name` is the path below its argument, in NFC, with forward slashes; `paths` are the files, or the URLs of the objects,
    to open, in order; `spare` are the parts that may stand in where `paths` turns out to be no whole zip; `facts` and
    `spare_facts` are those of the objects, none for files. `deidentified` is whether a name says so ("비식별화완료").
    """

    name: str
    form: Form
    paths: tuple[str, ...]
    hints: Hints
    spare: tuple[str, ...] = ()
    deidentified: bool = False
    facts: tuple[ObjectFacts, ...] = ()
    spare_facts: tuple[ObjectFacts, ...] = ()


class Corpus(Struct, frozen=True):
    """
    The archives of a corpus in canonical order, and how many audio archives and other files lie beside them.

    `notes` are sentences on those of the other files that may well hold label files; `landmarks` is a file, or an object, of
    each argument, by which another machine sees whether it has the same corpus.
    """

    archives: tuple[Archive, ...]
    ignored_archives: int
    ignored_files: int
    notes: tuple[str, ...] = ()
    landmarks: tuple[str, ...] = ()


def discover(paths: str | Location | Iterable[str | Location]) -> Corpus:
    """
    Return the archives below *paths*, which may be URLs of object storage.

    Raises:
        OptionError: A path is empty.
        MissingPathError: A path is not there.
        InputError: A path is neither a folder nor a zip, or a folder cannot be listed.
        ArchiveError: A part of a split archive is missing.
        EmptyCorpusError: There is no archive.
    """
    arguments = sorted(set(map(_absolute, locations_of(paths, "CORPUS"))), key=str)
    if not arguments:
        raise EmptyCorpusError("corpus", "no path was given", "name a folder or a zip with label files")
    listing = Listing({}, {}, set(), {})
    for argument in arguments:
        if set(arguments).isdisjoint(argument.parents) or not _exists(argument):  # else it is found below another
            list_argument(argument, listing)
    audio = {path for path, file in listing.zips.items() if is_audio_archive(f"{file.context}/{file.name}")}
    archives = [*_zips(file for path, file in listing.zips.items() if path not in audio), *_folders(listing.folders)]
    if not archives:
        raise EmptyCorpusError(", ".join(map(str, arguments)), *_lack_of(listing, len(audio)))
    audio_archives = {without_part(str(path)) for path in audio}
    notes = tuple(notes_on(listing.unread))
    named = _named_apart(archives)
    return Corpus(named, len(audio_archives), len(listing.others), notes, tuple(_landmarks(arguments, named)))


def _landmarks(arguments: Iterable[Location], archives: Sequence[Archive]) -> Iterator[str]:
    """Yield a file of each of *arguments* that holds an archive; of a folder of label files one of those, as far as it has any."""
    for argument in map(str, arguments):
        first = next((one for one in archives if one.paths[0].startswith(argument)), None)
        if first is None:
            continue
        path = first.paths[0]
        if first.form is Form.FOLDER and not is_url(path):
            with suppress(OSError), os.scandir(path) as entries:  # the scan has a sentence for it
                path = next((entry.path for entry in entries), path)
        yield path


def _lack_of(listing: Listing, audio: int) -> tuple[str, str]:
    """Return (what is wrong with a corpus without an archive, what to do)."""
    advice = "give the folder that holds the downloaded label zips (TL_*.zip, VL_*.zip)"
    beside = f" beside {counted(audio, 'audio archive')}" if audio else f" among {counted(len(listing.others), 'file')}"
    if listing.unread:
        return f"no label archive found{beside}", "; ".join(notes_on(listing.unread))
    if not audio and not listing.others:
        return "nothing is in it", advice
    return f"no label archive found{beside}", advice


def _absolute(path: Location) -> Location:
    return path if isinstance(path, ObjectPath) else Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links out of the corpus


def _exists(path: Location) -> bool:
    return path.exists() if isinstance(path, ObjectPath) else os.path.exists(path)  # noqa: PTH110 - this one never raises


def _zips(files: Iterable[Found]) -> list[Archive]:
    whole: dict[tuple[str, str], Found] = {}
    parts: dict[tuple[str, str, bool], list[tuple[Part, Found]]] = {}
    for file in files:
        part = part_of(file.path.name)
        if part is not None:
            parts.setdefault((str(file.path.parent), part.stem, part.numbered), []).append((part, file))
        else:
            whole[str(file.path.parent), file.path.name] = file
    spares: dict[tuple[str, str], list[Found]] = {}
    archives = []
    for (folder, stem, _), members in sorted(parts.items()):
        members.sort(key=lambda member: member[0].place)
        split = [(part, str(file.path), _size(file)) for part, file in members]
        pieces = [file for _, file in members]
        if (folder, stem) not in whole:
            refuse_gaps(split)
            archives.append(_archive(without_part(pieces[0].name), Form.PARTS, pieces))
        elif gap_in(split) is None:
            # A half-merged or empty zip beside the left-over parts is common; which of them is whole is seen when it is
            # opened.
            spares.setdefault((folder, stem), pieces)
    for key, file in sorted(whole.items()):
        archives.append(_archive(file.name, Form.ZIP, [file], spares.get(key, [])))
    return archives


def _size(file: Found) -> int:
    """Return the bytes of a part; 0 where it is gone meanwhile, or a link to nothing."""
    return facts_of(str(file.path)).size if file.facts is None else file.facts.size


def _folders(folders: dict[Location, Found]) -> list[Archive]:
    """Return an archive for every folder that directly holds label files."""
    return [_archive(folder.name, Form.FOLDER, [folder]) for folder in folders.values()]


def _archive(name: str, form: Form, files: Sequence[Found], spare: Sequence[Found] = ()) -> Archive:
    parts = [*reversed(name.split("/")), *reversed(files[0].context.split("/"))]
    return Archive(
        name=name,
        form=form,
        paths=tuple(str(file.path) for file in files),
        hints=parse_archive(parts),
        spare=tuple(str(file.path) for file in spare),
        deidentified=is_deidentified(parts),
        facts=_facts(files),
        spare_facts=_facts(spare),
    )


def _facts(files: Iterable[Found]) -> tuple[ObjectFacts, ...]:
    return tuple(file.facts for file in files if file.facts is not None)


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
