"""Which uploaded files no job needs, and deleting them."""

from collections.abc import Set
from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs

from etl.providers.client import Client
from etl.submission.ledger import Ledger
from etl.submission.upload import cancel_upload, delete_file, list_files
from schemas.ledger import FINAL, JobRow

if TYPE_CHECKING:
    from openai.types import FileObject

_PAGE = 100


class Sorted(NamedTuple):
    """Files of a ledger that are at a provider: those that may go, and those that a job needs."""

    free: list["FileObject"]
    needed: list["FileObject"]


def sort_files(client: Client, ledger: Ledger) -> Sorted:
    """
    Return the files of this account in *ledger*, sorted by whether a job needs them.

    Needed is what any job at the provider that has not ended names, created by us or not, and what a job needs of which
    nobody knows whether it was created, or which was and is not in the list yet.
    """
    account = client.account.id
    ours = {row.name for row in ledger.files(account)}
    jobs = client.repeat("looking for jobs", lambda api: list(api.fine_tuning.jobs.list(limit=_PAGE)))
    listed = {job.id for job in jobs}
    unsure = {
        name
        for row in ledger.jobs()
        if row.account == account and (row.state == "intended" or _may_run(row, listed))
        for name in (row.training, row.validation)
    }
    statuses = client.provider.statuses
    running = [job for job in jobs if statuses.get(job.status, job.status) not in FINAL]
    ids = {file_id for job in running for file_id in (job.training_file, job.validation_file)}
    files = [file for file in list_files(client) if file.filename in ours]
    needed = [file for file in files if file.id in ids or file.filename in unsure]
    return Sorted([file for file in files if file not in needed], needed)


def _may_run(row: JobRow, listed: Set[str]) -> bool:
    """Return whether the job of *row* was created, had not ended when it was last looked at, and is not *listed*."""
    return row.state == "created" and row.status not in FINAL and row.job_id not in listed


def delete(client: Client, ledger: Ledger, files: Sorted) -> None:
    """Delete the files that may go, and cancel uploads that were broken off; the ledger says so before and after."""
    account = client.account.id
    kept = {file.filename for file in files.needed}
    for row in ledger.files(account):
        if row.upload_id is not None:
            cancel_upload(client, row.upload_id)
            row = structs.replace(row, upload_id=None)  # noqa: PLW2901 - the same file
            ledger.save_file(row)
        if row.name in kept:
            continue
        ledger.save_file(structs.replace(row, state="deleting"))
        for file in files.free:
            if file.filename == row.name:
                delete_file(client, file.id)
        ledger.save_file(structs.replace(row, state="deleted", file_id=None))
