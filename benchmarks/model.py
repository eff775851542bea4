"""
What more processors would give: `python -m benchmarks.model CORPUS`.

A build runs once, in one process, and each of its tasks is timed; what is left is the time of the parent. The same tasks are then
handed, on paper, to any number of workers, each to the first that is free, as fast as the parent can hand them out and take their
results, and as fast as a disk can deliver what they read. A larger corpus has so many times the batches and stretches, and the
tasks of a section, and of all, so many times as long.
"""

import argparse
import heapq
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from benchmarks.lineup import ROOT
from benchmarks.report import into_document
from saturi.etl.pipeline.build import build
from saturi.etl.runtime.executor import do_nothing
from saturi.etl.runtime.processes import ProcessPool
from saturi.etl.settings.options import BuildOptions

_WORKERS = (1, 2, 4, 8, 16, 32)
_DISKS = {"in memory": float("inf"), "3 GB/s": 3e9, "0.5 GB/s": 5e8}
_READ = "read_batch"
_BY_STRETCH = ("judge", "render_stretch")
"""Tasks of which a larger corpus has more, as it has more batches, and no longer ones."""


class Parts(NamedTuple):
    """
    What a build is made of, in seconds.

    `label_files` are in it; `tasks` are those of each step, `handing` is what the parent takes for one of them, `parent` what it
    takes beside them, `start` what a worker takes until it is ready, and `packed_bytes` is what is read.
    """

    label_files: int
    tasks: dict[str, list[float]]
    handing: float
    parent: float
    start: float
    packed_bytes: int


class _Timed(Executor):
    """Run each task at once, in this process, and keep its seconds by the name of its function."""

    def __init__(self) -> None:
        self.tasks: dict[str, list[float]] = defaultdict(list)

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return the finished future of a call."""
        future: Future[Any] = Future()
        began = time.thread_time()
        future.set_result(function(*args, **kwargs))
        self.tasks[args[0].__name__].append(time.thread_time() - began)
        return future


def parts_of(corpus: Path) -> Parts:
    """Return the parts of a build of *corpus*, in CPU seconds of this process."""
    timed = _Timed()
    with tempfile.TemporaryDirectory() as folder:
        began = time.thread_time()
        result = build([corpus], Path(folder, "out"), BuildOptions(), workers=1, make_executor=lambda: timed)
        parent = time.thread_time() - began - sum(map(sum, timed.tasks.values()))
    tasks = sum(map(len, timed.tasks.values()))
    handing = _seconds_a_task(tasks)
    files = result.manifest.counts.label_files
    return Parts(files, timed.tasks, handing, parent, _start_seconds(), result.facts.packed_bytes)


def _start_seconds() -> float:
    """Return the seconds by the clock from nothing to a worker that has done its first task, the best of three."""
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        with ProcessPool(1, "spawn") as pool:
            pool.submit(do_nothing, None).result()
            seconds.append(time.perf_counter() - began)
    return min(seconds)


def _seconds_a_task(count: int) -> float:
    """Return the CPU seconds that this process takes to hand out a task and to take its result; its threads are counted."""
    with ProcessPool(1, "spawn") as pool:
        pool.submit(do_nothing, None).result()
        began = time.process_time()
        for future in [pool.submit(do_nothing, None) for _ in range(max(count, 100))]:
            future.result()
        return (time.process_time() - began) / max(count, 100)


def seconds(parts: Parts, workers: int, disk_bytes_a_second: float, times: float = 1.0) -> float:
    """Return how long a build takes with *workers*, each on a processor of its own, of a corpus *times* as large."""
    total = parts.start + parts.parent * times
    for step, tasks in parts.tasks.items():
        more = step == _READ or step in _BY_STRETCH
        scaled = tasks * max(round(times), 1) if more else [task * times for task in tasks]
        longest = _schedule(sorted(scaled, reverse=True), workers)
        total += max(longest, len(scaled) * parts.handing)
        if step == _READ:
            total += max(parts.packed_bytes * times / disk_bytes_a_second - longest, 0.0)
    return total


def _schedule(tasks: Sequence[float], workers: int) -> float:
    """Return when the last of *tasks* ends, each given to the worker that is free first."""
    free = [0.0] * workers
    for task in tasks:
        heapq.heapreplace(free, free[0] + task)
    return max(free)


def _table(parts: Parts, times: float) -> str:
    lines = [f"| workers | {' | '.join(_DISKS)} | × one worker |", f"|--:|{'--:|' * (len(_DISKS) + 1)}"]
    alone = seconds(parts, 1, float("inf"), times)
    for workers in _WORKERS:
        walls = [seconds(parts, workers, speed, times) for speed in _DISKS.values()]
        lines.append(f"| {workers} | {' | '.join(f'{wall:.1f} s' for wall in walls)} | {alone / walls[0]:.1f} |")
    return "\n".join([*lines, "", _sentence(parts, times)]) + "\n"


def _sentence(parts: Parts, times: float) -> str:
    """Return what the table is made of."""
    reading = parts.tasks[_READ]
    batch = sum(reading) / len(reading)
    longest = {
        step: max(tasks) * (1 if step in _BY_STRETCH else times) for step, tasks in parts.tasks.items() if step != _READ
    }
    slowest = sorted(longest, key=lambda step: -longest[step])[:3]
    named = ", ".join(f"`{step}` {longest[step]:.1f} s" for step in slowest)
    busy = batch / parts.handing
    return (
        f"A build of {parts.label_files * times:,.0f} label files; measured on {parts.label_files:,}: {len(reading)} batches of "
        f"{batch * 1e3:.0f} ms. The parent takes {parts.handing * 1e6:.0f} µs a task, so that {busy:,.0f} workers would keep it "
        f"busy while they read, and {parts.parent * times:.1f} s beside; a worker is ready after {parts.start:.2f} s. The longest "
        f"task of each later step, which no number of workers shortens, take {sum(longest.values()):.1f} s in all ({named})."
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table of workers and disks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.model", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--times", type=float, default=1.0, help="how many times as large the corpus of the table is")
    parser.add_argument("--write", action="store_true", help="write the table into docs/speed.md")
    given = parser.parse_args(arguments)
    pl.thread_pool_size()  # loaded before anything is timed
    table = _table(parts_of(given.corpus), given.times)
    print(table)
    if given.write:
        page = ROOT / "docs" / "speed.md"
        page.write_text(into_document(page.read_text(encoding="utf-8"), table, "model"), encoding="utf-8")


if __name__ == "__main__":
    main()
