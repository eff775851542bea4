"""The removal of uploaded files that no job needs."""

from collections.abc import Set
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct, structs

from etl.errors import SpendingError
from etl.output.folder import locked
from etl.providers.pace import Pace
from etl.settings.paths import folder_of
from etl.submission.access import Access, open_remotes
from etl.submission.consent import Consent, PriorConsent
from etl.submission.news import Reporter, silent
from etl.submission.remote import Remote
from schemas.ledger import FINAL, JobRow
from schemas.remote import RemoteFile


class Cleaning(Struct, frozen=True, kw_only=True):
    """Names of the files that were deleted at the provider, and of those that stay, since a job still needs them."""

    deleted: tuple[str, ...]
    needed: tuple[str, ...]


class SortedFiles(NamedTuple):
    """Files of a ledger that are at a provider: those that may go, and those that a job needs."""

    free: list[RemoteFile]
    needed: list[RemoteFile]


def clean(
    out: str | Path,
    access: Access | None = None,
    *,
    consent: Consent | None = None,
    report: Reporter = silent,
    pace: Pace | None = None,
) -> Cleaning:
    """
    Delete the files uploaded from *out* that no job at the provider needs any more.

    Files are known by their names, so that one whose upload had no answer is found, too.

    Args:
        out: Folder of a build.
        access: Where keys and profiles are.
        consent: Asked before; None agrees to nothing.
        report: Takes news while it waits for an answer.
        pace: How long to wait for one.

    Raises:
        BuildError: Nothing was submitted from there.
        LockedError: A submission from there is not done: it may be about to create a job on one of the files.
        SpendingError: Consent was not given.
        ProviderError: The provider does not answer, or refuses.
    """
    with (
        open_remotes(folder_of(out, "OUT").absolute(), access, report, pace) as remotes,
        locked(folder_of(out, "OUT").absolute()),
    ):
        accounts = dict.fromkeys(row.account for row in remotes.ledger.files() if row.state != "deleted")
        used = [remotes[account] for account in accounts]
        files = [sort_files(remote) for remote in used]
        free = [file for account in files for file in account.free]
        if free and not (consent or PriorConsent()).deleting(_names(free), sum(file.bytes or 0 for file in free)):
            raise SpendingError("clean", f"nobody agreed to delete {len(free)} files", "add --yes")
        for remote, account in zip(used, files, strict=True):
            _delete(remote, account)
        needed = [file for account in files for file in account.needed]
        return Cleaning(deleted=tuple(_names(free)), needed=tuple(_names(needed)))


def sort_files(remote: Remote) -> SortedFiles:
    """
    Return the files of this account in the ledger, sorted by whether a job needs them.

    Needed is what any job at the provider that has not ended names, created by us or not, and what a job needs that may
    or may not have been created, or that was and is not in the list yet.
    """
    ours = {row.name for row in remote.ledger.files(remote.account)}
    jobs = remote.client.list_jobs()
    listed = {job.id for job in jobs}
    unsure = {
        name
        for row in remote.ledger.jobs()
        if row.account == remote.account and (row.state == "intended" or _may_run(row, listed))
        for name in (row.training, row.validation)
    }
    running = [job for job in jobs if job.status not in FINAL]
    ids = {file_id for job in running for file_id in (job.training_file, job.validation_file)}
    files = [file for file in remote.client.list_files() if file.name in ours]
    needed = [file for file in files if file.id in ids or file.name in unsure]
    return SortedFiles([file for file in files if file not in needed], needed)


def _may_run(row: JobRow, listed: Set[str]) -> bool:
    """Return whether the job of *row* was created, had not ended when it was last looked at, and is not *listed*."""
    return row.state == "created" and row.status not in FINAL and row.job_id not in listed


def _delete(remote: Remote, files: SortedFiles) -> None:
    """Delete the files that may go, and cancel uploads that were broken off; the ledger has it before and after."""
    kept = set(_names(files.needed))
    for row in remote.ledger.files(remote.account):
        if row.upload_id is not None:
            remote.client.cancel_upload(row.upload_id)
            row = structs.replace(row, upload_id=None)  # noqa: PLW2901 - the same file
            remote.ledger.save_file(row)
        if row.name in kept:
            continue
        remote.ledger.save_file(structs.replace(row, state="deleting"))
        for file in files.free:
            if file.name == row.name:
                remote.client.delete_file(file.id)
        remote.ledger.save_file(structs.replace(row, state="deleted", file_id=None))


def _names(files: list[RemoteFile]) -> list[str]:
    """Return the names of *files*, which are ours and so have one."""
    return [file.name or file.id for file in files]
