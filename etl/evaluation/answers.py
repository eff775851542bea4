"""The answers of models: what is still to be asked and what that costs, asking it, and what all of it came to."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from msgspec import structs

from saturi.etl.errors import NoAnswerError
from saturi.etl.evaluation.asking import MOST_FAILURES, AskPace, Outcome, Question, ask
from saturi.etl.evaluation.bill import Bill, Spent, SystemBill, Tally, usd_of
from saturi.etl.evaluation.journal import Journal, key_of
from saturi.etl.evaluation.options import EvaluateOptions
from saturi.etl.evaluation.progress import Progress, Reporter
from saturi.etl.evaluation.systems import System, is_local, request_of
from saturi.etl.evaluation.texts import whole
from saturi.etl.output.printable import counted
from saturi.etl.providers.models import answer_price, read_models
from saturi.etl.providers.pace import Pace
from saturi.etl.providers.waiting import Wait
from saturi.etl.providers.wires import open_chat
from saturi.schemas.evaluation import ChatRequest, TestRow
from saturi.schemas.model import AnswerPrice

Rows = Callable[[], Iterator[TestRow]]
"""Returns the rows of the test set, from the first."""


class Usage(NamedTuple):
    """What the answers of one model took in all; None where that is not known."""

    input_tokens: int | None
    output_tokens: int | None
    usd: float | None


class Answers:
    """
    What models are asked; `notes` is what to know of how.

    Args:
        rows: The test set.
        journal: Of what was answered.
        options: Of the evaluation.
        report: Called as answers come.

    Raises:
        OptionError: The user's own file of models cannot be read.
    """

    def __init__(self, rows: Rows, journal: Journal, options: EvaluateOptions, report: Reporter) -> None:
        self._rows, self._journal, self._options, self._report = rows, journal, options, report
        self._models = read_models(options.models)
        self._unanswered: list[str] = []
        self.notes: list[str] = []
        self._spent: dict[str, float] = {}  # by system, the answers of earlier runs included

    def bill(self, systems: Sequence[System]) -> Bill:
        """Return what the models among *systems* are still to be asked, and what that costs."""
        bill = Bill(systems=tuple(map(self._bill, systems)), max_usd=self._options.max_cost)
        self._spent = {system.system: system.usd_before for system in bill.systems}
        return bill

    def ask(self, system: System, bill: SystemBill, pace: Pace) -> None:
        """
        Ask *system* what it was not asked before, as *bill* counts it.

        Raises:
            SpendingError: All answers together, of earlier runs too, may come to more than allowed.
            NoAnswerError: Too many failures in a row, or no answer to any question, ever.
            EtlError: The provider refuses.
        """
        if system.account is None or not bill.questions:
            return
        spent = Spent(self._price(system), sum(self._spent.values()), self._options.max_cost)
        done = 0

        def tell(waiting: Wait | None) -> None:
            unanswered = len(self._unanswered)
            self._report(Progress("asking", done, bill.questions, system.name, spent.usd, unanswered, waiting))

        def take(outcome: Outcome) -> None:
            nonlocal done
            spent.settle(outcome.question, outcome.answer)
            if outcome.answer is None:
                self._unanswered.append(outcome.unanswered or "")
            else:
                answer = structs.replace(outcome.answer, text=whole(outcome.answer.text))
                self._journal.record(outcome.question.key, system.name, answer)
                done += 1
            tell(None)

        bounds = AskPace(self._options.concurrency, pace, MOST_FAILURES, tell)
        chat, where = open_chat(system.account, pace), system.account.base_url
        ask(chat, where, self._questions(system), bounds, take, spent.admit)
        self.notes += [f"{system.name} does not take what it is asked with: it was sent {one}" for one in chat.changes]
        self._spent[system.name] += spent.usd
        if not (done or bill.known):
            problem = f"{system.name} answered none of {counted(bill.questions, 'question')} (the last: {self._unanswered[-1]})"
            raise NoAnswerError(where, problem, "see to the server, and run the same command again")

    def refuse_unanswered(self) -> None:
        """
        Return if every question has an answer, or rows without one are to be left out.

        Raises:
            NoAnswerError: Some have none.
        """
        if self._unanswered and not self._options.leave_out_unanswered:
            problem = (
                f"{counted(len(self._unanswered), 'question')} without an answer (the first: {self._unanswered[0]})"
            )
            advice = "run the same command again, which asks only these; or add --leave-out-unanswered"
            raise NoAnswerError("evaluate", problem, advice)

    def usage(self, system: System) -> Usage:
        """Return what the answers of *system* took, those of earlier runs included."""
        input_tokens: int | None = 0
        output_tokens: int | None = 0
        for _, question in self._all(system):
            answer = self._journal.find(question.key)
            if answer is not None:
                input_tokens = _add(input_tokens, answer.input_tokens)
                output_tokens = _add(output_tokens, answer.output_tokens)
        if is_local(system):
            return Usage(input_tokens, output_tokens, 0.0)
        if input_tokens is None or output_tokens is None:
            return Usage(input_tokens, output_tokens, None)
        return Usage(input_tokens, output_tokens, usd_of(input_tokens, output_tokens, self._price(system)))

    def _bill(self, system: System) -> SystemBill:
        tally = Tally(system, self._price(system))
        for row, question in self._all(system):
            tally.add(row, question.request, self._journal.find(question.key))
        return tally.bill()

    def _price(self, system: System) -> AnswerPrice | None:
        return None if is_local(system) else answer_price(system.name, self._models)

    def _questions(self, system: System) -> Iterator[Question]:
        """Yield what *system* was not asked before."""
        for _, question in self._all(system):
            if self._journal.find(question.key) is None:
                yield question

    def _all(self, system: System) -> Iterator[tuple[TestRow, Question]]:
        """Yield every question of *system*, if it is a model, with the first row that asks it."""
        if system.account is None:
            return
        for row in self._rows():
            if not row.repeats:
                request: ChatRequest = request_of(row, system.name, self._options.seed)
                yield row, Question(key_of(system.account.id, request), request)


def _add(total: int | None, tokens: int | None) -> int | None:
    return None if total is None or tokens is None else total + tokens
