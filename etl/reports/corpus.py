"""The corpus and the flow of a build, by its manifest and its rejects; and the corpus alone, by an inspection of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import msgspec

from saturi.etl.corpus.groups import ALL
from saturi.etl.errors import BuildError
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.folder import REJECTS
from saturi.etl.output.lines import whole_lines
from saturi.etl.settings.regular import open_regular
from saturi.schemas.inspection import InspectedArchive, Inspection
from saturi.schemas.manifest import ArchiveRow, Manifest, Reject
from saturi.schemas.report import CorpusFacts, FlowFacts, ReportedArchive, StageFacts
from saturi.schemas.terms import DropReason, Split

UTTERANCES, LABEL_FILES = "utterances", "label_files"
NO_SPLIT = "none"
UNREAD = "unread"  # rejects of an archive of which no table says more

_REJECTS = msgspec.json.Decoder(Reject)
_BLOCK_BYTES = 1 << 20


def corpus_facts(build: FinishedBuild, stage: StageFacts | None) -> CorpusFacts:
    """
    Return the corpus of *build*.

    Args:
        build: The build.
        stage: What its stage says, where that is known; without it, groups are only as far apart as shards are.

    Raises:
        BuildError: Its rejects are damaged.
    """
    manifest, rejects = build.manifest, _rejects(build)
    archives = [
        _reported(row, row.label_files, _all_of(rejects.get(row.archive, Counter()), row.rejected))
        for row in manifest.corpus
    ]
    return CorpusFacts(
        archives=archives,
        counted=UTTERANCES,
        groups=_groups(manifest) if stage is None else stage.groups,
        splits=_splits(archives),
        generations=manifest.counts.generations,
        sets=None if stage is None else stage.sets,
    )


def inspected_corpus(inspection: Inspection) -> CorpusFacts:
    """Return the corpus that was inspected."""
    archives = [_reported(row, row.inspected, row.rejected) for row in inspection.archives]
    groups: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for group in inspection.groups:
        groups[group.region][group.speech_type] = sum(group.files.values())
    return CorpusFacts(
        archives=archives,
        counted=LABEL_FILES,
        groups=dict(groups),
        splits=_splits(archives),
        generations=inspection.total.generations,
        sets=None,
    )


def _reported(row: ArchiveRow | InspectedArchive, label_files: int, rejected: dict[str, int]) -> ReportedArchive:
    return ReportedArchive(
        archive=row.archive,
        region=row.region,
        speech_type=row.speech_type,
        split=row.split,
        generations=row.generations,
        label_files=label_files,
        decoded=row.decoded,
        rejected=rejected,
        problem=row.problem,
    )


def flow_facts(manifest: Manifest) -> FlowFacts:
    """Return the way from label files to examples."""
    counts = manifest.counts
    examples = {split.value: sum(row.examples for row in manifest.shards if row.split == split) for split in Split}
    return FlowFacts(
        unit=str(manifest.options.get("unit")),
        label_files=counts.label_files,
        rejected=counts.rejected,
        decoded=counts.decoded,
        repaired=counts.repaired,
        utterances=counts.utterances,
        dropped=counts.dropped,
        examples={split: number for split, number in examples.items() if number},
    )


def duplicates(manifest: Manifest) -> dict[str, int]:
    """Return the duplicates by region and speech type."""
    counts: Counter[str] = Counter()
    for row in manifest.shards:
        counts[f"{row.region}-{row.speech_type}"] += row.dropped.get(DropReason.DUPLICATE, 0)
    return dict(counts)


def _groups(manifest: Manifest) -> dict[str, dict[str, int]]:
    """
    Return utterances by region and speech type, those that were dropped before they had a split included.

    What does not separate shards is `all` for every utterance, so that no group looks as if it were whole.
    """
    utterances: defaultdict[str, Counter[str]] = defaultdict(Counter)
    regions_merged = any(row.region == ALL for row in manifest.shards)
    types_merged = any(row.speech_type == ALL for row in manifest.shards)
    for shard in manifest.shards:
        utterances[shard.region][shard.speech_type] += shard.utterances
    for row in manifest.unsharded:
        region, speech_type = ALL if regions_merged else row.region, ALL if types_merged else row.speech_type
        utterances[region][speech_type] += sum(row.dropped.values())
    return {region: dict(types) for region, types in utterances.items()}


def _splits(archives: Iterable[ReportedArchive]) -> dict[str, int]:
    label_files: Counter[str] = Counter()
    for row in archives:
        label_files[row.split or NO_SPLIT] += row.label_files
    return dict(sorted(label_files.items()))


def _rejects(build: FinishedBuild) -> dict[str, Counter[str]]:
    """Return rejects by archive and reason; nothing where the build was handed on without their table."""
    rejects: defaultdict[str, Counter[str]] = defaultdict(Counter)
    path = build.folder / REJECTS
    try:
        with open_regular(path) as file:
            for block in whole_lines(iter(lambda: file.read(_BLOCK_BYTES) or b"", b"")):
                for reject in _REJECTS.decode_lines(block.content):
                    rejects[reject.archive][reject.reason] += 1
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BuildError(str(path), f"damaged ({error})", "build again") from error
    return rejects


def _all_of(reasons: Counter[str], rejected: int) -> dict[str, int]:
    """Return *reasons* where they are all of those that were *rejected*; else only how many those are."""
    if not rejected:
        return {}
    return dict(sorted(reasons.items())) if reasons.total() == rejected else {UNREAD: rejected}
