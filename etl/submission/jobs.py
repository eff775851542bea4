"""
Jobs, each created once.

The intent is in the ledger before the request goes out, and the key in the job's metadata. Where there is an intent without
an outcome, the key is looked for at the provider, or, where providers lose it, a job on the same files with the same model
and settings; another job is created only if that is agreed to.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs

from saturi.etl.errors import GoneError, NoAnswerError, ProviderError, RefusedError, SpendingError, UnsupportedError
from saturi.etl.providers.tags import ATTEMPT, KEY
from saturi.etl.providers.waiting import Wait
from saturi.etl.submission.consent import Consent
from saturi.etl.submission.plan import Plan, PlannedJob
from saturi.etl.submission.remote import Remote
from saturi.schemas.ledger import FINAL, GONE, SUCCEEDED, JobRow
from saturi.schemas.remote import RemoteJob

_SHOWN_KEY = 12
_CLOCK_SECONDS = 3600.0  # that the clocks of provider and machine may be apart


def known_job(remote: Remote, job: PlannedJob, plan: Plan) -> JobRow | None:
    """
    Return the row of *job* where it was submitted before, here or elsewhere, or None where it is new.

    A row in the state `intended` is a job that may or may not exist: it was looked for, for as long as the pace allows, and
    is not in the list. A job at the provider that is not in the ledger is put there.
    """
    attempts = remote.ledger.attempts(job.key)
    last = attempts[-1] if attempts else None
    if last is None or any(row.job_id is None for row in attempts):
        for made in look_for(remote, job, attempts):
            _adopt(remote, new_row(job, plan, last), made)
    rows = [refresh(remote, row) for row in remote.ledger.attempts(job.key)]
    # One that was given up may have shown up meanwhile, and be better than the last one.
    good = (row for row in rows if row.state == "created" and not has_failed(row))
    left = rows[-1] if rows and rows[-1].state != "refused" else None
    return next(good, left)


def look_for(remote: Remote, job: PlannedJob, attempts: Sequence[JobRow]) -> list[RemoteJob]:
    """
    Return the jobs at the provider that are *job* and are not in the ledger, the oldest first.

    It is looked for again and again where it may just have been created, and so be missing from the list for a while.

    Args:
        remote: Where to look.
        job: The job.
        attempts: Its rows in the ledger.
    """
    unsure = bool(attempts) and attempts[-1].state == "intended"
    known = {row.job_id for row in remote.ledger.jobs() if row.account == remote.account}
    carries_key = remote.client.provider.metadata == "kept"
    waits = remote.client.pace.looks_seconds if unsure else (0.0,)
    for number, wait in enumerate(waits):
        if sum(waits[: number + 1]) > remote.client.pace.quiet_seconds:
            problem = "it may have been created, and is not in the list yet"
            left = sum(waits[number:])
            remote.client.report_wait(
                Wait(doing=f"{job.title} to be listed", problem=problem, again_seconds=wait, left_seconds=left)
            )
        time.sleep(wait)
        try:
            listed = remote.client.list_jobs({KEY: job.key} if carries_key else None)
        except (GoneError, UnsupportedError):  # a gateway without the list
            return []
        strangers = [one for one in listed if one.id not in known]
        # Some gateways do not filter, and some lose the key.
        ours = [one for one in strangers if one.metadata.get(KEY) == job.key]
        ours = ours or _alike(remote, job, attempts, [one for one in strangers if KEY not in one.metadata])
        if ours:
            return sorted(ours, key=lambda one: (one.created_at or 0, one.id))
    return []


def _alike(
    remote: Remote, job: PlannedJob, attempts: Sequence[JobRow], strangers: Sequence[RemoteJob]
) -> list[RemoteJob]:
    """Return those of *strangers*, which carry no key, that have the files, the model and the settings of *job*."""
    since = min((row.intended_at for row in attempts if row.job_id is None), default=0.0) - _CLOCK_SECONDS
    candidates = [
        one
        for one in strangers
        if _agrees_on_model(one.model, job.model)
        and _agrees_on_suffix(one.suffix, job.suffix, is_always_shown=remote.client.provider.metadata == "dropped")
        and _agrees(one.epochs, job.billing.epochs)
        and _agrees(one.seed, job.seed)
        and (one.created_at is None or one.created_at >= since)
    ]
    if not candidates:
        return []
    ids: dict[str | None, set[str]] = {}
    for file in remote.client.list_files():
        ids.setdefault(file.name, set()).add(file.id)
    training = ids.get(job.training.name, set())
    validation = ids.get(job.validation.name, set()) if job.validation else {None}
    return [one for one in candidates if one.training_file in training and one.validation_file in validation]


def _agrees_on_model(shown: str | None, wanted: str | None) -> bool:
    """Return whether a job may be of the model that is *wanted*; of a folder, another name is shown to who has but a key."""
    return _agrees(shown, wanted) or (wanted is not None and _is_folder(wanted))


def _is_folder(model: str) -> bool:
    return model.startswith(("/", ".", "~")) or "\\" in model


def _agrees_on_suffix(shown: str | None, wanted: str | None, *, is_always_shown: bool) -> bool:
    """Return whether a job may have the suffix that is *wanted*; some keep it without a blank more than is needed."""
    if shown is None or wanted is None:
        return not is_always_shown or shown == wanted
    return " ".join(shown.split()) == " ".join(wanted.split())


def _agrees(shown: str | int | None, wanted: str | int | None) -> bool:
    """Return whether a field of a job may be as *wanted*, where both are known; of a model, a snapshot may be shown."""
    if shown is None or wanted is None or shown == wanted:
        return True
    return isinstance(shown, str) and shown.startswith(f"{wanted}-")


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


def _adopt(remote: Remote, row: JobRow, job: RemoteJob) -> None:
    """
    Put *job* into the ledger: as the attempt in its metadata, if that one is still open, or else as one more.

    Where the metadata is lost, it is the first attempt of which nobody knows what became of it.
    """
    attempts = remote.ledger.attempts(row.key)
    number = job.metadata.get(ATTEMPT)
    for one in attempts:
        is_it = one.state != "refused" if number is None else str(one.attempt) == number
        if one.job_id is None and is_it:
            row = one
            break
    else:
        row = structs.replace(row, attempt=max((one.attempt for one in attempts), default=0) + 1)
    model = row.model if _is_folder(row.model) else job.model or row.model
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


def has_failed(row: JobRow) -> bool:
    """Return whether the job of *row* is at its end, or gone, without a model to show for it."""
    return row.status in (FINAL | {GONE}) - {SUCCEEDED}


def has_ended(row: JobRow) -> bool:
    """Return whether the provider has nothing more to add to *row*; some name the model later than the success."""
    return row.status in FINAL and (row.status != SUCCEEDED or row.fine_tuned_model is not None)


def refresh(remote: Remote, row: JobRow) -> JobRow:
    """Return *row* as the provider shows its job now; `GONE` where the provider has no such job."""
    if has_ended(row) or row.job_id is None:
        return row
    try:
        outcome = _outcome(remote.client.get_job(row.job_id))
    except GoneError:
        return remote.ledger.update_job(row, status=GONE)
    # It is looked up by its id, whatever id is in the answer; and what was known stays where the answer lacks it.
    changes = {name: value for name, value in outcome.items() if name != "job_id" and value is not None}
    return remote.ledger.update_job(row, **changes)


def refreshed(remotes: Mapping[str, Remote], row: JobRow) -> JobRow:
    """Return *row* as its provider shows its job now; no remote is made for a job that has ended."""
    return row if has_ended(row) or row.job_id is None else refresh(remotes[row.account], row)


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
