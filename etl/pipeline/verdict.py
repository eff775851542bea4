"""The verdict on a finished build: why it is no success, and what its owner should know."""

from collections.abc import Iterator

from saturi.etl.example.limits import FEWEST_EXAMPLES
from saturi.etl.output.printable import counted
from saturi.etl.pipeline.advice import advise
from saturi.schemas.manifest import Manifest
from saturi.schemas.terms import DropReason, Split, SplitKey

_MANY = 0.01
"""Share of utterances over the cap from which on it is noted: a few long ones are in every corpus."""

_MOST_NAMED = 3  # shards, of those that have too few examples

_UNKNOWN = {
    "script": "{} read aloud without a script, for which its standard text stands: what both splits share of these is not proved",
    "script_set": "{} with the number of the script and not its set: all such scripts of one number count as one",
    "speaker": "{} without a speaker: what both splits share of these is not proved",
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
            f"{rejected:,} of {counted(counts.label_files, 'label file')} rejected ({share:.1%}, at most "
            f"{max_rejects:.1%} are allowed); see rejects.jsonl, or raise --max-rejects"
        )
    if unknown > max_unknown * counts.decoded:
        share = unknown / counts.decoded
        failures.append(
            f"{unknown:,} of {counted(counts.decoded, 'label file')} without a region or a speech type ({share:.1%}, at most "
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
    small = [shard for shard in manifest.shards if shard.too_few]
    if small:
        names = [f"{shard.split}/{shard.region}-{shard.speech_type}" for shard in small[:_MOST_NAMED]]
        more = f" and {len(small) - _MOST_NAMED} more" if small[_MOST_NAMED:] else ""
        warnings.append(
            f"a chunk of {', '.join(names)}{more} has fewer than {FEWEST_EXAMPLES} examples: no matter for `submit`, which joins "
            "the chunks of a split; a fine-tuning API refuses such a file where it is sent alone"
        )
    warnings += [
        f"{split} has {counted(examples, 'example')} in all, and fine-tuning APIs refuse a file of fewer than {FEWEST_EXAMPLES}"
        for split in Split
        if 0 < (examples := sum(shard.examples for shard in manifest.shards if shard.split == split)) < FEWEST_EXAMPLES
    ]
    counts = manifest.counts
    over_cap = counts.dropped.get(DropReason.OVER_CAP, 0)
    if over_cap > _MANY * counts.utterances:
        share = over_cap / counts.utterances
        warnings.append(
            f"{counted(over_cap, 'utterance')} ({share:.1%}) larger than a whole chunk may be; raise --max-chunk-bytes, or take "
            "--unit sentence"
        )
    if "too_large" in counts.rejected:
        warnings.append(
            f"{counted(counts.rejected['too_large'], 'label file')} larger than any real one (see rejects.jsonl); "
            "raise --max-member-bytes if they are meant"
        )
    warnings += [
        _UNKNOWN[name].format(counted(counts.unknown[name], "label file"))
        for name in unproved_keys(manifest)
        if counts.unknown[name]
    ]
    return warnings + list(_leaks(manifest))


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
            f"{counted(counts.validation_in_training, 'validation example')} with a text that is in train, too"
        )
