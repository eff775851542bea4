"""
Tables of every screen: a column of names, columns of numbers to the right, thin bars where there is room for them.

No word is folded, and no line ends with blanks: a table that is too wide loses columns, or becomes lines.
"""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Column, Table
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


def print_table(console: Console, table: Table, less: Sequence[str] = ()) -> None:
    """
    Print *table*, with every word whole.

    Args:
        console: Where to.
        table: The table, without a box; its first column is the names of its rows.
        less: Headers of the columns that are left out where *console* is too narrow, the first of them first.
    """
    for header in less:
        if _columns(table, _least_widths(table, names_whole=True)) > console.width:
            table.columns = [column for column in table.columns if _words(column.header) != header]
    least = _least_widths(table)
    room = console.width - _columns(table, least)
    if room < 0:
        _print_rows(console, table)
        return
    for column, width in zip(table.columns, least, strict=True):
        column.width = min(_width(column), width + room)
        room -= column.width - width
    for segments in console.render_lines(table, pad=False):
        line = Text.assemble(*((segment.text, segment.style or "") for segment in segments))
        line.rstrip()
        print_line(console, line)


def _columns(table: Table, widths: Sequence[int]) -> int:
    """Return the columns of a terminal that *table* takes with columns of *widths*, as rich counts them: each is padded."""
    _, right, _, left = table.padding
    return sum(widths) + len(widths) * (left + right)


def _least_widths(table: Table, *, names_whole: bool = False) -> list[int]:
    """Return the width of each column of *table* in which no word of it is folded, nor a name with *names_whole*."""
    first, *others = table.columns
    return [
        _width(first, split=not (names_whole or first.no_wrap)),
        *(_width(one, split=not one.no_wrap) for one in others),
    ]


def _width(column: Column, *, split: bool = False) -> int:
    """Return the width of the longest cell of *column*, or of its longest word where cells are *split*."""
    texts = [_words(cell) for cell in (column.header, *column.cells)]
    return max(cell_len(part) for text in texts for part in (text.split() if split else [text]) or [""])


def _words(cell: RenderableType) -> str:
    return cell.plain if isinstance(cell, Text) else str(cell)


def _print_rows(console: Console, table: Table) -> None:
    """Print every row of *table* in lines: its name, and below it the other cells, each behind its header."""
    if table.title:
        print_line(console, _words(table.title))
    headers = [_words(column.header) if table.show_header else "" for column in table.columns]
    for row, cells in zip(table.rows, zip(*(column.cells for column in table.columns), strict=True), strict=True):
        name, *others = map(_words, cells)
        _print_folded(console, name, "", str(row.style or ""))
        parts = [f"{header} {other}".strip() for header, other in zip(headers[1:], others, strict=True) if other]
        if parts:
            _print_folded(console, " · ".join(parts), _INDENT, str(row.style or ""))


def _print_folded(console: Console, text: str, indent: str, style: str) -> None:
    """Print *text* in lines of the width of *console*, each behind *indent*; a word that is wider has a line to itself."""
    line = indent
    for word in text.split():
        if line != indent and cell_len(f"{line} {word}") > console.width:
            print_line(console, line, style)
            line = indent
        line += word if line == indent else f" {word}"
    print_line(console, line, style)


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
