"""
The build against the naive recipe on the same label files already unpacked, and its memory as the corpus grows.

    python -m benchmarks.bench_build [--json-bytes 1GB] [--runs 5] [--workers 2] [--json]

Both turn the same files into the same lines: the build with `--no-dedup --validation 0` and all speech types, from the
zips. Beside them runs the floor, which only inflates. They take turns, after one round that is not counted, so that a
machine that slows down slows all. What it makes lies in `build/bench` and is used again. With `--memory`, the build also
runs on a corpus four times as large, and on one of a million tiny label files.
"""

import argparse
import platform
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.corpus import CorpusFacts, make_corpus
from benchmarks.measure import Run, measure
from etl.options import parse_bytes
from etl.terminal.words import size
from schemas.manifest import Manifest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "bench"
SAME_AS_NAIVE = [
    "--no-dedup",
    "--validation",
    "0",
    *(f"--speech-type={kind}" for kind in ("repeat", "answer", "dialogue", "unknown")),
]


class Contender(Struct, frozen=True):
    """One way to the lines, and its runs."""

    name: str
    runs: list[Run]

    @property
    def seconds(self) -> float:
        """Median of the wall time."""
        return statistics.median(run.seconds for run in self.runs)

    def row(self, json_bytes: int) -> str:
        """Return a row of the table."""
        seconds = [run.seconds for run in self.runs]
        spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
        parent, child = max(run.parent_peak_bytes for run in self.runs), max(run.child_peak_bytes for run in self.runs)
        memory = f"{size(parent)} | {size(child) if child else '-'}"
        return f"| {self.name} | {self.seconds:.2f} s | {spread} s | {size(json_bytes / self.seconds)}/s | {memory} |"


class Report(Struct, frozen=True):
    """What one call measured, for machines."""

    machine: str
    python: str
    commit: str
    files: int
    json_bytes: int
    zip_bytes: int
    contenders: list[Contender]
    naive_ratio: float
    floor_ratio: float


def build_command(corpus: Path, out: Path, workers: int, *options: str) -> list[str]:
    """Return the command that builds *corpus* into *out*."""
    return [
        sys.executable,
        str(ROOT / "cli.py"),
        "build",
        str(corpus),
        "--out",
        str(out),
        "--workers",
        str(workers),
        *options,
    ]


def cold_build(corpus: Path, workers: int, *options: str) -> Run:
    """Return how a build went that found nothing on disk but the corpus."""
    out = FOLDER / "out"
    shutil.rmtree(out, ignore_errors=True)
    return measure(build_command(corpus, out, workers, *options))


def race(facts: CorpusFacts, corpus: Path, loose: Path, *, runs: int, workers: int) -> Report:
    """Return the naive recipe, the floor and the build, in turn."""
    lines = FOLDER / "naive.jsonl"
    naive = Contender("naive recipe, files unpacked before", [])
    floor = Contender(f"inflate and check CRCs only, {workers} workers", [])
    ours = Contender(f"saturi build, from the zips, {workers} workers", [])
    for turn in range(runs + 1):
        by_naive = measure([sys.executable, "-m", "benchmarks.naive", str(loose), str(lines)])
        by_floor = measure([sys.executable, "-m", "benchmarks.floor", str(corpus), str(workers)])
        by_build = cold_build(corpus, workers, *SAME_AS_NAIVE)
        if turn == 0:
            check_same_lines(lines, FOLDER / "out")
            continue
        for contender, run in ((naive, by_naive), (floor, by_floor), (ours, by_build)):
            contender.runs.append(run)
        seconds = f"naive {by_naive.seconds:.2f} s, floor {by_floor.seconds:.2f} s, build {by_build.seconds:.2f} s"
        print(f"run {turn}: {seconds}", file=sys.stderr)
    against_naive = statistics.median(a.seconds / b.seconds for a, b in zip(naive.runs, ours.runs, strict=True))
    against_floor = statistics.median(b.seconds / a.seconds for a, b in zip(floor.runs, ours.runs, strict=True))
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    machine = f"{platform.system()} {platform.machine()}"
    return Report(
        machine,
        platform.python_version(),
        commit,
        facts.files,
        facts.json_bytes,
        facts.zip_bytes,
        [naive, floor, ours],
        against_naive,
        against_floor,
    )


def check_same_lines(naive: Path, out: Path) -> None:
    """
    Check that the build has written the lines the naive recipe has.

    Raises:
        ValueError: It has not.
    """
    manifest = msgspec.json.decode((out / "manifest.json").read_bytes(), type=Manifest)
    ours = sorted(_key(line) for chunk in manifest.chunks for line in (out / chunk.path).read_bytes().splitlines())
    theirs = sorted(_key(line) for line in naive.read_bytes().splitlines())
    if ours != theirs:
        message = f"the build has {len(ours)} lines and the naive recipe {len(theirs)}, and they differ"
        raise ValueError(message)


def _key(line: bytes) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(line))


def memory(json_bytes: int, facts: CorpusFacts, ours: Contender, *, workers: int) -> list[str]:
    """Return, as rows, the memory of the build on corpora of other shapes."""
    rows = [_memory_row(facts, ours.runs[0])]
    for name, arguments in (("large", {"json_bytes": 4 * json_bytes}), ("tiny", {"files": 1_000_000, "tiny": True})):
        corpus = FOLDER / name
        made = make_corpus(corpus, **arguments)  # type: ignore[arg-type]  # a mapping of mixed keyword arguments
        rows.append(_memory_row(made, cold_build(corpus, workers, *SAME_AS_NAIVE)))
    return rows


def _memory_row(facts: CorpusFacts, run: Run) -> str:
    parent, child = size(run.parent_peak_bytes), size(run.child_peak_bytes)
    return f"| {facts.files:,} | {size(facts.json_bytes)} | {run.seconds:.2f} s | {parent} | {child} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--json-bytes", type=parse_bytes, default=parse_bytes("4GB"), help="size of the corpus, unpacked"
    )
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--memory", action="store_true", help="also on four times the corpus, and on a million tiny files"
    )
    parser.add_argument("--json", action="store_true", help="print the report for machines instead of the table")
    given = parser.parse_args(arguments)
    corpus, loose = FOLDER / f"zips-{given.json_bytes}", FOLDER / f"loose-{given.json_bytes}"
    facts = make_corpus(corpus, json_bytes=given.json_bytes, unpack=loose, workers=given.workers)
    report = race(facts, corpus, loose, runs=given.runs, workers=given.workers)
    if given.json:
        print(msgspec.json.encode(report).decode())
        return
    print(
        f"{report.files:,} label files, {size(report.json_bytes)} of JSON, {size(report.zip_bytes)} of zips, warm cache; "
        f"{report.machine}, Python {report.python}, commit {report.commit}\n"
    )
    print("| | median | spread | JSON | peak memory | of a worker |\n|---|---|---|---|---|---|")
    for contender in report.contenders:
        print(contender.row(report.json_bytes))
    print(
        f"\nThe build is {report.naive_ratio:.1f} times as fast as the naive recipe, and takes {report.floor_ratio:.1f} times as "
        f"long as inflating alone (medians of the ratios of {given.runs} rounds)."
    )
    if given.memory:
        print("\n| label files | JSON | wall | peak memory of the parent | of a worker |\n|---|---|---|---|---|")
        print("\n".join(memory(given.json_bytes, facts, report.contenders[-1], workers=given.workers)))


if __name__ == "__main__":
    main()
