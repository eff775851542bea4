"""The progress of a build or an inspection: a bar on a terminal, else a plain line now and then; what matters comes first."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as ProgressBars
from rich.table import Column

from saturi.etl.console.display import display
from saturi.etl.console.lines import draws_bars, print_line, print_progress
from saturi.etl.console.screens.words import duration, short, size
from saturi.etl.output.printable import counted
from saturi.etl.runtime.progress import Progress, Watcher

PLAIN_SECONDS = 5.0
"""How often a plain line is printed where there is no terminal."""

_STEPS = {
    "invent": "inventing label files",
    "scan": "looking at archives",
    "inspect": "reading label files",
    "stage": "reading the stage",
    "read": "reading label files",
    "select": "selecting",
    "compare": "comparing texts",
    "share": "looking for shared texts",
    "limit": "limiting",
    "sample": "sampling",
    "render": "rendering lines",
    "write": "writing chunks",
    "prove": "looking for leaks",
    "tables": "writing tables",
}
_OF_BYTES = ("inspect", "read")  # steps whose progress is in bytes of archives
_LEAST_SECONDS = 2.0  # of which a rate, or the time that is left, says anything
_BAR_COLUMNS = 12
_WIDE_COLUMNS = 80  # of a terminal with room for a bar


class Pace:
    """Progress in words, with what it took; segments that were on disk took no time, and say nothing of what is left."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = Progress("", 0, 0)
        self._at = self._began = time.monotonic()
        self._read = Progress("", 0, 0)

    @property
    def step(self) -> str:
        """The step of the progress that was described last."""
        return self._last.step

    def take(self, progress: Progress) -> None:
        """Take in *progress*, which follows the one before."""
        if progress.step != self._last.step:
            self.finish()
            self._began = self._at  # what the first progress tells took its time, too
            self._last = self._read = Progress(progress.step, 0, progress.total)
        if progress.reused == self._last.reused:
            done = self._read.done + progress.done - self._last.done
            json_bytes = self._read.json_bytes + progress.json_bytes - self._last.json_bytes
            self._read = Progress(progress.step, done, progress.total, json_bytes=json_bytes)
        self._last, self._at = progress, time.monotonic()

    def finish(self) -> None:
        """Print the time of the step that was described last, where times are wanted."""
        if display.verbose and self.step:
            print_line(self._console, f"{_STEPS[self.step]}: {self._at - self._began:.2f} s")

    def words(self) -> list[str]:
        """Return the progress in phrases, those that matter most first."""
        progress = self._last
        if progress.step not in _OF_BYTES:
            return [f"{progress.done:,} of {progress.total:,}"]
        rejected = [f"{short(progress.rejected)} rejected"] if progress.rejected else []
        return [*rejected, *self._left(), counted(progress.label_files, "file"), *self._rate()]

    def share(self) -> str:
        """Return how much of the step is done, in percent."""
        return f"{self._last.done / self._last.total:.0%}" if self._last.total else ""

    def _left(self) -> list[str]:
        seconds, read = self._at - self._began, self._read.done
        rest = self._last.total - self._last.done
        return [f"{duration(seconds * rest / read)} left"] if read and rest and seconds >= _LEAST_SECONDS else []

    def _rate(self) -> list[str]:
        seconds, read = self._at - self._began, self._read.json_bytes
        return [f"{size(read / seconds)}/s"] if read and seconds >= _LEAST_SECONDS else []


def fit(words: list[str], columns: int) -> str:
    """Return as many of *words*, from the first on, as there is room for in *columns*."""
    line = ""
    for word in words:
        longer = f"{line} · {word}" if line else word
        if line and len(longer) > columns:
            break
        line = longer
    return line


@contextmanager
def watching(console: Console) -> Iterator[Watcher]:
    """Show the progress of a build on *console*: a bar on a terminal that can draw one, else a plain line every few seconds."""
    pace = Pace(console)
    if not draws_bars(console):
        yield _plain(console, pace)
        pace.finish()
        return
    wide = console.width >= _WIDE_COLUMNS
    columns = (
        TextColumn("{task.fields[step]}"),
        *((BarColumn(bar_width=_BAR_COLUMNS),) if wide else ()),
        TextColumn("{task.fields[share]}"),
        TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
    )
    log = _plain(console, pace, only_logged=True)
    with ProgressBars(*columns, console=console, transient=True, expand=True) as bar:
        task = bar.add_task("", total=None, step=_STEPS["scan"], share="")

        def show(progress: Progress) -> None:
            if progress.step != pace.step:
                bar.reset(task, total=progress.total)
            log(progress)
            step, share = _STEPS[progress.step], pace.share()
            beside = len(step) + 1 + (_BAR_COLUMNS + 1 if wide else 0) + len(share) + 1
            bar.update(
                task,
                completed=progress.done,
                total=progress.total,
                description=fit(pace.words(), console.width - beside),
                step=step,
                share=share,
            )

        yield show
    pace.finish()


def _plain(console: Console, pace: Pace, *, only_logged: bool = False) -> Watcher:
    """Return what prints a line on *console* now and then; to the log alone, where it is *only_logged*."""
    printed = time.monotonic()  # what fails before is one sentence alone

    def show(progress: Progress) -> None:
        nonlocal printed
        pace.take(progress)
        now = time.monotonic()
        is_last = progress.step in _OF_BYTES and progress.done == progress.total
        if not (is_last or (progress.done and now - printed >= PLAIN_SECONDS)):
            return
        printed = now
        share = [pace.share()] if progress.step in _OF_BYTES else []
        step, words = f"{_STEPS[progress.step]}: ", [*share, *pace.words()]
        line = step + (fit(words, console.width - len(step)) if console.is_terminal else " · ".join(words))
        if only_logged:
            display.log(line)
        else:
            print_progress(console, line)

    return show
