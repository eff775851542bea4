"""The account of a build: every label file and every utterance in exactly one place, or the build does not end."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from msgspec import structs

from saturi.etl.corpus.discover import Corpus
from saturi.etl.corpus.groups import Group, disagreements_of, group_of
from saturi.etl.pipeline.sums import check_sum
from saturi.etl.read.archives import ReadArchive
from saturi.etl.select.tasks import Shared
from saturi.etl.write.tasks import SectionResult
from saturi.schemas.manifest import ArchiveRow, Counts
from saturi.schemas.segment import SegmentHeader
from saturi.schemas.terms import Region, SpeechType


def archive_row(read: ReadArchive) -> ArchiveRow:
    """
    Return the row of an archive in the manifest.

    Raises:
        PromiseError: Its label files are not all decoded or rejected, or a decoded one has no utterance.
    """
    archive, segments = read.scan.archive, read.segments
    row = ArchiveRow(
        archive=archive.name,
        fingerprint=read.scan.fingerprint
        or sha256("".join(segment.digest for segment in segments).encode()).hexdigest(),
        region=archive.hints.region,
        speech_type=archive.hints.speech_type,
        split=archive.hints.split,
        label_files=read.scan.label_files,
        decoded=sum(segment.decoded for segment in segments),
        rejected=sum(sum(segment.rejected.values()) for segment in segments),
        ignored=sum(segment.ignored for segment in segments),
        generations=_generations(segments),
        deidentified=archive.deidentified,
        problem=read.scan.problem,
    )
    check_sum(f"label files of {archive.name}", row.label_files, {"decoded": row.decoded, "rejected": row.rejected})
    spoken = {"with utterances": sum(segment.spoken for segment in segments)}
    check_sum(f"decoded label files of {archive.name}", row.decoded, spoken)
    return row


def check_groups(utterances: Mapping[Group, int], results: Iterable[SectionResult]) -> None:
    """
    Check the sum of every group that was selected from.

    Raises:
        PromiseError: Its utterances are not all examples or dropped.
    """
    for group in (group for result in results for group in result.groups):
        dropped = sum_counts([group.unsharded, *group.dropped.values()]).total()
        parts = {"examples": sum(group.examples.values()), "dropped": dropped}
        check_sum(f"utterances of {group.group}", utterances[group.group], parts)


class Outcome(NamedTuple):
    """Numbers of utterances, of those dropped by reason, and of examples; and the groups that were selected from."""

    utterances: int
    dropped: Counter[str]
    examples: int
    groups: frozenset[Group]


def make_counts(reads: Sequence[ReadArchive], corpus: Corpus, outcome: Outcome, shared: Shared) -> Counts:
    """
    Return the account of a build.

    Args:
        reads: Every archive.
        corpus: What lies beside the archives.
        outcome: What became of the utterances.
        shared: What both splits have in common.

    Raises:
        PromiseError: A sum does not balance.
    """
    segments = [segment for read in reads for segment in read.segments]
    counts = Counts(
        label_files=sum(read.scan.label_files for read in reads),
        decoded=sum(segment.decoded for segment in segments),
        rejected=sorted_counts(sum_counts(segment.rejected for segment in segments)),
        ignored=sum(segment.ignored for segment in segments) + corpus.ignored_files,
        ignored_archives=corpus.ignored_archives,
        repaired=sum(segment.repaired for segment in segments),
        generations=_generations(segments),
        disagreements=_disagreements(reads),
        oddities=sorted_counts(sum_counts(structs.asdict(segment.oddities) for segment in segments)),
        unknown=sorted_counts(_unknown(reads) | _unknown_keys(reads, outcome.groups)),
        utterances=outcome.utterances,
        dropped=sorted_counts(outcome.dropped),
        examples=outcome.examples,
        shared={"scripts": shared.scripts, "speakers": shared.speakers, "texts": shared.texts},
        validation_in_training=shared.validation_in_training,
    )
    check_sum("label files", counts.label_files, {"decoded": counts.decoded, "rejected": sum(counts.rejected.values())})
    check_sum("utterances", counts.utterances, {"examples": counts.examples, "dropped": sum(counts.dropped.values())})
    return counts


def _disagreements(reads: Iterable[ReadArchive]) -> dict[str, int]:
    """Return of how many label files name, archive and contents disagree, by the thing they disagree on."""
    counts: Counter[str] = Counter()
    for read in reads:
        for segment in read.segments:
            counts.update(structs.asdict(segment.disagreements))
            for row in segment.kinds:
                counts.update(dict.fromkeys(disagreements_of(row.kind, read.scan.archive.hints), row.files))
    return sorted_counts(counts)


def _generations(segments: Iterable[SegmentHeader]) -> dict[str, int]:
    """Return the numbers of decoded label files by generation."""
    counts: Counter[str] = Counter()
    for segment in segments:
        for row in segment.kinds:
            counts[str(row.kind.generation)] += row.files
    return sorted_counts(counts)


def _unknown_keys(reads: Iterable[ReadArchive], groups: Container[Group]) -> dict[str, int]:
    """Return of how many decoded label files of *groups* the keys of the split are unknown, or scripts known by number only."""
    counts = dict.fromkeys(("script", "script_set", "speaker"), 0)
    for read in reads:
        for row in (row for segment in read.segments for row in segment.kinds):
            group = group_of(row.kind, read.scan.archive.hints)
            if group not in groups:
                continue
            counts["speaker"] += row.without_speaker
            if group.speech_type is SpeechType.REPEAT:
                counts["script"] += row.without_script
                counts["script_set"] += row.script_by_number
    return counts


def _unknown(reads: Iterable[ReadArchive]) -> dict[str, int]:
    """Return of how many decoded label files the region, the speech type, or either of them is unknown."""
    counts = dict.fromkeys(("region", "speech_type", "either"), 0)
    for read in reads:
        for row in (row for segment in read.segments for row in segment.kinds):
            group = group_of(row.kind, read.scan.archive.hints)
            missing = (group.region is Region.UNKNOWN, group.speech_type is SpeechType.UNKNOWN)
            counts["region"] += missing[0] * row.files
            counts["speech_type"] += missing[1] * row.files
            counts["either"] += any(missing) * row.files
    return counts


def sum_counts(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    """Return the sum of *counts*, name by name."""
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return total


def sorted_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Return *counts* in the order of their names."""
    return dict(sorted(counts.items()))
