"""The status of everything submitted from a build: jobs and files, as the ledger has them after the provider was asked."""

from msgspec import Struct

from saturi.etl.errors import ProviderError, RefusedError
from saturi.etl.providers.pace import Pace
from saturi.etl.settings.paths import output_of
from saturi.etl.storage.location import Location
from saturi.etl.submission.access import Access, open_remotes
from saturi.etl.submission.jobs import refreshed
from saturi.etl.submission.news import Reporter, silent
from saturi.schemas.brief import brief
from saturi.schemas.ledger import FileRow, JobRow


class Status(Struct, frozen=True, kw_only=True):
    """
    Every attempt at a job, and every file, as the ledger has them after the provider was asked.

    `problems` are why jobs of an account are shown as they were when they were last looked at, a sentence each.
    """

    jobs: tuple[JobRow, ...]
    files: tuple[FileRow, ...]
    problems: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return brief(self, jobs=[job.status for job in self.jobs], files=len(self.files), problems=len(self.problems))


def status(
    out: str | Location, access: Access | None = None, *, report: Reporter = silent, pace: Pace | None = None
) -> Status:
    """
    Return jobs and files submitted from *out*; what a provider does not answer is as the ledger has it.

    Args:
        out: Folder of a build, or its URL.
        access: Where the ledger, keys and profiles are.
        report: Takes news while it waits for an answer.
        pace: How long to wait for one.

    Raises:
        BuildError: Nothing was submitted from there.
        OptionError: There is no key.
    """
    with open_remotes(output_of(out, "OUT").absolute(), access, report, pace, only_read=True) as remotes:
        problems: dict[str, str] = {}  # by account: one that does not answer is not asked for each of its jobs
        jobs = []
        for row in remotes.ledger.jobs():
            if row.account in problems:
                jobs.append(row)
                continue
            try:
                jobs.append(refreshed(remotes, row))
            except (ProviderError, RefusedError) as error:
                problems[row.account] = str(error)
                jobs.append(row)
        return Status(jobs=tuple(jobs), files=tuple(remotes.ledger.files()), problems=tuple(problems.values()))
