"""Tables of every screen: a column of names, columns of numbers to the right, thin bars where there is room for them."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from saturi.etl.console.lines import plain, print_line

BAR = "cyan"
"""Style of a bar."""

_MOST_BAR_COLUMNS = 24
_LEAST_BAR_COLUMNS = 6
_LEAST_SHARE = 0.0005  # what rounds to less than 0.1 %
_INDENT = "  "


def numbers_table(name: str, *headers: str, title: str = "") -> Table:
    """Return a table with a column of names under *name*, folded between words, and one of numbers for each of *headers*."""
    table = Table(
        title=plain(title) if title else None,
        title_justify="left",
        title_style="",
        box=None,
        pad_edge=False,
        padding=(0, 0, 0, 1),
        header_style="dim",
    )
    table.add_column(name, overflow="fold")
    for header in headers:
        table.add_column(header, justify="right", no_wrap=True)
    return table


def bar(part: float, whole: float, columns: int) -> Text:
    """Return a bar of *columns* for *whole*, as long as *part* is of it; what is there has one column at least."""
    if not part or not whole:
        return Text()
    return Text("━" * max(1, round(columns * part / whole)), BAR)


def bar_columns(console: Console, beside: int) -> int:
    """Return the columns that a bar may have *beside* others; 0 where there is too little room."""
    room = console.width - beside - 1
    return min(room, _MOST_BAR_COLUMNS) if room >= _LEAST_BAR_COLUMNS else 0


def share(part: float, whole: float) -> str:
    """Return what *part* is of *whole*, in percent; what is there is never 0."""
    return "<0.1%" if 0 < part / whole < _LEAST_SHARE else f"{part / whole:.1%}"


def print_shares(console: Console, counts: Sequence[tuple[str, int]], whole: int) -> None:
    """Print *counts* as rows of name, number, share of *whole* and bar, indented."""
    names = max((cell_len(name) for name, _ in counts), default=0)
    digits = max((len(f"{number:,}") for _, number in counts), default=0)
    largest = max((number for _, number in counts), default=0)
    columns = bar_columns(console, len(_INDENT) + names + 1 + digits + 8)
    for name, number in counts:
        text = plain(f"{_INDENT}{name}")
        text.pad_right(names - cell_len(name))
        text.append(f" {number:>{digits},} {share(number, whole):>6} ")
        text.append_text(bar(number, largest, columns))
        text.rstrip()
        print_line(console, text)


def largest_first(counts: dict[str, int], most: int | None = None) -> list[tuple[str, int]]:
    """Return *counts*, the largest first; with *most*, what follows is one row of all others."""
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    if most is None or len(rows) <= most + 1:
        return rows
    rest = rows[most:]
    return [*rows[:most], (f"{len(rest)} other reasons", sum(number for _, number in rest))]
