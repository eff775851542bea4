"""
The executor on a Dask cluster: tasks run wherever a scheduler has workers.

What counts as a dead worker is the engine's: it runs the task of one again, and says `KilledWorker` where that happens too
often. That, and a scheduler that is gone, breaks the futures here as a pool of processes would, and the seam runs their tasks
again. `Client.get_executor` would do but for a connection that is lost while an answer is fetched, of which its futures never hear
(distributed 2026.8). Nothing is registered on a cluster of somebody else: a plugin would stay there after a client that was
killed, and keep out workers that have no saturi.
"""

import asyncio
import os
import pickle
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from uuid import uuid4

from saturi.etl.errors import ClusterError, OptionError
from saturi.etl.runtime.clients import (
    SILENT_SECONDS,
    Connection,
    Notify,
    connected,
    engine,
    lost,
    patience_seconds,
)
from saturi.etl.runtime.waiting import reported_after
from saturi.etl.runtime.worker import (
    own_versions,
    packed_call,
    refuse_other_versions,
    unpacked_answer,
    worker_facts,
)

_LOOK_SECONDS = 1.0
"""Between two looks at the number of workers."""

_ATTEMPTS = 3
"""At a scheduler that answers, and is lost again before its workers are known."""


class DaskExecutor(Executor):
    """
    Run calls on the workers of a cluster.

    Args:
        connection: To the cluster; closed with this executor.
        notify: Called with a sentence where something is waited for, or is not as it should be.

    Raises:
        BrokenExecutor: The scheduler is lost meanwhile.
        ClusterError: There are no workers.
        OptionError: They have other versions than this process.
    """

    def __init__(self, connection: Connection, notify: Notify) -> None:
        self._connection, self._client, self._notify = connection, connection.client, notify
        self._killed = engine().KilledWorker
        self._lost = (self._killed, engine().client.ClosedClientError, CancelledError, OSError)
        self._address = str(self._client.scheduler.address)
        self._loop = self._client.loop.asyncio_loop
        self._under_way: dict[Future[Any], Any] = {}
        self._problem: ClusterError | None = None
        self._workers = 1
        with self._broken_where_lost():
            self._await_workers()
            self._check_workers()
        self._watch = asyncio.run_coroutine_threadsafe(self._look_at_workers(), self._loop)

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return the future of a call of *function*, which is one of a module."""
        call = packed_call(function, args, kwargs)
        name = getattr(args[0] if args else function, "__name__", function.__name__)  # of the task, for the dashboard
        with self._broken_where_lost():
            key = f"saturi.{name}-{uuid4().hex}"
            remote = self._client.submit(pickle.loads, call, key=key, pure=False, retries=0)
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
            with self._broken_where_lost():
                self._await_workers()
        except BrokenExecutor:
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
        self._connection.close()

    def _await_workers(self) -> None:
        """Return when there is a worker; a cluster that adapts starts the first one for a call that waits."""
        sentence = f"{self._address}: no worker is there yet; waiting for one"
        with reported_after(SILENT_SECONDS, partial(self._notify, sentence)):
            until = time.monotonic() + patience_seconds()
            while True:
                call = self._client.submit(os.getpid, key=f"saturi.wait-{uuid4().hex}", pure=False)
                with suppress(self._killed):  # there was one
                    call.result(max(0.0, until - time.monotonic()))
                    return

    def _check_workers(self) -> None:
        """Prepare all workers, and compare their versions; those that join later, or die meanwhile, do so with their first call."""
        ours = own_versions()
        for who, theirs in self._client.run(worker_facts, on_error="return").items():
            if isinstance(theirs, OSError):
                continue
            if isinstance(theirs, Exception):
                raise _unusable(f"worker {who}", theirs)
            refuse_other_versions(f"worker {who}", theirs.versions, ours)
            if theirs.polars_threads > 1:
                fact = f"had loaded Polars with {theirs.polars_threads} threads"
                self._notify(f"{self._address}: worker {who} {fact}, so that a task may use more than one processor")
        threads = self._client.nthreads()
        self._workers = len(threads)
        if any(count > 1 for count in threads.values()):
            fact = "some workers have several threads, and run one task at a time all the same"
            self._notify(f"{self._address}: {fact}; start them with --nthreads 1, one a processor")

    async def _answer(self, remote: Any) -> Any:
        """Return what a call on a worker returned, or raise what it raised."""
        try:
            packed = await remote
        except self._lost as error:
            raise self._problem or BrokenExecutor(str(error)) from error
        except Exception as error:
            raise _unusable("a worker", error) from error
        return unpacked_answer(packed)

    async def _look_at_workers(self) -> None:
        """Keep the number of workers; say where none is left, and give up where that lasts."""
        since: float | None = None
        reported = False
        while self._problem is None:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                identity = await asyncio.wait_for(self._client.scheduler.identity(n_workers=0), SILENT_SECONDS)
            except OSError:  # or no answer: a scheduler that is gone breaks the futures
                continue
            self._workers = identity["n_workers"]
            if self._workers or not self._under_way:
                since, reported = None, False
                continue
            since = since or time.monotonic()
            lasts = time.monotonic() - since
            if lasts >= SILENT_SECONDS and not reported:
                reported = True
                self._notify(f"{self._address}: no worker is left; waiting for one")
            if lasts >= patience_seconds():
                self._problem = self._deserted()
                await self._client.cancel(list(self._under_way.values()))

    @contextmanager
    def _broken_where_lost(self) -> Iterator[None]:
        """Break this executor where the scheduler is lost within; it is deserted where no worker comes in time."""
        try:
            yield
        except TimeoutError:  # an OSError, too
            raise self._deserted() from None
        except ClusterError:
            raise
        except self._lost as error:
            raise BrokenExecutor(str(error)) from error

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
    notify = notify or _say_nothing
    for _ in range(_ATTEMPTS):
        connection = connected(scheduler, workers, notify)
        try:
            return DaskExecutor(connection, notify)
        except BaseException as error:
            connection.close()
            if not isinstance(error, BrokenExecutor):
                raise
    raise lost(str(scheduler))


def _unusable(who: str, error: Exception) -> OptionError:
    """Return the error for the worker *who*, on which not even a call could be made."""
    return OptionError("--scheduler", f"{who} cannot run saturi ({error})", "install there what is installed here")


def _say_nothing(_: str) -> None:
    """Notify nobody."""
