"""
The executor on a Dask cluster: tasks run wherever a scheduler has workers.

What counts as a dead worker is the engine's: it runs the task of one again, and says `KilledWorker` where that happens too
often. That, and a scheduler that is gone, breaks the futures here as a pool of processes would, and the seam runs their tasks
again. `Client.get_executor` would do but for a connection that is lost while an answer is fetched, of which its futures never hear
(distributed 2026.8). Nothing is registered on a cluster of somebody else: a plugin would stay there after a client that was
killed, and keep out workers that have no saturi.
"""

import asyncio
import logging
import os
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import contextmanager, suppress
from functools import partial
from types import ModuleType
from typing import Any
from uuid import uuid4

from saturi.etl.errors import ClusterError, OptionError
from saturi.etl.runtime.interrupts import interrupts_deferred
from saturi.etl.runtime.processes import checked_workers
from saturi.etl.runtime.worker import (
    answer,
    own_versions,
    packed_call,
    refuse_other_versions,
    unpacked_answer,
    worker_facts,
)

_SILENT_SECONDS = 5.0
"""Of waiting for a scheduler or a worker, before that is said."""

_LOOK_SECONDS = 1.0
"""Between two looks at the number of workers."""

_PATIENCE = "10 minutes"
"""For a cluster without workers, where Dask's own setting names no time."""

_LOGGERS = ("distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application")
"""Of the engine, which prints what a build says in sentences of its own."""

_ADVICE = "look at the logs of its scheduler and its workers, and run the same command again"

Notify = Callable[[str], None]


class DaskExecutor(Executor):
    """
    Run calls on the workers of a cluster.

    Args:
        client: A client of the cluster's scheduler.
        notify: Called with a sentence where something is waited for, or is not as it should be.
        owned: Close what was made for this executor, in this order; nothing that somebody else made.

    Raises:
        ClusterError: There are no workers.
        OptionError: They have other versions than this process.
    """

    def __init__(self, client: Any, notify: Notify, owned: tuple[Callable[[], None], ...] = ()) -> None:
        self._client, self._notify, self._owned = client, notify, owned
        self._engine = _engine()
        self._lost = (self._engine.KilledWorker, CancelledError, OSError)
        self._address = str(client.scheduler.address)
        self._versions = pickle.dumps(own_versions())
        self._loop = client.loop.asyncio_loop
        self._under_way: dict[Future[Any], Any] = {}
        self._problem: ClusterError | None = None
        self._workers = 1
        self._await_workers()
        self._check_workers()
        self._watch = asyncio.run_coroutine_threadsafe(self._look_at_workers(), self._loop)

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return the future of a call of *function*, which is one of a module."""
        call = packed_call(function, args, kwargs)
        name = getattr(args[0] if args else function, "__name__", function.__name__)  # of the task, for the dashboard
        try:
            remote = self._client.submit(
                answer, self._versions, call, key=f"saturi.{name}-{uuid4().hex}", pure=False, retries=0
            )
        except (OSError, self._engine.client.ClosedClientError) as error:
            raise BrokenExecutor(str(error)) from error
        future = asyncio.run_coroutine_threadsafe(self._answer(remote), self._loop)
        self._under_way[future] = remote
        future.add_done_callback(self._under_way.pop)
        return future

    def count_workers(self) -> int:
        """Return the number of workers at the last look, or one where there are none."""
        return max(1, self._workers)

    def recover(self) -> bool:
        """Wait for workers after some have died; return whether the scheduler is the same, so that this executor goes on."""
        if self._client.status != "running":
            return False
        try:
            self._await_workers()
        except ClusterError:
            if self._client.status == "running":
                raise
            return False
        return True

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - as its base
        """
        End this executor, and of the cluster what was made for it.

        Calls under way are waited for where *wait* says so, also those that a worker has not begun: they are two a worker.
        """
        under_way = list(self._under_way)
        if wait:
            futures.wait(under_way)
        elif cancel_futures:
            for future in under_way:
                future.cancel()
        self._watch.cancel()
        _close(self._owned)

    def _await_workers(self) -> None:
        """Return when there is a worker; a cluster that adapts starts the first one for a call that waits."""
        with _saying(self._notify, f"{self._address}: no worker is there yet; waiting for one"):
            try:
                self._client.submit(os.getpid, key=f"saturi.wait-{uuid4().hex}", pure=False).result(_patience_seconds())
            except TimeoutError:
                raise self._deserted() from None
            except (*self._lost, self._engine.client.ClosedClientError) as error:
                raise _lost(self._address, error) from error

    def _check_workers(self) -> None:
        """Prepare all workers, and compare their versions; those that join later, or die meanwhile, do so with their first call."""
        ours = own_versions()
        for who, theirs in self._client.run(worker_facts, on_error="return").items():
            if isinstance(theirs, ImportError):
                raise OptionError(
                    "--scheduler", f"worker {who}: {theirs}", "install saturi and its libraries there, as here"
                )
            if isinstance(theirs, OSError):
                continue
            if isinstance(theirs, Exception):
                raise ClusterError(self._address, f"worker {who} cannot be prepared ({theirs})", _ADVICE)
            refuse_other_versions(f"worker {who}", theirs.versions, ours)
            if theirs.polars_threads > 1:
                self._notify(
                    f"{self._address}: worker {who} had loaded Polars with {theirs.polars_threads} threads, "
                    "so that a task may use more than one processor"
                )
        threads = self._client.nthreads()
        self._workers = len(threads)
        if any(count > 1 for count in threads.values()):
            self._notify(
                f"{self._address}: some workers have several threads, and run one task at a time all the same; "
                "start them with --nthreads 1, one a processor"
            )

    async def _answer(self, remote: Any) -> Any:
        """Return what a call on a worker returned, or raise what it raised."""
        try:
            packed = await remote
        except self._lost as error:
            raise self._problem or BrokenExecutor(str(error)) from error
        except Exception as error:
            problem = f"a task cannot be run there ({type(error).__name__}: {error})"
            raise ClusterError(
                self._address, problem, "install saturi there, as here, on scheduler and workers"
            ) from error
        return unpacked_answer(packed)

    async def _look_at_workers(self) -> None:
        """Keep the number of workers; say where none is left, and give up where that lasts."""
        since: float | None = None
        said = False
        while self._problem is None:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                identity = await asyncio.wait_for(self._client.scheduler.identity(n_workers=0), _SILENT_SECONDS)
            except OSError:  # or no answer: a scheduler that is gone breaks the futures
                continue
            self._workers = identity["n_workers"]
            if self._workers or not self._under_way:
                since, said = None, False
                continue
            since = since or time.monotonic()
            lasts = time.monotonic() - since
            if lasts >= _SILENT_SECONDS and not said:
                said = True
                self._notify(f"{self._address}: no worker is left; waiting for one")
            if lasts >= _patience_seconds():
                self._problem = self._deserted()
                await self._client.cancel(list(self._under_way.values()))

    def _deserted(self) -> ClusterError:
        return ClusterError(self._address, "the cluster has no worker", "start some, and run the same command again")


def dask_executor(scheduler: Any = None, *, workers: int | None = None, notify: Notify | None = None) -> DaskExecutor:
    """
    Return an executor on a Dask cluster, for `make_executor`.

    Args:
        scheduler: Address of its scheduler; or a `distributed.Client`, which is left open; or None for a cluster of processes on
            this machine, which ends with the executor.
        workers: Number of processes of a cluster on this machine; None for one a processor.
        notify: Called with a sentence where something is waited for, from any thread.

    Raises:
        OptionError: Dask is not installed, or workers have other versions than this process.
        ClusterError: The scheduler does not answer, or has no workers.
    """
    engine, notify = _engine(), notify or _say_nothing
    if scheduler is None:
        return _local_executor(engine, checked_workers(workers), notify)
    if not isinstance(scheduler, str):
        if scheduler.asynchronous:
            raise OptionError("make_executor", "the client is asynchronous", "give one with asynchronous=False")
        return DaskExecutor(scheduler, notify)
    with _saying(notify, f"{scheduler}: no scheduler answers yet; waiting for it"):
        try:
            client = engine.Client(scheduler, set_as_default=False)
        except OSError as error:
            raise _lost(scheduler, error) from error
        except ValueError as error:
            raise OptionError("--scheduler", f"{scheduler}: {error}", "give an address as tcp://host:8786") from error
    return _closing_on_failure(client, notify, (client.close,))


def _local_executor(engine: ModuleType, workers: int, notify: Notify) -> DaskExecutor:
    """Return an executor on a cluster of its own, on loopback; there a task is given up with the first worker that it kills."""
    with interrupts_deferred():
        try:
            cluster = engine.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                memory_limit=None,  # as of processes; the engine's is its share of the machine, and ends a worker
                silence_logs=logging.CRITICAL,
                scheduler_kwargs={"allowed_failures": 0},
            )
            client = engine.Client(cluster, set_as_default=False)
        except (OSError, RuntimeError) as error:
            problem = f"it cannot start ({type(error).__name__}: {error})"
            raise ClusterError(
                "a cluster on this machine", problem, "free some memory, or give fewer --workers"
            ) from error
    return _closing_on_failure(client, notify, (client.close, cluster.close))


def _closing_on_failure(client: Any, notify: Notify, owned: tuple[Callable[[], None], ...]) -> DaskExecutor:
    try:
        return DaskExecutor(client, notify, owned)
    except BaseException:
        _close(owned)
        raise


def _close(owned: tuple[Callable[[], None], ...]) -> None:
    """Close what was made, as far as it can still be reached."""
    for close in owned:
        with suppress(OSError):
            close()


def _engine() -> ModuleType:
    """Return Dask's `distributed`; where this is the first to load it, without its log, unless that is configured."""
    try:
        import dask  # noqa: PLC0415 - an extra, and 0.7 s that builds with processes do not wait for

        if "distributed" not in sys.modules and dask.config.get("distributed.logging", None) is None:
            dask.config.set({"distributed.logging": dict.fromkeys(_LOGGERS, "critical")})
        import distributed  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        problem = f"dask needs the package {error.name}"
        raise OptionError("--executor", problem, "run `pip install 'saturi[dask]'`") from error
    return distributed


def _patience_seconds() -> float:
    """Return the time for which a cluster may be without workers, by Dask's settings."""
    import dask  # noqa: PLC0415 - as above

    named = dask.config.get("distributed.scheduler.no-workers-timeout", None)
    return float(dask.utils.parse_timedelta(named or _PATIENCE))


def _lost(address: str, error: Exception) -> ClusterError:
    return ClusterError(address, f"the scheduler does not answer ({type(error).__name__})", _ADVICE)


@contextmanager
def _saying(notify: Notify, sentence: str) -> Iterator[None]:
    """Say *sentence* where the block takes long."""
    timer = threading.Timer(_SILENT_SECONDS, partial(notify, sentence))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _say_nothing(_: str) -> None:
    """Notify nobody."""
