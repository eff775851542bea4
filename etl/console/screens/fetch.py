"""Downloads as a person sees them: lists, the plan, progress, and what is there in the end."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from saturi.etl.console.lines import NOTE, add_row, draws_bars, plain, print_line, print_next, print_progress
from saturi.etl.console.screens.words import size
from saturi.etl.download.news import Again, Finished, Moved, News, Planned, Remark, Reporter
from saturi.etl.output.printable import counted
from saturi.schemas.fetch import DataSetList, FetchPlan, FetchResult, ListedArchive, RepairedArchive

_MINUTE, _HOUR = 60, 3600
_LINE_SECONDS = 60.0
"""How often a plain line is printed where there is no terminal, between those of the archives; a download takes an hour."""


@contextmanager
def fetching(console: Console) -> Iterator[Reporter]:
    """Show a download on *console*: bars on a terminal, else a line for each archive, and one every few seconds."""
    story = _Story(console)
    try:
        yield story.show
    finally:
        story.stop()


class _Story:
    """The story of one download."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._total = 0
        self._moved: dict[str, int] = {}
        self._began = self._printed = time.monotonic()

    def show(self, news: News) -> None:
        """Show *news*."""
        match news:
            case Planned(plan=plan):
                show_plan(self._console, plan)
                self._total, self._began = plan.bytes, time.monotonic()
            case Remark(sentence=sentence):
                print_progress(self._console, sentence, NOTE)
            case Again(what=what, problem=problem, wait_seconds=wait):
                print_progress(self._console, f"{what}: {problem}; again in {wait:.0f} s", NOTE)
            case Moved(archive=archive, done=done):
                self._move(archive, done)
            case Finished(archive=archive):
                self._moved[archive.path] = archive.bytes
                if self._bars is not None and archive.path in self._tasks:
                    self._bars.remove_task(self._tasks.pop(archive.path))
                self._advance()
                print_progress(self._console, f"{archive.path}: {archive.bytes:,} bytes, whole")

    def stop(self) -> None:
        """Take the bars away."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def _start(self) -> None:
        """Show the bars, which a question before would be lost among."""
        if self._bars is None and draws_bars(self._console):
            columns = (
                TextColumn("{task.description}"),
                BarColumn(bar_width=16),
                DownloadColumn(),
                TransferSpeedColumn(),
            )
            self._bars = Progress(
                *columns, TextColumn("ETA"), TimeRemainingColumn(compact=True), console=self._console, transient=True
            )
            self._tasks[""] = self._bars.add_task("in all", total=self._total)
            self._bars.start()

    def _move(self, archive: ListedArchive, done: int) -> None:
        self._start()
        self._moved[archive.path] = done
        if self._bars is not None:
            if archive.path not in self._tasks:
                name = plain(archive.path.rpartition("/")[2]).markup
                self._tasks[archive.path] = self._bars.add_task(name, total=archive.bytes)
            self._bars.update(self._tasks[archive.path], completed=done)
        self._advance()

    def _advance(self) -> None:
        done, now = sum(self._moved.values()), time.monotonic()
        if self._bars is not None:
            self._bars.update(self._tasks[""], completed=done)
        elif now - self._printed >= _LINE_SECONDS:
            self._printed = now
            rate = done / max(now - self._began, 1e-6)
            left = f", {_duration((self._total - done) / rate)} left" if rate else ""
            print_progress(self._console, f"downloading: {size(done)} of {size(self._total)}, {size(rate)}/s{left}")


def show_lists(console: Console, lists: Sequence[DataSetList]) -> None:
    """Print every archive of *lists* below its folder."""
    for listed in lists:
        labels = [archive for archive in listed.archives if archive.labels]
        total = size(sum(archive.bytes for archive in labels))
        print_line(console, f"{listed.data_set} {listed.title}", "bold")
        print_line(console, f"  {counted(len(listed.archives), 'file')}, {len(labels)} with labels, {total}")
        if listed.approval_ends is not None:
            print_line(console, f"  your approval: {listed.approval_ends}")
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("number", justify="right")
        table.add_column("size", justify="right", no_wrap=True)
        table.add_column("what")
        table.add_column("file", overflow="fold")
        folder = ""
        for archive in listed.archives:
            above, _, name = archive.path.rpartition("/")
            if above != folder:
                folder = above
                add_row(table, "", "", "", f"{above}/", style="dim")
            add_row(table, f"{archive.file_number}", _size(archive), "labels" if archive.labels else "", f"  {name}")
        console.print(table)


def show_plan(console: Console, plan: FetchPlan) -> None:
    """Print the archives of *plan*, and what they take."""
    for archive in plan.archives:
        print_line(console, f"{_size(archive):>18}  {archive.path}")
    if plan.present:
        print_line(console, f"{counted(plan.present, 'archive')} there already")
    for data_set, ends in plan.approvals.items():
        print_line(console, f"data set {data_set}: your approval: {ends}")
    if not plan.archives:
        return
    most = "at most " if plan.rounded else ""
    archives = counted(len(plan.archives), "archive")
    print_line(
        console,
        f"{archives}, {most}{plan.bytes:,} bytes; {most}{_duration(plan.seconds)} at the usual 2 MB/s; "
        f"needs {size(plan.needed_bytes)} of disk, {size(plan.free_bytes)} are free",
    )


def show_result(console: Console, result: FetchResult, to: Path) -> None:
    """Print what there is, and what to do next."""
    total = size(sum(archive.bytes for archive in result.archives))
    print_line(
        console,
        f"{counted(len(result.archives), 'archive')}, {total}, in {to}: {result.fetched} downloaded, {result.present} there before",
    )
    print_next(console, "inspect", to)


def show_repairs(console: Console, repairs: Sequence[RepairedArchive], folder: Path) -> None:
    """Print what there is of each zip that has parts."""
    if not repairs:
        print_line(console, f"{folder}: no part of a zip is in it")
    for row in repairs:
        print_line(console, f"{row.path}: {row.state}: {row.detail}", "yellow" if row.state == "incomplete" else None)
    if any(row.state == "joined" for row in repairs):
        print_next(console, "inspect", folder)


def _size(archive: ListedArchive) -> str:
    return f"at most {size(archive.bytes)}" if archive.rounded else f"{archive.bytes:,}"


def _duration(seconds: float) -> str:
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < 2 * _HOUR else f"{seconds / _HOUR:.1f} h"
