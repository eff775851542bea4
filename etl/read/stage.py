"""Read one batch: its members to rows, its rows to a segment, unless one is there that can be trusted."""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import normalize

import msgspec
import polars as pl

from etl.errors import InputError
from etl.files import make_folder
from etl.read.archive import CHANGED_ADVICE, Defect, Member, read_members
from etl.read.batches import segment_path
from etl.read.decode import Decoded, decode
from etl.read.discover import Archive
from etl.read.names import CODES, MemberName, parse_member
from etl.read.segments import FILES, SENTENCES, read_header, to_ipc, write_segment
from etl.stopwatch import lap
from etl.tasks import ProbeTask, ReadTask, StagedBatch
from schemas.label2022 import LabelFile, Sentence, Transcription
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
    rows = _Rows()
    for member in read_members(batch, task.killers):
        rows.add(member)
    if len(rows.files) != batch.extent.label_files:
        raise InputError(batch.archive.paths[0], "has changed since the build began", CHANGED_ADVICE)
    header, files, sentences = rows.segment(key, witness)
    lap("columns")
    make_folder(path.parent)
    header = write_segment(path, header, files, sentences)
    lap("segment write")
    return StagedBatch(header, reused=False)


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


class _FileRow(NamedTuple):
    """A row of `FILES`, its fields in the order of the columns."""

    number: int
    member: str
    reason: str | None = None
    position: int | None = None
    detail: str | None = None
    region: str | None = None
    speech_type: str | None = None
    split: str | None = None
    label_region: str | None = None
    label_speech_type: str | None = None
    script: str | None = None
    speakers: str | None = None
    pronunciation: str | None = None
    dialect: str | None = None
    standard: str | None = None


class _Rows:
    """The rows of one segment, and what its header counts."""

    def __init__(self) -> None:
        self.files: list[_FileRow] = []
        self.sentences: list[tuple[int, int, str | None, str | None, str | None]] = []
        self.ignored = self.repaired = 0
        self.rejected: Counter[str] = Counter()
        self.kinds: Counter[tuple[str | None, ...]] = Counter()  # fields of `Kind`
        self.kind_sentences: Counter[tuple[str | None, ...]] = Counter()
        self.disagreements: Counter[str] = Counter()
        self.contents: list[tuple[str, int, int]] = []

    def add(self, member: Member | None) -> None:
        """Add one entry of the archive, decoded or rejected; None is an entry that is no label file."""
        if member is None:
            self.ignored += 1
            return
        self.contents.append((member.path, member.json_bytes, member.crc32))
        outcome = member.content if isinstance(member.content, Defect) else decode(member.content)
        lap("decode")
        if isinstance(outcome, Defect):
            self.rejected[outcome.reason] += 1
            self.files.append(_FileRow(member.number, member.path, outcome.reason, outcome.position, outcome.detail))
            return
        self.repaired += outcome.repaired
        self._keep(member, outcome)
        lap("rows")

    def _keep(self, member: Member, decoded: Decoded) -> None:
        name = parse_member(member.path)
        label, text = decoded.label, decoded.transcription
        kind = (name.region, name.speech_type, name.split, _label_region(label), _label_speech_type(label))
        speakers = _label_speakers(label, text)
        sentences = text.sentences or []
        self.kinds[kind] += 1
        self.kind_sentences[kind] += len(sentences)
        self.disagreements.update(_disagreements(member.path, name, label, speakers))
        row = len(self.files)
        self.sentences += [(row, number, *_texts(sentence)) for number, sentence in enumerate(sentences, 1)]
        self.files.append(
            _FileRow(
                member.number,
                member.path,
                None,
                None,
                None,
                *kind,
                script=None if name.prompt is None else f"{name.script_set}:{name.prompt}",
                speakers="\n".join(sorted(speakers.union(name.speakers))),
                pronunciation=text.pronunciation,
                dialect=text.dialect,
                standard=text.standard,
            )
        )

    def segment(self, key: str, witness: str) -> tuple[SegmentHeader, bytes, bytes]:
        """Return the header, without its checksum, and the two Arrow IPC files of the segment."""
        files, sentences = to_ipc(_frame(self.files, FILES)), to_ipc(_frame(self.sentences, SENTENCES))
        header = SegmentHeader(
            key=key,
            witness=witness,
            crc32=0,
            files_bytes=len(files),
            label_files=len(self.files),
            decoded=self.kinds.total(),
            rejected=dict(sorted(self.rejected.items())),
            ignored=self.ignored,
            repaired=self.repaired,
            kinds=[KindCount(Kind(*kind), files, self.kind_sentences[kind]) for kind, files in self.kinds.items()],
            disagreements=Disagreements(**self.disagreements),
            digest=hashlib.sha256(msgspec.json.encode(self.contents)).hexdigest(),
        )
        return header, files, sentences


def _frame(rows: Sequence[tuple[Any, ...]], schema: pl.Schema) -> pl.DataFrame:
    """Return *rows* as columns; flat lists, since nested ones cost Polars 3 microseconds a value and these 0.02."""
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    return pl.DataFrame(dict(zip(schema, columns, strict=True)), schema=schema)


def _texts(sentence: Sentence | None) -> tuple[str | None, str | None, str | None]:
    return (None, None, None) if sentence is None else (sentence.pronunciation, sentence.dialect, sentence.standard)


def _label_region(label: LabelFile) -> str | None:
    """Return the region of the first speaker who has one."""
    provinces = (speaker.residence_province for speaker in label.speaker or [] if speaker is not None)
    return next((CODES[province] for province in provinces if isinstance(province, str) and province in CODES), None)


def _label_speech_type(label: LabelFile) -> str | None:
    """Return `read` or `speak`: all that the document says of its speech type."""
    said = label.script.speech_type if label.script is not None else None
    said = said.lower() if isinstance(said, str) else None
    return said if said in ("read", "speak") else None


def _label_speakers(label: LabelFile, text: Transcription) -> set[str]:
    """Return the ids of all who are named in the document, as texts."""
    speakers = [speaker.speaker_id for speaker in label.speaker or [] if speaker is not None]
    speakers += [sentence.speaker_id for sentence in text.sentences or [] if sentence is not None]
    return {_as_text(speaker) for speaker in speakers if speaker not in (None, "")}


def _disagreements(path: str, name: MemberName, label: LabelFile, speakers: set[str]) -> list[str]:
    """Return the things on which the name of a label file and its contents disagree."""
    found = []
    if isinstance(label.file_name, str) and not _same_name(path, label.file_name):
        found.append("file_name")
    prompt = label.script.script_id if label.script is not None else None
    if name.prompt is not None and prompt is not None and _as_text(prompt) != str(name.prompt):
        found.append("prompt")
    if speakers and not speakers.issuperset(name.speakers):
        found.append("speaker")
    return found


def _same_name(path: str, said: str) -> bool:
    stem = path.rpartition("/")[2][:-5]
    # Equal bytes are the rule; normalising every name would cost more than decoding it.
    return stem == said or normalize("NFC", stem) == normalize("NFC", said).removesuffix(".json")


def _as_text(identifier: float | str | None) -> str:
    """Return an identifier as text, the same for `7`, `7.0` and `"7"`."""
    return str(int(identifier)) if isinstance(identifier, float) and identifier.is_integer() else str(identifier)
