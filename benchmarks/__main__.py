"""
All contenders on a corpus of each shape: `python -m benchmarks`.

Corpora are kept in `build/bench` and used again. The table is printed on stdout, the progress on stderr.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.corpus import SHAPES, CorpusFacts, Shape, make_corpus
from benchmarks.lineup import LINEUP, ROOT, Contender, Corpora
from benchmarks.processor import inflated_bytes_a_second
from benchmarks.race import race
from benchmarks.report import Memory, Report, into_document, make_report, make_shape_report, markdown
from saturi.etl.runtime.measurements import BuildFacts
from saturi.etl.settings.sizes import parse_bytes

_FOLDER = ROOT / "build" / "bench"
_QUICK_BYTES, _FULL_BYTES = 6_000_000, 4_000_000_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and print its report."""
    given = _parser().parse_args(arguments)
    json_bytes = given.json_bytes or (_QUICK_BYTES if given.quick else _FULL_BYTES)
    rounds = given.rounds or (1 if given.quick else 5)
    lineup = [contender for contender in LINEUP if not given.only or contender.key in given.only]
    shapes = []
    for shape in given.shape:
        facts, corpora = _make_corpora(given.folder, json_bytes, shape, given.workers)
        speed = inflated_bytes_a_second(corpora.zips)
        entries = race(lineup, corpora, given.folder / "out", rounds=rounds, workers=given.workers)
        shapes.append(make_shape_report(facts, entries, speed))
    memory = _memory(given.folder, json_bytes, given.workers) if given.memory else []
    shutil.rmtree(given.folder / "out")
    report = make_report(shapes, memory, rounds=rounds, workers=given.workers)
    print(msgspec.json.encode(report).decode() if given.json else markdown(report))
    if given.write:
        _write(report)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--json-bytes", type=parse_bytes, help="size of each corpus, unpacked (default: 4GB)")
    parser.add_argument(
        "--shape", nargs="+", choices=SHAPES, default=SHAPES, help="shapes of label files (default: all)"
    )
    parser.add_argument("--rounds", type=int, help="counted runs of each contender (default: 5)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=[contender.key for contender in LINEUP], metavar="KEY")
    parser.add_argument("--quick", action="store_true", help="6 MB and one round, to check that everything runs")
    parser.add_argument(
        "--memory", action="store_true", help="also build a quarter of the corpus, and a million tiny label files"
    )
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="folder for corpora and results")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--write", action="store_true", help="write table and picture into docs")
    return parser


def _make_corpora(folder: Path, json_bytes: int, shape: Shape, workers: int) -> tuple[CorpusFacts, Corpora]:
    zips, loose = folder / f"zips-{shape}-{json_bytes}", folder / f"loose-{shape}-{json_bytes}"
    make_corpus(folder / "hundred", files=100, workers=workers)
    facts = make_corpus(zips, json_bytes=json_bytes, shape=shape, unpack=loose, workers=workers)
    return facts, Corpora(zips, loose, folder / "hundred")


def _memory(folder: Path, json_bytes: int, workers: int) -> list[Memory]:
    """Return the peaks of the build on corpora of other shapes."""
    quarter, tiny = folder / f"zips-f0-{json_bytes // 4}", folder / "tiny"
    made = [
        (quarter, make_corpus(quarter, json_bytes=json_bytes // 4, workers=workers)),
        (tiny, make_corpus(tiny, files=1_000_000, tiny=True, workers=workers)),
    ]
    rows = []
    for corpus, facts in made:
        out = folder / "out" / corpus.name
        contender = Contender(key="memory", title="a build, for its memory")
        subprocess.run(
            contender.command(Corpora(corpus, corpus, corpus), out, workers), check=True, capture_output=True
        )
        peaks = msgspec.json.decode((out / "build.json").read_bytes(), type=BuildFacts)
        rows.append(Memory(facts.files, facts.json_bytes, peaks.parent_peak_bytes, peaks.worker_peak_bytes))
    return rows


def _write(report: Report) -> None:
    """Put the tables into docs/speed.md and the picture beside it."""
    from benchmarks.picture import draw  # noqa: PLC0415 - matplotlib is loaded only for a picture

    page = ROOT / "docs" / "speed.md"
    page.write_text(into_document(page.read_text(encoding="utf-8"), markdown(report)), encoding="utf-8")
    for path in (page, *draw(report, ROOT / "docs")):
        print(f"wrote {path.relative_to(ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    main()
