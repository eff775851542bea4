"""A check as a person sees it: problems in full, then all in counts."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from saturi.etl.checking.advice import ADVICE
from saturi.etl.checking.report import CheckReport, Kind, Problem
from saturi.etl.console.lines import add_row, plain, print_line
from saturi.etl.console.screens.tables import print_table
from saturi.etl.console.screens.words import reasons, size
from saturi.etl.output.printable import counted

_STYLES = {"error": "red", "warning": "yellow"}


def show_check(console: Console, report: CheckReport) -> None:
    """Print the first problems in full, the counts of all, and a verdict."""
    for problem in report.problems:
        print_line(console, _sentence(problem))
    counts = report.errors | report.warnings
    if hidden := sum(counts.values()) - len(report.problems):
        print_line(console, f"… and {hidden:,} more; --show {sum(counts.values())} shows all", "dim")
    if counts:
        print_table(console, _counts(counts))
    verdict = (
        Text(f"A provider would refuse this: {reasons(report.errors)}", "red")
        if report.errors
        else Text("Nothing a provider would refuse" + (", but warnings" if report.warnings else ""), "green")
    )
    whole = f"{counted(report.examples, 'example')}, {counted(report.files, 'file')}, {size(report.bytes)}"
    print_line(console, verdict.append(f" · {whole}", "default"))


def _sentence(problem: Problem) -> Text:
    """Return *problem* as where, what, what to do, and where the line came from."""
    text = Text(f"{problem.severity} ", _STYLES[problem.severity]).append_text(plain(problem.file, "bold"))
    if problem.line is not None:
        text.append(f", line {problem.line:,}")
    if problem.message is not None:
        text.append(f", message {problem.message}")
    text.append_text(plain(f": {problem.detail}; {problem.advice}"))
    if origin := problem.origin:
        sentence = f", sentence {origin.sentence}" if origin.sentence is not None else ""
        text.append_text(plain(f" (from {origin.archive}!{origin.member}{sentence})", "dim"))
    return text


def _counts(counts: dict[str, int]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("problem")
    table.add_column("times", justify="right")
    table.add_column("what to do", overflow="fold")
    for kind, number in counts.items():
        severity, advice = ADVICE[Kind(kind)]
        add_row(table, Text(kind, _STYLES[severity]), f"{number:,}", advice)
    return table
