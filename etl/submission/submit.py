"""Submit a build, top to bottom: the plan, what became of it before, what is agreed to, the files, the jobs."""

import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from msgspec import Struct, structs

from etl.errors import JobFailedError, SpendingError, UnknownPriceError
from etl.output.finished import FinishedBuild
from etl.output.folder import locked
from etl.providers.account import open_account
from etl.providers.client import Client
from etl.providers.pace import Pace
from etl.submission.consent import Agreement, Consent, Said
from etl.submission.follow import follow
from etl.submission.jobs import agree_to_another, create_job, known_job
from etl.submission.ledger import LEDGER, Ledger
from etl.submission.news import JobCreated, JobKnown, Reporter, Uploading, silent
from etl.submission.options import SubmitOptions
from etl.submission.plan import Plan, PlannedFile, PlannedJob, make_plan
from etl.submission.preflight import check_account, check_dates, check_lines, read_whole_build
from etl.submission.pricing import price_with
from etl.submission.trace import trace
from etl.submission.upload import put_file
from schemas.ledger import FINAL, SUCCEEDED, JobRow


class Submission(Struct, frozen=True, kw_only=True):
    """What was submitted: the plan, the row of each of its jobs, and how many of them this run created."""

    plan: Plan
    jobs: tuple[JobRow, ...]
    created: int


def plan_submission(out: str | Path, options: SubmitOptions | None = None) -> Plan:
    """
    Return what `submit` would do, without asking or telling the provider anything.

    Raises:
        BuildError: *out* holds no build, or one that is damaged, or no job has enough examples.
        CheckError: A line is not as the provider wants it.
        EligibilityError: The provider or the model has come to its end.
        OptionError: An option cannot be, or a job is over a limit of the provider.
    """
    out, options = Path(out).absolute(), options or SubmitOptions()
    manifest = read_whole_build(out)
    prices = price_with(out, options)
    account = open_account(prices.provider, options.base_url, options.key_file)
    notes = check_dates(prices.provider, prices.model)
    check_lines(out, prices.provider, prices.model)
    return make_plan(out, manifest, account, options, prices.billing, [*notes, *prices.notes])


def submit(
    out: str | Path,
    options: SubmitOptions | None = None,
    *,
    consent: Consent | None = None,
    report: Reporter = silent,
    pace: Pace | None = None,
) -> Submission:
    """
    Create the jobs of the plan for the build in *out*, each once, whatever broke before or breaks now.

    What was submitted before is found again, in the ledger or at the provider, and not repeated. In a chained plan each
    job but the first waits until the one before has a model.

    Args:
        options: What is submitted, where, and up to which cost.
        consent: Asked for what cannot be undone; None agrees to what the options say, and so not to any cost.
        report: Told of bytes and jobs on their way.
        pace: Waits and deadlines.

    Raises:
        EtlError: Everything that `plan_submission` raises.
        SpendingError: Nobody agreed to the cost, the terms of the data, or another job where one may exist.
        EligibilityError: The account cannot create this job.
        NoAnswerError: The provider does not answer; the next run goes on from here.
        ProviderError: It refuses something.
        JobFailedError: A job of a chain ended without a model.
        LockedError: Another build or submission holds the folder.
    """
    out, options, pace = Path(out).absolute(), options or SubmitOptions(), pace or Pace()
    consent = consent or Said(accept_data_terms=options.accept_data_terms, resubmit=options.resubmit)
    FinishedBuild.open(out)  # no lock is left in a folder that holds no build
    with ExitStack() as stack:
        stack.enter_context(locked(out))
        plan = plan_submission(out, options)
        client = stack.enter_context(Client(plan.account, pace))
        ledger = stack.enter_context(Ledger(out / LEDGER))
        ledger.save_account(plan.account.row)
        run = _Run(out, plan, client, ledger, report)
        known = run.find_known(consent)
        new = tuple(job for job in plan.jobs if job.key not in known)
        if new:
            plan = run.plan = run.with_notes(new)
            _agree(plan, new, options, consent, ledger)
        rows: list[JobRow] = []
        for job in plan.jobs:
            rows.append(known[job.key] if job.key in known else run.create(job, rows))
    return Submission(plan=plan, jobs=tuple(rows), created=len(new))


class _Run:
    """One run of a submission: what all its steps need."""

    def __init__(self, out: Path, plan: Plan, client: Client, ledger: Ledger, report: Reporter) -> None:
        self.out, self.plan, self.client, self.ledger, self.report = out, plan, client, ledger, report

    def find_known(self, consent: Consent) -> dict[str, JobRow]:
        """Return the row of every job that was submitted before and is not to be submitted again, by its key."""
        known: dict[str, JobRow] = {}
        for job in self.plan.jobs:
            row = known_job(self.client, self.ledger, job, self.plan)
            if row is None:
                continue
            if row.state == "intended" or (row.status in FINAL - {SUCCEEDED}):
                agree_to_another(row, consent)
                continue
            known[job.key] = row
            self.report(JobKnown(title=row.title, job_id=row.job_id or "", status=row.status))
        return known

    def with_notes(self, new: tuple[PlannedJob, ...]) -> Plan:
        """Return the plan with what the provider and the ledger say of it."""
        notes = list(self.plan.notes)
        models = dict.fromkeys(job.model for job in new if job.model is not None)
        for model in models:
            notes += check_account(self.client, model)
        earlier = [row for row in self.ledger.jobs() if row.manifest != self.plan.manifest and row.state == "created"]
        if earlier:
            notes.append(f"the build was changed since {len(earlier)} jobs were created from it; these are other jobs")
        return structs.replace(self.plan, notes=tuple(notes))

    def create(self, job: PlannedJob, before: list[JobRow]) -> JobRow:
        """Put the files of *job* there, create it, and return its row; in a chain, wait for the job *before* it."""
        model = job.model or self.model_of(before[-1])
        training = self.put(job.training)
        validation = self.put(job.validation) if job.validation else None
        row = create_job(self.client, self.ledger, job, self.plan, model, (training, validation))
        self.report(JobCreated(title=row.title, job_id=row.job_id or ""))
        return row

    def put(self, file: PlannedFile) -> str:
        """Return the id of *file* at the provider."""

        def tell(done: int, total: int) -> None:
            self.report(Uploading(file=file.name, done=done, total=total))

        return put_file(self.client, self.ledger, file, tell).file_id or ""

    def model_of(self, row: JobRow) -> str:
        """
        Return the model that the job of *row* makes, once it is made.

        Raises:
            JobFailedError: It ended without one.
        """
        tracer = partial(trace, self.out, self.ledger)
        [row] = follow({row.account: self.client}, self.ledger, [row], tracer, self.report)
        if row.fine_tuned_model is None:
            problem = f"{row.job_id} {row.status} ({row.error_message or 'no reason given'})"
            raise JobFailedError(row.title, problem, "the jobs after it were not created; mend it and submit again")
        return row.fine_tuned_model


def _agree(plan: Plan, new: tuple[PlannedJob, ...], options: SubmitOptions, consent: Consent, ledger: Ledger) -> None:
    """Refuse to go on unless the cost of the *new* jobs is known and allowed, and the terms of the data are agreed to."""
    costs = [job.billing.usd for job in new]
    usd = None if None in costs else sum(cost for cost in costs if cost is not None)
    agreement = Agreement(plan, new, usd, options.max_cost)
    consent.review(agreement)
    if usd is None and not options.allow_unknown_price:
        problem = "nobody can say what this costs: the price or the number of tokens is not known"
        raise UnknownPriceError(plan.model, problem, "give a price by --models FILE, or add --allow-unknown-price")
    if usd is not None and options.max_cost is not None and usd > options.max_cost:
        problem = f"{len(new)} jobs cost ${usd:,.2f}, and --max-cost allows ${options.max_cost:,.2f}"
        raise SpendingError(plan.model, problem, "allow more, or ask for fewer epochs or examples")
    if not ledger.terms_accepted():
        if not (consent.terms() or options.accept_data_terms):
            problem = "nobody agreed to the terms of AI-Hub's data"
            raise SpendingError("submit", problem, "read them above, and add --accept-data-terms")
        ledger.accept_terms(time.time())
    if not consent.spending(agreement):
        price = "an unknown price" if usd is None else f"${usd:,.2f}"
        raise SpendingError("submit", f"nobody agreed to {len(new)} jobs for {price}", "add --yes and --max-cost USD")
