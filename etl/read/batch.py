"""
Read one batch: its members to rows, its rows to a segment, unless one is there that can be trusted.

The segment of a zip is named by the directory of the zip, which holds the CRC-32 of every member. That of loose files is
named by their contents, so that a copy of them gives the same name; a link, named by where they lie, tells which segment
belongs to files of these sizes and times. Where only times changed, they are read again and not decoded.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from saturi.etl.corpus.archive import Defect, Member, read_members
from saturi.etl.corpus.batches import Batch, key_of, path_in_stage, segment_path
from saturi.etl.corpus.discover import Form
from saturi.etl.corpus.mapped import CHANGED, CHANGED_ADVICE
from saturi.etl.corpus.opening import facts_of, witness_of
from saturi.etl.errors import InputError
from saturi.etl.output.files import make_folder, write_whole
from saturi.etl.read.decode import decode
from saturi.etl.read.rows import Reading, Rows, digest_of, reading_of
from saturi.etl.read.segments import read_header, write_segment
from saturi.etl.read.tasks import ProbeTask, ReadTask, StagedBatch, UnreadBatch
from saturi.etl.runtime.stopwatch import lap
from saturi.etl.storage.location import Location, location_of
from saturi.schemas.segment import SegmentHeader
from saturi.schemas.terms import RejectReason

_DAMAGE = {
    RejectReason.BAD_HEADER.value,
    RejectReason.TRUNCATED.value,
    RejectReason.CORRUPT.value,
    RejectReason.SIZE_MISMATCH.value,
    RejectReason.CRC_MISMATCH.value,
}
"""What another download may have mended, while the central directory is the same."""

_RUN_BYTES, _HELD_BYTES = 1 << 18, 1 << 20
"""
JSON inflated before it is decoded, and decoded before it is put into rows; hostile documents take up to thirteen times their
size until then.

Taking turns file by file, each step finds nothing of its own in the processor's caches. Of the first a quarter of what suffices
for the second: its documents have to stay there.
"""


class _Link(NamedTuple):
    """The segment of loose files, and the witness of these files when they were read for it."""

    witness: str
    key: str


_LINK_DECODER = msgspec.json.Decoder(_Link)


def read_batch(task: ReadTask) -> StagedBatch | UnreadBatch:
    """
    Make the segment of a batch, unless it is there and can be trusted.

    Raises:
        ExhaustedError: The process has no more open files, or no more memory.
        StorageError: The segment cannot be written.
    """
    try:
        return _read_loose(task) if task.batch.archive.form is Form.FOLDER else _read_packed(task)
    except InputError as error:
        return UnreadBatch(*error.args)


def _read_packed(task: ReadTask) -> StagedBatch:
    batch = task.batch
    key = _key_with_killers(batch.key, task.killers)
    header = read_header(segment_path(location_of(task.stage), key), key)
    if header is not None and _is_valid_still(header, batch.witness):
        return StagedBatch(header, reused=True)
    rows = _read(task)
    if not _DAMAGE.isdisjoint(rows.rejected) and _witness_now(batch) != batch.witness:
        raise InputError(batch.archive.paths[0], CHANGED, CHANGED_ADVICE)
    return StagedBatch(_write(task.stage, key, batch.witness, rows), reused=False)


def _read_loose(task: ReadTask) -> StagedBatch:
    batch, stage = task.batch, location_of(task.stage)
    link_path = path_in_stage(stage, batch.key, "link")
    link = None if task.killers else _read_link(link_path)
    if link is not None:
        # Other times need not mean other contents: their digest says whether they are.
        key = link.key if link.witness == batch.witness else _key_of_contents(batch, _digest(batch))
        header = read_header(segment_path(stage, key), key)
        if header is not None and _is_valid_still(header, ""):
            _write_link(link_path, batch, key, link)
            return StagedBatch(header, reused=True)
    rows = _read(task)
    key = _key_with_killers(_key_of_contents(batch, digest_of(rows.contents)), task.killers)
    header = _write(task.stage, key, "", rows)
    if not task.killers:
        _write_link(link_path, batch, key, link)
    return StagedBatch(header, reused=False)


def _key_with_killers(key: str, killers: frozenset[int]) -> str:
    """Return *key*, or another where entries are left out: a worker may have been killed by the machine and not by them."""
    return key if not killers else hashlib.sha256(f"{key} {sorted(killers)}".encode()).hexdigest()


def _key_of_contents(batch: Batch, digest: str) -> str:
    return key_of(digest, batch.extent, batch.limits)


def _digest(batch: Batch) -> str:
    """Return the digest of the contents of a batch, decoding nothing."""
    members = filter(None, read_members(batch))
    return digest_of([(member.path, member.json_bytes, member.crc32) for member in members])


def _witness_now(batch: Batch) -> str:
    """Return the witness of the files of a batch as they are now; objects were read by their ETags, and are as they were."""
    if batch.archive.facts or batch.place.states:
        return batch.witness
    if batch.archive.form is not Form.FOLDER:
        return witness_of(map(facts_of, batch.archive.paths))
    folder = os.path.join(os.fsencode(batch.archive.paths[0]), b"")  # noqa: PTH118 - a Path is 20 times the memory
    return witness_of(facts_of(folder + name) for name in batch.place.listed())


def _read_link(path: Location) -> _Link | None:
    try:
        return _LINK_DECODER.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _write_link(path: Location, batch: Batch, key: str, before: _Link | None) -> None:
    """Write that the segment *key* is that of a batch, unless that is known, or its files changed since they were scanned."""
    link = _Link(batch.witness, key)
    if link != before and _witness_now(batch) == batch.witness:
        make_folder(path.parent)
        write_whole(path, [msgspec.json.encode(link)], durable=False)


def _write(stage: str, key: str, witness: str, rows: Rows) -> SegmentHeader:
    path = segment_path(location_of(stage), key)
    header, files, sentences = rows.segment(key, witness)
    lap("columns")
    make_folder(path.parent)
    header = write_segment(path, header, files, sentences)
    lap("segment write")
    return header


def _read(task: ReadTask) -> Rows:
    """
    Return the rows of a batch.

    Raises:
        InputError: The archive cannot be opened any more, or is another one by now.
    """
    rows = _rows(task)
    if len(rows.files) != task.batch.extent.label_files:
        raise InputError(task.batch.archive.paths[0], CHANGED, CHANGED_ADVICE)
    return rows


def _rows(task: ReadTask) -> Rows:
    """Return the rows of a batch: some documents are inflated, then these are decoded; some more, and they are put into rows."""
    rows = Rows()
    held: list[Reading] = []
    held_bytes = 0
    for members in _runs(filter(None, read_members(task.batch, task.killers))):
        for member in members:
            held.append(reading_of(member))
            held_bytes += member.json_bytes
        lap("decode")
        if held_bytes >= _HELD_BYTES:
            rows.extend(held)
            held.clear()
            held_bytes = 0
            lap("rows")
    rows.extend(held)
    lap("rows")
    rows.ignored = task.batch.extent.entries - len(rows.files)
    return rows


def _runs(members: Iterable[Member]) -> Iterator[list[Member]]:
    """Yield *members* in runs of `_RUN_BYTES`; a run is emptied when the next is asked for, so that its memory is used again."""
    run: list[Member] = []
    run_bytes = 0
    for member in members:
        run.append(member)
        run_bytes += member.json_bytes
        if run_bytes >= _RUN_BYTES:
            yield run
            run.clear()
            run_bytes = 0
    yield run


def _is_valid_still(header: SegmentHeader, witness: str) -> bool:
    """Whether what was rejected would be rejected again, as far as is known without reading the archive."""
    if RejectReason.UNREADABLE in header.rejected:
        return False  # permissions and cables leave no trace
    return header.witness == witness or _DAMAGE.isdisjoint(header.rejected)


def probe(task: ProbeTask) -> None:
    """Decode some entries of a batch and forget them; a process that dies of it has read the member that kills."""
    spared = frozenset(range(task.batch.extent.first, task.batch.extent.last)) - frozenset(range(task.first, task.last))
    for member in read_members(task.batch, spared):
        if member is not None and not isinstance(member.content, Defect):
            decode(member.content)
