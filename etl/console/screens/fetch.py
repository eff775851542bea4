"""Downloads as a person sees them: lists, the plan, progress, and what is there in the end."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from saturi.etl.console.lines import NOTE, add_row, print_line, print_next, print_progress
from saturi.etl.console.screens.tables import print_table
from saturi.etl.console.screens.transfers import TransferBars
from saturi.etl.console.screens.words import size
from saturi.etl.download.data_sets import KnownDataSet
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
        self._bars = TransferBars(console)
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
                self._bars.remove(_name(archive.path))
                self._advance()
                print_progress(self._console, f"{archive.path}: {archive.bytes:,} bytes, whole")

    def stop(self) -> None:
        """Take the bars away."""
        self._bars.stop()

    def _move(self, archive: ListedArchive, done: int) -> None:
        self._moved[archive.path] = done
        self._advance()
        self._bars.move(_name(archive.path), done, archive.bytes)

    def _advance(self) -> None:
        done, now = sum(self._moved.values()), time.monotonic()
        if not self._bars.move("in all", done, self._total) and now - self._printed >= _LINE_SECONDS:
            self._printed = now
            rate = done / max(now - self._began, 1e-6)
            left = f", {_duration((self._total - done) / rate)} left" if rate and done < self._total else ""
            print_progress(self._console, f"downloading: {size(done)} of {size(self._total)}, {size(rate)}/s{left}")


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def show_known(console: Console, data_sets: Sequence[KnownDataSet]) -> None:
    """Print the data sets that a build reads, with the numbers and words that name them."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("number", justify="right")
    for header in ("generation", "data set", "also named by"):
        table.add_column(header)
    for one in data_sets:
        add_row(table, f"{one.number}", one.generation, one.title, one.english)
    print_table(console, table)


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
        print_table(console, table)


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
    unknown = sum(_is_unknown(archive) for archive in plan.archives)
    archives = counted(len(plan.archives), "archive")
    more = f", and {unknown} of a size that AI-Hub does not tell" if unknown else ""
    print_line(
        console,
        f"{archives}, {most}{plan.bytes:,} bytes{more}; {most}{_duration(plan.seconds)} at the usual 2 MB/s; "
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


def _is_unknown(archive: ListedArchive) -> bool:
    return archive.rounded and not archive.bytes


def _size(archive: ListedArchive) -> str:
    if _is_unknown(archive):
        return "unknown"
    return f"at most {size(archive.bytes)}" if archive.rounded else f"{archive.bytes:,}"


def _duration(seconds: float) -> str:
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < 2 * _HOUR else f"{seconds / _HOUR:.1f} h"
