"""The default executor: a pool of processes, and what each of its workers is."""

import atexit
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from saturi.etl.errors import exhausted_error
from saturi.etl.runtime.executor import do_nothing
from saturi.etl.runtime.interrupts import interrupts_deferred
from saturi.etl.runtime.memory import require_address_space
from saturi.etl.runtime.worker import load_polars
from saturi.etl.settings.options import MOST_WORKERS, RunOptions

_OOM_SCORE = "500"  # of 1,000: as if it had half of all memory more

_ENDS_EARLY = "it is ended before it can do anything"
"""What a worker says first, and what is known where it says nothing else."""


def default_workers() -> int:
    """Return the number of processors this process may use."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(count, MOST_WORKERS)


def checked_workers(workers: int | None) -> int:
    """
    Return *workers*, or one a processor.

    Raises:
        OptionError: Fewer than one, or more than any machine runs.
    """
    return RunOptions(workers=workers).workers or default_workers()


class ProcessPool(ProcessPoolExecutor):
    """
    A pool of processes that starts all of them at once, ends them at once, and knows why none can start.

    A line leads from here to each worker: the worker says over it how it starts, and ends as soon as it is cut.

    Args:
        workers: Number of processes.
        start_method: `spawn` or `forkserver`, since Polars does not survive `fork`.
    """

    def __init__(self, workers: int, start_method: str) -> None:
        pool_context: BaseContext = multiprocessing.get_context(start_method)
        self._line, far_end = multiprocessing.Pipe()
        with interrupts_deferred(), suppress(BrokenExecutor):  # a worker may be dead before the last is started
            super().__init__(workers, mp_context=pool_context, initializer=start_worker, initargs=(far_end,))
            for _ in range(workers):  # the pool starts a worker a task; they load while the parent looks at archives
                self.submit(do_nothing, None)

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return the future of a call; no interrupt lands in the middle of it, since it may start a process."""
        with interrupts_deferred():
            return super().submit(function, *args, **kwargs)

    def kill_workers(self) -> None:
        """End all workers at once, in the middle of their tasks."""
        self._line.close()

    def start_problem(self) -> str:
        """Return what keeps workers from starting; empty where none got as far as to say it."""
        problems = []
        while self._line.poll():
            problems.append(self._line.recv_bytes().decode())
        return max(problems, key=len, default="")


def process_pool(workers: int, start_method: str = "spawn") -> ProcessPool:
    """
    Return a pool of *workers* processes.

    Workers are spawned; `forkserver` does as well, but holds up the parent while its server starts.
    """
    return ProcessPool(workers, start_method)


def start_worker(line: Connection | None = None) -> None:
    """
    Prepare a new process as a worker: Polars loaded, with one thread, no Ctrl-C of its own, and no life after its parent.

    It ends with code 0 as soon as it has no more to do, whatever Python would still run or put away.

    Args:
        line: Leads to the parent, if that is a `ProcessPool`.
    """
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    _die_before_parent()
    try:
        if line is not None:
            _report(line, _ENDS_EARLY)
            _silence_libraries()
        require_address_space("a worker")
        threading.Thread(target=_die_with_parent, args=(line,), daemon=True).start()
        load_polars()
    except (MemoryError, ImportError, NameError, OSError, RuntimeError, SystemError) as error:
        if line is None:
            raise
        exhausted = exhausted_error(error)
        _report(line, exhausted.problem if exhausted is not None else f"{type(error).__name__}: {error}")
        os._exit(1)
    # What a worker makes is in files by then; taking Polars apart would take 0.05 s.
    atexit.register(os._exit, 0)


def _die_before_parent() -> None:
    """Let Linux end this process rather than its parent where memory runs out, since the parent can say so (proc(5))."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")


def _report(line: Connection, problem: str) -> None:
    """Say over *line* why this worker may not start; where the line is cut, end."""
    try:
        line.send_bytes(problem.encode())
    except OSError:
        os._exit(1)


def _silence_libraries() -> None:
    """Drop what libraries print as they die of too little memory: the parent has a sentence for it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _die_with_parent(line: Connection | None) -> None:
    """Wait until the parent has ended, or has cut the line."""
    parent = multiprocessing.parent_process()
    ends: list[Connection | int] = [] if line is None else [line]
    if parent is not None:
        ends.append(parent.sentinel)
    if ends:
        connection.wait(ends)
        os._exit(1)
