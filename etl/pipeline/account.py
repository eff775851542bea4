"""The account of a build: every label file and every utterance in exactly one place, or the build does not end."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from msgspec import structs

from etl.corpus.discover import Corpus
from etl.corpus.groups import disagreements_of, group_of
from etl.errors import PromiseError
from etl.example.limits import FEWEST_EXAMPLES
from etl.read.archives import ReadArchive, utterances_by_group
from etl.select.exclusion import exclusion_of
from etl.select.tasks import Shared
from etl.settings.options import BuildOptions
from etl.write.tasks import SectionResult
from schemas.manifest import MANIFEST_VERSION, ArchiveRow, Counts, Manifest, ShardRow, UnshardedRow
from schemas.segment import SegmentHeader
from schemas.terms import Region, SpeechType


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
    balance(f"label files of {archive.name}", row.label_files, {"decoded": row.decoded, "rejected": row.rejected})
    spoken = {"with utterances": sum(segment.spoken for segment in segments)}
    balance(f"decoded label files of {archive.name}", row.decoded, spoken)
    return row


def make_manifest(
    options: BuildOptions, reads: Sequence[ReadArchive], found: Corpus, results: Sequence[SectionResult], shared: Shared
) -> Manifest:
    """
    Return the manifest of a build.

    Args:
        reads: Every archive, in canonical order.
        found: What was found beside them.
        results: What was written, in the order of the sections.
        shared: What both sides of it have in common.

    Raises:
        PromiseError: A sum does not balance, or a split of ours leaks.
    """
    _refuse_leaks(shared, options)
    rows = [archive_row(read) for read in reads]
    segments = [segment for read in reads for segment in read.segments]
    utterances = utterances_by_group(reads, options.unit)
    shards = [row for result in results for row in _shard_rows(result, tokens=options.tokens)]
    unsharded = {
        group: {str(reason): n}
        for group, n in utterances.items()
        if n and (reason := exclusion_of(group, options)) is not None
    }
    for group in (group for result in results for group in result.groups):
        dropped = _sum([group.unsharded, *group.dropped.values()])
        parts = {"examples": group.examples, "dropped": dropped.total()}
        balance(f"utterances of {group.group}", utterances[group.group], parts)
        if group.unsharded:
            unsharded[group.group] = group.unsharded
    dropped = _sum([*unsharded.values(), *(shard.dropped for shard in shards)])
    counts = Counts(
        label_files=sum(row.label_files for row in rows),
        decoded=sum(row.decoded for row in rows),
        rejected=_sorted(_sum(segment.rejected for segment in segments)),
        ignored=sum(row.ignored for row in rows) + found.ignored_files,
        ignored_archives=found.ignored_archives,
        repaired=sum(segment.repaired for segment in segments),
        generations=_generations(segments),
        disagreements=_disagreements(reads),
        oddities=_sorted(_sum(structs.asdict(segment.oddities) for segment in segments)),
        unknown=_unknown(reads),
        utterances=utterances.total(),
        dropped=_sorted(dropped),
        examples=sum(shard.examples for shard in shards),
        shared={"scripts": shared.scripts, "speakers": shared.speakers, "texts": shared.texts},
        validation_in_training=shared.validation_in_training,
    )
    balance("label files", counts.label_files, {"decoded": counts.decoded, "rejected": sum(counts.rejected.values())})
    balance("utterances", counts.utterances, {"examples": counts.examples, "dropped": sum(counts.dropped.values())})
    return Manifest(
        version=MANIFEST_VERSION,
        options=options.as_json(),
        corpus=rows,
        counts=counts,
        shards=sorted(shards, key=lambda shard: (shard.split, shard.region, shard.speech_type)),
        unsharded=[
            UnshardedRow(region=group.region, speech_type=group.speech_type, dropped=dropped)
            for group, dropped in sorted(unsharded.items())
        ],
        chunks=sorted(
            (chunk for result in results for shard in result.shards for chunk in shard.chunks),
            key=lambda chunk: chunk.path,
        ),
    )


def _refuse_leaks(shared: Shared, options: BuildOptions) -> None:
    """Check that nothing is on both sides, unless the sides are AI-Hub's own."""
    if options.validation != "official" and any(shared):
        facts = ", ".join(f"{number:,} {name}" for name, number in shared._asdict().items())
        raise PromiseError("train and validation have something in common", facts)


def balance(what: str, whole: int, parts: Mapping[str, int]) -> None:
    """
    Check that *parts* sum up to *whole*.

    Raises:
        PromiseError: They do not.
    """
    if whole != sum(parts.values()):
        facts = " + ".join(f"{number:,} {name}" for name, number in parts.items())
        raise PromiseError(f"{what} do not add up", f"{whole:,} is not {facts}")


def _shard_rows(result: SectionResult, *, tokens: bool) -> Iterator[ShardRow]:
    """Yield the rows of the shards of a section, without those that never held an utterance."""
    for shard in result.shards:
        dropped = _sorted(_sum(group.dropped[shard.split] for group in result.groups))
        examples = sum(chunk.examples for chunk in shard.chunks)
        if examples or dropped:
            yield ShardRow(
                split=shard.split,
                region=result.section.region,
                speech_type=result.section.speech_type,
                utterances=examples + sum(dropped.values()),
                dropped=dropped,
                examples=examples,
                bytes=sum(chunk.bytes for chunk in shard.chunks),
                chunks=len(shard.chunks),
                too_few=any(chunk.examples < FEWEST_EXAMPLES for chunk in shard.chunks),
                tokens=sum(chunk.tokens or 0 for chunk in shard.chunks) if tokens else None,
            )


def _disagreements(reads: Iterable[ReadArchive]) -> dict[str, int]:
    """Return how many label files tell different things of themselves, by the thing."""
    counts: Counter[str] = Counter()
    for read in reads:
        for segment in read.segments:
            counts.update(structs.asdict(segment.disagreements))
            for row in segment.kinds:
                counts.update(dict.fromkeys(disagreements_of(row.kind, read.scan.archive.hints), row.files))
    return _sorted(counts)


def _generations(segments: Iterable[SegmentHeader]) -> dict[str, int]:
    """Return how many decoded label files are of each generation."""
    counts: Counter[str] = Counter()
    for segment in segments:
        for row in segment.kinds:
            counts[str(row.kind.generation)] += row.files
    return _sorted(counts)


def _unknown(reads: Iterable[ReadArchive]) -> dict[str, int]:
    """Return how many decoded label files nothing tells the region of, or the speech type, or either."""
    counts = Counter({"region": 0, "speech_type": 0, "either": 0})
    for read in reads:
        for segment in read.segments:
            for row in segment.kinds:
                group = group_of(row.kind, read.scan.archive.hints)
                missing = (group.region is Region.UNKNOWN, group.speech_type is SpeechType.UNKNOWN)
                counts.update(
                    {
                        "region": missing[0] * row.files,
                        "speech_type": missing[1] * row.files,
                        "either": any(missing) * row.files,
                    }
                )
    return _sorted(counts)


def _sum(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return total


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))
