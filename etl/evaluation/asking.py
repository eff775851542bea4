"""
Asking: a bounded number of requests in flight, each repeated while that may help, until its deadline.

Workers are threads, which are as fast as tasks of an event loop here, and need no second client. Answers come back to the
thread that asks; nothing else writes them down.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, Queue, SimpleQueue
from typing import NamedTuple

from saturi.etl.errors import EtlError, NoAnswerError, UnreachableError
from saturi.etl.providers.pace import Pace
from saturi.etl.providers.port import RequestError
from saturi.etl.providers.waiting import NO_ANSWER, Wait, WaitReporter, no_report
from saturi.etl.providers.wires import Chat
from saturi.schemas.evaluation import Answer, ChatRequest

MOST_FAILURES = 100
"""Failures in a row, of all workers, after which nobody is there: half a minute of a server that refuses connections."""


_SILENT = 2
_SEE_TO_IT = "see to the server, and run the same command again: it goes on from here"

_REPORT_SECONDS = 60.0
"""Between reports that nothing has come back."""

_GRACE_SECONDS = 5.0
"""How long answers on their way are waited for when all ends: they are paid for."""


class Question(NamedTuple):
    """A request, and the key under which its answer is kept."""

    key: bytes
    request: ChatRequest


class Outcome(NamedTuple):
    """What came of a question: an answer, or the problem at its deadline, or the error that ends everything."""

    question: Question
    answer: Answer | None = None
    unanswered: str | None = None
    error: EtlError | None = None


Admit = Callable[[Question, int], bool]
"""Returns whether a question may be asked beside so many that are on their way; raises where it may not be asked at all."""


def admit_all(question: Question, in_flight: int) -> bool:  # noqa: ARG001 - whichever they are
    """Return that *question* may be asked."""
    return True


class AskPace(NamedTuple):
    """
    How many requests are in flight at most, how patient each is, and after how many failures in a row all end.

    `report_wait` is called in the thread that asks where nothing comes back for some seconds, and each minute after that.
    """

    concurrency: int
    pace: Pace
    most_failures: int = MOST_FAILURES
    report_wait: WaitReporter = no_report


def ask(
    chat: Chat,
    where: str,
    questions: Iterable[Question],
    pace: AskPace,
    take: Callable[[Outcome], None],
    admit: Admit = admit_all,
) -> None:
    """
    Ask all *questions*, and hand what came of each to *take*, in the order in which it comes.

    Args:
        chat: What they are asked of; closed when the last request has ended.
        where: Its address, for errors.
        questions: Read as they are needed, and no further.
        pace: Bounds.
        take: Called in this thread, with an answer or with a question that got none until its deadline.
        admit: Called in this thread before a question is asked; one that has to wait is asked about again.

    Raises:
        NoAnswerError: Too many failures in a row, or no answer at all until a deadline.
        BusyError: The provider asks to wait longer than a question is asked.
        EtlError: The provider refuses what would be asked of it again and again.
    """
    crew = _Crew(chat, where, pace)
    try:
        for question in questions:
            while crew.is_full() or not admit(question, crew.in_flight):
                take(crew.next_outcome())
            crew.hand_out(question)
        while crew.in_flight:
            take(crew.next_outcome())
    finally:
        for outcome in crew.stop():
            take(outcome)


class _Crew:
    """Workers, and what they share."""

    def __init__(self, chat: Chat, where: str, pace: AskPace) -> None:
        self._chat, self._where, self._pace = chat, where, pace
        self._problem = NO_ANSWER
        self._questions: Queue[Question | None] = Queue()
        self._outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self._stopped = threading.Event()
        self._failures = _Failures(pace.most_failures)
        self._hold = _Hold()
        self.in_flight = 0
        # As daemons: a request that hangs does not keep a process that is done.
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(pace.concurrency)]
        self._at_work = len(self._workers)
        self._lock = threading.Lock()
        for worker in self._workers:
            worker.start()

    def hand_out(self, question: Question) -> None:
        """Let the next worker that is free ask *question*."""
        self.in_flight += 1
        self._questions.put(question)

    def is_full(self) -> bool:
        """Return whether every worker has a question, and another is at hand for each."""
        return self.in_flight >= 2 * self._pace.concurrency

    def next_outcome(self) -> Outcome:
        """
        Return what came of a question.

        Raises:
            EtlError: Something ends everything.
        """
        pace = self._pace.pace
        longest = pace.read_seconds + pace.answer_seconds + pace.longest_asked_seconds
        left, patience = longest, pace.quiet_seconds
        while True:
            try:
                outcome = self._outcomes.get(timeout=min(left, patience))
                break
            except Empty:
                left -= min(left, patience)
            if left <= 0:
                problem = f"nothing came back for {longest:,.0f} s"
                advice = "run the same command again, it goes on from here"
                raise NoAnswerError(self._where, problem, advice)
            again = self._hold.seconds or None
            awaited = f"{self._where}, an answer"
            self._pace.report_wait(Wait(doing=awaited, problem=self._problem, again_seconds=again, left_seconds=left))
            patience = _REPORT_SECONDS
        self.in_flight -= 1
        if outcome.error is not None:
            raise outcome.error
        return outcome

    def stop(self) -> Iterator[Outcome]:
        """Let the workers go, and yield the answers that they still brought."""
        self._stopped.set()
        for _ in self._workers:
            self._questions.put(None)
        until = time.monotonic() + _GRACE_SECONDS
        for worker in self._workers:
            worker.join(max(0.0, until - time.monotonic()))
        while not self._outcomes.empty():
            outcome = self._outcomes.get()
            if outcome.answer is not None:
                yield outcome

    def _work(self) -> None:
        while not self._stopped.is_set() and (question := self._questions.get()) is not None:
            if self._stopped.wait(self._hold.seconds):
                break
            silence = self._failures.silence
            outcome = self._ask(question) if silence is None else Outcome(question, error=self._silent(silence))
            if outcome.error is not None:
                self._stopped.set()
            self._outcomes.put(outcome)
        with self._lock:
            self._at_work -= 1
            last = self._at_work == 0
        if last:  # nobody else is in the middle of a request
            self._chat.close()

    def _ask(self, question: Question) -> Outcome:
        pace = self._pace.pace
        deadline = time.monotonic() + pace.read_seconds
        wait = pace.first_wait_seconds
        while True:
            try:
                answer = self._chat.complete(question.request)
            except RequestError as error:
                self._problem = error.problem
                # To ask once more does no harm, so that an answer of no use is worth another try, too.
                if not (error.repeatable or issubclass(error.kind, NoAnswerError)):
                    return Outcome(question, error=error.located(self._where))
                if self._failures.are_too_many(error):
                    return Outcome(question, error=self._nobody_there(error))
                if error.wait_seconds is not None and error.wait_seconds > pace.read_seconds:
                    return Outcome(question, error=self._too_long(error))
                pause = self._pause(error, wait)
                if time.monotonic() + pause > deadline:
                    self._failures.give_up(error)
                    return Outcome(question, unanswered=error.problem)
            else:
                self._failures.reset()
                return Outcome(question, answer=answer)
            if self._stopped.wait(pause):
                return Outcome(question, unanswered="stopped")
            wait = min(2 * wait, pace.longest_wait_seconds)

    def _pause(self, error: RequestError, wait: float) -> float:
        """Return the seconds before the next try: those that a provider names, which hold for all workers, or about *wait*."""
        if error.wait_seconds is not None:
            self._hold.until(time.monotonic() + error.wait_seconds)
            return error.wait_seconds
        # Between half of the wait and all of it, so that workers turned away together do not come back together.
        return max(self._hold.seconds, wait * random.uniform(0.5, 1))  # noqa: S311 - no secret

    def _nobody_there(self, error: RequestError) -> EtlError:
        problem = f"{self._pace.most_failures} requests failed in a row, the last one: {error.problem}"
        return NoAnswerError(self._where, problem, _SEE_TO_IT)

    def _silent(self, problem: str) -> EtlError:
        silence = f"no answer for {self._pace.pace.read_seconds:,.0f} s, the last time: {problem}"
        return NoAnswerError(self._where, silence, _SEE_TO_IT)

    def _too_long(self, error: RequestError) -> EtlError:
        named, most = error.wait_seconds or 0, self._pace.pace.read_seconds
        problem = f"{error.problem}; it asks to wait {named:,.0f} s, and a question is asked for {most:,.0f} s"
        advice = "run the same command again after that: it goes on from here"
        return RequestError(error.kind, problem, advice, wait_seconds=named).located(self._where)


class _Hold:
    """The time before which nothing is sent: a provider that names one to one worker means all of them."""

    def __init__(self) -> None:
        self._until = 0.0
        self._lock = threading.Lock()

    def until(self, moment: float) -> None:
        """Hold back until *moment*, by the monotonic clock, or longer if that was asked for."""
        with self._lock:
            self._until = max(self._until, moment)

    @property
    def seconds(self) -> float:
        """How long from now."""
        with self._lock:
            return max(0.0, self._until - time.monotonic())


class _Failures:
    """Failures in a row, of all workers; a provider that names a time to come back has not failed."""

    def __init__(self, most: int) -> None:
        self._most, self._count = most, 0
        self._given_up: list[RequestError] = []
        self._lock = threading.Lock()

    def are_too_many(self, error: RequestError) -> bool:
        """Return whether *error* is one too many."""
        with self._lock:
            self._count += error.wait_seconds is None
            return self._count >= self._most

    def reset(self) -> None:
        """Begin anew: there was an answer."""
        with self._lock:
            self._count = 0
            self._given_up.clear()

    def give_up(self, error: RequestError) -> None:
        """Take note that a question had no answer until its deadline, at last for *error*."""
        with self._lock:
            self._given_up.append(error)

    @property
    def silence(self) -> str | None:
        """Why no other question is worth its deadline; one given up is enough where nobody is there, else it may be at fault."""
        with self._lock:
            gone = any(issubclass(error.kind, UnreachableError) for error in self._given_up)
            return self._given_up[-1].problem if gone or len(self._given_up) >= _SILENT else None
