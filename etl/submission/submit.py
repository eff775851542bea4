"""Submit a build, top to bottom: the plan, what became of it before, what is agreed to, the files, the jobs."""

import time
from contextlib import ExitStack
from pathlib import Path

from saturi.etl.errors import OptionError, SpendingError, UnknownPriceError
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.folder import locked
from saturi.etl.output.printable import counted
from saturi.etl.providers.account import Account, open_account
from saturi.etl.providers.client import Client
from saturi.etl.providers.pace import Pace
from saturi.etl.settings.paths import folder_of
from saturi.etl.submission.billing import Quote, terms_of
from saturi.etl.submission.consent import Agreement, Consent, PriorConsent
from saturi.etl.submission.content import Digester
from saturi.etl.submission.execution import Execution, Submission
from saturi.etl.submission.ledger import LEDGER, Ledger
from saturi.etl.submission.news import Reporter, report_waits, silent
from saturi.etl.submission.options import SubmitOptions
from saturi.etl.submission.plan import Plan, PlannedJob, make_plan, materials_of
from saturi.etl.submission.preflight import check_dates, check_lines
from saturi.etl.submission.remote import Remote
from saturi.schemas.provider import Provider
from saturi.schemas.terms import Split


def plan_submission(out: str | Path, options: SubmitOptions | None = None) -> Plan:
    """
    Return the plan that `submit` would carry out, without a request to the provider.

    Raises:
        BuildError: *out* holds no build, or a damaged one, or one that the provider would refuse; or no job has
            enough examples.
        EligibilityError: The provider or the model has come to its end.
        OptionError: An option cannot be, or a job is over a limit of the provider.
    """
    return _plan(FinishedBuild.open(folder_of(out, "OUT").absolute()), options or SubmitOptions())


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
    quote = Quote(build, options, terms)
    check_lines(build, terms.provider, terms.model, [digester, *quote.observers])
    prices = quote.prices()
    return make_plan(build, account, options, materials, digester, prices.billing, [*notes, *prices.notes])


def _check_settings(provider: Provider, options: SubmitOptions) -> None:
    """Refuse what the jobs of *provider* cannot have."""
    for name, given, taken in (
        ("--suffix", options.suffix, provider.suffixes),
        ("--seed", options.seed, provider.seeds),
    ):
        if given is not None and not taken:
            raise OptionError(name, f"a job of {provider.name} has none", "leave it out")
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
    return [
        f"{provider.name} takes no validation file: the {counted(held_out, 'example')} held out stay here, for evaluate"
    ]


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
        out: Folder of a build.
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
        LockedError: Another build or submission holds the folder.
    """
    out, options, pace = folder_of(out, "OUT").absolute(), options or SubmitOptions(), pace or Pace()
    consent = consent or PriorConsent(
        accept_data_terms=options.accept_data_terms, resubmit=options.resubmit, allow_http=options.allow_http
    )
    build = FinishedBuild.open(out)  # before the lock, which is not left in a folder that holds no build
    with ExitStack() as stack:
        stack.enter_context(locked(out))
        plan = _plan(build, options)
        _refuse_unencrypted(plan.account, options, consent)  # before the key goes there
        client = stack.enter_context(Client(plan.account, pace, report_waits(report)))
        ledger = stack.enter_context(Ledger(out / LEDGER))
        ledger.save_account(plan.account.row)

        def agree(plan: Plan, new: tuple[PlannedJob, ...]) -> None:
            _agree(plan, new, options, consent, ledger)

        return Execution(out, plan, Remote(client, ledger), report).carry_out(consent, agree)


def _refuse_unencrypted(account: Account, options: SubmitOptions, consent: Consent) -> None:
    if account.is_readable_by_others and not (options.allow_http or consent.unencrypted(account.base_url)):
        problem = "it is http, so that others on the way can read the key and the examples"
        raise SpendingError(account.base_url, problem, "give its https address, or add --allow-http")


def _agree(plan: Plan, new: tuple[PlannedJob, ...], options: SubmitOptions, consent: Consent, ledger: Ledger) -> None:
    """
    Refuse to go on unless the cost of the *new* jobs is known and allowed, and the terms of the data are agreed to.

    On this machine neither a cost of 0 needs consent, nor the terms of data that does not leave it.
    """
    costs = [job.billing.usd for job in new]
    usd = None if None in costs else sum(cost for cost in costs if cost is not None)
    is_free_here = usd == 0 and plan.account.is_local
    agreement = Agreement(plan, new, usd, options.max_cost)
    consent.review(agreement)
    if usd is None and not options.allow_unknown_price:
        problem = "nobody can say what this costs: the price or the number of tokens is not known"
        raise UnknownPriceError(plan.model, problem, "give a price by --models FILE, or add --allow-unknown-price")
    if usd is not None and options.max_cost is not None and usd > options.max_cost:
        problem = f"{counted(len(new), 'job')} at {_precise(usd)}, and --max-cost allows {_precise(options.max_cost)}"
        raise SpendingError(plan.model, problem, "allow more, or ask for fewer epochs or examples")
    if not (plan.account.keeps_data_here or ledger.terms_accepted()):
        if not (consent.terms() or options.accept_data_terms):
            problem = "nobody agreed to the terms of AI-Hub's data"
            raise SpendingError("submit", problem, "read them above, and add --accept-data-terms")
        ledger.accept_terms(time.time())
    if not (is_free_here or consent.spending(agreement)):
        price = "an unknown price" if usd is None else f"${usd:,.2f}"
        raise SpendingError(
            "submit", f"nobody agreed to {counted(len(new), 'job')} for {price}", "add --yes and --max-cost USD"
        )


def _precise(usd: float) -> str:
    """Return a sum to the cent, or to a millionth of a dollar where that is more."""
    return f"${usd:,.2f}" if round(usd, 2) == usd else f"${usd:,.6f}"
