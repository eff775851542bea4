"""Submit a build, top to bottom: the plan, which is shown, what became of it before, what is agreed to, the files, the jobs."""

from contextlib import ExitStack

from saturi.etl.errors import OptionError
from saturi.etl.output.copies import copy_manifest
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.providers.account import open_account
from saturi.etl.providers.client import Client
from saturi.etl.providers.pace import Pace
from saturi.etl.settings.paths import output_of
from saturi.etl.storage.location import Location, ObjectPath
from saturi.etl.submission.billing import Quote, terms_of
from saturi.etl.submission.consent import Consent, PriorConsent
from saturi.etl.submission.content import Digester
from saturi.etl.submission.execution import Execution, Submission
from saturi.etl.submission.keeping import holding
from saturi.etl.submission.ledger import Ledger
from saturi.etl.submission.news import Reporter, report_waits, silent
from saturi.etl.submission.options import SubmitOptions
from saturi.etl.submission.plan import Plan, PlannedJob, make_plan, materials_of
from saturi.etl.submission.preflight import check_dates, check_lines
from saturi.etl.submission.remote import Remote
from saturi.etl.submission.spending import (
    agree_to_estimates,
    agree_to_plan,
    agreement_on,
    refuse_unencrypted,
    terms_due,
)
from saturi.schemas.provider import Provider
from saturi.schemas.remote import JobEstimate
from saturi.schemas.terms import Split


def plan_submission(out: str | Location, options: SubmitOptions | None = None) -> Plan:
    """
    Return the plan that `submit` would carry out, without a request to the provider.

    Raises:
        BuildError: *out* holds no build, or a damaged one, or one that the provider would refuse; or no job has
            enough examples.
        EligibilityError: The provider or the model has come to its end.
        OptionError: An option cannot be, or a job is over a limit of the provider.
    """
    return _plan(FinishedBuild.open(output_of(out, "OUT").absolute()), options or SubmitOptions())


def _plan(build: FinishedBuild, options: SubmitOptions) -> Plan:
    """Return the plan for *build*, after one pass over its chunks: verified, checked, hashed, and counted where need be."""
    terms = terms_of(options)
    account = open_account(terms.provider, options.base_url, options.key_file)
    _check_settings(terms.provider, options)
    notes = check_dates(terms.provider, terms.model)
    materials = materials_of(build, options.plan, account.provider)
    digester = Digester(content for material in materials for content in (material.train, material.validation))
    notes += _notes_on_turns(terms.provider, len(materials))
    notes += _notes_on_validation(terms.provider, build)
    notes += _notes_on_serving(terms.provider)
    quote = Quote(build, options, terms)
    check_lines(build, terms.provider, terms.model, [digester, *quote.observers])
    prices = quote.prices()
    return make_plan(build, account, options, materials, digester, prices.billing, [*notes, *prices.notes])


def _check_settings(provider: Provider, options: SubmitOptions) -> None:
    """Refuse what the jobs of *provider* cannot have."""
    if options.suffix is not None and len(options.suffix) > provider.most_suffix:
        problem = f"{len(options.suffix)} characters, and a job of {provider.name} takes {provider.most_suffix}"
        raise OptionError("--suffix", problem, "give a shorter one" if provider.most_suffix else "leave it out")
    if options.seed is not None and not provider.seeds:
        raise OptionError("--seed", f"a job of {provider.name} has none", "leave it out")
    if options.plan == "chained" and not provider.chains:
        problem = f"{provider.name} trains no tune further by the name it gives it, so that no job can follow another"
        raise OptionError("--plan", problem, "take merged or per-shard")


def _notes_on_turns(provider: Provider, jobs: int) -> list[str]:
    """Return what to know of *jobs* at a provider that has one at a time."""
    if jobs < 2 or not provider.one_job:  # noqa: PLR2004 - one after another
        return []
    waits = "this waits for the end of each before the next is created, and goes on from there if run again"
    return [f"{provider.name} trains one job at a time: {waits}"]


def _notes_on_validation(provider: Provider, build: FinishedBuild) -> list[str]:
    """Return what to know of the examples held out, where no job takes them."""
    held_out = sum(chunk.examples for chunk in build.manifest.chunks if chunk.split == Split.VALIDATION)
    if provider.validation_files or not held_out:
        return []
    return [f"no validation file goes to {provider.name}: the {held_out:,} examples held out stay here, for evaluate"]


def _notes_on_serving(provider: Provider) -> list[str]:
    """Return what to know of the price of asking a tune, before one is paid for."""
    if not provider.bills_minutes:
        return []
    minutes = "billed by the minute until you stop it, asked or not"
    return [f"a tune at {provider.name} answers only from an endpoint of your own, {minutes}; nothing here starts one"]


def submit(
    out: str | Location,
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
        out: Folder of a build, or its URL.
        options: Provider, model and plan, and up to which cost.
        consent: Asked for what cannot be undone; None agrees to what the options say, and so not to any cost.
        report: Takes news of bytes and jobs on their way.
        pace: Waits and deadlines.

    Raises:
        EtlError: Everything that `plan_submission` raises.
        SpendingError: The cost, the terms of the data, or another job where one may exist were not agreed to.
        EligibilityError: The account cannot create this job.
        NoAnswerError: The provider does not answer; the next run goes on from here.
        ProviderError: It refuses something.
        JobFailedError: A job of a chain ended without a model.
        LockedError: Another build or submission holds the folder, or another submission the ledger.
    """
    out, options, pace = output_of(out, "OUT").absolute(), options or SubmitOptions(), pace or Pace()
    consent = consent or PriorConsent(
        accept_data_terms=options.accept_data_terms, resubmit=options.resubmit, allow_http=options.allow_http
    )
    build = FinishedBuild.open(out)  # before the lock, which is not left in a folder that holds no build
    with ExitStack() as stack:
        file = stack.enter_context(holding(out, options.ledger))
        plan = _plan(build, options)
        refuse_unencrypted(plan.account, options, consent)  # before the key goes there
        client = stack.enter_context(Client(plan.account, pace, report_waits(report)))
        ledger = stack.enter_context(Ledger(file))
        if isinstance(out, ObjectPath) and options.ledger is None:
            copy_manifest(build, file.parent)
        ledger.save_account(plan.account.row)
        consent.preview(plan, terms_due=terms_due(plan.account, ledger))

        def agree(plan: Plan, new: tuple[PlannedJob, ...], estimates: tuple[JobEstimate, ...]) -> None:
            if estimates:
                agree_to_estimates(agreement_on(plan, new, options), estimates, consent)
            else:
                agree_to_plan(agreement_on(plan, new, options), options, consent, ledger)

        return Execution(out, plan, Remote(client, ledger), report).carry_out(consent, agree)
