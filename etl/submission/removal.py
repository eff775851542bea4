"""The removal of uploaded files that no job needs."""

from collections.abc import Set
from typing import NamedTuple

from msgspec import Struct, structs

from saturi.etl.errors import ProviderError, RefusedError, SpendingError
from saturi.etl.output.printable import counted
from saturi.etl.providers.pace import Pace
from saturi.etl.settings.paths import output_of
from saturi.etl.storage.location import Location
from saturi.etl.submission.access import Access, open_remotes
from saturi.etl.submission.consent import Consent, PriorConsent
from saturi.etl.submission.keeping import holding
from saturi.etl.submission.news import Reporter, silent
from saturi.etl.submission.remote import Remote
from saturi.schemas.brief import brief
from saturi.schemas.ledger import FINAL, GONE, FileRow, JobRow
from saturi.schemas.remote import RemoteFile


class Cleaning(Struct, frozen=True, kw_only=True):
    """
    Names of the files that were deleted at the provider, and of those that stay.

    A job still needs those that are `needed`; those that are `kept` are at providers that delete no file.
    """

    deleted: tuple[str, ...]
    needed: tuple[str, ...]
    kept: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return brief(self, deleted=len(self.deleted), needed=len(self.needed), kept=len(self.kept))


class SortedFiles(NamedTuple):
    """Files of a ledger that are at a provider: those that may go, and those that a job needs."""

    free: list[RemoteFile]
    needed: list[RemoteFile]


def clean(
    out: str | Location,
    access: Access | None = None,
    *,
    consent: Consent | None = None,
    report: Reporter = silent,
    pace: Pace | None = None,
) -> Cleaning:
    """
    Delete the files uploaded from *out* that no job at the provider needs any more.

    Files are recognised by their names, so that one whose upload had no answer is included. Of a provider that deletes no file
    nothing is asked, and its files are named in the result.

    Args:
        out: Folder of a build, or its URL.
        access: Where the ledger, keys and profiles are.
        consent: Asked before; None agrees to nothing.
        report: Takes news while it waits for an answer.
        pace: How long to wait for one.

    Raises:
        BuildError: Nothing was submitted from there.
        LockedError: A submission from there is not done: it may be about to create a job on one of the files.
        SpendingError: Consent was not given.
        ProviderError: Files were not deleted, or not listed; raised when all accounts and files were tried.
    """
    location, access = output_of(out, "OUT").absolute(), access or Access()
    with open_remotes(location, access, report, pace) as remotes, holding(location, access.ledger):
        rows = [row for row in remotes.ledger.files() if row.state != "deleted"]
        kept = [row.name for row in rows if not remotes.provider(row.account).deletes_files]
        accounts = dict.fromkeys(row.account for row in rows if remotes.provider(row.account).deletes_files)
        problems: list[ProviderError | RefusedError] = []
        sorted_files = {account: _sorted(remotes[account], problems) for account in accounts}
        free = [file for files in sorted_files.values() for file in files.free]
        if free and not (consent or PriorConsent()).deleting(_names(free), sum(file.bytes or 0 for file in free)):
            raise SpendingError("clean", f"nobody agreed to delete {counted(len(free), 'file')}", "add --yes")
        deleted = [
            name for account, files in sorted_files.items() for name in _delete(remotes[account], files, problems)
        ]
        needed = [file for files in sorted_files.values() for file in files.needed]
    if problems and not free:
        raise problems[0]
    if problems:
        more = f" and {len(problems) - 1} more" if problems[1:] else ""
        problem = f"{len(deleted)} of {counted(len(free), 'file')} deleted ({problems[0]}{more})"
        raise ProviderError("clean", problem, "run the same command again, or delete them on the provider's own pages")
    return Cleaning(deleted=tuple(deleted), needed=tuple(_names(needed)), kept=tuple(kept))


def _sorted(remote: Remote, problems: list[ProviderError | RefusedError]) -> SortedFiles:
    """Return the files of one account; none, and a problem more, where the provider does not list them."""
    try:
        return sort_files(remote)
    except (ProviderError, RefusedError) as error:
        problems.append(error)
        return SortedFiles([], [])


def sort_files(remote: Remote) -> SortedFiles:
    """
    Return the files of this account in the ledger, sorted by whether a job needs them.

    Needed is what any job at the provider that has not ended names, created by us or not, and what a job needs that may
    or may not have been created, or that was and is not in the list yet. Where jobs name no files, all are needed as long as
    one has not ended.
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
    unnamed = any(job.training_file is None for job in running)
    needed = [file for file in files if unnamed or file.id in ids or file.name in unsure]
    return SortedFiles([file for file in files if file not in needed], needed)


def _may_run(row: JobRow, listed: Set[str]) -> bool:
    """Return whether the job of *row* was created, had not ended when it was last looked at, and is not *listed*."""
    return row.state == "created" and row.status not in FINAL | {GONE} and row.job_id not in listed


def _delete(remote: Remote, files: SortedFiles, problems: list[ProviderError | RefusedError]) -> list[str]:
    """
    Delete the files that may go, and cancel uploads that were broken off; the ledger has it before and after.

    Returns:
        The names of those deleted; what keeps another from it is one of the *problems* afterwards.
    """
    free: dict[str, list[RemoteFile]] = {}
    for file in files.free:
        free.setdefault(file.name or "", []).append(file)
    kept = set(_names(files.needed))
    deleted = []
    for row in remote.ledger.files(remote.account):
        try:
            _delete_one(remote, row, free.get(row.name, []), is_kept=row.name in kept)
        except (ProviderError, RefusedError) as error:
            problems.append(error)
        else:
            deleted += [row.name] * len(free.get(row.name, []))
    return deleted


def _delete_one(remote: Remote, row: FileRow, files: list[RemoteFile], *, is_kept: bool) -> None:
    """Cancel the upload of *row* that was broken off, and delete *files*, all of its name."""
    if row.upload_id is not None:
        remote.client.cancel_upload(row.upload_id)
        row = structs.replace(row, upload_id=None)
        remote.ledger.save_file(row)
    if is_kept or (row.state == "deleted" and not files):
        return
    remote.ledger.save_file(structs.replace(row, state="deleting"))
    for file in files:
        remote.client.delete_file(file.id)
    remote.ledger.save_file(structs.replace(row, state="deleted", file_id=None))


def _names(files: list[RemoteFile]) -> list[str]:
    """Return the names of *files*, which are ours and so have one."""
    return [file.name or file.id for file in files]
