"""
Jobs followed until each has come to its end.

Nothing of it is kept: the provider has the events, so that a watch begun again reports the whole story from its start.
"""

import time
from collections.abc import Callable, Mapping, Sequence

from etl.errors import NoAnswerError, UnreachableError
from etl.submission.jobs import refresh
from etl.submission.news import Flaw, JobEvent, JobStatus, NoAnswer, Reporter, ended
from etl.submission.remote import Remote
from schemas.ledger import FAILED, FINAL, JobRow
from schemas.remote import RemoteEvent

FlawFinder = Callable[[JobRow], tuple[Flaw, ...]]
"""Returns the lines that a failed job's error names, and where they came from."""


def follow(
    remotes: Mapping[str, Remote], rows: Sequence[JobRow], flaws_of: FlawFinder, report: Reporter
) -> list[JobRow]:
    """
    Return *rows* as they are when each of their jobs is at its end.

    A provider that does not answer is asked again, for as long as the pace allows. Of jobs that had ended before, only that
    is reported.

    Args:
        remotes: The remote of each account in *rows*.
        rows: Rows of jobs that were created.
        flaws_of: Leads the error of a failed job back to the corpus.
        report: Takes all news.

    Raises:
        NoAnswerError, UnreachableError: A provider did not answer for too long.
        ProviderError: It refuses to answer.
    """
    done = {_name(row): row for row in rows if row.status in FINAL}

    def end(row: JobRow) -> None:
        done[_name(row)] = row
        report(ended(row, flaws_of(row) if row.status == FAILED else ()))

    for row in list(done.values()):
        end(row)
    watched = [_Watched(remotes[row.account], row, report) for row in rows if _name(row) not in done]
    answered = time.monotonic()
    while watched:
        try:
            for job in watched:
                job.look()
                answered = time.monotonic()
        except (NoAnswerError, UnreachableError) as error:
            if time.monotonic() - answered > watched[0].pace.unreachable_seconds:
                raise
            report(NoAnswer(problem=str(error)))
        for job in [job for job in watched if job.row.status in FINAL]:
            watched.remove(job)
            end(job.row)
        if watched:
            time.sleep(watched[0].pace.poll_seconds)
    return [done[_name(row)] for row in rows]


def _name(row: JobRow) -> tuple[str, int]:
    """Return what distinguishes *row* from all others."""
    return row.key, row.attempt


class _Watched:
    """One job that is followed, with what was reported of it."""

    def __init__(self, remote: Remote, row: JobRow, report: Reporter) -> None:
        self.row, self.pace = row, remote.client.pace
        self._remote, self._report = remote, report
        self._reported: set[str] = set()
        self._status: str | None = None

    def look(self) -> None:
        """Report what is new."""
        row = refresh(self._remote, self.row)
        # After the status, so that a job's last events come before its end.
        for event in self._new_events(row.job_id or ""):
            self._report(event)
        if row.status != self._status:
            self._status = row.status
            self._report(JobStatus(title=row.title, job_id=row.job_id or "", status=row.status or ""))
        self.row = row

    def _new_events(self, job_id: str) -> list[JobEvent]:
        """Return the events not reported before, the oldest first; the provider lists the newest first."""
        newest_first = self._remote.client.list_events(job_id, self._reported)
        events = [_news_of(self.row, event) for event in newest_first[::-1]]
        self._reported.update(event.event_id for event in events)
        return sorted(events, key=lambda event: event.at)


def _news_of(row: JobRow, event: RemoteEvent) -> JobEvent:
    return JobEvent(
        title=row.title,
        job_id=row.job_id or "",
        event_id=event.id,
        at=event.at,
        level=event.level,
        message=event.message,
        step=event.step,
        train_loss=event.train_loss,
        valid_loss=event.valid_loss,
    )
