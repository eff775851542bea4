"""Sections of a report in one language: what a page and a terminal show of it, without how."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, TypeVar

from saturi.etl.reports.charts import Chart
from saturi.etl.reports.shown_names import short
from saturi.etl.reports.words import Words

Thing = TypeVar("Thing")

MOST_CELL = 120
"""Signs of a cell, at most, where there is room."""

_MOST_TITLE = 80
_MOST_SENTENCE = 600

MOST_ROWS = 40
"""Rows of a table, at most, so that a page stays small; what is left out is summed up or said."""


class Table(NamedTuple):
    """Names of columns, and rows of cells; all but the first `names` columns are numbers."""

    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    names: int = 1


class Figure(NamedTuple):
    """
    Something to look at: its title, what it shows in a sentence, its numbers, and a chart of them where there is one.

    `fold` is true for a table that only some want to read.
    """

    title: str
    description: str
    table: Table
    chart: Chart | None = None
    fold: bool = False


class Section(NamedTuple):
    """A part of a report: its key, its title, sentences, figures, and a command to be copied, which comes after the sentences."""

    key: str
    title: str
    sentences: list[str]
    figures: list[Figure]
    command: str | None = None


def shortened(rows: Sequence[tuple[str, ...]], words: Words, most: int = MOST_ROWS) -> Sequence[tuple[str, ...]]:
    """Return *rows*, or the first of them and how many there are more."""
    if len(rows) <= most:
        return rows
    more = words(f"and {len(rows) - most:,} more", f"외 {len(rows) - most:,}개")
    return [*rows[:most], (more, *[""] * (len(rows[0]) - 1))]


def thinned(rows: Sequence[Thing], most: int) -> list[Thing]:
    """Return at most *most* (two or more) of *rows*, evenly spread, the first and the last among them."""
    if len(rows) <= most:
        return list(rows)
    return [rows[place * (len(rows) - 1) // (most - 1)] for place in range(most)]


def bounded(section: Section, most: int = MOST_CELL) -> Section:
    """Return *section* with names in cells cut to *most* signs, and other texts, too; charts cut theirs themselves."""
    figures = [
        figure._replace(
            title=short(figure.title, _MOST_TITLE),
            description=short(figure.description, _MOST_SENTENCE),
            table=figure.table._replace(
                header=tuple(short(cell, most) for cell in figure.table.header),
                rows=[
                    tuple(
                        short(cell, most if place < figure.table.names else MOST_CELL) for place, cell in enumerate(row)
                    )
                    for row in figure.table.rows
                ],
            ),
        )
        for figure in section.figures
    ]
    sentences = [short(sentence, _MOST_SENTENCE) for sentence in section.sentences]
    return section._replace(title=short(section.title, _MOST_TITLE), sentences=sentences, figures=figures)


def labelled(bins: Sequence[int], counts: Sequence[int]) -> list[tuple[str, int]]:
    """Return the names of *bins*, by their lower ends, with their counts, up to the last that is not empty."""
    ends = [*(upper - 1 for upper in bins[1:]), None]
    last = max((place for place, number in enumerate(counts) if number), default=0)
    return [(_bin(low, end), number) for low, end, number in zip(bins, ends, counts, strict=True)][: last + 1]


def _bin(low: int, end: int | None) -> str:
    if end is None:
        return f"{low:,}+"
    return f"{low:,}" if low == end else f"{low:,}–{end:,}"


def in_order(names: Collection[str], order: Sequence[str]) -> list[str]:
    """Return *names*: those of *order* as they stand there, then the others."""
    known = [name for name in order if name in names]
    return known + sorted(name for name in names if name not in order)
