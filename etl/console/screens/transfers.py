"""Bytes on their way, up or down, as a person sees them: a bar for each file, on a terminal only."""

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
from rich.table import Column

from saturi.etl.console.lines import draws_bars, plain

_BAR_WIDTH = 16


class TransferBars:
    """
    Bars, which appear with the first byte: before that an answer may have to be typed.

    Args:
        console: Where they are shown; nothing is where no bars are drawn.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def move(self, name: str, done: int, total: int) -> bool:
        """Show that *done* of *total* bytes of the file *name* are there, and return whether a bar is drawn for it."""
        if not draws_bars(self._console):
            return False
        if self._progress is None:
            self._progress = Progress(*_columns(), console=self._console, transient=True, expand=True)
            self._progress.start()
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(plain(name).markup, total=total or None)
        self._progress.update(self._tasks[name], completed=done)
        return True

    def remove(self, name: str) -> None:
        """Take the bar of *name* away."""
        if self._progress is not None and name in self._tasks:
            self._progress.remove_task(self._tasks.pop(name))

    def stop(self) -> None:
        """Take all bars away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
            self._tasks.clear()


def _columns() -> tuple[TextColumn, BarColumn, DownloadColumn, TransferSpeedColumn, TextColumn, TimeRemainingColumn]:
    name = Column(ratio=1, overflow="ellipsis", no_wrap=True)  # the one that gives way
    return (
        TextColumn("{task.description}", table_column=name),
        BarColumn(bar_width=_BAR_WIDTH),
        DownloadColumn(),
        TransferSpeedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(compact=True),
    )
