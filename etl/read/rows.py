"""The rows of a segment: the label files of a batch with their texts, counted, and made into columns."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import polars as pl
from msgspec import Struct, structs

from saturi.etl.corpus.archive import Defect, Member
from saturi.etl.corpus.names import ANY_SET
from saturi.etl.read.contents import Texts, contents_of
from saturi.etl.read.copies import SUM_MODULUS
from saturi.etl.read.decode import Decoded, decode
from saturi.etl.read.odd import LabelFile
from saturi.etl.read.segments import FILES, SENTENCES, to_ipc
from saturi.schemas.segment import SEGMENT_VERSION, Disagreements, Kind, KindCount, Oddities, SegmentHeader

KindFields = tuple[int, str | None, str | None, str | None, str | None, str | None]


Content = tuple[str, int, int]
"""Path, size and CRC-32 of a label file."""

FileRow = tuple[int | str | None, ...]
"""A row of `FILES`, its fields in the order of the columns; a plain tuple, which is made in a third of a named one's time."""

_UNREAD: FileRow = (None,) * (len(FILES) - 5)
"""The fields of a rejected label file behind those of its defect."""


class Reading(Struct, frozen=True, gc=False):
    """A label file after decoding: its number in the archive, its path there, its size and CRC-32, and the result."""

    number: int
    path: str
    json_bytes: int
    crc32: int
    result: Decoded | Defect


def reading_of(member: Member) -> Reading:
    """Return *member* decoded, without its bytes."""
    content = member.content
    result = content if isinstance(content, Defect) else decode(content)
    return Reading(member.number, member.path, member.json_bytes, member.crc32, result)


class _Counts(Struct):
    """The numbers of `KindCount`."""

    files: int = 0
    turns: int = 0
    sentences: int = 0
    without_script: int = 0
    script_by_number: int = 0
    without_speaker: int = 0


class Rows:
    """The rows of one segment, and the counts of its header."""

    def __init__(self) -> None:
        self.files: list[FileRow] = []
        # The columns of SENTENCES, the three texts in one.
        self._rows: list[int] = []
        self._numbers: list[int | None] = []
        self._turns: list[int | None] = []
        self._texts: list[Texts] = []
        self.ignored = self.repaired = 0
        self.rejected: Counter[str] = Counter()
        self.kinds: defaultdict[KindFields, _Counts] = defaultdict(_Counts)
        self.disagreements: Counter[str] = Counter()
        self.oddities: Counter[str] = Counter()
        self.contents: list[Content] = []

    def extend(self, readings: Iterable[Reading]) -> None:
        """Add several label files."""
        for reading in readings:
            self.add(reading)

    def add(self, reading: Reading) -> KindFields | None:
        """Add a label file, and return its kind where it is decoded."""
        self.contents.append((reading.path, reading.json_bytes, reading.crc32))
        result = reading.result
        if isinstance(result, Defect):
            self.rejected[result.reason] += 1
            reject = (result.reason.value, result.position, result.detail)
            self.files.append((reading.number, reading.path, *reject, *_UNREAD))
            return None
        self.repaired += result.repaired
        if result.odd:
            self.oddities["odd_field"] += 1
        return self._keep(reading, result.label)

    def _keep(self, reading: Reading, label: LabelFile) -> KindFields:
        contents = contents_of(label, reading.path)
        name, script = contents.name, contents.script
        kind = (contents.generation, name.region, name.speech_type, name.split, contents.region, contents.speech_type)
        counts = self.kinds[kind]
        counts.files += 1
        if contents.turns:
            counts.turns += contents.turns[-1]
        sentences = len(contents.sentences)
        counts.sentences += sentences
        if script is None:
            counts.without_script += 1
        elif script[0] == ANY_SET:
            counts.script_by_number += 1
        if not contents.speakers:
            counts.without_speaker += 1
        disagreements = None
        if contents.disagreements:
            self.disagreements.update(contents.disagreements)
            disagreements = "\n".join(contents.disagreements)
        self._rows += [len(self.files)] * sentences
        if contents.stand_in is not None:
            self.oddities[contents.stand_in] += 1
        self._numbers += range(1, sentences + 1) if contents.stand_in != "whole_only" else [None]
        self._turns += contents.turns or [None] * sentences
        self._texts += contents.sentences
        speakers = "\n".join(sorted(contents.speakers))
        # Its place, no defect, its kind, what else is known of it, and its texts.
        self.files.append(
            (reading.number, reading.path, None, None, None, *kind, script, speakers, disagreements, *contents.whole)
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
        """Return the header, without its checksum."""
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
            kinds=[KindCount(Kind(*kind), *structs.astuple(counts)) for kind, counts in self.kinds.items()],
            spoken=len(set(self._rows)),
            disagreements=Disagreements(**self.disagreements),
            oddities=Oddities(**self.oddities),
            digest=digest_of(self.contents),
            content_sum=sum(crc32 * (json_bytes + 1) for _, json_bytes, crc32 in self.contents) % SUM_MODULUS,
        )


def digest_of(contents: Sequence[Content]) -> str:
    """Return the SHA-256 of the names, sizes and CRC-32s of label files, in order."""
    return hashlib.sha256(msgspec.json.encode(contents)).hexdigest()


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> Iterable[Sequence[Any]]:
    """Return *rows*, each of *width* fields, as columns."""
    return zip(*rows, strict=True) if rows else [()] * width


def _frame(columns: Iterable[Sequence[Any]], schema: pl.Schema) -> pl.DataFrame:
    """Return *columns* as a frame; flat lists, since nested ones cost Polars 3 microseconds a value and these 0.02."""
    return pl.DataFrame(dict(zip(schema, columns, strict=True)), schema=schema)
