"""Scan an archive: read its directory, and nothing else of it, and cut it into batches."""

import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct, structs

from etl.corpus.batches import Batch, BatchCutter, Limits, Place, make_batch
from etl.corpus.directory import find_directory
from etl.corpus.discover import Archive, Form
from etl.corpus.layout import find_layout, lay_out, refuse_beyond, write_layout
from etl.corpus.mapped import MappedFile
from etl.corpus.names import is_label_file
from etl.errors import ArchiveError, InputError


class ScanRules(Struct, frozen=True):
    """
    What an archive may hold, and whether a build goes on without one that cannot be read.

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
    AI-Hub packs beside the label files of 2020.
    """

    archive: Archive
    fingerprint: str
    batches: list[Batch]
    transcripts: int = 0
    problem: str | None = None

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


def scan(archive: Archive, rules: ScanRules, stage: Path | None = None) -> Scan:
    """
    Return the batches of an archive.

    Args:
        archive: Where it lies.
        rules: What it may hold.
        stage: Where its layout is kept, and found again; None to look at every entry.

    Raises:
        ArchiveError: The archive as a whole cannot be read, or holds no label file, and that is not allowed.
        InputError: The archive cannot be opened.
        StorageError: The layout cannot be written.
    """
    try:
        try:
            result = _scan(archive, rules, stage)
        except ArchiveError:
            if not archive.spare:
                raise
            result = _scan(structs.replace(archive, form=Form.PARTS, paths=archive.spare, spare=()), rules, stage)
        if result.label_files == 0:
            raise ArchiveError(archive.paths[0], *_lack_of(result))
    except InputError as error:
        if not rules.allow_bad_archives:
            raise
        return Scan(archive=archive, fingerprint="", batches=[], problem=error.args[1])
    return result


def _lack_of(empty: Scan) -> tuple[str, str]:
    """Return (what is wrong with an archive without a label file, what to do)."""
    go_on = "or go on without it by --allow-bad-archives"
    if empty.transcripts:
        problem = f"no JSON in it, only {empty.transcripts:,} .txt, which do not tell dialect from standard Korean"
        return problem, f"look for its .json elsewhere (전라's training labels of 2020 came without), {go_on}"
    return "no label file in it", f"check that it is a label archive (TL_*.zip, VL_*.zip), {go_on}"


def _scan(archive: Archive, rules: ScanRules, stage: Path | None) -> Scan:
    return _scan_folder(archive, rules.limits) if archive.form is Form.FOLDER else _scan_zip(archive, rules, stage)


def _scan_zip(archive: Archive, rules: ScanRules, stage: Path | None) -> Scan:
    limits = rules.limits
    with MappedFile(archive.paths) as file:
        directory = find_directory(file, archive.paths[0])
        layout = find_layout(stage, file, directory, limits) if stage is not None else None
        if layout is None:
            layout = lay_out(file, directory, limits, archive.paths[0], rules.max_entries)
            if stage is not None:
                write_layout(stage, layout, directory, limits)
    refuse_beyond(rules.max_entries, layout.entries, archive.paths[0])
    batches = [make_batch(archive, layout.fingerprint, extent, place, limits) for extent, place in layout.batches]
    return Scan(archive=archive, fingerprint=layout.fingerprint, batches=batches, transcripts=layout.transcripts)


def _scan_folder(archive: Archive, limits: Limits) -> Scan:
    batches: list[Batch] = []
    cutter = BatchCutter(limits.max_member_bytes)
    names: list[bytes] = []
    here = hashlib.sha256(os.fsencode(archive.paths[0]))
    digest = here.copy()
    for name, facts in _files(archive.paths[0]):
        names.append(os.fsencode(name))
        digest.update(msgspec.json.encode((names[-1].hex(), facts)))
        if cutter.add(facts.size, facts.size, label_file=True):
            batches.append(
                make_batch(archive, digest.hexdigest(), cutter.take(), Place(names=b"\0".join(names)), limits)
            )
            names, digest = [], here.copy()
    if names:
        batches.append(make_batch(archive, digest.hexdigest(), cutter.take(), Place(names=b"\0".join(names)), limits))
    return Scan(archive=archive, fingerprint="", batches=batches)


class _FileFacts(NamedTuple):
    """Size, times and inode of a loose file, by which it differs from the one that was there before."""

    size: int
    changed_ns: int
    inode_changed_ns: int
    inode: int


def _files(folder: str) -> Iterator[tuple[str, _FileFacts]]:
    """Yield the label files directly in *folder*, sorted by name in NFC."""
    try:
        names = [name for name in os.listdir(folder) if is_label_file(os.fsencode(name))]  # noqa: PTH208 - a Path is 20 times the memory
    except OSError as error:
        raise InputError(folder, f"cannot be listed ({error.strerror})", "check its permissions") from error
    names.sort()
    names.sort(key=partial(unicodedata.normalize, "NFC"))
    for name in names:
        try:
            facts = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - likewise
        except OSError:
            yield name, _FileFacts(0, 0, 0, 0)  # a link to nowhere: it cannot be read, and is rejected for that
            continue
        if stat.S_ISREG(facts.st_mode):
            yield name, _FileFacts(facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)
