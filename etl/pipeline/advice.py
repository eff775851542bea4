"""Advice for a build of which nothing is left: which rules dropped what, and what to change."""

from collections.abc import Iterator

from saturi.schemas.manifest import Counts, Manifest
from saturi.schemas.terms import DropReason

ADVICE = {
    DropReason.REGION_EXCLUDED: "add --region {regions}",
    DropReason.SPEECH_TYPE_EXCLUDED: "add --speech-type {speech_types}",
    DropReason.PERSONAL_DATA: "--pii mask keeps the rest of a text",
    DropReason.UNCLEAR: 'unsure, inaudible and unclear = "rewrite" in [clean] of etl.toml keep the rest of a text',
    DropReason.MARKUP: 'see [clean] in etl.toml, where "rewrite" mends and "keep" leaves a text as it is',
    DropReason.EMPTY_SOURCE: "see whether inspect counts texts of the other --source",
    DropReason.EMPTY_TARGET: "the label files hold no standard text; see inspect",
    DropReason.IDENTICAL: "--identical keep, or a share",
    DropReason.TOO_FEW_WORDS: "lower --min-words",
    DropReason.TOO_MANY_WORDS: "raise --max-words",
    DropReason.TOO_FEW_CHARS: "lower --min-chars",
    DropReason.TOO_MANY_CHARS: "raise --max-chars",
    DropReason.LENGTH_RATIO: "raise --max-length-ratio",
    DropReason.OVER_CAP: "raise --max-chunk-bytes",
    DropReason.NO_OFFICIAL_SPLIT: "no folder or archive is named for a split; --validation 0.05 makes one",
    DropReason.SPLIT_CONFLICT: "--split-by script, or --validation 0 for none",
    DropReason.SEVERAL_TARGETS: "--conflicts majority or keep",
    DropReason.DUPLICATE: "--dedup none",
    DropReason.IN_TRAINING: "another --validation, or 0 for none",
    DropReason.OVER_SCRIPT: "raise --max-per-script",
    DropReason.OVER_SPEAKER: "raise --speaker-max",
    DropReason.OVER_BALANCE: "another --balance",
    DropReason.NOT_SAMPLED: "raise --sample or --sample-per-shard",
}
"""What keeps utterances that were dropped for a reason."""


def advise(manifest: Manifest) -> str:
    """Return why a build is empty, and what would change it, in one sentence."""
    counts = manifest.counts
    if counts.decoded == 0:
        return f"no label file could be read: {_listed(counts)}; see rejects.jsonl"
    by_number = sorted(counts.dropped.items(), key=lambda row: -row[1])
    rows = [f"{number:,} {reason} ({_advice(manifest, DropReason(reason))})" for reason, number in by_number]
    return f"{counts.utterances:,} utterances were dropped: {', '.join(rows)}"


def _listed(counts: Counts) -> str:
    return ", ".join(f"{number:,} {reason}" for reason, number in counts.rejected.items()) or "there is none"


def _advice(manifest: Manifest, reason: DropReason) -> str:
    """Return what keeps utterances dropped for *reason*, with the regions and speech types that *manifest* names."""
    groups = [row for row in manifest.unsharded if reason in row.dropped]
    regions = " --region ".join(_each(row.region for row in groups))
    speech_types = " --speech-type ".join(_each(row.speech_type for row in groups))
    return ADVICE[reason].format(regions=regions, speech_types=speech_types)


def _each(names: Iterator[str]) -> list[str]:
    return sorted(set(names))
