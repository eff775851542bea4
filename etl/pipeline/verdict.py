"""The verdict on a finished build: why it is no success, and what its owner should know."""

from collections.abc import Iterator

from saturi.etl.example.limits import FEWEST_EXAMPLES
from saturi.etl.pipeline.advice import advise
from saturi.schemas.manifest import Manifest
from saturi.schemas.terms import DropReason, Split, SplitKey

_MANY = 0.01
"""Share of utterances over the cap that is told: a few long ones are in every corpus."""

_UNKNOWN = {
    "script": "{} label files read aloud name no script, and their standard text stands for it: what both splits share "
    "of these is not proved",
    "script_set": "{} label files read aloud name the number of a script and not its set: those of one number count as one, "
    "and as another than where the set is known",
    "speaker": "{} label files name no speaker: what both splits share of these is not proved",
}
"""What it means that keys are unknown, by their name in the manifest."""


def failures_of(manifest: Manifest, max_rejects: float, max_unknown: float) -> list[str]:
    """
    Return one sentence for every threshold that was passed; the output is complete all the same.

    Args:
        manifest: That of the build.
        max_rejects: Share of rejected label files above which it is no success.
        max_unknown: Share of label files without region or speech type above which it is none.
    """
    counts = manifest.counts
    rejected, unknown = sum(counts.rejected.values()), counts.unknown["either"]
    failures = []
    if rejected > max_rejects * counts.label_files:
        share = rejected / counts.label_files
        failures.append(
            f"{rejected:,} of {counts.label_files:,} label files were rejected ({share:.1%}, at most "
            f"{max_rejects:.1%} are allowed); see rejects.jsonl, or raise --max-rejects"
        )
    if unknown > max_unknown * counts.decoded:
        share = unknown / counts.decoded
        failures.append(
            f"{unknown:,} of {counts.decoded:,} label files tell no region or no speech type ({share:.1%}, at most "
            f"{max_unknown:.1%} are allowed); check the names of files and archives, or raise --max-unknown"
        )
    if counts.examples == 0:
        failures.append(f"no example is left: {advise(manifest)}")
    return failures


def warnings_of(manifest: Manifest) -> list[str]:
    """Return one sentence for everything that is as asked for and may still surprise."""
    warnings = [f"{row.archive}: left out, {row.problem}" for row in manifest.corpus if row.problem]
    first: dict[str, str] = {}
    for row in manifest.corpus:
        original = first.setdefault(row.fingerprint, row.archive) if row.fingerprint else row.archive
        if original != row.archive and row.problem is None:
            warnings.append(f"{row.archive}: the same archive as {original}; its label files count twice")
    warnings += _too_few(manifest)
    counts = manifest.counts
    over_cap = counts.dropped.get(DropReason.OVER_CAP, 0)
    if over_cap > _MANY * counts.utterances:
        share = over_cap / counts.utterances
        warnings.append(
            f"{over_cap:,} utterances ({share:.1%}) are larger than a whole chunk may be; raise --max-chunk-bytes, or take "
            "--unit sentence"
        )
    if "too_large" in counts.rejected:
        warnings.append(
            f"{counts.rejected['too_large']:,} label files are larger than any real one (rejects.jsonl names them); "
            "raise --max-member-bytes if they are meant"
        )
    warnings += [
        _UNKNOWN[name].format(f"{counts.unknown[name]:,}") for name in unproved_keys(manifest) if counts.unknown[name]
    ]
    return warnings + list(_leaks(manifest))


def _too_few(manifest: Manifest) -> Iterator[str]:
    """Yield what fine-tuning APIs refuse: a file of too few examples, which a job gets of each split it has."""
    for split in Split:
        shards = [shard for shard in manifest.shards if shard.split == split and shard.examples]
        examples = sum(shard.examples for shard in shards)
        if 0 < examples < FEWEST_EXAMPLES:
            yield (
                f"{split} has {examples} of the {FEWEST_EXAMPLES} examples that fine-tuning APIs want of a file, "
                "and would be refused"
            )
            continue
        small = [f"{shard.region}-{shard.speech_type}" for shard in shards if shard.examples < FEWEST_EXAMPLES]
        if small:
            yield (
                f"{split}: too few for a file of their own, fewer than {FEWEST_EXAMPLES} examples, are {', '.join(small)}; "
                "submit merges them, but for --plan per-shard and chained"
            )


def unproved_keys(manifest: Manifest) -> list[str]:
    """Return what `unknown` counts of the keys that the split of a build, or a limit of it, depends on."""
    options = manifest.options
    splits = options["validation"] != 0
    official = options["validation"] == "official"
    by_script = splits and (official or SplitKey.SCRIPT in options["split_by"])
    by_speaker = splits and (official or SplitKey.SPEAKER in options["split_by"])
    names = ["script", "script_set"] if by_script or options["max_per_script"] is not None else []
    return [*names, "speaker"] if by_speaker or options["speaker_max"] is not None else names


def _leaks(manifest: Manifest) -> Iterator[str]:
    """Yield what train and validation share where that is a surprise, and not what the split was asked to be apart by."""
    counts, options = manifest.counts, manifest.options
    official = options["validation"] == "official"
    if not official and not counts.validation_in_training:
        return
    if any(counts.shared.values()):
        shared = ", ".join(f"{number:,} {name}" for name, number in counts.shared.items())
        whose = "the official split leaks" if official else "the split is by speakers alone"
        yield (
            f"{whose}: train and validation share {shared}; "
            f"{counts.validation_in_training:,} validation examples have a text that is in train, too"
        )
