"""Dask clusters on loopback, each part a process of its own as on machines of their own, to be killed and started again."""

import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from distributed import Client
from killings import PATIENCE_SECONDS, has_ended, kill_group, wait_for, workers_of
from runs import ROOT

_KILLED_BY_ONE = "0"
_PATHS = (str(ROOT), str(ROOT / "tests"))


class Forked:
    """A part that was forked from `dask_parts`, whose child it is."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def terminate(self) -> None:
        """Ask it to end."""
        os.kill(self.pid, signal.SIGTERM)

    def wait(self, _timeout: float | None = None) -> None:
        """Wait for its end."""
        wait_for(lambda: has_ended(self.pid))


Part = subprocess.Popen[str] | Forked

SOCKETS_LEFT = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
"""The engine leaves the socket of an attempt to connect that it gives up, as on a busy machine, or where a part is killed."""


@cache
def _forking() -> "subprocess.Popen[str]":
    """Return the process that parts are forked from; a process of pytest has one."""
    path = os.pathsep.join((*_PATHS, os.environ.get("PYTHONPATH", "")))
    forking = subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "dask_parts.py")],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(forking.communicate)
    return forking


class Cluster:
    """
    A scheduler at one address, and machines with workers of one thread; those of a machine are below one nanny.

    Args:
        folder: For logs and what workers keep.
        allowed_failures: Workers that a task may kill before it is given up, as the scheduler's setting has it.
    """

    def __init__(self, folder: Path, allowed_failures: str = _KILLED_BY_ONE) -> None:
        self.folder = folder
        self._port = _free_port()
        self.address = f"tcp://127.0.0.1:{self._port}"
        self._allowed_failures = allowed_failures
        self._started = 0
        self.machines: dict[Part, int] = {}
        self.start_scheduler()

    def start_scheduler(self) -> None:
        """Start the scheduler, at the address that it had before."""
        self.scheduler = self._start(
            "scheduler",
            *("--host", "127.0.0.1", "--port", str(self._port), "--no-dashboard", "--dashboard-address", "127.0.0.1:0"),
            environment={"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": self._allowed_failures},
        )

    def add(self, *arguments: str, workers: int = 1, **environment: str) -> None:
        """Add a machine with *workers*."""
        part = self._start(
            "worker",
            *(self.address, "--host", "127.0.0.1", "--no-dashboard", "--memory-limit", "0", "--nworkers", str(workers)),
            *("--local-directory", str(self.folder), *(arguments or ("--nthreads", "1"))),
            environment={"DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD": "forkserver", **environment},
        )
        self.machines[part] = workers

    def grow(self, *arguments: str, workers: int = 1, **environment: str) -> None:
        """Add a machine with *workers*, and wait until there are as many as there are to be."""
        self.add(*arguments, workers=workers, **environment)
        self.wait_for_workers()

    def wait_for_workers(self) -> None:
        """Wait until the scheduler has all workers of all machines, no more and no less."""
        with self.client() as client:
            wait_for(lambda: len(client.nthreads()) == sum(self.machines.values()))

    def shrink(self) -> None:
        """Ask the machine that was added last to leave, as who scales a cluster down does, and wait for its end."""
        part, _ = self.machines.popitem()
        part.terminate()
        part.wait(PATIENCE_SECONDS)

    def kill_worker(self) -> None:
        """Kill a worker of the first machine, whose nanny replaces it, as far as it has one at the moment."""
        for pid in workers_of(next(iter(self.machines)))[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill_machine(self) -> None:
        """Kill the first machine, as a loss of power does."""
        part = next(iter(self.machines))
        del self.machines[part]
        kill_group(part)
        part.wait()

    def kill_scheduler(self) -> None:
        """Kill the scheduler; workers end by themselves then."""
        kill_group(self.scheduler)
        self.scheduler.wait()
        while self.machines:
            self.kill_machine()

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Yield a client of the cluster."""
        with Client(self.address, set_as_default=False, timeout=PATIENCE_SECONDS) as client:
            yield client

    def logs(self) -> str:
        """Return what all parts have logged."""
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in self.folder.glob("*.log"))

    def close(self) -> None:
        """End all parts."""
        for part in (*self.machines, self.scheduler):
            kill_group(part)
            part.wait()
        with warnings.catch_warnings():  # of `SOCKETS_LEFT`, before a test is run that minds them
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()

    def _start(self, part: str, *arguments: str, environment: Mapping[str, str]) -> Part:
        self._started += 1
        path = self.folder / f"{part}-{self._started}.log"
        if "PYTHONPATH" not in environment:
            return self._fork(part, arguments, path, environment)
        paths = os.pathsep.join((*environment.get("PYTHONPATH", "").split(os.pathsep), *_PATHS))
        with path.open("w", encoding="utf-8") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{part}", *arguments],
                cwd=self.folder,  # which comes before all other paths
                env={**os.environ, **environment, "PYTHONPATH": paths.lstrip(os.pathsep)},
                stdout=log,
                stderr=log,
                start_new_session=True,
                text=True,
            )

    def _fork(self, part: str, arguments: tuple[str, ...], log: Path, environment: Mapping[str, str]) -> Forked:
        """Start a part as a fork of a process that has loaded Dask."""
        forking = _forking()
        assert forking.stdin is not None
        assert forking.stdout is not None
        order = {"part": part, "arguments": arguments, "folder": str(self.folder), "log": str(log)}
        print(json.dumps({**order, "environment": {**os.environ, **environment}}), file=forking.stdin, flush=True)
        return Forked(int(forking.stdout.readline()))


@contextmanager
def cluster(folder: Path, workers: int = 2, allowed_failures: str = _KILLED_BY_ONE) -> Iterator[Cluster]:
    """Yield a cluster with *workers* on one machine, which are there; it does not outlive the block."""
    folder.mkdir(parents=True, exist_ok=True)
    running = Cluster(folder, allowed_failures)
    try:
        if workers:
            running.grow(workers=workers)
        yield running
    finally:
        running.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
