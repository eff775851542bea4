"""What comes after a submission: status, watch, cancel, clean. Each goes by the ledger, to every account it names."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct

from etl.errors import LockedError, OptionError, SpendingError
from etl.output.folder import locked
from etl.providers.account import Account
from etl.providers.client import Client
from etl.providers.pace import Pace
from etl.providers.profiles import find_provider, read_providers
from etl.submission.cleaning import delete, sort_files
from etl.submission.consent import Consent, Said
from etl.submission.follow import follow
from etl.submission.jobs import cancel_job, refresh
from etl.submission.ledger import Ledger, read_ledger
from etl.submission.news import Reporter, silent
from etl.submission.trace import trace
from schemas.ledger import FINAL, FileRow, JobRow


class Access(Struct, frozen=True, kw_only=True):
    """
    How to get into the accounts that a ledger names.

    Args:
        key_file: File with the key, for its owner's eyes only; None for the environment.
        providers: File of the user's own, laid over the profiles of this package.
    """

    key_file: Path | None = None
    providers: Path | None = None


class Status(Struct, frozen=True, kw_only=True):
    """Every attempt at a job, and every file, as the ledger has them after the provider was asked."""

    jobs: tuple[JobRow, ...]
    files: tuple[FileRow, ...]


class Cleaning(Struct, frozen=True, kw_only=True):
    """Names of the files that were deleted at the provider, and of those that stay, since a job still needs them."""

    deleted: tuple[str, ...]
    needed: tuple[str, ...]


def status(out: str | Path, access: Access | None = None, *, pace: Pace | None = None) -> Status:
    """
    Return what became of everything submitted from *out*.

    Raises:
        BuildError: Nothing was submitted from there.
        ProviderError: A provider does not answer, or not to this key.
    """
    with _opened(out, access, pace) as (ledger, clients):
        jobs = [_refreshed(clients, ledger, row) for row in ledger.jobs()]
        return Status(jobs=tuple(jobs), files=tuple(ledger.files()))


def watch(
    out: str | Path,
    access: Access | None = None,
    *,
    report: Reporter = silent,
    pace: Pace | None = None,
) -> tuple[JobRow, ...]:
    """
    Follow every job submitted from *out* to its end, and return their rows.

    While a submission from there is under way, the jobs that it creates are followed, too. May be stopped and begun again
    at any time; it tells everything from the start.

    Args:
        report: Told all that happens.
        pace: How often to look, and how long to bear with a provider that does not answer.

    Raises:
        BuildError: Nothing was submitted from there.
        NoAnswerError: A provider did not answer for too long.
        ProviderError: It refuses to tell.
    """
    out = Path(out).absolute()
    with _opened(out, access, pace) as (ledger, clients):
        seen: dict[tuple[str, int], JobRow] = {}
        while True:
            more_may_come = _is_held(out)  # asked before the ledger is read, so that no job falls between
            rows = [row for row in ledger.jobs() if row.job_id is not None and (row.key, row.attempt) not in seen]
            for row in follow(clients, ledger, rows, partial(trace, out, ledger), report):
                seen[row.key, row.attempt] = row
            if not rows and not more_may_come:
                return tuple(seen.values())
            if not rows:
                time.sleep((pace or Pace()).poll_seconds)


def cancel(
    out: str | Path,
    job_id: str | None = None,
    access: Access | None = None,
    *,
    consent: Consent | None = None,
    pace: Pace | None = None,
) -> tuple[JobRow, ...]:
    """
    Cancel the job *job_id*, or all that have not ended, and return their rows; steps done are billed all the same.

    Raises:
        BuildError: Nothing was submitted from there.
        OptionError: The ledger has no such job.
        SpendingError: Nobody agreed.
        ProviderError: The provider does not answer, or refuses.
    """
    with _opened(out, access, pace) as (ledger, clients):
        rows = [row for row in ledger.jobs() if row.job_id is not None and job_id in (None, row.job_id)]
        if job_id is not None and not rows:
            raise OptionError("JOB", f"the ledger has no job {job_id!r}", "see saturi status for those it has")
        rows = [row for row in (_refreshed(clients, ledger, row) for row in rows) if row.status not in FINAL]
        if rows and not (consent or Said()).cancelling(rows):
            raise SpendingError("cancel", f"nobody agreed to cancel {len(rows)} jobs", "add --yes")
        return tuple(cancel_job(clients[row.account], ledger, row) for row in rows)


def clean(
    out: str | Path,
    access: Access | None = None,
    *,
    consent: Consent | None = None,
    pace: Pace | None = None,
) -> Cleaning:
    """
    Delete the files uploaded from *out* that no job at the provider needs any more.

    Files are told by their names, so that one whose upload nobody knows the outcome of is found, too.

    Raises:
        BuildError: Nothing was submitted from there.
        LockedError: A submission from there is not done: it may be about to create a job on one of the files.
        SpendingError: Nobody agreed.
        ProviderError: The provider does not answer, or refuses.
    """
    with _opened(out, access, pace) as (ledger, clients), locked(Path(out).absolute()):
        accounts = dict.fromkeys(row.account for row in ledger.files() if row.state != "deleted")
        used = [clients[account] for account in accounts]
        found = [sort_files(client, ledger) for client in used]
        free = [file for one in found for file in one.free]
        if free and not (consent or Said()).deleting(
            [file.filename for file in free], sum(file.bytes for file in free)
        ):
            raise SpendingError("clean", f"nobody agreed to delete {len(free)} files", "add --yes")
        for client, one in zip(used, found, strict=True):
            delete(client, ledger, one)
        needed = [file.filename for one in found for file in one.needed]
        return Cleaning(deleted=tuple(file.filename for file in free), needed=tuple(needed))


def _is_held(out: Path) -> bool:
    """Return whether a submission from *out* is under way, or a build into it."""
    try:
        with locked(out):
            return False
    except LockedError:
        return True


def _refreshed(clients: "_Clients", ledger: Ledger, row: JobRow) -> JobRow:
    """Return *row* as the provider sees it now; of a job that has ended it is not asked."""
    return row if row.job_id is None or row.status in FINAL else refresh(clients[row.account], ledger, row)


class _Clients(dict[str, Client]):
    """A client for each account of a ledger, by its id, made when it is first asked for."""

    def __init__(self, stack: ExitStack, ledger: Ledger, access: Access, pace: Pace) -> None:
        super().__init__()
        self._stack, self._access, self._pace = stack, access, pace
        self._accounts = {row.id: row for row in ledger.accounts()}
        self._providers = read_providers(access.providers)

    def __missing__(self, account_id: str) -> Client:
        row = self._accounts[account_id]
        account = Account(
            provider=find_provider(row.provider, self._providers),
            base_url=row.base_url,
            project=row.project,
            key_file=self._access.key_file,
        )
        self[account_id] = self._stack.enter_context(Client(account, self._pace))
        return self[account_id]


@contextmanager
def _opened(out: str | Path, access: Access | None, pace: Pace | None) -> Iterator[tuple[Ledger, _Clients]]:
    """Yield the ledger of *out*, and a client for each account in it."""
    with ExitStack() as stack:
        ledger = stack.enter_context(read_ledger(Path(out).absolute()))
        yield ledger, _Clients(stack, ledger, access or Access(), pace or Pace())
