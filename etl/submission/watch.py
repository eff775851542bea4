"""The watch over every job submitted from a build, to the end of the last one."""

import time
from functools import partial

from saturi.etl.providers.pace import Pace
from saturi.etl.settings.paths import output_of
from saturi.etl.storage.location import Location
from saturi.etl.submission.access import Access, open_remotes
from saturi.etl.submission.follow import follow
from saturi.etl.submission.keeping import is_held
from saturi.etl.submission.news import Reporter, silent
from saturi.etl.submission.origins import flaws_of
from saturi.schemas.ledger import JobRow


def watch(
    out: str | Location,
    access: Access | None = None,
    *,
    report: Reporter = silent,
    pace: Pace | None = None,
) -> tuple[JobRow, ...]:
    """
    Follow every job submitted from *out* to its end, and return their rows.

    While a submission from there is under way, the jobs that it creates are followed, too. May be stopped and begun again
    at any time; it reports everything from the start.

    Args:
        out: Folder of a build, or its URL.
        access: Where the ledger, keys and profiles are.
        report: Takes all news.
        pace: How often to look, and how long to bear with a provider that does not answer.

    Raises:
        BuildError: Nothing was submitted from there.
        NoAnswerError: A provider did not answer for too long.
        ProviderError: It refuses to answer.
    """
    out, access = output_of(out, "OUT").absolute(), access or Access()
    with open_remotes(out, access, report, pace) as remotes:
        ended: dict[tuple[str, int], JobRow] = {}
        while True:
            more_may_come = is_held(out, access.ledger)  # asked before the ledger is read, so that no job falls between
            jobs = remotes.ledger.jobs()
            rows = [row for row in jobs if row.job_id is not None and (row.key, row.attempt) not in ended]
            for row in follow(remotes, rows, partial(flaws_of, out, remotes.ledger), report):
                ended[row.key, row.attempt] = row
            if not rows and not more_may_come:
                return tuple(ended.values())
            if not rows:
                time.sleep(remotes.pace.poll_seconds)
