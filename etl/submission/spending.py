"""What may be spent: the cost of jobs, by our estimate and by that of the provider, against what is agreed to."""

import time
from collections.abc import Sequence

from saturi.etl.errors import SpendingError, UnknownPriceError
from saturi.etl.output.printable import counted
from saturi.etl.providers.account import Account
from saturi.etl.submission.consent import Agreement, Consent
from saturi.etl.submission.ledger import Ledger
from saturi.etl.submission.options import SubmitOptions
from saturi.etl.submission.plan import Plan, PlannedJob
from saturi.schemas.remote import JobEstimate

_NO_SUM = 1e-9  # dollars; what is left of sums of floats


def refuse_unencrypted(account: Account, options: SubmitOptions, consent: Consent) -> None:
    """
    Return if key and examples may be sent to the address of *account*.

    Raises:
        SpendingError: Others on the way can read them, and nobody agreed to that.
    """
    if account.is_readable_by_others and not (options.allow_http or consent.unencrypted(account.base_url)):
        problem = "it is http, so that others on the way can read the key and the examples"
        raise SpendingError(account.base_url, problem, "give its https address, or add --allow-http")


def terms_due(account: Account, ledger: Ledger) -> bool:
    """Return whether the terms of the data are to be agreed to before examples go to *account*."""
    return not (account.keeps_data_here or ledger.terms_accepted())


def agreement_on(plan: Plan, new: tuple[PlannedJob, ...], options: SubmitOptions) -> Agreement:
    """Return what is to be agreed to for the *new* jobs of *plan*, at their price by our estimate."""
    costs = [job.billing.usd for job in new]
    usd = None if None in costs else sum(cost for cost in costs if cost is not None)
    return Agreement(plan, new, usd, options.max_cost)


def agree_to_plan(agreement: Agreement, options: SubmitOptions, consent: Consent, ledger: Ledger) -> None:
    """
    Return if the cost of the new jobs is known and allowed, and the terms of the data are agreed to.

    On this machine neither a cost of 0 needs consent, nor the terms of data that does not leave it.

    Raises:
        UnknownPriceError, SpendingError: Something of it is not.
    """
    plan, usd = agreement.plan, agreement.usd
    is_free_here = usd == 0 and plan.account.is_local
    consent.review(agreement)
    if usd is None and not options.allow_unknown_price:
        problem = "nobody can say what this costs: the price or the number of tokens is not known"
        raise UnknownPriceError(plan.model, problem, "give a price by --models FILE, or add --allow-unknown-price")
    _check_limit(agreement, usd)
    if terms_due(plan.account, ledger):
        if not (consent.terms() or options.accept_data_terms):
            problem = "nobody agreed to the terms of AI-Hub's data"
            raise SpendingError("submit", problem, "read them above, and add --accept-data-terms")
        ledger.accept_terms(time.time())
    if not (is_free_here or consent.spending(agreement)):
        raise _not_agreed(agreement, usd)


def agree_to_estimates(agreement: Agreement, estimates: Sequence[JobEstimate], consent: Consent) -> None:
    """
    Return if what the provider itself says that the new jobs cost is allowed, by it and by what was agreed to.

    What is more than was agreed to, or was not known then, has to be agreed to once more, before any job is created.

    Raises:
        SpendingError: It is not.
    """
    costs = [estimate.usd for estimate in estimates]
    usd = None if None in costs else sum(cost for cost in costs if cost is not None)
    agreement = agreement._replace(estimated_usd=usd)
    provider = agreement.plan.account.provider.name
    if not all(estimate.allowed for estimate in estimates):
        limits = [estimate.limit_usd for estimate in estimates if estimate.limit_usd is not None]
        limit = f", with a limit of {precise(min(limits))}" if limits else ""
        price = "" if usd is None else f" for {precise(usd)}"
        problem = f"it says that this account may not have {counted(len(estimates), 'job')} created{price}{limit}"
        raise SpendingError(
            provider, problem, "add money to the account or raise its limit; saturi clean deletes the files"
        )
    _check_limit(agreement, usd)
    is_more = usd is not None and (agreement.usd is None or usd > agreement.usd)
    if is_more and not consent.spending(agreement):
        raise _not_agreed(agreement, usd)


def _check_limit(agreement: Agreement, usd: float | None) -> None:
    """Raise if *usd* is more than the jobs may cost."""
    if usd is not None and agreement.max_usd is not None and usd > agreement.max_usd:
        problem = f"{counted(len(agreement.new), 'job')} at {precise(usd)}, and --max-cost allows {precise(agreement.max_usd)}"
        raise SpendingError(agreement.plan.model, problem, "allow more, or ask for fewer epochs or examples")


def _not_agreed(agreement: Agreement, usd: float | None) -> SpendingError:
    price = "an unknown price" if usd is None else f"${usd:,.2f}"
    problem = f"nobody agreed to {counted(len(agreement.new), 'job')} for {price}"
    return SpendingError("submit", problem, "add --yes and --max-cost USD")


def precise(usd: float) -> str:
    """Return a sum to the cent, or to a millionth of a dollar where that is more."""
    return f"${usd:,.2f}" if abs(usd - round(usd, 2)) < _NO_SUM else f"${usd:,.6f}"
