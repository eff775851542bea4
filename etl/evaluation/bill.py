"""The bill: what asking costs, before it is done; and who agrees to that, and to sending the data anywhere."""

from typing import NamedTuple, Protocol

from msgspec import Struct

from saturi.etl.errors import SpendingError, UnknownPriceError
from saturi.etl.evaluation.asking import Question
from saturi.etl.evaluation.journal import Journal
from saturi.etl.evaluation.systems import System, is_local
from saturi.etl.example.tokens import count_example, load_o200k
from saturi.etl.pricing.money import cost_usd
from saturi.schemas.evaluation import Answer, ChatRequest, TestRow
from saturi.schemas.model import AnswerPrice

_FRAME_TOKENS = 16
"""Around a message, and after the last: the chat templates of open models have fewer than ten."""


class SystemBill(Struct, frozen=True, kw_only=True):
    """
    What one model is asked, and what that costs.

    `questions` are those without an answer yet; input tokens are exact for models of o200k_base, output tokens those of the
    references; `usd` is null where no price is known, and 0 on this machine. `usd_before` is what those cost that have an
    answer, as far as that is known.
    """

    system: str
    base_url: str
    questions: int
    known: int
    input_tokens: int
    output_tokens: int
    usd: float | None
    usd_before: float
    local: bool


class Bill(Struct, frozen=True, kw_only=True):
    """What all models are asked; *max_usd* is the most that may be spent, or None."""

    systems: tuple[SystemBill, ...]
    max_usd: float | None

    @property
    def usd(self) -> float | None:
        """What all of it costs; None where that of one is not known."""
        costs = [system.usd for system in self.systems]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    @property
    def usd_before(self) -> float:
        """What the answers that are there cost."""
        return sum(system.usd_before for system in self.systems)

    @property
    def abroad(self) -> tuple[SystemBill, ...]:
        """What leaves this machine."""
        return tuple(system for system in self.systems if system.questions and not system.local)


class Consent(Protocol):
    """Says yes or no before anything is sent."""

    def review(self, bill: Bill) -> None:
        """Take note of *bill*, before anything is asked."""

    def terms(self) -> bool:
        """Return whether the terms of the data are agreed to."""

    def spending(self, bill: Bill) -> bool:
        """Return whether what *bill* says may be spent."""


class PriorConsent:
    """
    Consent given beforehand; what was not given is a no.

    Args:
        yes: To the cost, up to a limit.
        accept_data_terms: To the terms of the data.
    """

    def __init__(self, *, yes: bool = False, accept_data_terms: bool = False) -> None:
        self._yes, self._terms = yes, accept_data_terms

    def review(self, bill: Bill) -> None:
        """Do nothing."""

    def terms(self) -> bool:
        """Return what was given."""
        return self._terms

    def spending(self, bill: Bill) -> bool:
        """Return what was given; a yes counts only with a limit."""
        return self._yes and bill.max_usd is not None


class Tally:
    """Counts the tokens of what one model is asked."""

    def __init__(self, system: System, price: AnswerPrice | None) -> None:
        self._system, self._price = system, price
        self._count = load_o200k()
        self._questions = self._known = self._input = self._output = 0
        self._before = 0.0

    def add(self, row: TestRow, request: ChatRequest, answer: Answer | None) -> None:
        """Count the question of *row*, and its *answer* if it has one."""
        if answer is not None:
            self._known += 1
            self._before += usd_of_answer(request, answer, self._price)
            return
        self._questions += 1
        self._input += count_example(((message.role, message.content) for message in row.messages), self._count)
        self._output += self._count(row.reference)

    def bill(self) -> SystemBill:
        """Return the bill of what was counted."""
        account = self._system.account
        local = is_local(self._system)
        return SystemBill(
            system=self._system.name,
            base_url="" if account is None else account.base_url,
            questions=self._questions,
            known=self._known,
            input_tokens=self._input,
            output_tokens=self._output,
            usd=0.0 if local or not self._questions else usd_of(self._input, self._output, self._price),
            usd_before=self._before,
            local=local,
        )


def usd_of(input_tokens: int, output_tokens: int, price: AnswerPrice | None) -> float | None:
    """Return what so many tokens cost at *price*, in US dollars; None where there is none."""
    if price is None:
        return None
    return (cost_usd(input_tokens, price.input) or 0.0) + (cost_usd(output_tokens, price.output) or 0.0)


def usd_of_answer(request: ChatRequest, answer: Answer, price: AnswerPrice | None) -> float:
    """Return what *answer* cost; where the provider did not count its tokens, the most that it can have cost."""
    most = most_tokens(request)
    given = most.input if answer.input_tokens is None else answer.input_tokens
    made = most.output if answer.output_tokens is None else answer.output_tokens
    return usd_of(given, made, price) or 0.0


class Tokens(NamedTuple):
    """Tokens of a question and of its answer."""

    input: int
    output: int


def most_tokens(request: ChatRequest) -> Tokens:
    """Return the most tokens of *request* and its answer: no tokenizer makes more of a text than it has bytes."""
    texts = sum(len(message.content.encode()) + _FRAME_TOKENS for message in request.messages)
    return Tokens(texts + _FRAME_TOKENS, request.max_tokens)


def agree(bill: Bill, consent: Consent, journal: Journal, *, unknown_price: bool, terms_accepted: bool) -> None:
    """
    Refuse to go on unless what leaves this machine may leave it, and what it costs is known and agreed to.

    Args:
        bill: What is about to be asked.
        consent: Says yes or no.
        journal: Remembers that the terms were agreed to.
        unknown_price: An unknown price is no reason to refuse.
        terms_accepted: The terms were agreed to elsewhere.

    Raises:
        SpendingError: Nobody agreed to the cost or the terms, or it is over the limit.
        UnknownPriceError: Nobody can say what it costs.
    """
    if not bill.abroad:
        return
    consent.review(bill)
    names = ", ".join(system.system for system in bill.abroad)
    if bill.usd is None and not unknown_price:
        problem = "the price of asking is not known"
        advice = "give `answers` and `tuned_answers` by --models FILE, or add --allow-unknown-price"
        raise UnknownPriceError(names, problem, advice)
    if bill.usd is not None and bill.max_usd is not None and bill.usd_before + bill.usd > bill.max_usd:
        before = f", beside ${bill.usd_before:,.2f} of those before" if bill.usd_before else ""
        problem = f"the answers cost ${bill.usd:,.2f}{before}, and --max-cost allows ${bill.max_usd:,.2f}"
        raise SpendingError(names, problem, "allow more, or ask for a --sample")
    if not (terms_accepted or journal.terms_accepted()):
        if not consent.terms():
            problem = "nobody agreed to the terms of AI-Hub's data"
            raise SpendingError("evaluate", problem, "read them above, and add --accept-data-terms")
        journal.accept_terms()
    if not consent.spending(bill):
        price = "an unknown price" if bill.usd is None else f"${bill.usd:,.2f}"
        raise SpendingError("evaluate", f"nobody agreed to ask {names} for {price}", "add --yes and --max-cost USD")


class Spent:
    """
    What answers cost as they come, and may cost at most while they are on their way: together never more than *max_usd*.

    Args:
        price: Of the model that is asked, or None where it costs nothing or nobody knows what.
        before: What all other answers of the evaluation cost.
        max_usd: The most of all.
    """

    def __init__(self, price: AnswerPrice | None, before: float, max_usd: float | None) -> None:
        self._price, self._before, self._max_usd = price, before, max_usd
        self._reserved: dict[bytes, float] = {}
        self._dearest = 0.0
        self.usd = 0.0

    def admit(self, question: Question, in_flight: int) -> bool:
        """
        Reserve what the answer to *question* may cost, and return True; return False if that has to wait for others.

        Raises:
            SpendingError: It may cost more than is left, and none is on its way.
        """
        tokens = most_tokens(question.request)
        # A provider may count what it adds to a prompt by itself; what it counted once it may count again.
        most = max(usd_of(*tokens, self._price) or 0.0, self._dearest)
        spent = self._before + self.usd + sum(self._reserved.values())
        if self._max_usd is not None and spent + most > self._max_usd:
            if in_flight:
                return False
            problem = f"the answers so far cost ${spent:,.2f}, the next may cost ${most:,.4f}, and --max-cost allows"
            advice = "allow more and run the same command again: it goes on from here"
            raise SpendingError("evaluate", f"{problem} ${self._max_usd:,.2f}", advice)
        self._reserved[question.key] = most
        return True

    def settle(self, question: Question, answer: Answer | None) -> None:
        """Count *answer*, or that there is none, in the place of what was reserved for it."""
        self._reserved.pop(question.key, None)
        if answer is not None:
            usd = usd_of_answer(question.request, answer, self._price)
            self._dearest = max(self._dearest, usd)
            self.usd += usd
