"""The default executor: a pool of processes, and what each of its workers is."""

import atexit
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import resource_tracker
from multiprocessing.context import BaseContext

from etl.runtime.executor import do_nothing
from etl.settings.options import MOST_WORKERS, RunOptions

_GC_THRESHOLD = 100_000
"""Rows of a batch, and what Polars imports, are many small objects without cycles; looking through them at the default of 700
costs 3 % of reading, and 8 % of a worker's start."""


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
            pool.submit(do_nothing, None)
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
