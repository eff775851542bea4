"""News of a submission and of a watch while they run; each is one line of `--json`, its kind in the field `news`."""

from collections.abc import Callable

from msgspec import Struct

from saturi.etl.pricing.money import cost_usd
from saturi.etl.providers.waiting import WaitReporter
from saturi.etl.submission.plan import PlannedJob
from saturi.schemas.ledger import JobRow
from saturi.schemas.remote import JobEstimate


class Uploading(Struct, frozen=True, kw_only=True, tag="uploading", tag_field="news"):
    """Bytes of a file that have arrived, of how many."""

    file: str
    done: int
    total: int


class JobKnown(Struct, frozen=True, kw_only=True, tag="known", tag_field="news"):
    """A job of the plan was submitted before; it is not created again."""

    title: str
    job_id: str
    status: str | None


class JobEstimated(Struct, frozen=True, kw_only=True, tag="estimated", tag_field="news"):
    """
    The provider's own estimate of a job, before it is created: price and billed tokens, null where it gives none.

    `usd` is the price by our estimate.
    """

    title: str
    usd: float | None
    estimated_usd: float | None
    estimated_tokens: int | None
    reason: str | None


class JobCreated(Struct, frozen=True, kw_only=True, tag="created", tag_field="news"):
    """A job was created."""

    title: str
    job_id: str


class JobStatus(Struct, frozen=True, kw_only=True, tag="status", tag_field="news"):
    """A job has another status than before; it may be any word of the provider's."""

    title: str
    job_id: str
    status: str


class JobEvent(Struct, frozen=True, kw_only=True, tag="event", tag_field="news"):
    """
    An event of a job at the provider.

    `at` is the provider's time in seconds since 1970; step and losses are null where the event has none.
    """

    title: str
    job_id: str
    event_id: str
    at: int
    level: str
    message: str
    step: int | None = None
    train_loss: float | None = None
    valid_loss: float | None = None


class NoAnswer(Struct, frozen=True, kw_only=True, tag="no_answer", tag_field="news"):
    """
    What a provider was asked for takes long: why (`problem`), and what is awaited (`doing`).

    `again_seconds` is the time until it is asked again, null while an answer is awaited; `left_seconds` that until it is given up.
    """

    problem: str
    doing: str = ""
    again_seconds: float | None = None
    left_seconds: float | None = None


class JobProblem(Struct, frozen=True, kw_only=True, tag="problem", tag_field="news"):
    """What was asked for cannot be done for one job; the others do not wait for it."""

    title: str
    job_id: str
    problem: str


class Flaw(Struct, frozen=True, kw_only=True):
    """
    A line of a submitted file that the provider complains of, and where it came from.

    `line` counts from 1 in the file as it was sent; `chunk` and `chunk_line` are where it lies here. Archive, member and
    sentence are null where the build was replaced since, or its lineage is gone.
    """

    line: int
    chunk: str | None
    chunk_line: int | None
    archive: str | None = None
    member: str | None = None
    sentence: int | None = None


class JobEnded(Struct, frozen=True, kw_only=True, tag="ended", tag_field="news"):
    """
    A job has come to its end.

    `billed_tokens` and `usd` are the estimate, `trained_tokens` the provider's count, and `trained_usd` the cost of these
    at the price of the estimate; null where not known.
    """

    title: str
    job_id: str
    status: str
    model: str | None
    billed_tokens: int | None
    trained_tokens: int | None
    usd: float | None
    trained_usd: float | None
    error_code: str | None
    error_message: str | None
    flaws: tuple[Flaw, ...] = ()


News = Uploading | JobKnown | JobEstimated | JobCreated | JobStatus | JobEvent | NoAnswer | JobProblem | JobEnded
Reporter = Callable[[News], None]


def estimated(job: PlannedJob, estimate: JobEstimate) -> JobEstimated:
    """Return the news of the provider's *estimate* of *job*."""
    return JobEstimated(
        title=job.title,
        usd=job.billing.usd,
        estimated_usd=estimate.usd,
        estimated_tokens=estimate.tokens,
        reason=estimate.reason,
    )


def problem_of(row: JobRow, error: Exception) -> JobProblem:
    """Return the news that *error* keeps the job of *row* from what was asked for."""
    return JobProblem(title=row.title, job_id=row.job_id or "", problem=str(error))


def silent(_: News) -> None:
    """Report nothing."""


def report_waits(report: Reporter) -> WaitReporter:
    """Return what passes waits on a provider on to *report*."""
    return lambda wait: report(
        NoAnswer(
            problem=wait.problem, doing=wait.doing, again_seconds=wait.again_seconds, left_seconds=wait.left_seconds
        )
    )


def ended(row: JobRow, flaws: tuple[Flaw, ...] = ()) -> JobEnded:
    """Return the news that the job of *row* has ended."""
    return JobEnded(
        title=row.title,
        job_id=row.job_id or "",
        status=row.status or "",
        model=row.fine_tuned_model,
        billed_tokens=row.billed_tokens,
        trained_tokens=row.trained_tokens,
        usd=cost_usd(row.billed_tokens, row.usd_per_million_tokens),
        trained_usd=cost_usd(row.trained_tokens, row.usd_per_million_tokens),
        error_code=row.error_code,
        error_message=row.error_message,
        flaws=flaws,
    )
