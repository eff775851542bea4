"""
Lines and rows of every screen: whatever is in them, a line is one line, and nothing in it moves the terminal.

Names of archives and members, reasons, values of labels and answers of providers come to a screen through here. A line that is
too long for a terminal is folded between words; elsewhere it stays one line.
"""

import re
import shlex
from collections.abc import Iterable

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from saturi.etl.console.display import display
from saturi.etl.output.printable import printable
from saturi.etl.storage.location import Location

SUCCESS, NOTE, FAILURE, NEXT = "green", "yellow", "red", "cyan"
"""Colours by what they mean."""

_INDENT = "  "
_WORD = re.compile(r"\s*\S+\s*")


def plain(text: str | Text, style: str | None = None) -> Text:
    """Return *text* as it may be shown: no markup in it counts, and what is no sign is an escape."""
    if isinstance(text, str):
        return Text(printable(text), style or "")
    return text if text.plain.isprintable() else Text(printable(text.plain), text.style)


def print_line(console: Console, text: str | Text, style: str | None = None) -> None:
    """Print *text* as one line, which a terminal has in as many as it takes; for stderr it goes to the log, too."""
    line = plain(text, style)
    if console.stderr:
        display.log(line.plain)
    rows = folded(line, console.width) if console.is_terminal else [line]
    for row in rows:
        console.print(row, soft_wrap=True)


def draws_bars(console: Console) -> bool:
    """Return whether progress is a bar on *console*, and not lines."""
    return console.is_interactive and display.progress == "auto" and not display.quiet


def print_progress(console: Console, line: str, style: str | None = None) -> None:
    """Print a *line* on how far a command is, or to the log alone where progress is not wanted."""
    if display.quiet or display.progress == "none":
        display.log(printable(line))
    else:
        print_line(console, line, style)


def print_note(console: Console, sentence: str) -> None:
    """Print a *sentence* that its reader should know, though nothing has failed; it goes to the log even where nobody sees it."""
    line = Text("Note: ", NOTE).append_text(plain(sentence, "default"))
    if display.quiet:
        display.log(line.plain)
    else:
        print_line(console, line)


def print_failure(console: Console, sentence: str) -> None:
    """Print why the command is no success."""
    print_line(console, Text("Not a success: ", f"bold {FAILURE}").append_text(plain(sentence, "default")))


def print_next(console: Console, *words: str | Location) -> None:
    """Print the command of *words* that comes next, as it is typed."""
    print_line(console, Text("Next: ").append_text(plain(shlex.join(map(str, ("saturi", *words))), NEXT)))


def print_text(console: Console, lines: Iterable[str]) -> None:
    """Print *lines*; as one text, folded between words, where *console* is a terminal."""
    if console.is_terminal:
        console.print(plain(" ".join(lines)))
        return
    for line in lines:
        print_line(console, line)


def add_row(table: Table, *cells: str | Text, style: str | None = None) -> None:
    """Add a row of *cells* to *table*."""
    table.add_row(*map(plain, cells), style=style)


def folded(line: Text, columns: int) -> list[Text]:
    """Return *line* in rows of *columns*, folded between words; a word that is longer than a row stays whole."""
    indent = " " * (len(line.plain) - len(line.plain.lstrip())) + _INDENT
    breaks, used = [], 0
    for word in _WORD.finditer(line.plain):
        if used and used + cell_len(word[0].rstrip()) > columns:
            breaks.append(word.start())
            used = len(indent)
        used += cell_len(word[0])
    first, *rest = line.divide(breaks)
    rows = [first, *(Text(indent).append_text(row) for row in rest)]
    for row in rows:
        row.rstrip()
    return rows
