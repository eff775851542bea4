"""The screens of a build: archives of a dry run, what there is of each region, what was left out and why."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from saturi.etl.console.lines import NOTE, SUCCESS, add_row, plain, print_line
from saturi.etl.console.screens.pairs import good_pair, show_pairs
from saturi.etl.console.screens.tables import largest_first, numbers_table, print_shares, print_table
from saturi.etl.console.screens.words import reasons, short, size
from saturi.etl.corpus.scan import Scan
from saturi.etl.output.examples import first_pairs
from saturi.etl.output.printable import counted
from saturi.etl.pipeline.advice import excluded, keeping
from saturi.etl.pipeline.build import BuildResult
from saturi.etl.pipeline.verdict import unproved_keys
from saturi.etl.runtime.measurements import BuildFacts
from saturi.etl.storage.location import Location
from saturi.schemas.manifest import GroupRow, Manifest, ShardRow
from saturi.schemas.terms import DropReason, Region, Split

_MOST_REASONS = 4
"""Reasons for drops, and for rejects, that a summary names one by one; `--details` has all."""

_KEYS = {"script": "script", "set of the script": "script_set", "speaker": "speaker"}
"""Names of the keys that may be unknown, and where the manifest counts label files without them."""

_ALL = "all"
_EXAMPLE_OF_EACH = "one example of each region"


def show_build(console: Console, result: BuildResult, out: Location, *, details: bool = False) -> None:
    """
    Print what a build holds, region by region, and what was left out and why.

    Args:
        console: Where to. On a terminal a pair of each region is shown, too; nowhere else is any text of the corpus.
        result: The build.
        out: Its folder.
        details: Also print every reason and shard, and how the split came out.
    """
    manifest = result.manifest
    _show_heading(console, result)
    if manifest.counts.examples:
        _show_regions(console, manifest)
        if console.is_terminal:
            _show_examples(console, manifest, out)
    _show_left_out(console, manifest, most=None if details else _MOST_REASONS)
    if details:
        _show_split(console, manifest)
        _show_shards(console, manifest)


def _show_heading(console: Console, result: BuildResult) -> None:
    counts = result.manifest.counts
    heading = Text(counted(counts.examples, "example"), f"bold {SUCCESS}" if not result.failures else "bold")
    beside = f" from {counted(counts.label_files, 'label file')}, in {counted(len(result.manifest.chunks), 'chunk')}"
    print_line(console, heading.append(beside, "default not bold"))
    console.print()


class _Row:
    """What there is of one region, or of all: examples by split, tokens (None where not counted), bytes, identical pairs."""

    def __init__(self, name: str, groups: Sequence[GroupRow], shards: Sequence[ShardRow]) -> None:
        self.name = name
        self.train = sum(group.train for group in groups)
        self.validation = sum(group.validation for group in groups)
        self.identical = sum(group.identical for group in groups)
        self.bytes = sum(shard.bytes for shard in shards)
        tokens = [shard.tokens for shard in shards]
        self.tokens = None if None in tokens else sum(number or 0 for number in tokens)

    @property
    def examples(self) -> int:
        return self.train + self.validation

    def cells(self) -> Iterator[str]:
        """Yield the cells of the row; empty ones for bytes and tokens that shards have not by region."""
        yield self.name
        yield f"{self.train:,}"
        yield f"{self.validation:,}"
        yield "" if self.tokens is None or not self.bytes else short(self.tokens)
        yield size(self.bytes) if self.bytes else ""
        yield f"{self.identical / self.examples:.0%}" if self.examples else ""


def _show_regions(console: Console, manifest: Manifest) -> None:
    names = [region for region in Region if any(_has(group, region) for group in manifest.groups)]
    by_region = {name: [group for group in manifest.groups if group.region == name] for name in names}
    rows = [
        _Row(name, groups, [shard for shard in manifest.shards if shard.region == name])
        for name, groups in by_region.items()
    ]
    total = _Row("total", manifest.groups, manifest.shards)
    headers = ["train", "validation", "tokens", "bytes", "identical"]
    lines = [list(row.cells()) for row in (*rows, total)]
    kept = [number for number in range(1, 6) if any(line[number] not in ("", "0") for line in lines)]
    table = numbers_table("region", *(headers[number - 1] for number in kept))
    for row, line in zip((*rows, total), lines, strict=True):
        add_row(table, line[0], *(line[number] for number in kept), style="bold" if row is total else None)
    print_table(console, table)


def _has(group: GroupRow, region: str) -> bool:
    return group.region == region and bool(group.train + group.validation)


def _show_examples(console: Console, manifest: Manifest, out: Location) -> None:
    """Print a pair of each region, or of all where shards are not apart by region."""
    pairs = {}
    for region in (*Region, _ALL):
        chunks = [chunk for chunk in manifest.chunks if chunk.region == region and chunk.split == Split.TRAIN]
        first = {chunk.speech_type: chunk for chunk in reversed(chunks)}  # of each shard
        candidates = [pair for chunk in first.values() for pair in first_pairs(out / chunk.path)]
        pair = good_pair(candidates, console.width - max(map(len, Region)) - 2)
        if pair is not None:
            pairs[str(region)] = pair
    if pairs:
        console.print()
        print_line(console, _EXAMPLE_OF_EACH if _ALL not in pairs else "one example", "dim")
        show_pairs(console, pairs)


def _show_left_out(console: Console, manifest: Manifest, most: int | None) -> None:
    """Print how many utterances and label files are in no chunk, and why."""
    counts = manifest.counts
    if counts.dropped:
        console.print()
        whole = f"{counted(counts.utterances, 'utterance')} in {counted(counts.decoded, 'label file')}: "
        heading = Text(whole, "default not bold")
        print_line(console, heading.append(f"{sum(counts.dropped.values()):,} dropped", "bold"))
        print_shares(console, largest_first(counts.dropped, most), counts.utterances)
        _show_excluded(console, manifest)
    if counts.rejected:
        console.print()
        rejected = f"{sum(counts.rejected.values()):,} of {counted(counts.label_files, 'label file')} rejected"
        heading = Text(rejected, "bold")
        print_line(console, heading.append(", listed in rejects.jsonl", "default not bold"))
        print_shares(console, largest_first(counts.rejected, most), counts.label_files)


def _show_excluded(console: Console, manifest: Manifest) -> None:
    """Print which speech types the build leaves out, and the options that keep them beside the others."""
    terms = excluded(manifest, DropReason.SPEECH_TYPE_EXCLUDED, "speech_type")
    if terms:
        kept = keeping(manifest, "speech_type", terms)
        print_line(console, f"  left out: {', '.join(terms)}, kept with {kept}", "dim")


def show_run(console: Console, run: BuildFacts, *, details: bool = False) -> None:
    """Print what a build took, in one line; what was in the stage was not read, so that a rate would be none."""
    segments = run.segments_made + run.segments_reused
    reading = (
        f"{run.segments_reused:,} of {counted(segments, 'segment')} there before"
        if run.segments_reused
        else f"{size(run.json_bytes / max(run.seconds, 1e-6))}/s"
    )
    words = [f"{size(run.json_bytes)} of JSON in {run.seconds:.1f} s", reading, counted(run.workers, "worker")]
    if details:
        words.append(f"peak memory: parent {size(run.parent_peak_bytes)}, worker {size(run.worker_peak_bytes)}")
    if run.requests:
        read, written = size(run.requested_read_bytes), size(run.requested_written_bytes)
        words.append(f"object storage: {counted(run.requests, 'request')}, {read} read, {written} written")
    console.print()
    print_line(console, " · ".join(words), "dim")


def show_profile(console: Console, run: BuildFacts) -> None:
    """Print what the time of the workers went into, and how long they waited."""
    whole = run.workers * run.seconds
    table = Table(title="Where the time went", title_justify="left", box=None, pad_edge=False, header_style="dim")
    table.add_column("work")
    table.add_column("seconds", justify="right")
    table.add_column("share", justify="right")
    rows = sorted(run.stages.items(), key=lambda row: -row[1])
    for work, seconds in (*rows, ("no task: start, waiting", whole - sum(run.stages.values()))):
        add_row(table, work, f"{seconds:.2f}", f"{seconds / whole:.1%}")
    add_row(table, "all workers", f"{whole:.2f}", "100.0%", style="bold")
    print_table(console, table)


def _show_split(console: Console, manifest: Manifest) -> None:
    """Print how much is held out, by what, and what both splits share all the same."""
    counts = manifest.counts
    console.print()
    if manifest.options["validation"] != 0:
        print_line(console, f"held out: {_share(manifest.groups):.1%}, {_held_out(manifest)}")
    shared = ", ".join(f"{number:,} {name}" for name, number in counts.shared.items())
    print_line(console, f"both in train and in validation: {shared}")
    proved = unproved_keys(manifest)
    unknown = {name: counts.unknown[key] for name, key in _KEYS.items() if counts.unknown[key] and key in proved}
    if unknown:
        print_line(console, f"not proved, for label files without {reasons(unknown)}")
    if counts.repaired:
        print_line(console, f"{counted(counts.repaired, 'label file')} repaired")
    beside = [
        counted(number, noun)
        for number, noun in ((counts.ignored, "other file"), (counts.ignored_archives, "audio archive"))
        if number
    ]
    if beside:
        print_line(console, f"ignored: {', '.join(beside)}")
    console.print()


def _share(groups: Iterable[GroupRow]) -> float:
    """Return the share of validation in the examples of *groups*."""
    validation = sum(group.validation for group in groups)
    return validation / max(sum(group.train + group.validation for group in groups), 1)


def _held_out(manifest: Manifest) -> str:
    """Return by what examples are held out, and from which group with the least share to which with the most."""
    official = manifest.options["validation"] == "official"
    by = "as AI-Hub has it" if official else f"by {' and '.join(manifest.options['split_by'])}"
    groups = [group for group in manifest.groups if group.train + group.validation]
    if len(groups) < 2:  # noqa: PLR2004 - of a single one the share is that of all
        return by
    least, most = (end(groups, key=lambda group: group.validation_share) for end in (min, max))
    low, high = (f"{row.validation_share:.1%} ({row.region} {row.speech_type})" for row in (least, most))
    return f"{by}, {low} to {high}"


def _show_shards(console: Console, manifest: Manifest) -> None:
    """Print every shard, and below them which reasons dropped how many utterances of each group."""
    table = numbers_table("shard", "examples", "chunks", "bytes")
    dropped = {}
    for shard in manifest.shards:
        name = f"{shard.split} {shard.region} {shard.speech_type}"
        few = " (too few)" if shard.too_few else ""
        numbers = (f"{shard.examples:,}", f"{shard.chunks:,}", size(shard.bytes))
        add_row(table, plain(name).append(few, NOTE), *numbers)
        dropped[name] = shard.dropped
    print_table(console, table)
    dropped |= {f"{row.region} {row.speech_type}": row.dropped for row in manifest.unsharded}
    if any(dropped.values()):
        console.print()
        print_line(console, "dropped", "bold")
    for name, counts in dropped.items():
        if counts:
            print_line(console, f"  {name}: {reasons(counts)}")


def show_scans(console: Console, scans: Sequence[Scan], *, details: bool = False) -> None:
    """Print what a build would read, by the regions in the names of the archives; each of them, too, with *details*."""
    if details:
        for scan in scans:
            hints = scan.archive.hints
            print_line(console, scan.archive.name, "bold")
            named = filter(None, (hints.region, hints.speech_type, hints.split))
            numbers = (
                counted(scan.label_files, "label file"),
                size(scan.packed_bytes),
                f"JSON {size(scan.json_bytes)}",
            )
            print_line(console, f"  {' · '.join((*named, *numbers))}")
        console.print()
    table = numbers_table("region", "archives", "label files", "packed", "JSON")
    for region in (*Region, None):
        those = [scan for scan in scans if scan.archive.hints.region == region]
        if those:
            add_row(table, region or "not in the name", *_sums(those))
    add_row(table, "total", *_sums(scans), style="bold")
    print_table(console, table)


def _sums(scans: Sequence[Scan]) -> tuple[str, str, str, str]:
    return (
        f"{len(scans):,}",
        f"{sum(scan.label_files for scan in scans):,}",
        size(sum(scan.packed_bytes for scan in scans)),
        size(sum(scan.json_bytes for scan in scans)),
    )
