"""Jobs as a person watches them: events as they come, losses as small curves, and in the end models, tokens and cost."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from saturi.etl.console.lines import draws_bars, print_line
from saturi.etl.console.screens.submit import dollars, waiting
from saturi.etl.console.screens.words import short
from saturi.etl.console.signs import blocks
from saturi.etl.output.printable import printable
from saturi.etl.submission.news import Flaw, JobEnded, JobEvent, JobProblem, JobStatus, News, NoAnswer, Reporter

WIDTH = 24
"""Columns of a curve."""

_MINUTE = 60


def curve(values: Sequence[float], signs: str, width: int = WIDTH) -> str:
    """Return *values* as a curve of at most *width* signs, the lowest value with the first of *signs*."""
    if not values:
        return ""
    step = max(1.0, len(values) / width)
    picked = [values[min(len(values) - 1, int((number + 1) * step) - 1)] for number in range(min(width, len(values)))]
    low, high = min(picked), max(picked)
    scale = (len(signs) - 1) / (high - low) if high > low else 0.0
    return "".join(signs[round((value - low) * scale)] for value in picked)


@contextmanager
def watching(console: Console) -> Iterator[Reporter]:
    """Show on *console* what happens to jobs; on a terminal, with a line for each that moves."""
    story = _Story(console)
    if not draws_bars(console):
        yield story.show
        return
    with Live(get_renderable=story.lines, console=console, refresh_per_second=4, transient=True):
        yield story.show


class _Story:
    """The story of all jobs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._jobs: dict[str, _Job] = {}
        self._signs = blocks(console.encoding)

    def show(self, news: News) -> None:
        """Show *news*."""
        match news:
            case JobEvent():
                self._job(news.job_id, news.title).take(news)
                # On a terminal the steps of a training move its line; a log has them one by one.
                if news.train_loss is None or not draws_bars(self._console):
                    self._print(f"{_clock(news.at)} {news.title}: {news.message}{_losses(news)}", _style(news.level))
            case JobStatus():
                self._job(news.job_id, news.title).status = news.status
                self._print(f"{_clock(time.time())} {news.title}: {news.job_id} {news.status}", "bold")
            case NoAnswer():
                self._print(waiting(news), "yellow")
            case JobProblem():
                self._jobs.pop(news.job_id, None)
                self._print(f"{news.title}: {news.job_id} cannot be followed: {news.problem}", "red")
            case JobEnded():
                job = self._jobs.pop(news.job_id, None)
                self._end(news, job.describe(self._signs) if job is not None else "")

    def lines(self) -> Group:
        """Return a line for each job that has not ended."""
        elapsed = _elapsed(time.monotonic() - self._began)
        lines = [f"{job.title} {job.status} {job.describe(self._signs)}" for job in self._jobs.values()]
        return Group(*(Text(printable(f"{elapsed} {line}"), no_wrap=True, overflow="ellipsis") for line in lines))

    def _end(self, news: JobEnded, curves: str) -> None:
        self._print(
            f"{news.title}: {news.job_id} {news.status} after {_elapsed(time.monotonic() - self._began)} of watching"
        )
        if curves:
            self._print(f"  {curves}")
        if news.model is not None:
            self._print(f"  model: {news.model}", "green")
        if news.trained_tokens is not None:
            estimate = "no estimate" if news.billed_tokens is None else f"estimate {short(news.billed_tokens)}"
            share = f", {news.trained_tokens / news.billed_tokens:.1%} of it" if news.billed_tokens else ""
            self._print(f"  tokens: {short(news.trained_tokens)} trained ({estimate}{share})")
            self._print(f"  cost: {dollars(news.trained_usd)} (estimate {dollars(news.usd)})")
        if news.error_message is not None:
            self._print(f"  {news.error_code}: {news.error_message}", "red")
        for flaw in news.flaws:
            self._print(f"  {_origin(flaw)}", "red")

    def _job(self, job_id: str, title: str) -> "_Job":
        return self._jobs.setdefault(job_id, _Job(title))

    def _print(self, sentence: str, style: str | None = None) -> None:
        print_line(self._console, sentence, style)


class _Job:
    """The line of one job: its status, and its losses by step."""

    def __init__(self, title: str) -> None:
        self.title, self.status = title, ""
        self._step: int | None = None
        self._train: list[float] = []
        self._valid: list[float] = []

    def take(self, event: JobEvent) -> None:
        """Remember the losses of *event*."""
        self._step = event.step if event.step is not None else self._step
        if event.train_loss is not None:
            self._train.append(event.train_loss)
        if event.valid_loss is not None:
            self._valid.append(event.valid_loss)

    def describe(self, signs: str) -> str:
        """Return step and losses, each with its curve; empty before there are any."""
        words = [] if self._step is None else [f"step {self._step}"]
        for name, values in (("loss", self._train), ("validation loss", self._valid)):
            if values:
                words.append(f"{name} {curve(values, signs)} {values[-1]:.4g}")
        return "  ".join(words)


def _losses(event: JobEvent) -> str:
    named = (("loss", event.train_loss), ("validation loss", event.valid_loss))
    losses = ", ".join(f"{name} {value:.4g}" for name, value in named if value is not None)
    return f" ({losses})" if losses else ""


def _origin(flaw: Flaw) -> str:
    if flaw.chunk is None:
        return f"line {flaw.line}: not in the file that was sent"
    here = f"line {flaw.line} is {flaw.chunk}:{flaw.chunk_line}"
    if flaw.archive is None:
        return f"{here}; where it came from is not known, the build was replaced since"
    sentence = "" if flaw.sentence is None else f", sentence {flaw.sentence}"
    return f"{here}, from {flaw.archive}!{flaw.member}{sentence}"


def _style(level: str) -> str | None:
    return {"error": "red", "warn": "yellow"}.get(level)


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


def _elapsed(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}"
