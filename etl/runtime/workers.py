"""
The executor seam: hand tasks to a `concurrent.futures.Executor`, and outlive the death of a worker.

Only a bounded number of tasks is under way. A task is a function of a module and one small picklable argument; it is
safe to run twice and passes its data through files. When a worker dies, the executor breaks and every task in flight
fails with it, the guilty one and the innocent; each is then run again alone, so that a second death names the task that
brings it.
"""

import atexit
import gc
import multiprocessing
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    ALL_COMPLETED,
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import resource_tracker
from multiprocessing.context import BaseContext
from pathlib import Path
from types import TracebackType
from typing import Generic, NamedTuple, TypeVar

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]  # a module that some systems lack

from etl.errors import OptionError, WorkerStartError
from etl.runtime.stopwatch import timed

Task = TypeVar("Task")
Result = TypeVar("Result")

WINDOWS_WORKERS = 61
"""Windows waits for at most 63 handles at once, and `ProcessPoolExecutor` takes two for itself."""

_GC_THRESHOLD = 100_000
"""Rows of a batch, and what Polars imports, are many small objects without cycles; looking through them at the default of 700
costs 3 % of reading, and 8 % of a worker's start."""

ExecutorMaker = Callable[[], Executor]


class Measured(NamedTuple, Generic[Result]):
    """
    What a task returned, and what it took.

    `cpu_seconds` are those of the task, `peak_bytes` the most its process ever held, `stages` the seconds by the clock of
    each stage, and empty where nobody asked for them.
    """

    value: Result
    cpu_seconds: float
    peak_bytes: int
    stages: dict[str, float]


class Outcome(NamedTuple, Generic[Task, Result]):
    """A task and its result; None where every process that ran it was killed."""

    task: Task
    result: Measured[Result] | None


def default_workers() -> int:
    """Return the number of processors this process may use."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(count, WINDOWS_WORKERS) if os.name == "nt" else count


def checked_workers(workers: int | None) -> int:
    """
    Return *workers*, or one a processor.

    Raises:
        OptionError: Fewer than one.
    """
    if workers is not None and workers < 1:
        raise OptionError("--workers", f"{workers} is out of range", "give a whole number from 1 up")
    return workers or default_workers()


def process_pool(workers: int, start_method: str = "spawn") -> ProcessPoolExecutor:
    """
    Return a pool of *workers* processes.

    Polars does not survive `fork`, so workers are spawned; `forkserver` does as well, but holds up the parent while its
    server starts.
    """
    pool_context: BaseContext = multiprocessing.get_context(start_method)
    pool = ProcessPoolExecutor(workers, mp_context=pool_context, initializer=start_worker)
    with _interrupts_held_back():
        for _ in range(workers):  # the pool starts a worker a task; they load while the parent looks at archives
            pool.submit(_do_nothing, None)
    return pool


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Hold back Ctrl-C from here, and for good from every process started meanwhile, from its first moment on."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows: workers begin to ignore it when they are ready
        yield
        return
    resource_tracker.ensure_running()  # started later, it would let it through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _do_nothing(_: None) -> None:
    """Be there."""


def start_worker() -> None:
    """
    Prepare a new process as a worker: Polars loaded, with one thread, no Ctrl-C of its own, and no life after its parent.

    It ends with code 0 as soon as it has no more to do, whatever Python would still run or put away.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["POLARS_MAX_THREADS"] = "1"
    gc.set_threshold(_GC_THRESHOLD)
    import_module("polars")
    gc.freeze()
    # What a worker makes is in files by then; taking Polars apart would take 0.05 s.
    atexit.register(os._exit, 0)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class Workers:
    """
    Run tasks through an executor, and renew it when it breaks.

    Args:
        make_executor: Returns a fresh executor.
        width: Number of tasks under way at once; twice the workers keeps each of them busy.
        profile: Also measure the stages of each task.
    """

    def __init__(self, make_executor: ExecutorMaker, width: int, *, profile: bool = False) -> None:
        self._make_executor = make_executor
        self._width = width
        self._profile = profile
        self._executor = make_executor()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Tasks under way take a fraction of a second; waiting for them leaves nothing half written.
        self._executor.shutdown(wait=True, cancel_futures=True)

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Outcome[Task, Result]]:
        """
        Yield the outcome of *function* for each of *tasks*, in the order they end.

        Raises:
            WorkerStartError: Workers die before they do anything.
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
                if self.alone(_do_nothing, None) is None:
                    raise WorkerStartError
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

    def _fill(
        self, function: Callable[[Task], Result], waiting: Iterator[Task], running: dict[Future[Measured[Result]], Task]
    ) -> list[Task]:
        """Submit tasks until enough are running; return the one that found the executor broken, if any."""
        while len(running) < self._width:
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
        return self._executor.submit(_profiled if self._profile else _measured, function, task)

    def _renew(self) -> None:
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


def _measured(function: Callable[[Task], Result], task: Task) -> Measured[Result]:
    """Run *function* in a worker, and measure it."""
    began = time.process_time()
    value = function(task)
    return Measured(value, time.process_time() - began, peak_bytes(), {})


def _profiled(function: Callable[[Task], Result], task: Task) -> Measured[Result]:
    """Run *function* in a worker, and measure it and its stages."""
    with timed(function.__name__) as stages:
        measured = _measured(function, task)
    return measured._replace(stages=stages)


def peak_bytes() -> int:
    """
    Return the most memory (resident set) this process has had at once, in bytes; 0 where the system does not tell.

    On Linux `getrusage` is no help: a new process begins with the peak of the one that started it (getrusage(2), proc(5)).
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        status = ""
    told = re.search(r"^VmHWM:\s+(\d+) kB$", status, flags=re.MULTILINE)
    if told is not None:
        return int(told[1]) * 1024
    if resource is None:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
