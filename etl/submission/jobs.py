"""
Jobs, each created once.

The intent is in the ledger before the request goes out, and the key in the job's metadata. Where there is an intent without
an outcome, the key is looked for at the provider, and another job is created only if that is agreed to.
"""

import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from msgspec import structs

from etl.errors import NoAnswerError, ProviderError, RefusedError, SpendingError
from etl.submission.consent import Consent
from etl.submission.plan import ATTEMPT, KEY, Plan, PlannedJob
from etl.submission.remote import Remote
from schemas.ledger import FINAL, SUCCEEDED, JobRow
from schemas.remote import RemoteJob

_SHOWN_KEY = 12


def known_job(remote: Remote, job: PlannedJob, plan: Plan) -> JobRow | None:
    """
    Return the row of *job* where it was submitted before, here or elsewhere, or None where it is new.

    A row in the state `intended` is a job that may or may not exist: it was looked for, for as long as the pace allows, and
    is not in the list. A job at the provider that is not in the ledger is put there.
    """
    attempts = remote.ledger.attempts(job.key)
    last = attempts[-1] if attempts else None
    if last is None or any(row.job_id is None for row in attempts):
        unsure = last is not None and last.state == "intended"
        for made in look_for(remote, job.key, {row.job_id for row in attempts}, patient=unsure):
            _adopt(remote, attempts, new_row(job, plan, last), made)
    rows = [refresh(remote, row) for row in remote.ledger.attempts(job.key)]
    # One that was given up may have shown up meanwhile, and be better than the last one.
    good = (row for row in rows if row.state == "created" and (row.status not in FINAL or row.status == SUCCEEDED))
    left = rows[-1] if rows and rows[-1].state != "refused" else None
    return next(good, left)


def look_for(remote: Remote, key: str, known: Collection[str | None], *, patient: bool) -> list[RemoteJob]:
    """
    Return the jobs at the provider that carry *key* and are not among the *known* ids, the oldest first.

    Args:
        remote: Where to look.
        key: The key of a job.
        known: Ids of jobs that are in the ledger.
        patient: Look again and again, since a job that was just created may be missing from the list for a while.
    """
    if not remote.client.provider.metadata:
        return []
    for wait in remote.client.pace.looks_seconds if patient else (0.0,):
        time.sleep(wait)
        jobs = remote.client.list_jobs({KEY: key})
        # Some gateways do not filter.
        ours = [job for job in jobs if job.metadata.get(KEY) == key and job.id not in known]
        if ours:
            return sorted(ours, key=lambda job: (job.created_at or 0, job.id))
    return []


def create_job(remote: Remote, job: PlannedJob, plan: Plan, model: str, file_ids: tuple[str, str | None]) -> JobRow:
    """
    Create *job*, and return its row; the request is sent once.

    Args:
        remote: Where to create it.
        job: The job.
        plan: The plan it is of.
        model: The model to train, in a chain the one of the job before.
        file_ids: Training and validation file.

    Raises:
        NoAnswerError: It may have been created; the row in the ledger is an intent.
        EligibilityError, ProviderError: It certainly was not.
    """
    ledger = remote.ledger
    attempts = ledger.attempts(job.key)
    last = attempts[-1] if attempts else None
    row = new_row(job, plan, last, model=model)
    ledger.save_job(row)
    if last is not None and last.state == "intended":  # only now, so that there is always an intent to look for
        ledger.update_job(last, state="abandoned")
    try:
        made = remote.client.create_job(job.request(model, file_ids, row.attempt, plan.account.provider))
    except NoAnswerError:
        raise
    except (ProviderError, RefusedError):
        ledger.update_job(row, state="refused")
        raise
    return ledger.update_job(row, **_outcome(made), state="created", created_at=made.created_at)


def new_row(job: PlannedJob, plan: Plan, last: JobRow | None, model: str | None = None) -> JobRow:
    """Return the row of the next attempt at *job*: the first, another, or once more the one that was refused."""
    attempt = 1 if last is None else last.attempt + (last.state != "refused")
    return JobRow(
        key=job.key,
        attempt=attempt,
        account=plan.account.id,
        title=job.title,
        plan=plan.shape,
        model=model or job.model or plan.model,
        epochs=job.billing.epochs,
        training=job.training.name,
        validation=job.validation.name if job.validation else None,
        examples=job.training.examples,
        billed_tokens=job.billing.tokens,
        usd_per_million_tokens=job.billing.usd_per_million_tokens,
        manifest=plan.manifest,
        intended_at=time.time(),
    )


def _adopt(remote: Remote, attempts: Iterable[JobRow], row: JobRow, job: RemoteJob) -> None:
    """Put *job* into the ledger: as the attempt in its metadata, if that one is still open, or else as one more."""
    attempt = job.metadata.get(ATTEMPT, "")
    open_attempts = [one for one in attempts if one.job_id is None and str(one.attempt) == attempt]
    if open_attempts:
        row = open_attempts[0]
    else:
        taken = [one.attempt for one in remote.ledger.attempts(row.key)]
        row = structs.replace(row, attempt=max(taken, default=0) + 1)
    model = job.model or row.model
    row = structs.replace(row, **_outcome(job), model=model, state="created", created_at=job.created_at)
    remote.ledger.save_job(row)


def agree_to_another(row: JobRow, consent: Consent) -> None:
    """
    Return if another attempt may follow *row*.

    Raises:
        SpendingError: Nobody agrees.
    """
    if consent.another(row):
        return
    if row.state == "intended":
        problem = "nobody knows whether this job was created: the provider does not list it"
        advice = "run the same command again later, or with --resubmit to create it, which may make two"
    else:
        problem = f"it was submitted before, as {row.job_id}, and {row.status}"
        advice = "add --resubmit to create another"
    raise SpendingError(f"{row.title} ({row.key[:_SHOWN_KEY]})", problem, advice)


def refresh(remote: Remote, row: JobRow) -> JobRow:
    """Return *row* as the provider shows its job now."""
    if row.status in FINAL or row.job_id is None:
        return row
    return remote.ledger.update_job(row, **_outcome(remote.client.get_job(row.job_id)))


def refreshed(remotes: Mapping[str, Remote], row: JobRow) -> JobRow:
    """Return *row* as its provider shows its job now; no remote is made for a job that has ended."""
    return row if row.status in FINAL or row.job_id is None else refresh(remotes[row.account], row)


def cancel_job(remote: Remote, row: JobRow) -> JobRow:
    """Cancel the job of *row*, unless it has ended, and return the row as it is then."""
    row = remote.ledger.update_job(row, cancel_asked_at=time.time())
    remote.client.cancel_job(row.job_id or "")
    return refresh(remote, row)


def _outcome(job: RemoteJob) -> dict[str, Any]:
    """Return the fields of *job* that the ledger keeps."""
    return {
        "job_id": job.id,
        "status": job.status,
        "fine_tuned_model": job.fine_tuned_model,
        "trained_tokens": job.trained_tokens,
        "finished_at": job.finished_at,
        "error_code": job.error.code if job.error else None,
        "error_message": job.error.message if job.error else None,
        "error_param": job.error.param if job.error else None,
    }
