"""
From label archives to examples and their price, on an invented corpus; read it from top to bottom, and run it.

    python examples/walkthrough.py [FOLDER]

Everything is written to FOLDER, by default `build/walkthrough`. With downloaded archives, leave out the first step.
"""

import sys
from pathlib import Path

import polars as pl

from saturi import BuildOptions, build, estimate, evaluate, inspect, load, sample, show, verify


def main(folder: Path) -> None:
    """Take every step, and print what it gives."""
    corpus, out = folder / "data", folder / "out"

    # 1. A corpus in AI-Hub's layout: zips of label files, with the damage that real ones have.
    print(sample(corpus, files=200))

    # 2. What is in it. Nothing is written.
    inspection = inspect(corpus)
    print(
        len(inspection.archives),
        "archives,",
        sum(archive.label_files for archive in inspection.archives),
        "label files",
    )

    # 3. Chunks: sentences instead of whole files, pairs of equal texts left out, a tenth of the scripts held out.
    result = build(corpus, out, BuildOptions(unit="sentence", identical="drop", validation=0.1))
    print(result)
    print("dropped:", result.manifest.counts.dropped)

    # 4. Is everything still as it was written?
    print(verify(out))

    # 5. The examples as a frame: how much there is of each region, and how much longer one side is.
    pairs = load(out)
    print(
        pairs.group_by("region", "split")
        .agg(
            pl.len().alias("examples"),
            (pl.col("source").str.len_chars() / pl.col("target").str.len_chars()).mean().alias("length"),
        )
        .sort("region", "split")
    )

    # 6. What is to be learnt: the words that differ.
    for pair in show(out, 5, split="train"):
        print(pair.region, [f"{run.source} → {run.target}" for run in pair.runs if run.changed])

    # 7. What training on it costs, before anything is sent; `submit` is the next step, and asks first.
    price = estimate(out, "gpt-4.1-mini", epochs=2)
    print(f"{price.billed_tokens:,} tokens, {price.price_usd:.2f} dollars")

    # 8. What a tuned model has to beat: a copy of its input. A model is named by `EvaluateOptions(model=…)`.
    print(evaluate(out).scores().filter(by="all").select("system", "metric", "score", "low", "high"))


if __name__ == "__main__":  # workers import this file, too
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/walkthrough"))
