"""
The same build by processes and on a Dask cluster of as many workers, both on this machine.

    python -m benchmarks.cluster [CORPUS] [--workers 2] [--runs 3]

Contenders take turns, each build in a process of its own. The start of the cluster is not counted, that of a pool of processes is.
Without CORPUS, a synthetic one of 1 GB of JSON, made once in build/bench/cluster.
"""

import argparse
import shutil
import socket
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec
from distributed import Client
from msgspec import Struct

from benchmarks.corpus import make_corpus
from benchmarks.lineup import ROOT
from saturi.etl.pipeline.build import build
from saturi.etl.runtime.cluster import dask_executor
from saturi.etl.runtime.memory import peak_bytes

_FOLDER = ROOT / "build" / "bench" / "cluster"
_JSON_BYTES = 1_000_000_000
_PROCESSES = "processes"


class Took(Struct, frozen=True):
    """One build: seconds by the clock, CPU seconds of its tasks, and peak memory in bytes; of the scheduler, if there is one."""

    seconds: float
    cpu_seconds: float
    parent_peak_bytes: int
    worker_peak_bytes: int
    scheduler_peak_bytes: int = 0


def run(corpus: Path, workers: int, scheduler: str) -> Took:
    """Build *corpus* anew by *workers* processes, or at the address *scheduler*, and return the measurement."""
    out = _FOLDER / "out"
    shutil.rmtree(out, ignore_errors=True)
    if scheduler == _PROCESSES:
        facts = build([corpus], out, workers=workers).facts
        scheduler_peak_bytes = 0
    else:
        facts = build([corpus], out, make_executor=partial(dask_executor, scheduler)).facts
        with Client(scheduler, set_as_default=False) as client:
            scheduler_peak_bytes = client.run_on_scheduler(peak_bytes)
    return Took(
        facts.seconds, facts.cpu_seconds, facts.parent_peak_bytes, facts.worker_peak_bytes, scheduler_peak_bytes
    )


@contextmanager
def _cluster(workers: int) -> Iterator[str]:
    """Yield the address of a scheduler with *workers* workers, all processes of their own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    part = [sys.executable, "-m"]
    scheduler = [*part, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    scheduler += ["--dashboard-address", "127.0.0.1:0"]
    worker = [*part, "distributed.cli.dask_worker", address, "--host", "127.0.0.1", "--nworkers", str(workers)]
    worker += ["--nthreads", "1", "--memory-limit", "0", "--no-dashboard", "--local-directory", str(_FOLDER)]
    parts = [subprocess.Popen(one, cwd=ROOT, stderr=subprocess.DEVNULL) for one in (scheduler, worker)]
    try:
        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(workers)
        yield address
    finally:
        for one in reversed(parts):
            one.terminate()
            one.wait()


def _row(name: str, runs: list[Took]) -> str:
    seconds = [took.seconds for took in runs]
    peaks = [
        max(took.parent_peak_bytes for took in runs),
        max(took.worker_peak_bytes for took in runs),
        max(took.scheduler_peak_bytes for took in runs),
    ]
    cells = [
        name,
        f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})",
        f"{statistics.median(took.cpu_seconds for took in runs):.2f} s",
        *(f"{peak / 1e6:.0f} MB" for peak in peaks),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print a table of both contenders and their ratio, or run as one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="?", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    given = parser.parse_args()
    corpus = given.corpus or _FOLDER / "corpus"
    if given.contender is not None:
        sys.stdout.buffer.write(msgspec.json.encode(run(corpus, given.workers, given.contender)))
        return
    if given.corpus is None:
        make_corpus(corpus, json_bytes=_JSON_BYTES)
    with _cluster(given.workers) as address:
        took: dict[str, list[Took]] = {_PROCESSES: [], address: []}
        for number in range(given.runs + 1):  # the first to warm up
            for contender, runs in took.items():
                measured = _measured(corpus, given.workers, contender)
                if number:
                    runs.append(measured)
    print("| build by | wall | CPU of tasks | client | worker | scheduler |\n|---|---|---|---|---|---|")
    print(_row("processes", took[_PROCESSES]))
    print(_row("Dask", took[address]))
    ratios = [one.seconds / other.seconds for one, other in zip(took[address], took[_PROCESSES], strict=True)]
    print(f"Dask over processes: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


def _measured(corpus: Path, workers: int, contender: str) -> Took:
    command = [sys.executable, "-m", "benchmarks.cluster", str(corpus)]
    command += ["--workers", str(workers), "--contender", contender]
    return msgspec.json.decode(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout, type=Took)


if __name__ == "__main__":
    main()
