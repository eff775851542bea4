"""A report as a person without a browser sees it: the sections of the page, their numbers as tables."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from saturi.etl.console.lines import add_row, plain, print_line
from saturi.etl.console.screens.tables import print_table
from saturi.etl.reports.outline import notes, outline, title
from saturi.etl.reports.sections import Figure
from saturi.etl.reports.words import Language
from saturi.schemas.report import Report


def show_report(console: Console, report: Report, language: Language) -> None:
    """Print *report* in *language*."""
    print_line(console, Text(title(report, language), "bold"))
    for note in notes(report, language):
        console.print(plain(note, "yellow"))
    for section in outline(report, language):
        console.print()
        print_line(console, Text(section.title, "bold"))
        for sentence in section.sentences:
            console.print(plain(sentence))
        if section.command is not None:
            print_line(console, section.command)
        for figure in section.figures:
            console.print()
            print_table(console, _table(figure))
            console.print(plain(figure.description, "dim"))


def _table(figure: Figure) -> Table:
    table = Table(
        title=plain(figure.title),
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="dim",
    )
    for place, name in enumerate(figure.table.header):
        numbers = place >= figure.table.names
        table.add_column(plain(name), justify="right" if numbers else "left", overflow="fold")
    for row in figure.table.rows:
        add_row(table, *row)
    return table
