"""A submission as a person sees it: the plan and its price, what is asked and answered, bytes on their way, jobs and files."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
from rich.console import Console
from rich.table import Table

from saturi.etl.console.lines import add_row, print_line, print_note, print_progress
from saturi.etl.console.screens.tables import print_table
from saturi.etl.console.screens.transfers import TransferBars
from saturi.etl.console.screens.words import short, size
from saturi.etl.output.printable import counted
from saturi.etl.pricing.money import cost_usd
from saturi.etl.providers.recorder import Request
from saturi.etl.providers.waiting import Wait
from saturi.etl.submission.consent import Agreement
from saturi.etl.submission.execution import Submission
from saturi.etl.submission.news import (
    JobCreated,
    JobEnded,
    JobEstimated,
    JobKnown,
    JobProblem,
    JobStatus,
    News,
    NoAnswer,
    Reporter,
    Uploading,
)
from saturi.etl.submission.plan import Plan, PlannedFile
from saturi.etl.submission.status import Status
from saturi.schemas.ledger import JobRow

PLAIN_SECONDS = 5.0
"""Seconds between lines on how far an upload is, where there is no terminal."""

_UNKNOWN = "?"
_SHOWN_KEY = 12


def dollars(usd: float | None) -> str:
    """Return a sum for people."""
    return _UNKNOWN if usd is None else f"${usd:,.2f}"


def show_plan(console: Console, plan: Plan) -> None:
    """Print the jobs of *plan*, their files, and what all cost that are created; which are there already is not known."""
    print_line(console, f"Plan: {plan.shape}, {plan.model} at {plan.account.base_url}", "italic")
    table = _table()
    for name in ("examples", "validation", "bytes", "tokens", "epochs", "price"):
        table.add_column(name, justify="right", no_wrap=True)
    for job in plan.jobs:
        files = [file for file in (job.training, job.validation) if file is not None]
        add_row(
            table,
            job.title,
            f"{job.training.examples:,}",
            f"{job.validation.examples:,}" if job.validation else "none",
            size(sum(file.bytes for file in files)),
            _UNKNOWN if job.billing.tokens is None else short(job.billing.tokens),
            f"{job.billing.epochs}",
            dollars(job.billing.usd),
        )
    total = f"{counted(len(plan.jobs), 'job')}, {counted(len(plan.files), 'file')}"
    add_row(table, total, "", "", size(sum(file.bytes for file in plan.files)), "", "", dollars(plan.usd), style="bold")
    print_table(console, table, less=("validation", "epochs"))
    for reason in plan.left_out:
        print_note(console, f"left out: {reason}")
    for note in plan.notes:
        print_note(console, note)


def show_questions(console: Console, plan: Plan) -> None:
    """Print what the provider is asked before anything is agreed to, since *plan* does not know it."""
    jobs = "this job is" if len(plan.jobs) == 1 else "these jobs are"
    name = plan.account.provider.name
    print_progress(console, f"Asking {name} whether {jobs} there already, and whether {plan.model} can be trained …")


def show_agreement(console: Console, agreement: Agreement, notes: Sequence[str]) -> None:
    """Print which jobs are left to create by the provider's answers, for what price, and *notes* of it."""
    jobs = counted(len(agreement.plan.jobs), "job")
    print_line(console, f"To create: {len(agreement.new)} of {jobs}, for {dollars(agreement.usd)}", "bold")
    for note in notes:
        print_note(console, note)


def show_requests(console: Console, plan: Plan, requests: list[Request]) -> None:
    """Print every request of a dry run, and which chunks make which file."""
    for file in plan.files:
        print_line(console, f"{file.name}: {_chunks(file)}")
    for request in requests:
        times = f"  x {request.repeated}" if request.repeated > 1 else ""
        body = "" if request.body is None else "  " + msgspec.json.encode(request.body).decode()
        print_line(console, f"{request.method} {request.path}{body}{times}")
    print_line(console, "Nothing was sent.")


def show_submission(console: Console, done: Submission) -> None:
    """Print what was submitted."""
    print_table(console, _jobs(done.jobs))
    before = len(done.jobs) - done.created
    beside = f", {before} submitted before" if before else ""
    print_line(console, f"{counted(done.created, 'job')} created{beside}")


def show_status(console: Console, status: Status) -> None:
    """Print jobs and files."""
    print_table(console, _jobs(status.jobs))
    there = [file for file in status.files if file.state == "there"]
    print_line(console, f"{counted(len(there), 'file')} at the provider, {size(sum(file.bytes for file in there))}")
    if any(row.state == "intended" for row in status.jobs):
        print_note(console, "it is not known whether some jobs were created: submit again, which looks for them")


@contextmanager
def submitting(console: Console) -> Iterator[Reporter]:
    """Show on *console* how far uploads are, and which jobs there are: a bar on a terminal, else a line now and then."""
    uploads = _Uploads(console)
    try:
        yield uploads.show
    finally:
        uploads.stop()


class _Uploads:
    """Uploads, and what comes after them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = TransferBars(console)
        self._printed = 0.0
        self._last: tuple[str, int] | None = None

    def show(self, news: News) -> None:
        """Show *news*."""
        if isinstance(news, Uploading):
            self._show_bytes(news)
            return
        self.stop()
        sentence = _sentence(news)
        if sentence is not None:
            print_progress(self._console, sentence)

    def stop(self) -> None:
        """Take the bars away."""
        self._bars.stop()

    def _show_bytes(self, news: Uploading) -> None:
        if self._bars.move(_short(news.file), news.done, news.total):
            return
        now, last = time.monotonic(), (news.file, news.done)
        if last != self._last and (news.done == news.total or now - self._printed >= PLAIN_SECONDS):
            self._printed, self._last = now, last
            print_progress(self._console, f"uploading {_short(news.file)}: {size(news.done)} of {size(news.total)}")


def waiting(news: NoAnswer | Wait) -> str:
    """Return what is awaited, why, when it is asked for again, and until when."""
    until = ""
    if news.left_seconds is not None:
        until = f", at most until {time.strftime('%H:%M:%S', time.localtime(time.time() + news.left_seconds))}"
    again = "" if news.again_seconds is None else f"; again in {news.again_seconds:.0f} s"
    awaited = f" for {news.doing}" if news.doing else ""
    return f"Waiting{awaited}: {news.problem}{again}{until}"


def _sentence(news: News) -> str | None:  # noqa: PLR0911 - a row a kind of news
    """Return *news* of a job, or None where a submission has no line for it."""
    match news:
        case JobKnown(title=title, job_id=job_id, status=status):
            return f"{title}: submitted before as {job_id}, {status}"
        case JobEstimated(title=title, usd=usd, estimated_usd=estimated, reason=reason):
            estimate = f"no estimate ({reason})" if estimated is None else f"an estimate of {dollars(estimated)}"
            return f"{title}: {estimate} by the provider, {dollars(usd)} by ours"
        case JobCreated(title=title, job_id=job_id):
            return f"{title}: created {job_id}"
        case JobStatus(title=title, job_id=job_id, status=status):
            return f"{title}: {job_id} {status}"
        case JobEnded(title=title, model=model) if model is not None:
            return f"{title}: {model}"
        case NoAnswer():
            return waiting(news)
        case JobProblem(title=title, job_id=job_id, problem=problem):
            return f"{title}: {job_id}: {problem}"
    return None


def _jobs(rows: tuple[JobRow, ...]) -> Table:
    table = _table()
    table.add_column("job", overflow="fold")
    table.add_column("status", overflow="fold")
    table.add_column("model", overflow="fold")
    for name in ("tokens", "price"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        tokens = row.billed_tokens if row.trained_tokens is None else row.trained_tokens
        status = row.status if row.state == "created" else {"intended": "unknown"}.get(row.state, row.state)
        failure = f": {row.error_message}" if row.error_message else ""
        estimated = "" if row.trained_tokens is not None else "~"
        add_row(
            table,
            row.title,
            row.job_id or f"(key {row.key[:_SHOWN_KEY]})",
            f"{status}{failure}",
            row.fine_tuned_model or "",
            _UNKNOWN if tokens is None else estimated + short(tokens),
            estimated + dollars(cost_usd(tokens, row.usd_per_million_tokens)),
        )
    return table


def _table() -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 0, 0, 1), header_style="dim")
    table.add_column("", overflow="fold")
    return table


def _chunks(file: PlannedFile) -> str:
    pieces = file.content.pieces
    more = f" … {pieces[-1].path}" if len(pieces) > 1 else ""
    return f"{counted(len(pieces), 'chunk')}, {pieces[0].path}{more}, {file.bytes:,} bytes"


def _short(name: str) -> str:
    """Return the beginning of a file's name, which no other has."""
    return name[: len("saturi-") + _SHOWN_KEY]
