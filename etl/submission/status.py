"""The status of everything submitted from a build: jobs and files, as the ledger has them after the provider was asked."""

from pathlib import Path

from msgspec import Struct

from etl.providers.pace import Pace
from etl.settings.paths import folder_of
from etl.submission.access import Access, open_remotes
from etl.submission.jobs import refreshed
from etl.submission.news import Reporter, silent
from schemas.ledger import FileRow, JobRow


class Status(Struct, frozen=True, kw_only=True):
    """Every attempt at a job, and every file, as the ledger has them after the provider was asked."""

    jobs: tuple[JobRow, ...]
    files: tuple[FileRow, ...]


def status(
    out: str | Path, access: Access | None = None, *, report: Reporter = silent, pace: Pace | None = None
) -> Status:
    """
    Return jobs and files submitted from *out*.

    Args:
        out: Folder of a build.
        access: Where keys and profiles are.
        report: Takes news while it waits for an answer.
        pace: How long to wait for one.

    Raises:
        BuildError: Nothing was submitted from there.
        ProviderError: A provider does not answer, or not to this key.
    """
    with open_remotes(folder_of(out, "OUT").absolute(), access, report, pace) as remotes:
        jobs = [refreshed(remotes, row) for row in remotes.ledger.jobs()]
        return Status(jobs=tuple(jobs), files=tuple(remotes.ledger.files()))
