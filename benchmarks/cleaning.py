"""
How much of a corpus each cleaning rule touches: `python -m benchmarks.cleaning [CORPUS…]`.

Without CORPUS a seeded sample is looked at, whose texts of 2022 hold masked names and no other markup, so that all else
that is touched there is ordinary text. A row a rule and generation: utterances that hold its characters (what a reader
takes for its mark), and of these the ones that the rule leaves alone, mends and drops.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from saturi.etl.corpus.batches import segment_path
from saturi.etl.corpus.discover import discover
from saturi.etl.corpus.scan import scan
from saturi.etl.pipeline.reading import scan_rules
from saturi.etl.read.batch import read_batch
from saturi.etl.read.segments import read_files, read_sentences
from saturi.etl.read.tasks import ReadTask, StagedBatch
from saturi.etl.select.clean import count_residues
from saturi.etl.select.markup import RULES, CleanSettings, Rule
from saturi.etl.settings.options import BuildOptions
from saturi.etl.synthetic.corpus import sample
from saturi.schemas.cleaning import Action

_SETTINGS = CleanSettings.of(BuildOptions())


class Touched(NamedTuple):
    """Numbers of utterances by rule and generation, and of all by generation."""

    utterances: Counter[int]
    hinted: Counter[tuple[str, int]]
    marked: Counter[tuple[str, int]]


def measure(corpus: Iterable[Path], stage: Path) -> Touched:
    """Return how many utterances of *corpus* each rule touches; its segments are made in *stage*."""
    touched = Touched(Counter(), Counter(), Counter())
    for archive in discover(list(corpus)).archives:
        for batch in scan(archive, scan_rules(BuildOptions())).batches:
            staged = read_batch(ReadTask(batch, str(stage)))
            if isinstance(staged, StagedBatch):
                _count(segment_path(stage, staged.header.key), touched)
    return touched


def _count(segment: Path, touched: Touched) -> None:
    generations = read_files(segment, ["generation"])["generation"]
    rows = read_sentences(segment, ["row", "turn", "pronunciation", "dialect", "standard"])
    source = pl.when(pl.col("turn").is_null()).then("pronunciation").otherwise("dialect")
    pairs = rows.select(source.alias("source"), pl.col("standard").alias("target"))
    marks = count_residues(pairs.lazy()).collect()
    for generation in generations.drop_nulls().unique():
        here = generations[rows["row"]] == generation
        touched.utterances[generation] += int(here.sum())
        for rule in RULES:
            hint = pl.any_horizontal(pl.col("source", "target").str.contains(rule.hint))
            touched.hinted[rule.name, generation] += int((pairs.select(hint).to_series() & here).sum())
            touched.marked[rule.name, generation] += int(((marks[rule.name] > 0) & here).sum())


def _row(rule: Rule, generation: int, touched: Touched) -> str:
    hinted, marked = touched.hinted[rule.name, generation], touched.marked[rule.name, generation]
    mends = _SETTINGS is not None and rule.action(_SETTINGS) is Action.REWRITE
    numbers = (hinted, max(hinted - marked, 0), marked if mends else 0, 0 if mends else marked)
    return f"| `{rule.name}` | {generation} | {' | '.join(f'{number:,}' for number in numbers)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table of the rules."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cleaning", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("corpus", nargs="*", type=Path)
    parser.add_argument("--files", type=int, default=4000, help="label files of the sample")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        corpus = given.corpus or [Path(folder, "corpus")]
        if not given.corpus:
            sample(corpus[0], files=given.files)
        touched = measure(corpus, Path(folder, "stage"))
    whole = ", ".join(f"{number:,} of {generation}" for generation, number in sorted(touched.utterances.items()))
    print(f"utterances: {whole}\n")
    print("| rule | generation | with its characters | left alone | mended | dropped |\n|---|---|--:|--:|--:|--:|")
    for rule in RULES:
        for generation in sorted(touched.utterances):
            if touched.hinted[rule.name, generation]:
                print(_row(rule, generation, touched))


if __name__ == "__main__":
    main()
