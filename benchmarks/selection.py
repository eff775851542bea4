"""
Speed and memory of selection alone, on a stage of the size of a full corpus.

    python -m benchmarks.selection [--scale 1.0] [--workers 2] [--runs 3]

Every contender is a process. The segments are made once, in build/selection.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from saturi.etl.corpus.discover import Archive, Form
from saturi.etl.corpus.names import Hints
from saturi.etl.corpus.scan import Scan
from saturi.etl.read.archives import ReadArchive
from saturi.etl.runtime.executor import Workers
from saturi.etl.runtime.measurements import Meter
from saturi.etl.runtime.processes import process_pool
from saturi.etl.runtime.steps import Run
from saturi.etl.select.selection import select
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.segment import SegmentHeader

_EVERYTHING: dict[str, Any] = {
    "identical": 0.2,
    "min_words": 2,
    "max_chars": 200,
    "max_length_ratio": 3,
    "conflicts": "majority",
    "max_per_script": 5,
    "speaker_max": 500,
    "balance": "region",
    "sample": 200_000,
}
CONTENDERS: dict[str, dict[str, Any]] = {
    "as by default": {},
    "every rule": _EVERYTHING,
    "every rule, one shard a split": {**_EVERYTHING, "shard_by": "split"},
}
_ALL = {"unit": "sentence", "speech_type": ("repeat", "answer", "dialogue"), "system_prompt": ""}


INDEX = "segments.json"


class Staged(Struct, frozen=True):
    """An archive whose segments are in the stage."""

    archive: str
    hints: Hints
    headers: list[SegmentHeader]


class Took(Struct, frozen=True):
    """One run: seconds by the clock, CPU seconds of the workers, peak memory of the parent and of any worker in bytes."""

    seconds: float
    cpu_seconds: float
    parent_peak_bytes: int
    worker_peak_bytes: int
    steps: dict[str, float]
    left: int


def run(stage: Path, work: Path, options: BuildOptions, workers: int) -> Took:
    """Select from the segments in *stage*, and return the measurement."""
    staged = msgspec.json.decode((stage / INDEX).read_bytes(), type=list[Staged])
    reads = []
    for one in staged:
        archive = Archive(name=one.archive, form=Form.ZIP, paths=(), hints=one.hints)
        reads.append(ReadArchive(Scan(archive=archive, fingerprint="", batches=[]), one.headers))
    began = time.monotonic()
    with Workers(partial(process_pool, workers), workers) as pool:
        meter = Meter(workers, began)
        selection = select(Run(pool, meter, lambda _: None), reads, options, stage, work)
    facts = meter.facts()
    return Took(
        seconds=facts.seconds,
        cpu_seconds=facts.cpu_seconds,
        parent_peak_bytes=facts.parent_peak_bytes,
        worker_peak_bytes=facts.worker_peak_bytes,
        steps=facts.steps,
        left=sum(quota.sampled for quota in selection.quotas.values()),
    )


def main() -> None:
    """Print a table of all contenders, or run as one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    folder = Path("build", "selection")
    stage = folder / f"stage-{given.scale:g}"
    if given.contender is not None:
        work = folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        took = run(stage, work, BuildOptions(**{**_ALL, **CONTENDERS[given.contender]}), given.workers)
        sys.stdout.buffer.write(msgspec.json.encode(took))
        return
    if not (stage / INDEX).exists():
        subprocess.run([sys.executable, "-m", "benchmarks.segments", stage, "--scale", str(given.scale)], check=True)
    print("| selection | wall | CPU of workers | parent | worker | left |\n|---|---|---|---|---|---|")
    for name in CONTENDERS:
        print(_row(name, [_measured(name, given.scale, given.workers) for _ in range(given.runs)]))


def _measured(name: str, scale: float, workers: int) -> Took:
    command = [sys.executable, "-m", "benchmarks.selection", "--contender", name]
    command += ["--scale", str(scale), "--workers", str(workers)]
    return msgspec.json.decode(subprocess.run(command, check=True, capture_output=True).stdout, type=Took)


def _row(name: str, runs: list[Took]) -> str:
    seconds = [took.seconds for took in runs]
    cells = [
        name,
        f"{statistics.median(seconds):.1f} s ({min(seconds):.1f} to {max(seconds):.1f})",
        f"{statistics.median(took.cpu_seconds for took in runs):.1f} s",
        f"{max(took.parent_peak_bytes for took in runs) / 1e6:.0f} MB",
        f"{max(took.worker_peak_bytes for took in runs) / 1e6:.0f} MB",
        f"{runs[0].left:,}",
    ]
    steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in runs[0].steps.items())
    return f"| {' | '.join(cells)} | {steps}"


if __name__ == "__main__":
    main()
