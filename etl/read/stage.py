"""Read one batch: its members to rows, its rows to a segment, unless one is there that can be trusted."""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from msgspec import Struct

from etl.errors import InputError
from etl.files import make_folder
from etl.read.archive import CHANGED_ADVICE, Defect, Member, read_members
from etl.read.batches import segment_path
from etl.read.contents import Texts, contents_of
from etl.read.decode import BatchDecoder, Decoded, decode
from etl.read.discover import Archive
from etl.read.names import parse_member
from etl.read.segments import FILES, SENTENCES, read_header, to_ipc, write_segment
from etl.stopwatch import lap
from etl.tasks import ProbeTask, ReadTask, StagedBatch
from schemas.segment import Disagreements, Kind, KindCount, SegmentHeader
from schemas.terms import RejectReason

_DAMAGE = {
    RejectReason.BAD_HEADER.value,
    RejectReason.TRUNCATED.value,
    RejectReason.CORRUPT.value,
    RejectReason.SIZE_MISMATCH.value,
    RejectReason.CRC_MISMATCH.value,
}
"""What another download may have mended, while the central directory is the same."""


def read_batch(task: ReadTask) -> StagedBatch:
    """
    Make the segment of a batch, unless it is there and can be trusted.

    Raises:
        InputError: The archive cannot be opened any more, or is another one by now.
        StorageError: The segment cannot be written.
    """
    batch = task.batch
    # What killed a worker may have been the machine and not the file: such a segment does not outlive the build.
    key = batch.key if not task.killers else hashlib.sha256(f"{batch.key} {sorted(task.killers)}".encode()).hexdigest()
    path = segment_path(Path(task.stage), key)
    header = read_header(path, key)
    witness = _witness(batch.archive)
    if header is not None and _is_valid_still(header, witness):
        return StagedBatch(header, reused=True)
    rows = _read(task)
    if len(rows.files) != batch.extent.label_files:
        raise InputError(batch.archive.paths[0], "has changed since the build began", CHANGED_ADVICE)
    header, files, sentences = rows.segment(key, witness)
    lap("columns")
    make_folder(path.parent)
    header = write_segment(path, header, files, sentences)
    lap("segment write")
    return StagedBatch(header, reused=False)


def _read(task: ReadTask) -> "Rows":
    """Return the rows of a batch; where a label file is no UTF-8, which is rare, all are read again to see which."""
    quick = BatchDecoder()
    rows = Rows(quick.decode)
    for member in read_members(task.batch, task.killers):
        rows.add(member)
    if quick.all_utf8():
        return rows
    rows = Rows()
    for member in read_members(task.batch, task.killers):
        rows.add(member)
    return rows


def _is_valid_still(header: SegmentHeader, witness: str) -> bool:
    """Whether what was rejected would be rejected again, as far as can be told without reading the archive."""
    if RejectReason.UNREADABLE in header.rejected:
        return False  # permissions and cables leave no trace
    return header.witness == witness or _DAMAGE.isdisjoint(header.rejected)


def _witness(archive: Archive) -> str:
    """Return what tells the files of *archive* from others with the same directory; "" where they cannot be looked at."""
    try:
        facts = [os.stat(path) for path in archive.paths]  # noqa: PTH116 - they are texts
    except OSError:
        return ""
    told = [(fact.st_size, fact.st_mtime_ns, fact.st_ctime_ns, fact.st_ino) for fact in facts]
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()


def probe(task: ProbeTask) -> None:
    """Decode some entries of a batch and forget them; a process that dies of it has found the member that kills."""
    spared = frozenset(range(task.batch.extent.first, task.batch.extent.last)) - frozenset(range(task.first, task.last))
    for member in read_members(task.batch, spared):
        if member is not None and not isinstance(member.content, Defect):
            decode(member.content)


KindFields = tuple[int, str | None, str | None, str | None, str | None, str | None]


FileRow = tuple[int | str | None, ...]
"""A row of `FILES`, its fields in the order of the columns; a plain tuple, which is made in a third of a named one's time."""

_UNREAD: FileRow = (None,) * (len(FILES) - 5)
"""What a rejected label file has instead of all that was read of the others."""


class _Counts(Struct):
    """How many label files, turns and sentences there are of a kind."""

    files: int = 0
    turns: int = 0
    sentences: int = 0


class Rows:
    """
    The rows of one segment, and what its header counts.

    Args:
        decode: What decodes a label file.
    """

    def __init__(self, decode: Callable[[bytes], Decoded | Defect] = decode) -> None:
        self._decode = decode
        self.files: list[FileRow] = []
        self.rows: list[int] = []  # with the three that follow, the columns of SENTENCES
        self.numbers: list[int] = []
        self.turns: list[int | None] = []
        self.texts: list[Texts] = []
        self.ignored = self.repaired = 0
        self.rejected: Counter[str] = Counter()
        self.kinds: defaultdict[KindFields, _Counts] = defaultdict(_Counts)
        self.disagreements: Counter[str] = Counter()
        self.contents: list[tuple[str, int, int]] = []

    def add(self, member: Member | None) -> KindFields | None:
        """Add one entry of the archive, None for no label file, and return its kind where it is decoded."""
        if member is None:
            self.ignored += 1
            return None
        self.contents.append((member.path, member.json_bytes, member.crc32))
        outcome = member.content if isinstance(member.content, Defect) else self._decode(member.content)
        lap("decode")
        if isinstance(outcome, Defect):
            self.rejected[outcome.reason] += 1
            why = (outcome.reason.value, outcome.position, outcome.detail)
            self.files.append((member.number, member.path, *why, *_UNREAD))
            return None
        self.repaired += outcome.repaired
        kind = self._keep(member, outcome)
        lap("rows")
        return kind

    def _keep(self, member: Member, decoded: Decoded) -> KindFields:
        name = parse_member(member.path)
        told = contents_of(decoded.label, member.path, name)
        kind = (told.generation, name.region, name.speech_type, name.split, told.region, told.speech_type)
        counts = self.kinds[kind]  # once, since enums are slow to hash
        counts.files += 1
        counts.turns += told.turns[-1] if told.turns else 0
        sentences = len(told.sentences)
        counts.sentences += sentences
        if told.disagreements:
            self.disagreements.update(told.disagreements)
        self.rows += [len(self.files)] * sentences
        self.numbers += range(1, sentences + 1)
        self.turns += told.turns or [None] * sentences
        self.texts += told.sentences
        self.files.append(
            (
                *(member.number, member.path),
                *(None, None, None),
                *kind,
                None if name.prompt is None else f"{name.script_set}:{name.prompt}",
                "\n".join(sorted(told.speakers)),
                "\n".join(told.disagreements) or None,
                *told.whole,
            )
        )
        return kind

    def frames(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the rows as `FILES` and as `SENTENCES`."""
        sentences: list[Sequence[Any]] = [self.rows, self.numbers, self.turns, *_columns(self.texts, 3)]
        return _frame(_columns(self.files, len(FILES)), FILES), _frame(sentences, SENTENCES)

    def segment(self, key: str, witness: str) -> tuple[SegmentHeader, bytes, bytes]:
        """Return the header, without its checksum, and the two Arrow IPC streams of the segment."""
        files, sentences = map(to_ipc, self.frames())
        return self.header(key, witness, len(files)), files, sentences

    def header(self, key: str, witness: str, files_bytes: int) -> SegmentHeader:
        """Return what is counted, without the checksum."""
        return SegmentHeader(
            key=key,
            witness=witness,
            crc32=0,
            files_bytes=files_bytes,
            label_files=len(self.files),
            decoded=sum(counts.files for counts in self.kinds.values()),
            rejected=dict(sorted(self.rejected.items())),
            ignored=self.ignored,
            repaired=self.repaired,
            kinds=[
                KindCount(Kind(*kind), counts.files, counts.turns, counts.sentences)
                for kind, counts in self.kinds.items()
            ],
            disagreements=Disagreements(**self.disagreements),
            digest=hashlib.sha256(msgspec.json.encode(self.contents)).hexdigest(),
        )


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> Iterable[Sequence[Any]]:
    """Return *rows*, each of *width* fields, as columns."""
    return zip(*rows, strict=True) if rows else [()] * width


def _frame(columns: Iterable[Sequence[Any]], schema: pl.Schema) -> pl.DataFrame:
    """Return *columns* as a frame; flat lists, since nested ones cost Polars 3 microseconds a value and these 0.02."""
    return pl.DataFrame(dict(zip(schema, columns, strict=True)), schema=schema)
