"""Consent to what cannot be undone: the terms of the data, the cost, and another job where one may exist already."""

from typing import NamedTuple, Protocol

from saturi.etl.submission.plan import Plan, PlannedJob
from saturi.schemas.ledger import JobRow

TERMS = (
    "The corpus is AI-Hub's (한국지능정보사회진흥원, NIA). It may not leave Korea, nor be given or shown to anybody else,",
    "without the agreement of NIA. Works made from it name it as their source. Whoever finds personal data in it reports",
    "that and deletes what was downloaded.",
)
"""AI-Hub's terms of use, in short."""


class Agreement(NamedTuple):
    """
    A cost that is about to arise.

    Args:
        plan: The whole plan.
        new: The jobs of it that will be created; the others were submitted before.
        usd: What these cost in all, or None where that is not known.
        max_usd: The most that they may cost, or None.
        estimated_usd: What the provider itself says that they cost, once their files are there; None before, or where it
            does not say that.
    """

    plan: Plan
    new: tuple[PlannedJob, ...]
    usd: float | None
    max_usd: float | None
    estimated_usd: float | None = None


class Consent(Protocol):
    """A yes or no to each thing that cannot be undone."""

    def preview(self, plan: Plan, *, terms_due: bool) -> None:
        """
        Take note of *plan*, before the provider is asked anything.

        With *terms_due* `TERMS` are to be agreed to before anything of it is sent.
        """

    def review(self, agreement: Agreement) -> None:
        """Take note of *agreement*: what is left to do of the plan by the provider's answers, before any question."""

    def unencrypted(self, base_url: str) -> bool:
        """Return whether key and examples may be sent to *base_url*, where others on the way can read them."""

    def terms(self) -> bool:
        """Return whether `TERMS` are agreed to; asked once a ledger."""

    def spending(self, agreement: Agreement) -> bool:
        """Return whether *agreement* may be carried out."""

    def another(self, row: JobRow) -> bool:
        """Return whether another job may be created in addition to *row*, which failed or may exist."""

    def cancelling(self, rows: list[JobRow]) -> bool:
        """Return whether the jobs of *rows* are to be cancelled."""

    def deleting(self, names: list[str], size: int) -> bool:
        """Return whether the files *names*, *size* bytes in all, are to be deleted at the provider."""


class PriorConsent:
    """
    Consent given beforehand; anything else is refused.

    Args:
        yes: To the cost, to cancelling and to deleting.
        accept_data_terms: To the terms of the data.
        resubmit: To another job.
        allow_http: To an address without encryption.
    """

    def __init__(
        self,
        *,
        yes: bool = False,
        accept_data_terms: bool = False,
        resubmit: bool = False,
        allow_http: bool = False,
    ) -> None:
        self._yes, self._terms, self._resubmit, self._http = yes, accept_data_terms, resubmit, allow_http

    def preview(self, plan: Plan, *, terms_due: bool) -> None:
        """Do nothing."""

    def review(self, agreement: Agreement) -> None:
        """Do nothing."""

    def unencrypted(self, base_url: str) -> bool:  # noqa: ARG002 - the same for any
        """Return whether an address without encryption was agreed to."""
        return self._http

    def terms(self) -> bool:
        """Return whether the terms were agreed to."""
        return self._terms

    def spending(self, agreement: Agreement) -> bool:
        """Return whether the cost was agreed to, which counts only with a limit."""
        return self._yes and agreement.max_usd is not None

    def another(self, row: JobRow) -> bool:  # noqa: ARG002 - the same for any
        """Return whether another job was agreed to."""
        return self._resubmit

    def cancelling(self, rows: list[JobRow]) -> bool:  # noqa: ARG002 - the same for any
        """Return whether cancelling was agreed to."""
        return self._yes

    def deleting(self, names: list[str], size: int) -> bool:  # noqa: ARG002 - the same for any
        """Return whether deleting was agreed to."""
        return self._yes
