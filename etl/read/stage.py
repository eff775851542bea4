"""Read one batch: its members to rows, its rows to a segment, unless one is there that can be trusted."""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import polars as pl
from msgspec import Struct

from etl.errors import InputError
from etl.files import make_folder
from etl.read.archive import CHANGED_ADVICE, Defect, Member, read_members
from etl.read.batches import segment_path
from etl.read.contents import Texts, contents_of
from etl.read.decode import BatchDecoder, Decoded, LabelFile, decode
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


class Outcome(NamedTuple):
    """A label file, decoded or refused: its number in the archive, its path there, its size and CRC-32, and what is told of it."""

    number: int
    path: str
    json_bytes: int
    crc32: int
    told: Decoded | Defect


def outcome_of(member: Member, decode: Callable[[bytes], Decoded | Defect]) -> Outcome:
    """Return what *decode* makes of *member*, without its bytes."""
    content = member.content
    told = content if isinstance(content, Defect) else decode(content)
    return Outcome(member.number, member.path, member.json_bytes, member.crc32, told)


def _read(task: ReadTask) -> "Rows":
    """
    Return the rows of a batch.

    First all is decoded, then all is put into rows: taking turns, file by file, takes a sixth longer (91 against 77
    microseconds), since a document leaves nothing in the processor's cache of what Python needs for the rows.
    """
    decoder = BatchDecoder()
    outcomes = list(_outcomes(task, decoder.decode))
    if not decoder.all_utf8():  # which is rare: each by itself, to see which
        outcomes = list(_outcomes(task, decode))
    rows = Rows()
    for outcome in outcomes:
        rows.add(outcome)
    lap("rows")
    return rows


def _outcomes(task: ReadTask, decode: Callable[[bytes], Decoded | Defect]) -> Iterator[Outcome | None]:
    """Yield what became of the label files of a batch, and None for every entry that is none."""
    for member in read_members(task.batch, task.killers):
        outcome = outcome_of(member, decode) if member is not None else None
        lap("decode")
        yield outcome


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
    """The rows of one segment, and what its header counts."""

    def __init__(self) -> None:
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

    def add(self, outcome: Outcome | None) -> KindFields | None:
        """Add one entry of the archive, None for no label file, and return its kind where it is decoded."""
        if outcome is None:
            self.ignored += 1
            return None
        self.contents.append((outcome.path, outcome.json_bytes, outcome.crc32))
        told = outcome.told
        if isinstance(told, Defect):
            self.rejected[told.reason] += 1
            why = (told.reason.value, told.position, told.detail)
            self.files.append((outcome.number, outcome.path, *why, *_UNREAD))
            return None
        self.repaired += told.repaired
        return self._keep(outcome, told.label)

    def _keep(self, outcome: Outcome, label: LabelFile) -> KindFields:
        name = parse_member(outcome.path)
        told = contents_of(label, outcome.path, name)
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
                *(outcome.number, outcome.path),
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
