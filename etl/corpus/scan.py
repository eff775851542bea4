"""Scan an archive: read its directory, and nothing else of it, and cut it into batches."""

import hashlib
import os
import unicodedata
from collections.abc import Iterator
from functools import partial

import msgspec
from msgspec import Struct, structs

from saturi.etl.corpus.batches import Batch, BatchCutter, Extent, Limits, Place, key_of
from saturi.etl.corpus.directory import find_directory
from saturi.etl.corpus.discover import Archive, Form
from saturi.etl.corpus.layout import Layout, find_layout, lay_out, refuse_beyond, write_layout
from saturi.etl.corpus.names import is_label_file
from saturi.etl.corpus.opening import FileFacts, facts_of, failure, witness_of
from saturi.etl.corpus.ranged import STORAGE_ADVICE, RangedFile, open_archive
from saturi.etl.errors import ArchiveError, InputError
from saturi.etl.output.printable import counted
from saturi.etl.storage.location import Location, ObjectPath, location_of
from saturi.etl.storage.objects import ObjectFacts


class ScanRules(Struct, frozen=True):
    """
    Limits of an archive, and the treatment of one that cannot be read.

    Args:
        limits: Limits of its label files.
        max_entries: Most entries of its directory.
        allow_bad_archives: Return the problem of an archive that cannot be read, or holds no label file, and raise nothing.
    """

    limits: Limits
    max_entries: int
    allow_bad_archives: bool = False


class Scan(Struct, frozen=True, kw_only=True):
    """
    The contents of an archive by its directory: its label files, in batches.

    `fingerprint` is empty for a folder, whose files have to be read for one; `transcripts` counts the `.txt` twins that
    AI-Hub packs beside the label files of 2020; `notes` are sentences on what is odd with it.
    """

    archive: Archive
    fingerprint: str
    batches: list[Batch]
    transcripts: int = 0
    problem: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def label_files(self) -> int:
        """Number of label files in the archive."""
        return sum(batch.extent.label_files for batch in self.batches)

    @property
    def packed_bytes(self) -> int:
        """Bytes of the archive that label files take."""
        return sum(batch.extent.packed_bytes for batch in self.batches)

    @property
    def json_bytes(self) -> int:
        """Bytes of the label files, inflated, as declared."""
        return sum(batch.extent.json_bytes for batch in self.batches)


def scan(archive: Archive, rules: ScanRules, stage: Location | None = None) -> Scan:
    """
    Return the batches of an archive.

    Args:
        archive: Where it lies.
        rules: What it may hold.
        stage: Folder of the kept layout; None to read every entry.

    Raises:
        ArchiveError: The archive as a whole cannot be read, or holds no label file, and that is not allowed.
        InputError: The archive cannot be opened, or its directory cannot be read, and that is not allowed.
        ExhaustedError: The process cannot open any more files.
        StorageError: The layout cannot be written.
    """
    try:
        try:
            return _scan(archive, rules, stage)
        except ArchiveError:
            if not archive.spare:
                raise
            parts = structs.replace(
                archive, form=Form.PARTS, paths=archive.spare, facts=archive.spare_facts, spare=(), spare_facts=()
            )
            return _scan(parts, rules, stage)
    except InputError as error:
        if not rules.allow_bad_archives:
            raise
        return unreadable(archive, error)


def unreadable(archive: Archive, error: InputError) -> Scan:
    """Return the scan of an archive that is left out for *error*."""
    return Scan(archive=archive, fingerprint="", batches=[], problem=error.args[1])


def _scan(archive: Archive, rules: ScanRules, stage: Location | None) -> Scan:
    return _scan_folder(archive, rules.limits) if archive.form is Form.FOLDER else _scan_zip(archive, rules, stage)


def _scan_zip(archive: Archive, rules: ScanRules, stage: Location | None) -> Scan:
    limits = rules.limits
    with open_archive(archive.paths, archive.facts) as file:
        directory = find_directory(file, archive.paths[0])
        # Of an object a directory comes once: what a layout in the stage would save is looking at it, not reading it.
        kept = None if isinstance(file, RangedFile) else stage
        layout = find_layout(kept, file, directory, limits) if kept is not None else None
        if layout is None:
            layout = lay_out(file, directory, limits, archive.paths[0], rules.max_entries)
            if kept is not None:
                write_layout(kept, layout, directory, limits)
        witness = witness_of(file.facts)
    refuse_beyond(rules.max_entries, layout.entries, archive.paths[0])
    batches = [
        Batch(archive, key_of(layout.fingerprint, extent, limits), extent, place, limits, witness)
        for extent, place in layout.batches
    ]
    if not any(extent.label_files for extent, _ in layout.batches):
        raise ArchiveError(archive.paths[0], *_lack_of(layout))
    return Scan(
        archive=archive,
        fingerprint=layout.fingerprint,
        batches=batches,
        transcripts=layout.transcripts,
        notes=tuple(_notes_on(archive, layout)),
    )


def _lack_of(layout: Layout) -> tuple[str, str]:
    """Return (what is wrong with an archive without a label file, what to do)."""
    go_on = "or go on without it by --allow-bad-archives"
    if layout.archives:
        return (
            f"no label file in it, but {counted(layout.archives, 'other archive')}",
            f"unpack it into the corpus, {go_on}",
        )
    if layout.transcripts:
        problem = f"no JSON in it, only {layout.transcripts:,} .txt, which do not tell dialect from standard Korean"
        return problem, f"look for its .json elsewhere (전라's training labels of 2020 came without), {go_on}"
    if not layout.entries:
        return "nothing is in it", f"download it again, {go_on}"
    return "no label file in it", f"check that it is a label archive (TL_*.zip, VL_*.zip), {go_on}"


def _notes_on(archive: Archive, layout: Layout) -> Iterator[str]:
    if layout.archives:
        yield f"{archive.name}: {counted(layout.archives, 'archive')} within it not read; unpack it into the corpus"
    if layout.repeated:
        yield f"{archive.name}: its directory lists {counted(layout.repeated, 'member')} a second time; each is read once"


def _scan_folder(archive: Archive, limits: Limits) -> Scan:
    batches: list[Batch] = []
    cutter = BatchCutter(limits.max_member_bytes)
    names: list[bytes] = []
    facts: list[FileFacts | ObjectFacts] = []

    def cut() -> None:
        batches.append(_loose_batch(archive, names, facts, cutter.take(), limits))
        names.clear()
        facts.clear()

    for name, one in _label_files_in(archive.paths[0]):
        names.append(name)
        facts.append(one)
        if cutter.add(facts[-1].size, facts[-1].size, label_file=True):
            cut()
    if names:
        cut()
    if not batches:
        raise ArchiveError(archive.paths[0], "its label files are gone", "leave the corpus alone while it is read")
    return Scan(archive=archive, fingerprint="", batches=batches)


def _loose_batch(
    archive: Archive, names: list[bytes], facts: list[FileFacts | ObjectFacts], extent: Extent, limits: Limits
) -> Batch:
    """Return a batch of loose label files, named by their place; their facts identify them."""
    here = hashlib.sha256(msgspec.json.encode([os.fsencode(archive.paths[0]).hex(), *(name.hex() for name in names)]))
    key = key_of(here.hexdigest(), extent, limits)
    states = b"\0".join(b"%d %s" % (one.size, one.etag.encode()) for one in facts if isinstance(one, ObjectFacts))
    return Batch(archive, key, extent, Place(names=b"\0".join(names), states=states), limits, witness_of(facts))


def _label_files_in(folder: str) -> Iterator[tuple[bytes, FileFacts | ObjectFacts]]:
    """Yield name and facts of the label files, or objects, directly in *folder*, in the order of their names in NFC."""
    location = location_of(folder)
    if isinstance(location, ObjectPath):
        yield from _label_objects(location)
        return
    for name in _label_files(folder):
        yield os.fsencode(name), facts_of(os.path.join(folder, name))  # noqa: PTH118 - a Path is 20 times the memory


def _label_objects(folder: ObjectPath) -> Iterator[tuple[bytes, ObjectFacts]]:
    """
    Yield the label files of a folder in object storage.

    Between NUL, which is in no key, a text for each: of a million of them, all else would be several times the memory.
    """
    rows: list[str] = []
    folders: set[str] = set()
    beginning = len(f"{folder.key}/" if folder.key else "")
    try:
        for path, facts in folder.below():
            name, slash, _ = path.key[beginning:].partition("/")
            if slash:
                folders.add(name)
            elif is_label_file(name.encode()):
                rows.append(f"{name}\0{facts.size}\0{facts.modified_ns}\0{facts.etag}")
    except OSError as error:
        raise failure(str(folder), "listed", error, STORAGE_ADVICE) from error
    rows.sort()
    rows.sort(key=partial(unicodedata.normalize, "NFC"))
    for row in rows:
        name, size, modified_ns, etag = row.split("\0")
        if int(size) or name not in folders:  # else what consoles leave where a folder was made
            yield name.encode(), ObjectFacts(int(size), int(modified_ns), etag)


def _label_files(folder: str) -> list[str]:
    """Return the names of the label files directly in *folder*, sorted in NFC; folders called like one are none."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if is_label_file(os.fsencode(entry.name)) and not entry.is_dir()]
    except OSError as error:
        raise failure(folder, "listed", error, "check its permissions") from error
    names.sort()
    names.sort(key=partial(unicodedata.normalize, "NFC"))
    return names
