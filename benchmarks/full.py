"""
A corpus as large as the real one: `make bench-full`, or `python -m benchmarks.full`.

700,000 label files of a shape, 30 GB of JSON, are built cold with two workers and with one, and again with other options. What it
takes of disk and time is printed before it starts; nothing is unpacked.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.corpus import SHAPES, Shape, make_corpus
from benchmarks.lineup import ALL_PAIRS, OTHER_OPTIONS, ROOT
from benchmarks.measure import Run, measure
from benchmarks.processor import inflated_bytes_a_second
from saturi.etl.console.screens.words import size
from saturi.etl.runtime.measurements import BuildFacts

_FOLDER = ROOT / "build" / "bench"
_FILES = 700_000
# Of a label file: bytes of its zip, of a build and its stage, and seconds to make it and to build it three times on two processors.
_ZIP_BYTES: dict[Shape, int] = {"f0": 11_000, "rich": 5_400}
_BUILD_BYTES = 4_000
_SECONDS = 0.0006


def main(arguments: Sequence[str] | None = None) -> None:
    """Make a corpus of each shape, build it, and print a table."""
    given = _parser().parse_args(arguments)
    needed = sum(given.files * (_ZIP_BYTES[shape] + _BUILD_BYTES) for shape in given.shape)
    minutes = given.files * len(given.shape) * _SECONDS / 60
    print(f"takes about {size(needed)} below {given.folder} and {minutes:.0f} minutes", file=sys.stderr)
    given.folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(given.folder).free
    if free < needed:
        sys.exit(f"{given.folder}: {size(free)} are free; give another --folder")
    print("| shape | build | wall | CPU | JSON a second | parent | worker | all processes |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for shape in given.shape:
        corpus = given.folder / f"full-{shape}-{given.files}"
        made = make_corpus(corpus, files=given.files, shape=shape, workers=given.workers)
        print(f"{shape}: one process inflates {size(inflated_bytes_a_second(corpus))} a second", file=sys.stderr)
        for title, options, workers in (
            (f"cold, {given.workers} workers", ALL_PAIRS, given.workers),
            ("again, other options", OTHER_OPTIONS, given.workers),
            ("cold, 1 worker", ALL_PAIRS, 1),
        ):
            out = given.folder / "full-out"
            if title.startswith("cold"):
                shutil.rmtree(out, ignore_errors=True)
            run, facts = _build(corpus, out, options, workers)
            print(_row(shape, title, run, facts, made.json_bytes), flush=True)
        shutil.rmtree(given.folder / "full-out")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full", description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument("--shape", nargs="+", choices=SHAPES, default=SHAPES)
    parser.add_argument("--files", type=int, default=_FILES, help="label files of each corpus (default: 700,000)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="folder for corpora and builds")
    return parser


def _build(corpus: Path, out: Path, options: Sequence[str], workers: int) -> tuple[Run, BuildFacts]:
    command = [sys.executable, str(ROOT / "cli.py"), "build", str(corpus), "--out", str(out), "--workers", str(workers)]
    try:
        run = measure([*command, *options])
    except subprocess.CalledProcessError as error:
        sys.exit(f"the build of {corpus} failed: {error.stderr.decode(errors='replace')}")
    return run, msgspec.json.decode((out / "build.json").read_bytes(), type=BuildFacts)


def _row(shape: Shape, title: str, run: Run, facts: BuildFacts, json_bytes: int) -> str:
    peaks = (facts.parent_peak_bytes, facts.worker_peak_bytes, run.peak_bytes)
    cells = [
        shape,
        title,
        f"{run.seconds:.1f} s",
        f"{run.cpu_seconds:.1f} s",
        size(json_bytes / run.seconds),
        *map(size, peaks),
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
