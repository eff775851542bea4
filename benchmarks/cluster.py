"""
The same build by processes and on a Dask cluster of as many workers, both on this machine.

    python -m benchmarks.cluster [CORPUS] [--workers 2] [--runs 3] [--storage]

Contenders take turns, each build in a process of its own. The start of the cluster is not counted, that of a pool of processes is.
Without CORPUS, a synthetic one of 1 GB of JSON, made once in build/bench/cluster. With --storage corpus, stage and output folder
lie in object storage: localbucket, which has its share of the processors here, so that requests and bytes tell more than times.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
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
_BUCKET = "bucket"


class Took(Struct, frozen=True, kw_only=True):
    """
    One build: seconds by the clock, and CPU seconds of its tasks, of the client and of the scheduler.

    Peaks are memory in bytes; traffic is that with object storage. What there is none of is 0.
    """

    seconds: float
    cpu_seconds: float
    client_cpu_seconds: float
    scheduler_cpu_seconds: float
    parent_peak_bytes: int
    worker_peak_bytes: int
    scheduler_peak_bytes: int
    requests: int
    read_bytes: int
    written_bytes: int


def run(corpus: str, out: str, workers: int, scheduler: str) -> Took:
    """Build *corpus* by *workers* processes, or at the address *scheduler*, to *out*, which is new; return the measurement."""
    with ExitStack() as stack:
        client = None
        if scheduler != _PROCESSES:
            client = stack.enter_context(Client(scheduler, set_as_default=False))
        make_executor = None if client is None else partial(dask_executor, scheduler)
        before = time.process_time(), _on(client, time.process_time)
        facts = build(corpus, out, workers=workers, make_executor=make_executor).facts
        after = time.process_time(), _on(client, time.process_time)
        return Took(
            seconds=facts.seconds,
            cpu_seconds=facts.cpu_seconds,
            client_cpu_seconds=after[0] - before[0],
            scheduler_cpu_seconds=after[1] - before[1],
            parent_peak_bytes=facts.parent_peak_bytes,
            worker_peak_bytes=facts.worker_peak_bytes,
            scheduler_peak_bytes=int(_on(client, peak_bytes)),
            requests=facts.requests,
            read_bytes=facts.requested_read_bytes,
            written_bytes=facts.requested_written_bytes,
        )


def _on(client: Client | None, call: Callable[[], float]) -> float:
    """Return what *call* returns on the scheduler of *client*; 0 where there is none."""
    return 0.0 if client is None else client.run_on_scheduler(call)


@contextmanager
def _storage(corpus: Path) -> Iterator[Path]:
    """Run an S3 server with *corpus* in its bucket, to which the environment leads; yield the folder of the bucket."""
    root = _FOLDER / "storage"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(corpus, root / _BUCKET / "corpus", copy_function=os.link)
    port = _free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "localbucket", str(root), "--port", str(port)], stderr=subprocess.DEVNULL
    )
    keys = {"AWS_ACCESS_KEY_ID": "invented", "AWS_SECRET_ACCESS_KEY": "invented", "AWS_REGION": "us-east-1"}
    os.environ.update(keys, AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}")
    try:
        yield root / _BUCKET
    finally:
        server.terminate()
        server.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def _cluster(workers: int) -> Iterator[str]:
    """Yield the address of a scheduler with *workers* workers, all processes of their own."""
    port = _free_port()
    address = f"tcp://127.0.0.1:{port}"
    part = [sys.executable, "-m"]
    scheduler = [*part, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    scheduler += ["--dashboard-address", "127.0.0.1:0"]
    worker = [*part, "distributed.cli.dask_worker", address, "--host", "127.0.0.1", "--nworkers", str(workers)]
    worker += ["--nthreads", "1", "--memory-limit", "0", "--no-dashboard", "--local-directory", str(_FOLDER)]
    environment = {**os.environ, "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"}  # as docs/cluster.md advises
    parts = [subprocess.Popen(one, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) for one in (scheduler, worker)]
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
    cpu = [(took.cpu_seconds, took.client_cpu_seconds, took.scheduler_cpu_seconds) for took in runs]
    peaks = [(took.parent_peak_bytes, took.worker_peak_bytes, took.scheduler_peak_bytes) for took in runs]
    traffic = [(took.read_bytes, took.written_bytes) for took in runs]
    cells = [
        name,
        f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})",
        *(f"{statistics.median(column):.2f} s" for column in zip(*cpu, strict=True)),
        *(f"{max(column) / 1e6:.0f} MB" for column in zip(*peaks, strict=True)),
        f"{statistics.median(took.requests for took in runs):.0f}",
        *(f"{statistics.median(column) / 1e6:.1f} MB" for column in zip(*traffic, strict=True)),
    ]
    return f"| {' | '.join(cells)} |"


_COLUMNS = (
    "build by",
    "wall",
    *("CPU of tasks", "of the client", "of the scheduler"),
    *("memory of the client", "of a worker", "of the scheduler"),
    *("requests", "read", "written"),
)


def main() -> None:
    """Print a table of both contenders and their ratio, or run as one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="?", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--storage", action="store_true", help="corpus, stage and output folder in object storage")
    parser.add_argument("--contender", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender is not None:
        corpus, out, scheduler = given.contender
        sys.stdout.buffer.write(msgspec.json.encode(run(corpus, out, given.workers, scheduler)))
        return
    corpus = given.corpus or _FOLDER / "corpus"
    if given.corpus is None:
        make_corpus(corpus, json_bytes=_JSON_BYTES)
    with ExitStack() as stack:
        folder, names = _FOLDER, (str(corpus), str(_FOLDER / "out"))
        if given.storage:
            folder, names = stack.enter_context(_storage(corpus)), (f"s3://{_BUCKET}/corpus", f"s3://{_BUCKET}/out")
        address = stack.enter_context(_cluster(given.workers))
        took: dict[str, list[Took]] = {_PROCESSES: [], address: []}
        for number in range(given.runs + 1):  # the first to warm up
            for contender, runs in took.items():
                shutil.rmtree(folder / "out", ignore_errors=True)
                measured = _measured(*names, given.workers, contender)
                if number:
                    runs.append(measured)
    print(f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|")
    print(_row("processes", took[_PROCESSES]))
    print(_row("Dask", took[address]))
    ratios = [one.seconds / other.seconds for one, other in zip(took[address], took[_PROCESSES], strict=True)]
    print(f"Dask over processes: {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


def _measured(corpus: str, out: str, workers: int, contender: str) -> Took:
    command = [sys.executable, "-m", "benchmarks.cluster", "--workers", str(workers)]
    command += ["--contender", corpus, out, contender]
    return msgspec.json.decode(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout, type=Took)


if __name__ == "__main__":
    main()
