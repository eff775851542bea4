"""
Create a job once.

Its intent is in the ledger before the request goes out, and its key in the job's metadata. Whoever finds an intent
without an outcome looks for the key at the provider, and creates another job only if that is agreed to.
"""

import time
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from msgspec import structs

from etl.errors import NoAnswerError, ProviderError, RefusedError, SpendingError
from etl.providers.client import Client
from etl.submission.consent import Consent
from etl.submission.ledger import Ledger
from etl.submission.plan import ATTEMPT, KEY, Plan, PlannedJob
from schemas.ledger import FINAL, SUCCEEDED, JobRow

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.fine_tuning import FineTuningJob

_PAGE = 100
_SHOWN_KEY = 12


def known_job(client: Client, ledger: Ledger, job: PlannedJob, plan: Plan) -> JobRow | None:
    """
    Return what became of *job* before, here or elsewhere, or None where it is new.

    A row in the state `intended` is one of which nobody knows whether it was created: it was looked for, for as long as
    the pace says, and not found. What is found at the provider and is not in the ledger is put there.
    """
    attempts = ledger.attempts(job.key)
    last = attempts[-1] if attempts else None
    if last is None or any(row.job_id is None for row in attempts):
        unsure = last is not None and last.state == "intended"
        for found in look_for(client, job.key, {row.job_id for row in attempts}, patient=unsure):
            _adopt(client, ledger, attempts, new_row(job, plan, last), found)
    rows = [refresh(client, ledger, row) for row in ledger.attempts(job.key)]
    # One that was given up may have shown up meanwhile, and be better than the last one.
    good = (row for row in rows if row.state == "created" and (row.status not in FINAL or row.status == SUCCEEDED))
    left = rows[-1] if rows and rows[-1].state != "refused" else None
    return next(good, left)


def look_for(client: Client, key: str, known: Collection[str | None], *, patient: bool) -> list["FineTuningJob"]:
    """
    Return the jobs at the provider that carry *key* and are not among the *known* ids, the oldest first.

    Args:
        patient: Look again and again, since a job that was just created may be missing from the list for a while.
    """
    for wait in client.pace.looks_seconds if patient else (0.0,):
        time.sleep(wait)
        jobs = client.repeat(
            "looking for jobs", lambda api: list(api.fine_tuning.jobs.list(limit=_PAGE, metadata={KEY: key}))
        )
        # Some gateways do not filter.
        found = [job for job in jobs if (job.metadata or {}).get(KEY) == key and job.id not in known]
        if found:
            return sorted(found, key=lambda job: (job.created_at or 0, job.id))
    return []


def create_job(
    client: Client, ledger: Ledger, job: PlannedJob, plan: Plan, model: str, file_ids: tuple[str, str | None]
) -> JobRow:
    """
    Create *job*, and return its row; the request is sent once.

    Args:
        model: The model to train, in a chain the one of the job before.
        file_ids: Training and validation file.

    Raises:
        NoAnswerError: It may have been created; the row in the ledger says so.
        EligibilityError, ProviderError: It certainly was not.
    """
    attempts = ledger.attempts(job.key)
    last = attempts[-1] if attempts else None
    row = new_row(job, plan, last, model=model)
    ledger.save_job(row)
    if last is not None and last.state == "intended":  # only now, so that there is always an intent to look for
        ledger.update_job(last, state="abandoned")
    training, validation = file_ids
    given: dict[str, Any] = job.request if validation is None else {**job.request, "validation_file": validation}

    def create(api: "OpenAI") -> "FineTuningJob":
        return api.fine_tuning.jobs.create(
            model=model,
            training_file=training,
            metadata={KEY: job.key, ATTEMPT: str(row.attempt)},
            **given,
        )

    try:
        made = client.once("creating a job", create)
    except NoAnswerError:
        raise
    except (ProviderError, RefusedError):
        ledger.update_job(row, state="refused")
        raise
    if not getattr(made, "id", None):  # a page of some gateway, with the status 200
        raise NoAnswerError(
            client.account.base_url, "no usable answer", "run the same command again, it looks for the job"
        )
    return ledger.update_job(row, **_outcome(client, made), state="created", created_at=_seconds(made.created_at))


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


def _adopt(client: Client, ledger: Ledger, attempts: Iterable[JobRow], row: JobRow, found: "FineTuningJob") -> None:
    """Put *found* into the ledger: as the attempt it says it is, if that one is still open, or else as one more."""
    said = (found.metadata or {}).get(ATTEMPT, "")
    open_attempts = [one for one in attempts if one.job_id is None and str(one.attempt) == said]
    if open_attempts:
        row = open_attempts[0]
    else:
        taken = [one.attempt for one in ledger.attempts(row.key)]
        row = structs.replace(row, attempt=max(taken, default=0) + 1)
    outcome = _outcome(client, found)
    row = structs.replace(row, **outcome, model=found.model, state="created", created_at=_seconds(found.created_at))
    ledger.save_job(row)


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


def refresh(client: Client, ledger: Ledger, row: JobRow) -> JobRow:
    """Return *row* as the provider sees that job now."""
    if row.status in FINAL or row.job_id is None:
        return row
    job_id = row.job_id
    job = client.repeat(f"looking at {job_id}", lambda api: api.fine_tuning.jobs.retrieve(job_id))
    return ledger.update_job(row, **_outcome(client, job))


def cancel_job(client: Client, ledger: Ledger, row: JobRow) -> JobRow:
    """Cancel the job of *row*, unless it has ended, and return the row as it is then."""
    job_id = row.job_id or ""
    row = ledger.update_job(row, cancel_asked_at=time.time())
    client.end(f"cancelling {job_id}", lambda api: api.fine_tuning.jobs.cancel(job_id))
    return refresh(client, ledger, row)


def _seconds(said: int | None) -> float | None:
    """Return a time the provider says; some leave out even those that the description requires."""
    return None if said is None else float(said)


def _outcome(client: Client, job: "FineTuningJob") -> dict[str, Any]:
    """Return what the ledger keeps of *job* as the provider shows it."""
    # A healthy job may carry an error without a code.
    error = job.error if job.error is not None and getattr(job.error, "code", None) else None
    return {
        "job_id": job.id,
        "status": client.provider.statuses.get(job.status, job.status),
        "fine_tuned_model": job.fine_tuned_model,
        "trained_tokens": job.trained_tokens,
        "finished_at": _seconds(job.finished_at),
        "error_code": error.code if error else None,
        "error_message": client.without_key(error.message or "") if error else None,
        "error_param": getattr(error, "param", None) if error else None,
    }
