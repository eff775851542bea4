"""Screen of `check`: the first problems in full, then counts of all."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from etl.checking.advice import ADVICE
from etl.checking.report import CheckReport, Kind, Problem
from etl.console.screens.words import reasons, size

_STYLES = {"error": "red", "warning": "yellow"}


def show_check(console: Console, report: CheckReport) -> None:
    """Print the first problems in full, the counts of all, and a verdict."""
    for problem in report.problems:
        console.print(_sentence(problem), soft_wrap=True)
    counts = report.errors | report.warnings
    if hidden := sum(counts.values()) - len(report.problems):
        console.print(f"… and {hidden:,} more; --show {sum(counts.values())} shows all", style="dim", highlight=False)
    if counts:
        console.print(_counts(counts))
    verdict = (
        Text(f"A provider would refuse this: {reasons(report.errors)}", "red")
        if report.errors
        else Text("Nothing a provider would refuse" + (", but warnings" if report.warnings else ""), "green")
    )
    files = "1 file" if report.files == 1 else f"{report.files:,} files"
    console.print(
        verdict.append(f" · {report.examples:,} examples, {files}, {size(report.bytes)}", "default"), soft_wrap=True
    )


def _sentence(problem: Problem) -> Text:
    """Return *problem* as one line: place, problem, advice, origin."""
    text = Text(f"{problem.severity} ", _STYLES[problem.severity]).append(problem.file, "bold")
    if problem.line is not None:
        text.append(f", line {problem.line:,}")
    if problem.message is not None:
        text.append(f", message {problem.message}")
    text.append(f": {problem.detail}; {problem.advice}")
    if origin := problem.origin:
        sentence = f", sentence {origin.sentence}" if origin.sentence is not None else ""
        text.append(f" (from {origin.archive}!{origin.member}{sentence})", "dim")
    return text


def _counts(counts: dict[str, int]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("problem")
    table.add_column("times", justify="right")
    table.add_column("what to do", overflow="fold")
    for kind, number in counts.items():
        severity, advice = ADVICE[Kind(kind)]
        table.add_row(Text(kind, _STYLES[severity]), f"{number:,}", advice)
    return table
