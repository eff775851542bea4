"""
Lines and rows of every screen: whatever is in them, a line is one line, and nothing in it moves the terminal.

Names of archives and members, reasons, values of labels and answers of providers come to a screen through here.
"""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from saturi.etl.output.printable import printable


def plain(text: str | Text, style: str | None = None) -> Text:
    """Return *text* as it may be shown: no markup in it counts, and what is no sign is an escape."""
    if isinstance(text, str):
        return Text(printable(text), style or "")
    return text if text.plain.isprintable() else Text(printable(text.plain), text.style)


def print_line(console: Console, text: str | Text, style: str | None = None) -> None:
    """Print *text* on one line, which only a terminal folds."""
    console.print(plain(text, style), soft_wrap=True)


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
