"""
Follow jobs until each has come to its end.

Nothing of it is kept: the provider has the events, so that a watch begun again tells the whole story from its start.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from etl.errors import NoAnswerError, UnreachableError
from etl.providers.client import Client
from etl.submission.jobs import refresh
from etl.submission.ledger import Ledger
from etl.submission.news import Flaw, JobEvent, JobStatus, NoAnswer, Reporter, ended
from schemas.ledger import FAILED, FINAL, JobRow

if TYPE_CHECKING:
    from openai.types.fine_tuning import FineTuningJobEvent

_PAGE = 100

Tracer = Callable[[JobRow], tuple[Flaw, ...]]
"""Returns the lines that a failed job's error names, and where they came from."""


def follow(
    clients: Mapping[str, Client], ledger: Ledger, rows: Sequence[JobRow], trace: Tracer, report: Reporter
) -> list[JobRow]:
    """
    Return *rows* as they are when each of their jobs is at its end.

    A provider that does not answer is asked again, for as long as the pace says. Of jobs that had ended before, only that
    is told.

    Args:
        clients: The client of each account in *rows*.
        trace: Leads the error of a failed job back to the corpus.
        report: Told all news.

    Raises:
        NoAnswerError, UnreachableError: A provider did not answer for too long.
        ProviderError: It refuses to tell.
    """
    done = {_name(row): row for row in rows if row.status in FINAL}
    for row in done.values():
        report(ended(row, trace(row) if row.status == FAILED else ()))
    watched = [_Watched(clients[row.account], ledger, row, report) for row in rows if _name(row) not in done]
    answered = time.monotonic()
    while watched:
        try:
            for job in watched:
                job.look()
                answered = time.monotonic()
        except (NoAnswerError, UnreachableError) as error:
            if time.monotonic() - answered > watched[0].client.pace.unreachable_seconds:
                raise
            report(NoAnswer(problem=str(error)))
        for job in [job for job in watched if job.row.status in FINAL]:
            watched.remove(job)
            done[_name(job.row)] = job.row
            report(ended(job.row, trace(job.row) if job.row.status == FAILED else ()))
        if watched:
            time.sleep(watched[0].client.pace.poll_seconds)
    return [done[_name(row)] for row in rows]


def _name(row: JobRow) -> tuple[str, int]:
    """Return what tells *row* from all others."""
    return row.key, row.attempt


class _Watched:
    """One job that is followed: what was told of it so far."""

    def __init__(self, client: Client, ledger: Ledger, row: JobRow, report: Reporter) -> None:
        self.client, self.row = client, row
        self._ledger, self._report = ledger, report
        self._told: set[str] = set()
        self._status: str | None = None

    def look(self) -> None:
        """Tell what is new."""
        row = refresh(self.client, self._ledger, self.row)
        # After the status, so that a job's last events come before its end.
        for event in self._new_events(row.job_id or ""):
            self._report(event)
        if row.status != self._status:
            self._status = row.status
            self._report(JobStatus(title=row.title, job_id=row.job_id or "", status=row.status or ""))
        self.row = row

    def _new_events(self, job_id: str) -> list[JobEvent]:
        """Return the events not told before, the oldest first; the provider lists the newest first."""
        newest_first = self.client.repeat("reading events", lambda api: self._until_told(api.fine_tuning.jobs, job_id))
        events = [_event(self.client, self.row, event) for event in newest_first[::-1]]
        self._told.update(event.event_id for event in events)
        return sorted(events, key=lambda event: event.at)

    def _until_told(self, jobs: Any, job_id: str) -> list["FineTuningJobEvent"]:
        found = []
        for event in jobs.list_events(job_id, limit=_PAGE):
            if event.id in self._told:
                break
            found.append(event)
        return found


def _event(client: Client, row: JobRow, event: "FineTuningJobEvent") -> JobEvent:
    data = event.data if isinstance(event.data, dict) else {}
    step = data.get("step")
    return JobEvent(
        title=row.title,
        job_id=row.job_id or "",
        event_id=event.id,
        at=event.created_at or 0,  # some leave out what the description requires
        level=event.level or "info",
        message=client.without_key(event.message or ""),
        step=step if isinstance(step, int) else None,
        train_loss=_number(data.get("train_loss")),
        # Over a part of the validation file at each step, over all of it now and then.
        valid_loss=_number(data.get("valid_loss", data.get("full_valid_loss"))),
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
