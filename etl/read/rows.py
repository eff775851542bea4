"""The rows of a segment: what is told of each label file of a batch, gathered, counted, and made into columns."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import polars as pl
from msgspec import Struct

from etl.corpus.archive import Defect, Member
from etl.corpus.names import parse_member
from etl.read.contents import Texts, contents_of
from etl.read.decode import Decoded, LabelFile
from etl.read.segments import FILES, SENTENCES, to_ipc
from schemas.segment import SEGMENT_VERSION, Disagreements, Kind, KindCount, SegmentHeader

KindFields = tuple[int, str | None, str | None, str | None, str | None, str | None]


FileRow = tuple[int | str | None, ...]
"""A row of `FILES`, its fields in the order of the columns; a plain tuple, which is made in a third of a named one's time."""

_UNREAD: FileRow = (None,) * (len(FILES) - 5)
"""What a rejected label file has instead of all that was read of the others."""


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


class _Counts(Struct):
    """How many label files, turns and sentences there are of a kind."""

    files: int = 0
    turns: int = 0
    sentences: int = 0


class Rows:
    """The rows of one segment, and what its header counts."""

    def __init__(self) -> None:
        self.files: list[FileRow] = []
        # The columns of SENTENCES, the three texts in one.
        self._rows: list[int] = []
        self._numbers: list[int] = []
        self._turns: list[int | None] = []
        self._texts: list[Texts] = []
        self.ignored = self.repaired = 0
        self.rejected: Counter[str] = Counter()
        self.kinds: defaultdict[KindFields, _Counts] = defaultdict(_Counts)
        self.disagreements: Counter[str] = Counter()
        self.contents: list[tuple[str, int, int]] = []

    def extend(self, outcomes: Iterable[Outcome]) -> None:
        """Add several label files."""
        for outcome in outcomes:
            self.add(outcome)

    def add(self, outcome: Outcome) -> KindFields | None:
        """Add a label file, and return its kind where it is decoded."""
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
        self._rows += [len(self.files)] * sentences
        self._numbers += range(1, sentences + 1)
        self._turns += told.turns or [None] * sentences
        self._texts += told.sentences
        script = None if name.prompt is None else f"{name.script_set}:{name.prompt}"
        speakers, disagreements = "\n".join(sorted(told.speakers)), "\n".join(told.disagreements) or None
        # Its place, no defect, its kind, what else is known of it, and its texts.
        self.files.append(
            (outcome.number, outcome.path, None, None, None, *kind, script, speakers, disagreements, *told.whole)
        )
        return kind

    def frames(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the rows as `FILES` and as `SENTENCES`."""
        sentences: list[Sequence[Any]] = [self._rows, self._numbers, self._turns, *_columns(self._texts, 3)]
        return _frame(_columns(self.files, len(FILES)), FILES), _frame(sentences, SENTENCES)

    def segment(self, key: str, witness: str) -> tuple[SegmentHeader, bytes, bytes]:
        """Return the header, without its checksum, and the two Arrow IPC streams of the segment."""
        files, sentences = map(to_ipc, self.frames())
        return self.header(key, witness, len(files)), files, sentences

    def header(self, key: str, witness: str, files_bytes: int) -> SegmentHeader:
        """Return what is counted, without the checksum."""
        return SegmentHeader(
            version=SEGMENT_VERSION,
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
