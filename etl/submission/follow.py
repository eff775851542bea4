"""
Jobs followed until each has come to its end.

Of events only the losses are kept, for reports: the provider has the others, so that a watch begun again reports the whole
story from its start.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from saturi.etl.errors import BusyError, NoAnswerError, ProviderError, UnreachableError
from saturi.etl.providers.pace import Pace
from saturi.etl.submission.jobs import has_ended, refresh
from saturi.etl.submission.news import Flaw, JobEvent, JobStatus, NoAnswer, Reporter, ended, problem_of
from saturi.etl.submission.remote import Remote
from saturi.schemas.ledger import FAILED, GONE, SUCCEEDED, JobRow, LossRow
from saturi.schemas.remote import RemoteEvent

FlawFinder = Callable[[JobRow], tuple[Flaw, ...]]
"""Returns the lines that a failed job's error names, and where they came from."""


def follow(
    remotes: Mapping[str, Remote], rows: Sequence[JobRow], flaws_of: FlawFinder, report: Reporter
) -> list[JobRow]:
    """
    Return *rows* as they are when each of their jobs is at its end, or gone.

    A provider that does not answer, or asks to wait, is asked again, for as long as the pace allows. Of jobs that had ended
    before, only that is reported. What goes wrong with one job ends the following of that one only.

    Args:
        remotes: The remote of each account in *rows*.
        rows: Rows of jobs that were created.
        flaws_of: Leads the error of a failed job back to the corpus.
        report: Takes all news.

    Raises:
        NoAnswerError, UnreachableError: A provider did not answer for too long.
        ProviderError: It refuses to answer. Either is raised when all other jobs are at their end.
    """
    jobs = [_Followed(remotes, row, report) for row in rows]
    while followed := [job for job in jobs if not job.is_done]:
        for job in followed:
            job.look()
            if job.has_ended:
                report(ended(job.row, flaws_of(job.row) if job.row.status == FAILED else ()))
        if any(not job.is_done for job in followed):
            time.sleep(followed[0].pace.poll_seconds)
    for job in jobs:
        if job.failure is not None:
            raise job.failure
    return [job.row for job in jobs]


class _Followed:
    """
    One job that is followed, with what was reported of it.

    `failure` is why it cannot be followed to its end.
    """

    def __init__(self, remotes: Mapping[str, Remote], row: JobRow, report: Reporter) -> None:
        self.row = row
        self.failure: ProviderError | None = None
        self.has_ended = False
        self._remotes, self._report = remotes, report
        self._reported: set[str] = set()
        self._status: str | None = None
        self._answered = time.monotonic()
        self._changed = time.monotonic()  # when its status last did
        self._not_before = 0.0
        self._has_events = True

    @property
    def is_done(self) -> bool:
        """Whether it need not be looked at any more."""
        return self.has_ended or self.failure is not None

    @property
    def pace(self) -> Pace:
        """The pace of its remote."""
        return self._remotes[self.row.account].client.pace

    def look(self) -> None:
        """Report what is new, unless the provider asked to wait."""
        if has_ended(self.row):  # before it was followed: there is no more to report than that
            self.has_ended = True
        elif time.monotonic() >= self._not_before:
            try:
                self._look()
            except (NoAnswerError, UnreachableError, BusyError) as error:
                self._bear(error)
            except ProviderError as error:
                self.failure = error
                self._report(problem_of(self.row, error))

    def _look(self) -> None:
        remote = self._remotes[self.row.account]
        row = refresh(remote, self.row)
        # After the status, so that a job's last events come before its end.
        events = self._new_events(remote, row) if row.status != GONE else []
        remote.ledger.save_losses(_losses_of(row, events))
        for event in events:
            self._report(event)
        self._answered = time.monotonic()
        if row.status != self._status:
            self._status, self._changed = row.status, self._answered
            self._report(JobStatus(title=row.title, job_id=row.job_id or "", status=row.status or ""))
        self.row = row
        waited = self._answered - self._changed
        # One that was just created may be missing for a while, and the name of a model may come later than the success.
        self.has_ended = (
            has_ended(row)
            or (row.status == GONE and waited >= sum(remote.client.pace.looks_seconds))
            or (row.status == SUCCEEDED and waited >= remote.client.pace.model_seconds)
        )

    def _bear(self, error: ProviderError) -> None:
        """Report that there is no answer that helps, and give up after a long time."""
        now = time.monotonic()
        wait = getattr(error, "wait_seconds", None) or 0.0
        left = max(self._answered + self.pace.unreachable_seconds - now, 0.0)
        again = max(wait, self.pace.poll_seconds)
        self._report(NoAnswer(problem=str(error), again_seconds=again, left_seconds=left))
        self._not_before = now + wait
        if now + wait - self._answered > self.pace.unreachable_seconds:
            self.failure = error

    def _new_events(self, remote: Remote, row: JobRow) -> list[JobEvent]:
        """Return the events not reported before, the oldest first; the provider lists the newest first."""
        if not self._has_events:
            return []
        try:
            newest_first = remote.client.list_events(row.job_id or "", self._reported)
        except (NoAnswerError, UnreachableError, BusyError):
            raise
        except ProviderError:  # the job itself was shown, so it is the events that this provider has not
            self._has_events = False
            return []
        events = [_news_of(row, event) for event in newest_first[::-1]]
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


def _losses_of(row: JobRow, events: Iterable[JobEvent]) -> Iterator[LossRow]:
    for event in events:
        if event.step is not None and (event.train_loss is not None or event.valid_loss is not None):
            yield LossRow(
                account=row.account,
                job_id=event.job_id,
                event_id=event.event_id,
                step=event.step,
                train_loss=event.train_loss,
                valid_loss=event.valid_loss,
            )
