"""The screens of a build: archives of a dry run, progress, account and shards."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBars
from rich.table import Column, Table
from rich.text import Text

from saturi.etl.console.lines import add_row, print_line
from saturi.etl.console.screens.words import reasons, size
from saturi.etl.corpus.scan import Scan
from saturi.etl.pipeline.build import BuildResult
from saturi.etl.pipeline.verdict import unproved_keys
from saturi.etl.runtime.measurements import BuildFacts
from saturi.etl.runtime.progress import Progress, Watcher
from saturi.schemas.manifest import GroupRow, Manifest
from saturi.schemas.terms import Unit

PLAIN_SECONDS = 5.0
"""How often a plain line is printed where there is no terminal."""

_STEPS = {
    "scan": "looking at archives",
    "inspect": "looking at label files",
    "stage": "looking at segments",
    "read": "reading label files",
    "select": "selecting",
    "compare": "comparing texts",
    "share": "looking for shared texts",
    "limit": "limiting",
    "sample": "sampling",
    "write": "writing chunks",
    "prove": "looking for leaks",
    "tables": "writing lineage, decisions and rejects",
}
_OF_BYTES = ("inspect", "read")  # steps whose progress is in bytes of archives
_LEAST_SECONDS = 0.5  # of which a rate says anything


class _Rates:
    """Progress in words, with rates of what was read since the step began; segments that were on disk took no time."""

    def __init__(self) -> None:
        self._last = Progress("", 0, 0)
        self._at = self._began = time.monotonic()
        self._read_bytes = self._read_files = 0

    @property
    def step(self) -> str:
        return self._last.step

    def describe(self, progress: Progress) -> str:
        """Return *progress*, which follows the one described before, in words."""
        if progress.step != self._last.step:
            self._began = self._at  # what the first progress tells took its time, too
            self._last = Progress(progress.step, 0, progress.total)
            self._read_bytes = self._read_files = 0
        if progress.reused == self._last.reused:
            self._read_bytes += progress.done - self._last.done
            self._read_files += progress.label_files - self._last.label_files
        self._last, self._at = progress, time.monotonic()
        if progress.step not in _OF_BYTES:
            return f"{progress.done} of {progress.total}"
        words = [f"{size(progress.done)} of {size(progress.total)}", f"{progress.label_files:,} files"]
        seconds = self._at - self._began
        if self._read_files and seconds >= _LEAST_SECONDS:
            words += [f"{self._read_files / seconds:,.0f} files/s", f"{size(self._read_bytes / seconds)}/s"]
        return " · ".join((*words, f"{progress.rejected:,} rejected"))


_KEYS = {"script": "script", "set of the script": "script_set", "speaker": "speaker"}
"""Names of the keys that may be unknown, and where the manifest counts label files without them."""


@contextmanager
def watching(console: Console) -> Iterator[Watcher]:
    """Show the progress of a build on *console*: a bar on a terminal, else a plain line every few seconds."""
    if not console.is_terminal:
        yield _plain(console)
        return
    columns = (
        TextColumn("{task.fields[step]}"),
        BarColumn(bar_width=16),
        TaskProgressColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(compact=True),
        # What does not fit is cut off here, at the end.
        TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
    )
    rates = _Rates()
    with ProgressBars(*columns, console=console, transient=True, expand=True) as bar:
        task = bar.add_task("", total=None, step="looking for archives")

        def show(progress: Progress) -> None:
            if progress.step != rates.step:
                bar.reset(task, total=progress.total)
            description = rates.describe(progress)
            bar.update(
                task, completed=progress.done, total=progress.total, description=description, step=_STEPS[progress.step]
            )

        yield show


def _plain(console: Console) -> Watcher:
    rates = _Rates()
    printed = 0.0

    def show(progress: Progress) -> None:
        nonlocal printed
        words = rates.describe(progress)
        now = time.monotonic()
        last = progress.step in _OF_BYTES and progress.done == progress.total
        if last or now - printed >= PLAIN_SECONDS:
            printed = now
            print_line(console, f"{_STEPS[progress.step]}: {words}")

    return show


def show_build(console: Console, result: BuildResult) -> None:
    """Print the account of a finished build, its shards, what it took, and what to do next."""
    manifest, run = result.manifest, result.facts
    console.print(_account(manifest))
    console.print(_shards(manifest))
    segments = run.segments_made + run.segments_reused
    how = (  # what was on disk was not read, so that a rate would be none
        f"{run.workers} workers, {run.segments_reused} of {segments} segments were on disk"
        if run.segments_reused
        else f"{size(run.json_bytes / max(run.seconds, 1e-6))}/s, {run.workers} workers"
    )
    print_line(
        console,
        f"{size(run.json_bytes)} of JSON in {run.seconds:.1f} s ({how}); "
        f"peak memory: parent {size(run.parent_peak_bytes)}, worker {size(run.worker_peak_bytes)}",
    )
    print_line(console, f"Next: saturi verify {result.out}")


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
    console.print(table)


def _account(manifest: Manifest) -> Table:
    counts = manifest.counts
    table = Table(title="Account", title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    table.add_column(style="dim")
    rejected, dropped = sum(counts.rejected.values()), sum(counts.dropped.values())
    beside = f"{counts.ignored:,} other files, {counts.ignored_archives:,} audio archives"
    add_row(table, "label files", f"{counts.label_files:,}", f"in {len(manifest.corpus)} archives; ignored: {beside}")
    add_row(table, "  decoded", f"{counts.decoded:,}", f"{counts.repaired:,} mended")
    add_row(table, "  rejected", f"{rejected:,}", reasons(counts.rejected))
    turns = ", of 2020 one a turn" if manifest.options["unit"] == Unit.FILE and "2020" in counts.generations else ""
    add_row(table, "utterances", f"{counts.utterances:,}", f"one a {manifest.options['unit']}{turns}")
    add_row(table, "  examples", f"{counts.examples:,}", f"in {len(manifest.chunks)} chunks")
    add_row(table, "  dropped", f"{dropped:,}", reasons(counts.dropped))
    if manifest.options["validation"] != 0:
        add_row(table, "  held out", f"{_share(manifest.groups):.1%}", _held_out(manifest))
    shared = ", ".join(f"{number:,} {name}" for name, number in counts.shared.items())
    add_row(table, "in both splits", "", f"{shared} of train and validation")
    proved = unproved_keys(manifest)
    unknown = {name: counts.unknown[key] for name, key in _KEYS.items() if counts.unknown[key] and key in proved}
    if unknown:
        add_row(table, "  not proved", "", f"label files without {reasons(unknown)}")
    return table


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


def _shards(manifest: Manifest) -> Table:
    table = Table(title="Shards", title_justify="left", box=None, pad_edge=False, header_style="dim")
    for name in ("split", "region", "speech type"):
        table.add_column(name)
    for name in ("examples", "chunks", "bytes"):
        table.add_column(name, justify="right")
    table.add_column("dropped", overflow="fold")
    for shard in manifest.shards:
        few = Text(" (too few)", "yellow") if shard.too_few else Text()
        examples = Text(f"{shard.examples:,}").append(few)
        add_row(
            table,
            shard.split,
            shard.region,
            shard.speech_type,
            examples,
            f"{shard.chunks}",
            size(shard.bytes),
            reasons(shard.dropped),
        )
    for row in manifest.unsharded:
        add_row(table, Text("none", "dim"), row.region, row.speech_type, "", "", "", reasons(row.dropped))
    return table


def show_scans(console: Console, scans: Sequence[Scan]) -> None:
    """Print the archives of a dry run."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("archive", overflow="fold")
    for name in ("split", "region", "speech type"):
        table.add_column(name)
    for name in ("label files", "packed", "JSON"):
        table.add_column(name, justify="right")
    for scan in scans:
        hints = (scan.archive.hints.split, scan.archive.hints.region, scan.archive.hints.speech_type)
        numbers = (f"{scan.label_files:,}", size(scan.packed_bytes), size(scan.json_bytes))
        add_row(table, scan.archive.name, *(hint or "?" for hint in hints), *numbers)
    total = (
        f"{sum(scan.label_files for scan in scans):,}",
        size(sum(s.packed_bytes for s in scans)),
        size(sum(s.json_bytes for s in scans)),
    )
    add_row(table, "total", "", "", "", *total, style="bold")
    console.print(table)
