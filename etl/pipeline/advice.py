"""Advice for a build of which nothing is left: which rules dropped what, and what to change."""

from collections.abc import Iterable

from saturi.etl.settings.declaration import flag
from saturi.schemas.manifest import Counts, Manifest
from saturi.schemas.terms import DropReason

ADVICE = {
    DropReason.REGION_EXCLUDED: "give {kept}",
    DropReason.SPEECH_TYPE_EXCLUDED: "give {kept}",
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

_EXCLUDED_BY = {DropReason.REGION_EXCLUDED: "region", DropReason.SPEECH_TYPE_EXCLUDED: "speech_type"}


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
    """Return what keeps utterances dropped for *reason*; where a term is excluded, the option with all terms."""
    name = _EXCLUDED_BY.get(reason)
    kept = "" if name is None else keeping(manifest, name, excluded(manifest, reason, name))
    return ADVICE[reason].format(kept=kept)


def excluded(manifest: Manifest, reason: DropReason, name: str) -> list[str]:
    """Return the terms of the option *name* of which the build of *manifest* dropped utterances for *reason*."""
    return sorted({getattr(row, name) for row in manifest.unsharded if reason in row.dropped})


def keeping(manifest: Manifest, name: str, terms: Iterable[str]) -> str:
    """Return the option *name* as it is typed to keep *terms* beside those of the build: it replaces what it is by default."""
    return " ".join(f"{flag(name)} {term}" for term in (*manifest.options[name], *terms))
