"""The cancellation of jobs; steps done are billed all the same."""

from pathlib import Path

from etl.errors import OptionError, SpendingError
from etl.providers.pace import Pace
from etl.settings.paths import folder_of
from etl.submission.access import Access, open_remotes
from etl.submission.consent import Consent, PriorConsent
from etl.submission.jobs import cancel_job, refreshed
from etl.submission.news import Reporter, silent
from schemas.ledger import FINAL, JobRow


def cancel(
    out: str | Path,
    job_id: str | None = None,
    access: Access | None = None,
    *,
    consent: Consent | None = None,
    report: Reporter = silent,
    pace: Pace | None = None,
) -> tuple[JobRow, ...]:
    """
    Cancel the job *job_id*, or all that have not ended, and return their rows.

    Args:
        out: Folder of a build.
        job_id: The job; None for all.
        access: Where keys and profiles are.
        consent: Asked before; None agrees to nothing.
        report: Takes news while it waits for an answer.
        pace: How long to wait for one.

    Raises:
        BuildError: Nothing was submitted from there.
        OptionError: The ledger has no such job.
        SpendingError: Consent was not given.
        ProviderError: The provider does not answer, or refuses.
    """
    with open_remotes(folder_of(out, "OUT").absolute(), access, report, pace) as remotes:
        rows = [row for row in remotes.ledger.jobs() if row.job_id is not None and job_id in (None, row.job_id)]
        if job_id is not None and not rows:
            raise OptionError("JOB", f"the ledger has no job {job_id!r}", "see saturi status for those it has")
        rows = [row for row in (refreshed(remotes, row) for row in rows) if row.status not in FINAL]
        if rows and not (consent or PriorConsent()).cancelling(rows):
            raise SpendingError("cancel", f"nobody agreed to cancel {len(rows)} jobs", "add --yes")
        return tuple(cancel_job(remotes[row.account], row) for row in rows)
