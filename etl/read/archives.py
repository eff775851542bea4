"""Archives after reading: their segments, and how many utterances those hold."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from saturi.etl.corpus.discover import Form
from saturi.etl.corpus.groups import Group, group_of
from saturi.etl.corpus.scan import Scan
from saturi.etl.read.copies import SUM_MODULUS, Holding, copies_among
from saturi.schemas.segment import KindCount, SegmentHeader
from saturi.schemas.terms import Generation, Unit


class ReadArchive(Struct, frozen=True):
    """An archive after reading: its scan, and the headers of its segments in order."""

    scan: Scan
    segments: list[SegmentHeader]


def notes_on_archives(reads: Iterable[ReadArchive]) -> list[str]:
    """Return notes on archives as a whole, a sentence each: on their directories, and on copies."""
    reads = list(reads)
    holdings = [
        Holding(
            read.scan.archive.name,
            read.scan.archive.form is Form.FOLDER,
            sum(segment.label_files for segment in read.segments),
            sum(segment.content_sum for segment in read.segments) % SUM_MODULUS,
        )
        for read in reads
    ]
    return [*(note for read in reads for note in read.scan.notes), *copies_among(holdings)]


def utterances_by_group(reads: Iterable[ReadArchive], unit: Unit) -> Counter[Group]:
    """Return the numbers of utterances in the segments, by region and speech type."""
    counts: Counter[Group] = Counter()
    for read in reads:
        for segment in read.segments:
            for row in segment.kinds:
                counts[group_of(row.kind, read.scan.archive.hints)] += utterances_of(row, unit)
    return counts


def utterances_of(row: KindCount, unit: Unit) -> int:
    """Return the number of utterances in the label files of one kind; for 2020, a file counts as many as it has turns."""
    if unit is Unit.SENTENCE:
        return row.sentences
    return row.turns if row.kind.generation == Generation.OF_2020 else row.files
