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

from etl.errors import EtlError, NoAnswerError
from etl.providers.pace import Pace
from etl.providers.port import RequestError
from etl.providers.wires import Chat
from schemas.evaluation import Answer, ChatRequest

MOST_FAILURES = 100
"""Failures in a row, of all workers, after which nobody is there: half a minute of a server that refuses connections."""


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


class AskPace(NamedTuple):
    """How many requests are in flight at most, how patient each is, and after how many failures in a row all end."""

    concurrency: int
    pace: Pace
    most_failures: int = MOST_FAILURES


def ask(chat: Chat, where: str, questions: Iterable[Question], pace: AskPace, take: Callable[[Outcome], None]) -> None:
    """
    Ask all *questions*, and hand what came of each to *take*, in the order in which it comes.

    Args:
        chat: What they are asked of; closed when the last request has ended.
        where: Its address, for errors.
        questions: Read as they are needed, and no further.
        pace: Bounds.
        take: Called in this thread, with an answer or with a question that got none until its deadline.

    Raises:
        NoAnswerError: Too many failures in a row, or nothing came back at all.
        EtlError: The provider refuses what would be asked of it again and again.
    """
    crew = _Crew(chat, where, pace)
    try:
        for question in questions:
            crew.hand_out(question)
            while crew.is_full():
                take(crew.next_outcome())
        while crew.in_flight:
            take(crew.next_outcome())
    finally:
        for outcome in crew.stop():
            take(outcome)


class _Crew:
    """Workers, and what they share."""

    def __init__(self, chat: Chat, where: str, pace: AskPace) -> None:
        self._chat, self._where, self._pace = chat, where, pace
        self._questions: Queue[Question | None] = Queue()
        self._outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self._stopped = threading.Event()
        self._failures = _Failures(pace.most_failures)
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
        try:
            outcome = self._outcomes.get(timeout=longest)
        except Empty:
            problem = f"nothing came back for {longest:,.0f} s"
            advice = "run the same command again, it goes on from here"
            raise NoAnswerError(self._where, problem, advice) from None
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
            outcome = self._ask(question)
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
                # To ask once more does no harm, so that an answer of no use is worth another try, too.
                if not (error.repeatable or issubclass(error.kind, NoAnswerError)):
                    return Outcome(question, error=error.located(self._where))
                if self._failures.are_too_many(error):
                    return Outcome(question, error=self._nobody_there(error))
                # Between half of the wait and all of it, so that workers turned away together do not come back together.
                pause = wait * random.uniform(0.5, 1)  # noqa: S311 - no secret
                pause = pause if error.wait_seconds is None else min(error.wait_seconds, pace.longest_asked_seconds)
                if time.monotonic() + pause > deadline:
                    return Outcome(question, unanswered=error.problem)
            else:
                self._failures.reset()
                return Outcome(question, answer=answer)
            if self._stopped.wait(pause):
                return Outcome(question, unanswered="stopped")
            wait = min(2 * wait, pace.longest_wait_seconds)

    def _nobody_there(self, error: RequestError) -> EtlError:
        problem = f"{self._pace.most_failures} requests failed in a row, the last one: {error.problem}"
        return NoAnswerError(
            self._where, problem, "see to the server, and run the same command again: it goes on from here"
        )


class _Failures:
    """Failures in a row, of all workers; a provider that names a time to come back has not failed."""

    def __init__(self, most: int) -> None:
        self._most, self._count = most, 0
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
