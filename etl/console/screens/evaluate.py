"""An evaluation as a person sees it: what it costs, how far it is, systems beside each other, and what to make of that."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBars
from rich.table import Column, Table
from rich.text import Text

from saturi.etl.console.lines import NOTE, add_row, draws_bars, plain, print_line, print_progress
from saturi.etl.console.screens.submit import waiting
from saturi.etl.console.screens.tables import print_table
from saturi.etl.console.screens.words import short
from saturi.etl.evaluation.bill import Bill
from saturi.etl.evaluation.extremes import Extremes
from saturi.etl.evaluation.progress import Progress, Reporter
from saturi.etl.evaluation.results import EvaluationResult
from saturi.schemas.evaluation import ClaimRow, Evaluation, MetricRow, PredictionRow, Score, SystemScores, TestSetRow

PLAIN_SECONDS = 5.0
"""How often a line says how far it is where there is no terminal."""

_UNKNOWN, _NONE = "?", "-"
_LIKELY, _ALIKE = 0.05, "="
_BY_STRATUM = ("chrf", "edit_f05", "over_edit")
"""Metrics that are shown by stratum: the whole text, what was to be changed, what was not."""

_MOST_SHOWN = 2_000
_FLATTERS = "A base model that chats scores low whatever it knows, so a ratio to it flatters; copying is the least to be beaten."


def show_bill(console: Console, bill: Bill) -> None:
    """Print what each model is asked, and what that costs."""
    table = _table()
    for name in ("questions", "answered before", "tokens in", "tokens out", "price"):
        table.add_column(name, justify="right", no_wrap=True)
    for system in bill.abroad:
        tokens = (f"~{short(count)}" for count in (system.input_tokens, system.output_tokens))
        add_row(
            table,
            f"{system.system} at {system.base_url}",
            f"{system.questions:,}",
            f"{system.known:,}",
            *tokens,
            _dollars(system.usd),
        )
    add_row(table, "in total", "", "", "", "", _dollars(bill.usd), style="bold")
    print_table(console, table)


@contextmanager
def evaluating(console: Console) -> Iterator[Reporter]:
    """Show on *console* how far an evaluation is: a bar on a terminal, else a line now and then."""
    rate = _Rate()
    if not draws_bars(console):
        yield _plain(console, rate)
        return
    columns = (
        TextColumn("{task.fields[step]}"),
        BarColumn(bar_width=16),
        TextColumn("ETA"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
    )
    # From the first answer on: before that somebody may have to type an answer of their own.
    bars: ProgressBars | None = None
    try:
        task = None

        def show(progress: Progress) -> None:
            nonlocal bars, task
            if progress.waiting is not None:
                print_progress(console, waiting(progress.waiting), NOTE)
                return
            if bars is None and progress.total:
                bars = ProgressBars(*columns, console=console, transient=True, expand=True)
                bars.start()
            if bars is None:
                return
            if task is None or rate.is_new(progress):
                if task is not None:
                    bars.remove_task(task)
                task = bars.add_task("", total=progress.total, step=progress.step)
            bars.update(task, completed=progress.done, description=escape(plain(rate.describe(progress)).plain))

        yield show
    finally:
        if bars is not None:
            bars.stop()


class _Rate:
    """Progress in words, with the rate since a step began."""

    def __init__(self) -> None:
        self._step = ("", "")
        self._began = (time.monotonic(), 0)

    def is_new(self, progress: Progress) -> bool:
        """Return whether *progress* is of another step than before."""
        if (progress.step, progress.system) == self._step:
            return False
        self._step = (progress.step, progress.system)
        self._began = (time.monotonic(), progress.done)
        return True

    def describe(self, progress: Progress) -> str:
        """Return *progress* as a phrase."""
        self.is_new(progress)
        began, before = self._began
        rate = (progress.done - before) / max(time.monotonic() - began, 1e-6)
        words = [f"{progress.done:,} of {progress.total:,}", f"{rate:,.0f} rows/s"]
        if progress.system:
            words = [progress.system, *words, _dollars(progress.usd)]
        if progress.unanswered:
            words.append(f"{progress.unanswered:,} unanswered")
        return " · ".join(words)


def _plain(console: Console, rate: _Rate) -> Reporter:
    printed = 0.0

    def show(progress: Progress) -> None:
        nonlocal printed
        if progress.waiting is not None:
            print_progress(console, waiting(progress.waiting), NOTE)
            return
        now = time.monotonic()
        words = rate.describe(progress)
        if progress.total and (now - printed >= PLAIN_SECONDS or progress.done == progress.total):
            printed = now
            print_progress(console, f"{progress.step}: {words}")

    return show


def show_evaluation(console: Console, result: EvaluationResult) -> None:
    """Print all scores: on all rows, by stratum, the original claim, and by which signatures."""
    evaluation = result.evaluation
    for line in _test_set(evaluation.test_set):
        print_line(console, line)
    console.print()
    print_line(
        console,
        f"On all rows, with 95 % intervals; {_ALIKE} is no more different from copying than by chance",
        "italic",
    )
    print_table(console, _scores(evaluation))
    console.print()
    titles = {metric.name: _title(metric) for metric in evaluation.metrics}
    print_line(console, " / ".join(titles[name] for name in _BY_STRATUM), "italic")
    print_table(console, _strata(evaluation))
    console.print()
    for line in _claim(evaluation.claim, evaluation.metrics):
        print_line(console, line)
    for line in (*_usage(evaluation.systems), *_signatures(evaluation)):
        print_line(console, line, "dim")
    print_line(console, f"Scores, predictions and journal: {result.folder}")


def show_extremes(console: Console, systems: Sequence[Extremes], *, text: bool) -> None:
    """Print the rows of largest gain and loss of each system, with their texts where *text* says so."""
    for one in systems:
        for title, rows in (("gains most over copying", one.gains), ("loses most against copying", one.losses)):
            print_line(console, f"{one.system} {title}:" + ("" if rows else " on no row"), "bold")
            for row in rows:
                _show_row(console, row, text=text)


def _show_row(console: Console, row: PredictionRow, *, text: bool) -> None:
    sentence = "" if row.sentence is None else f", sentence {row.sentence}"
    origin = "" if row.archive is None else f"  {row.archive}!{row.member}{sentence}"
    print_line(console, f"  {row.gain:+.1f} to {row.chrf:.1f}  {row.key}{origin}")
    if text:
        for name in ("source", "reference", "prediction"):
            print_line(console, f"      {name}: {getattr(row, name)[:_MOST_SHOWN]}")


def _test_set(test_set: TestSetRow) -> Iterator[str]:
    proof = (
        f"{test_set.in_training:,} more have a text that train has, too"
        if test_set.proved
        else "not held against a train split"
    )
    left_out = [
        f"{count:,} {words}"
        for count, words in ((test_set.not_sampled, "not sampled"), (test_set.unanswered, "without an answer"))
        if count
    ]
    rows = f"{test_set.rows:,} rows, {test_set.questions:,} different questions"
    yield f"Test set {test_set.name}: {', '.join([rows, proof, *left_out])}."


def _scores(evaluation: Evaluation) -> Table:
    """Return a table of all metrics on all rows, a column a system."""
    table = _table()
    for system in evaluation.systems:
        table.add_column(plain(_heading(system)), justify="right", overflow="fold")
    for metric in evaluation.metrics:
        scores = [system.strata[0].scores[metric.name] for system in evaluation.systems]
        best = _best(metric, scores)
        cells = [Text(_cell(metric, score), "bold" if score.score == best else "") for score in scores]
        add_row(table, _title(metric), *cells)
    return table


def _strata(evaluation: Evaluation) -> Table:
    """Return a table of some metrics by stratum, a column a system."""
    metrics = {metric.name: metric for metric in evaluation.metrics if metric.name in _BY_STRATUM}
    table = _table()
    table.add_column("rows", justify="right", no_wrap=True)
    for system in evaluation.systems:
        table.add_column(plain(_heading(system)), justify="right", overflow="fold")
    for place, stratum in enumerate(evaluation.systems[0].strata):
        scores = [system.strata[place].scores for system in evaluation.systems]
        best = {name: _best(metrics[name], [of[name] for of in scores]) for name in _BY_STRATUM}
        cells = [_joined([(metrics[name], of[name], best[name]) for name in _BY_STRATUM]) for of in scores]
        add_row(table, f"{stratum.by} {stratum.value}" if place else "all", f"{stratum.rows:,}", *cells)
    return table


def _joined(scores: Sequence[tuple[MetricRow, Score, float | None]]) -> Text:
    parts = [
        Text(_number(metric, score.score), "bold" if score.score is not None and score.score == best else "")
        for metric, score, best in scores
    ]
    return Text(" / ").join(parts)


def _best(metric: MetricRow, scores: Sequence[Score]) -> float | None:
    """Return the best of *scores*; None where no more is better, or all are alike."""
    known = [score.score for score in scores if score.score is not None]
    if metric.better == "neither" or len(set(known)) <= 1:
        return None
    return max(known) if metric.better == "higher" else min(known)


def _cell(metric: MetricRow, score: Score) -> str:
    bounds = ""
    if score.low is not None and score.high is not None:
        bounds = f" ({_number(metric, score.low)} to {_number(metric, score.high)})"
    mark = f" {_ALIKE}" if score.p_copy is not None and score.p_copy >= _LIKELY else ""
    return f"{_number(metric, score.score)}{bounds}{mark}"


def _number(metric: MetricRow, value: float | None) -> str:
    if value is None:
        return _NONE
    return f"{value:.2f}" if metric.better == "neither" else f"{value:.1f}"


def _title(metric: MetricRow) -> str:
    return f"{metric.title} (less is better)" if metric.better == "lower" else metric.title


def _heading(system: SystemScores) -> str:
    return f"{system.name} (base)" if system.role == "base" else system.name


def _claim(claim: Sequence[ClaimRow], metrics: Sequence[MetricRow]) -> Iterator[str]:
    """Yield the original claim beside the gain over copying, a line a system."""
    titles = {metric.name: metric.title for metric in metrics}
    for system in dict.fromkeys(row.system for row in claim):
        rows = [row for row in claim if row.system == system]
        ratios = [f"{titles[row.metric]} x{row.over_base:.2f}" for row in rows if row.over_base is not None]
        gains = [f"{titles[row.metric]} {row.gain_over_copy:+.1f}" for row in rows if row.gain_over_copy is not None]
        over_base = f"over the base model {rows[0].base} {', '.join(ratios)}; " if ratios else ""
        yield f"{system}: {over_base}over copying {', '.join(gains)}."
    if any(row.over_base is not None for row in claim):
        yield _FLATTERS


def _usage(systems: Sequence[SystemScores]) -> Iterator[str]:
    for system in systems:
        if system.kind == "model":
            tokens = ", ".join(
                f"{_UNKNOWN if count is None else short(count)} tokens {way}"
                for count, way in ((system.input_tokens, "in"), (system.output_tokens, "out"))
            )
            asked = f"{system.asked:,} asked, {system.known:,} answered before"
            yield f"{system.name}: {asked}, {tokens}, {_dollars(system.usd)}"


def _signatures(evaluation: Evaluation) -> Iterator[str]:
    for metric in evaluation.metrics:
        if "|" in metric.signature:
            yield f"{metric.title}: {metric.signature}"
    yield f"Intervals and p-values: paired bootstrap, {evaluation.resamples:,} resamples, seed {evaluation.seed}"


def _dollars(usd: float | None) -> str:
    return _UNKNOWN if usd is None else f"${usd:,.2f}"


def _table() -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 0, 0, 2), header_style="dim")
    table.add_column("", overflow="fold")
    return table
