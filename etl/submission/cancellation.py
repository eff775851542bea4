"""The cancellation of jobs; steps done are billed all the same."""

from saturi.etl.errors import OptionError, ProviderError, RefusedError, SpendingError
from saturi.etl.output.printable import counted
from saturi.etl.providers.pace import Pace
from saturi.etl.settings.paths import output_of
from saturi.etl.storage.location import Location
from saturi.etl.submission.access import Access, Remotes, open_remotes
from saturi.etl.submission.consent import Consent, PriorConsent
from saturi.etl.submission.jobs import cancel_job, refreshed
from saturi.etl.submission.news import JobStatus, Reporter, problem_of, silent
from saturi.schemas.ledger import FINAL, GONE, JobRow


def cancel(
    out: str | Location,
    job_id: str | None = None,
    access: Access | None = None,
    *,
    consent: Consent | None = None,
    report: Reporter = silent,
    pace: Pace | None = None,
) -> tuple[JobRow, ...]:
    """
    Cancel the job *job_id*, or all that have not ended, and return their rows.

    Each is tried, whatever becomes of the others: a job that is not cancelled runs on, and is billed.

    Args:
        out: Folder of a build, or its URL.
        job_id: The job; None for all.
        access: Where the ledger, keys and profiles are.
        consent: Asked before; None agrees to nothing.
        report: Takes the new status of each job, and the problem of each that is not cancelled.
        pace: How long to wait for an answer.

    Raises:
        BuildError: Nothing was submitted from there.
        OptionError: The ledger has no such job.
        SpendingError: Consent was not given.
        ProviderError: A job was not cancelled; raised when all were tried.
    """
    with open_remotes(output_of(out, "OUT").absolute(), access, report, pace) as remotes:
        rows = [row for row in remotes.ledger.jobs() if row.job_id is not None and job_id in (None, row.job_id)]
        if job_id is not None and not rows:
            raise OptionError("JOB", f"the ledger has no job {job_id!r}", "see saturi status for those it has")
        rows = [row for row in (_looked_at(remotes, row) for row in rows) if row.status not in FINAL | {GONE}]
        if rows and not (consent or PriorConsent()).cancelling(rows):
            raise SpendingError("cancel", f"nobody agreed to cancel {counted(len(rows), 'job')}", "add --yes")
        cancelled = [_cancelled(remotes, row, report) for row in rows]
    left = [row.job_id or "" for row, end in zip(rows, cancelled, strict=True) if end is None]
    if left:
        problem = f"{len(left)} of {counted(len(rows), 'job')} not cancelled and may run on: {', '.join(left)}"
        raise ProviderError("cancel", problem, "run the same command again, or cancel them on the provider's own pages")
    return tuple(row for row in cancelled if row is not None)


def _looked_at(remotes: Remotes, row: JobRow) -> JobRow:
    """Return *row* as its provider shows its job now, or as it was where that cannot be learnt: it is cancelled all the same."""
    try:
        return refreshed(remotes, row)
    except ProviderError:
        return row


def _cancelled(remotes: Remotes, row: JobRow, report: Reporter) -> JobRow | None:
    """Return the row of a job after it was cancelled, or None where that failed; either is reported."""
    try:
        row = cancel_job(remotes[row.account], row)
    except (ProviderError, RefusedError) as error:
        report(problem_of(row, error))
        return None
    report(JobStatus(title=row.title, job_id=row.job_id or "", status=row.status or ""))
    return row
