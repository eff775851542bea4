"""
The executor seam: hand tasks to a `concurrent.futures.Executor`, and outlive the death of a worker.

Only a bounded number of tasks is under way. A task is a function of a module and one small picklable argument; it is
safe to run twice and passes its data through files. When a worker dies, the executor breaks and every task in flight
fails with it, the guilty one and the innocent; each is then run again alone, so that a second death names the task that
brings it.
"""

import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from types import TracebackType
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

from saturi.etl.errors import (
    EtlError,
    ExhaustedError,
    PromiseError,
    StorageError,
    WorkerStartError,
    exhausted_error,
    is_panic,
)
from saturi.etl.runtime.memory import peak_bytes
from saturi.etl.runtime.stopwatch import timed
from saturi.etl.runtime.worker import refuse_unseen
from saturi.etl.storage.client import Traffic, traffic
from saturi.etl.storage.location import is_url

Task = TypeVar("Task")
Result = TypeVar("Result")

_GRACE_SECONDS = 0.7
"""For tasks under way when a build is interrupted. Most take less; the others are run again by the next build."""

_IMPORTED = secrets.token_hex(8)

ExecutorMaker = Callable[[], Executor]


class Measured(NamedTuple, Generic[Result]):
    """
    What a task returned, and what it took.

    `cpu_seconds` are those of the task, `peak_bytes` the most its process ever held, `stages` the seconds by the clock of
    each stage, empty without a profile; `traffic` is what object storage was asked for, in the process named `process`.
    """

    value: Result
    cpu_seconds: float
    peak_bytes: int
    stages: dict[str, float]
    traffic: Traffic
    process: str


class Outcome(NamedTuple, Generic[Task, Result]):
    """A task and its result; None where every process that ran it was killed."""

    task: Task
    result: Measured[Result] | None


@runtime_checkable
class OwnProcesses(Protocol):
    """What an executor has as well where its workers are processes of this command."""

    def kill_workers(self) -> None:
        """End all workers at once, in the middle of their tasks."""
        ...

    def start_problem(self) -> str:
        """Return what keeps workers from starting; empty where none got as far as to say it."""
        ...


@runtime_checkable
class ForeignWorkers(Protocol):
    """What an executor has as well where its workers come and go by themselves, as those of a cluster."""

    def count_workers(self) -> int:
        """Return the number of workers at present."""
        ...

    def recover(self) -> bool:
        """
        Wait for workers after some have died; return whether this executor goes on.

        Raises:
            ClusterError: None comes.
        """
        ...


class Workers:
    """
    Run tasks through an executor, and renew it when it breaks.

    Args:
        make_executor: Returns a fresh executor.
        count: Number of workers, where the executor does not know it better.
        profile: Also measure the stages of each task.
        shared: What workers on other machines have to see; see `refuse_unseen`.
    """

    def __init__(
        self, make_executor: ExecutorMaker, count: int, *, profile: bool = False, shared: tuple[str, ...] = ()
    ) -> None:
        self._make_executor = make_executor
        self._count = count
        self._profile = profile
        self._shared = shared
        self._executor = make_executor()
        self._under_way: set[Future[Any]] = set()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is not None and issubclass(kind, KeyboardInterrupt):
                self._end_soon()
            else:  # waiting for tasks under way leaves nothing half written
                self._executor.shutdown(wait=True, cancel_futures=True)
        except KeyboardInterrupt:
            self._end_soon()
            raise

    def _end_soon(self) -> None:
        """End the tasks that wait, leave those under way a moment, and then end their workers."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        wait(set(self._under_way), timeout=_GRACE_SECONDS)
        if isinstance(self._executor, OwnProcesses):
            self._executor.kill_workers()

    @property
    def count(self) -> int:
        """The number of workers at present."""
        return self._executor.count_workers() if isinstance(self._executor, ForeignWorkers) else self._count

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Outcome[Task, Result]]:
        """
        Yield the outcome of *function* for each of *tasks*, in the order they end.

        Raises:
            WorkerStartError: Workers die before they do anything.
            ExhaustedError: There is too little memory for them.
        """
        waiting = iter(tasks)
        running: dict[Future[Measured[Result]], Task] = {}
        while True:
            lost = self._fill(function, waiting, running)
            if not running and not lost:
                return
            ended, died = _collect(running, FIRST_COMPLETED)
            lost += died
            if lost:  # the executor is broken, so whatever else is in flight ends now
                late, died = _collect(running, ALL_COMPLETED)
                ended += late
                lost += died
                self._renew()
                self._refuse_dead_workers()
            yield from ended
            for task in lost:
                # Twice, since the first death may have been another's.
                yield Outcome(task, self.alone(function, task) or self.alone(function, task))

    def alone(self, function: Callable[[Task], Result], task: Task) -> Measured[Result] | None:
        """Return the result of *function* for *task*, run with nothing beside it; None where its worker is killed."""
        try:
            return self._submit(function, task).result()
        except BrokenExecutor:
            self._renew()
            return None

    def _refuse_dead_workers(self) -> None:
        """Raise what keeps workers from starting, where not even a task that does nothing comes back from new workers."""
        if isinstance(self._executor, ForeignWorkers):  # it has waited for some
            return
        try:
            self._submit(do_nothing, None).result()
        except BrokenExecutor:
            problem = self._executor.start_problem() if isinstance(self._executor, OwnProcesses) else ""
            raise (
                ExhaustedError.memory(f"no worker can start: {problem}") if problem else WorkerStartError()
            ) from None

    def _fill(
        self, function: Callable[[Task], Result], waiting: Iterator[Task], running: dict[Future[Measured[Result]], Task]
    ) -> list[Task]:
        """Submit tasks until enough are running; return the one that met a broken executor, if any."""
        while len(running) < 2 * self.count:  # so that none waits for its next task
            for task in waiting:
                try:
                    running[self._submit(function, task)] = task
                except BrokenExecutor:
                    return [task]
                break
            else:
                break
        return []

    def _submit(self, function: Callable[[Task], Result], task: Task) -> Future[Measured[Result]]:
        shared = self._shared if isinstance(self._executor, ForeignWorkers) else ()
        future = self._executor.submit(_profiled if self._profile else _measured, function, task, shared)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return future

    def _renew(self) -> None:
        if isinstance(self._executor, ForeignWorkers) and self._executor.recover():
            return
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._executor = self._make_executor()


def _collect(
    running: dict[Future[Measured[Result]], Task], until: str
) -> tuple[list[Outcome[Task, Result]], list[Task]]:
    """Wait for tasks, take those that ended out of *running*, and return their outcomes and the tasks whose worker died."""
    ended: list[Outcome[Task, Result]] = []
    died: list[Task] = []
    for future in wait(running, return_when=until).done:
        task = running.pop(future)
        try:
            ended.append(Outcome(task, future.result()))
        except BrokenExecutor:
            died.append(task)
    return ended, died


def do_nothing(_: None) -> None:
    """Return from a worker that is there."""


def _measured(function: Callable[[Task], Result], task: Task, shared: tuple[str, ...]) -> Measured[Result]:
    """Run *function* in a worker that sees what is *shared*, and measure it."""
    refuse_unseen(shared)
    began, before = time.process_time(), traffic()
    try:
        value = function(task)
    except BaseException as error:
        exhausted = exhausted_error(error)
        if exhausted is not None:
            raise exhausted from None
        if is_panic(error):  # no other process can unpickle it
            raise PromiseError(function.__name__, f"Polars panicked ({error})") from None
        if isinstance(error, OSError) and not isinstance(error, EtlError):
            failure = _storage_error(function.__name__, error)
            if failure is not None:
                raise failure from error
        raise
    return Measured(value, time.process_time() - began, peak_bytes(), {}, traffic().since(before), name_of_process())


def _storage_error(function: str, error: OSError) -> StorageError | None:
    """Return *error* as an error of ours where it names no file of a disk, as whoever gets it has nothing else to go by."""
    if error.filename is None:
        problem = f"{error} ({type(error).__name__})"
        return StorageError(function, problem, "check the disk, and that nobody changes what is there")
    if is_url(str(error.filename)):
        problem = f"cannot be read ({error.strerror or error})"
        return StorageError(str(error.filename), problem, "check bucket, endpoint and credentials")
    return None


def name_of_process() -> str:
    """Return a name of this process that none has on another machine, either."""
    return f"{_IMPORTED}-{os.getpid()}"  # a process that is forked has the imports of its parent


def _profiled(function: Callable[[Task], Result], task: Task, shared: tuple[str, ...]) -> Measured[Result]:
    """Run *function* in a worker, and measure it and its stages."""
    with timed(function.__name__) as stages:
        measured = _measured(function, task, shared)
    return measured._replace(stages=stages)
