"""The execution of a plan, job by job: known from before, or created on files that are put there first."""

from collections.abc import Callable
from functools import partial

from msgspec import Struct, structs

from saturi.etl.errors import JobFailedError
from saturi.etl.output.printable import counted
from saturi.etl.storage.location import Location
from saturi.etl.submission.consent import Consent
from saturi.etl.submission.follow import follow
from saturi.etl.submission.jobs import agree_to_another, create_job, has_failed, known_job
from saturi.etl.submission.news import JobCreated, JobKnown, Reporter, Uploading, estimated
from saturi.etl.submission.origins import flaws_of
from saturi.etl.submission.plan import Plan, PlannedFile, PlannedJob
from saturi.etl.submission.preflight import check_account
from saturi.etl.submission.remote import Remote
from saturi.etl.submission.upload import put_file
from saturi.schemas.brief import brief
from saturi.schemas.ledger import JobRow
from saturi.schemas.remote import JobEstimate

Agree = Callable[[Plan, tuple[PlannedJob, ...], tuple[JobEstimate, ...]], None]
"""
Returns if the new jobs of a plan may be created, and raises what is against it.

It is asked before anything is sent, and once more with what the provider says that each job costs, if it says so.
"""


class Submission(Struct, frozen=True, kw_only=True):
    """What was submitted: the plan, the row of each of its jobs, and how many of them this run created."""

    plan: Plan
    jobs: tuple[JobRow, ...]
    created: int

    def __repr__(self) -> str:
        return brief(self, created=self.created, jobs=[job.job_id for job in self.jobs])


class Execution:
    """
    The execution of *plan* at *remote*, from the build in *out*.

    Args:
        out: Folder of the build, or its URL.
        plan: The plan.
        remote: The account, and the ledger of the build.
        report: Takes news of bytes and jobs.
    """

    def __init__(self, out: Location, plan: Plan, remote: Remote, report: Reporter) -> None:
        self.out, self.plan, self.remote, self.report = out, plan, remote, report
        self._file_ids: dict[str, str] = {}  # of the files that are there, by their names

    def carry_out(self, consent: Consent, agree: Agree) -> Submission:
        """Return the plan, with what the provider says of it, and the row of each of its jobs."""
        known = self._find_known(consent)
        new = tuple(job for job in self.plan.jobs if job.key not in known)
        plan = self.plan
        if new:
            plan = structs.replace(plan, notes=(*plan.notes, *self._notes(new)))
            agree(plan, new, ())
            if estimates := self._estimates(new):
                agree(plan, new, estimates)
        rows: list[JobRow] = []
        for job in plan.jobs:
            rows.append(known[job.key] if job.key in known else self._create(job, rows))
        return Submission(plan=plan, jobs=tuple(rows), created=len(new))

    def _find_known(self, consent: Consent) -> dict[str, JobRow]:
        """Return the row of every job that was submitted before and is not to be submitted again, by its key."""
        known: dict[str, JobRow] = {}
        for job in self.plan.jobs:
            row = known_job(self.remote, job, self.plan)
            if row is None:
                continue
            if row.state == "intended" or has_failed(row):
                agree_to_another(row, consent)
                continue
            known[job.key] = row
            self.report(JobKnown(title=row.title, job_id=row.job_id or "", status=row.status))
        return known

    def _notes(self, new: tuple[PlannedJob, ...]) -> list[str]:
        """Return notes of the provider and of the ledger on the plan."""
        notes: list[str] = []
        models = dict.fromkeys(job.model for job in new if job.model is not None)
        for model in models:
            notes += check_account(self.remote.client, model)
        created = [row for row in self.remote.ledger.jobs() if row.state == "created"]
        earlier = [row for row in created if row.manifest != self.plan.manifest]
        if earlier:
            notes.append(
                f"the build was changed since {counted(len(earlier), 'job')} of it; what is created now is in addition"
            )
        names = {file.name for job in new for file in (job.training, job.validation) if file is not None}
        sent = {row.account for row in self.remote.ledger.files() if row.name in names and row.state != "deleted"}
        notes += [f"the same content was sent before, to {account}" for account in sorted(sent - {self.remote.account})]
        return notes

    def _estimates(self, new: tuple[PlannedJob, ...]) -> tuple[JobEstimate, ...]:
        """Put the files of the *new* jobs there, and return what the provider says that each costs; nothing if it says nothing."""
        provider = self.remote.client.provider
        if not provider.estimates:
            return ()
        files = [self._put_files(job) for job in new]  # all, before the first question: what is missing is known then
        estimates = []
        for job, ids in zip(new, files, strict=True):
            request = job.request(job.model or self.plan.model, ids, 1, provider)
            # A tune that a job before will make costs what its base model does.
            estimate = self.remote.client.estimate_job(structs.replace(request, is_tune=False))
            if estimate is not None:
                estimates.append(estimate)
                self.report(estimated(job, estimate))
        return tuple(estimates)

    def _create(self, job: PlannedJob, before: list[JobRow]) -> JobRow:
        """Put the files of *job* there, create it, and return its row; wait for those *before* it where it must."""
        model = job.model or self._model_of(before[-1])
        if self.remote.client.provider.one_job:
            self._follow([row for row in before if row.job_id is not None])
        row = create_job(self.remote, job, self.plan, model, self._put_files(job))
        self.report(JobCreated(title=row.title, job_id=row.job_id or ""))
        return row

    def _put_files(self, job: PlannedJob) -> tuple[str, str | None]:
        """Return the ids of training and validation file of *job*, which are at the provider then."""
        return self._put(job.training), self._put(job.validation) if job.validation else None

    def _put(self, file: PlannedFile) -> str:
        """Return the id of *file* at the provider."""

        def report(done: int, total: int) -> None:
            self.report(Uploading(file=file.name, done=done, total=total))

        if file.name not in self._file_ids:
            self._file_ids[file.name] = put_file(self.remote, file, report).file_id or ""
        return self._file_ids[file.name]

    def _model_of(self, row: JobRow) -> str:
        """
        Return the model that the job of *row* makes, once it is made.

        Raises:
            JobFailedError: It ended without one.
        """
        [row] = self._follow([row])
        if row.fine_tuned_model is None:
            problem = f"{row.job_id} {row.status} ({row.error_message or 'no reason given'})"
            raise JobFailedError(row.title, problem, "the jobs after it were not created; mend it and submit again")
        return row.fine_tuned_model

    def _follow(self, rows: list[JobRow]) -> list[JobRow]:
        """Return *rows* as they are when each of their jobs is at its end."""
        find_flaws = partial(flaws_of, self.out, self.remote.ledger)
        return follow({self.remote.account: self.remote}, rows, find_flaws, self.report)
