"""
Speed and memory of `report`: `python -m benchmarks.page`.

The command runs as a process of its own, on a build of a generated corpus with every sentence an example, or on a build that
is there.
"""

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from msgspec import Struct

from benchmarks.corpus import make_corpus
from benchmarks.lineup import ROOT
from benchmarks.measure import Run, measure
from saturi.etl.output.finished import FinishedBuild

_GOAL_SECONDS, _GOAL_BYTES = 10.0, 500_000_000  # for 1,500,000 utterances


class PageRun(Struct, frozen=True):
    """The build that was reported, the size of its page, and the runs."""

    utterances: int
    examples: int
    page_bytes: int
    runs: list[Run]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument(
        "--files", type=int, default=20_000, help="label files of the corpus; 700,000 are 1,450,000 sentences"
    )
    parser.add_argument("--build", type=Path, help="a build that is there, instead")
    parser.add_argument("--stage", type=Path, help="its segments, where they are not in it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print the numbers for machines")
    given = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        build = given.build or _made(Path(folder), given.files)
        run = _measure(build, given.stage, Path(folder), given.rounds)
    print(msgspec.json.encode(run).decode() if given.json else _table(run))


def _made(folder: Path, files: int) -> Path:
    """Return a build of so many label files in *folder*."""
    make_corpus(folder / "corpus", files=files)
    spoken = [f"--speech-type={name}" for name in ("repeat", "answer", "dialogue")]
    options = ["--unit", "sentence", "--dedup", "none", *spoken, "--workers", "2", "--out", str(folder / "out")]
    measure([sys.executable, str(ROOT / "cli.py"), "build", str(folder / "corpus"), *options])
    return folder / "out"


def _measure(build: Path, stage: Path | None, folder: Path, rounds: int) -> PageRun:
    page = folder / "report.html"
    command = [sys.executable, str(ROOT / "cli.py"), "report", str(build), "--to", str(page), "--lang", "ko"]
    command += [] if stage is None else ["--stage", str(stage)]
    runs = [measure(command) for _ in range(rounds)]
    counts = FinishedBuild.open(build).manifest.counts
    return PageRun(counts.utterances, counts.examples, page.stat().st_size, runs)


def _table(run: PageRun) -> str:
    """Return a row of the medians."""
    middle = len(run.runs) // 2
    seconds, cpu, peak = (
        sorted(getattr(one, name) for one in run.runs)[middle] for name in ("seconds", "cpu_seconds", "peak_bytes")
    )
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, median of {len(run.runs)}\n\n"
        "| utterances | examples | page | wall | CPU | peak memory |\n|--:|--:|--:|--:|--:|--:|\n"
        f"| {run.utterances:,} | {run.examples:,} | {run.page_bytes / 1e3:.0f} kB "
        f"| {seconds:.2f} s | {cpu:.2f} s | {peak / 1e6:.0f} MB |\n\n"
        f"Wanted for 1,500,000 utterances: at most {_GOAL_SECONDS:.0f} s and {_GOAL_BYTES / 1e6:.0f} MB."
    )


if __name__ == "__main__":
    main()
