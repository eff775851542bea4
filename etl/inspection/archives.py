"""The row of an archive in an inspection: what its directory, or the manifest of a build, says, and what was counted in it."""

from collections import Counter
from typing import Any, NamedTuple

from saturi.etl.corpus.scan import Scan
from saturi.schemas.inspection import InspectedArchive
from saturi.schemas.manifest import ArchiveRow


class ArchiveCounts(NamedTuple):
    """What was counted of the label files of one archive."""

    numbers: Counter[str]
    rejected: Counter[str]
    generations: Counter[str]


def scanned_row(one: Scan, counted: ArchiveCounts) -> InspectedArchive:
    """Return the row of an archive whose directory was read."""
    archive = one.archive
    return _row(
        counted,
        archive=archive.name,
        region=archive.hints.region,
        speech_type=archive.hints.speech_type,
        split=archive.hints.split,
        deidentified=archive.deidentified,
        label_files=one.label_files,
        packed_bytes=one.packed_bytes,
        json_bytes=one.json_bytes,
        transcripts=one.transcripts,
        problem=one.problem,
    )


def staged_row(row: ArchiveRow, counted: ArchiveCounts) -> InspectedArchive:
    """Return the row of an archive of a build, of which only the segments are there."""
    return _row(
        counted,
        archive=row.archive,
        region=row.region,
        speech_type=row.speech_type,
        split=row.split,
        deidentified=row.deidentified,
        label_files=row.label_files,
        packed_bytes=None,
        json_bytes=None,
        transcripts=None,
        problem=row.problem,
    )


def _row(counted: ArchiveCounts, **facts: Any) -> InspectedArchive:
    return InspectedArchive(
        inspected=counted.numbers["inspected"],
        decoded=counted.numbers["decoded"],
        repaired=counted.numbers["repaired"],
        ignored=counted.numbers["ignored"],
        rejected=dict(sorted(counted.rejected.items())),
        generations=dict(sorted(counted.generations.items())),
        **facts,
    )
