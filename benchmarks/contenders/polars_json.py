"""Polars on label files already unpacked. It has no reader for many documents of many lines: `read_json` a file, then one frame."""

from pathlib import Path

import polars as pl

from benchmarks.contenders.recipe import run
from saturi.etl.settings.options import SYSTEM_PROMPT

_SCHEMA = {"transcription": pl.Struct({"pronunciation": pl.String, "standard": pl.String})}


def _message(role: str, content: pl.Expr) -> pl.Expr:
    return pl.struct(pl.lit(role).alias("role"), content.alias("content"))


def convert(corpus: Path, out: Path, _: int) -> None:
    """Write the pair of every label file below the folder *corpus*."""
    labels = pl.concat([pl.read_json(path, schema=_SCHEMA) for path in corpus.rglob("*.json")])
    pairs = labels.unnest("transcription").filter(pl.col("pronunciation") != "", pl.col("standard") != "")
    texts = {"system": pl.lit(SYSTEM_PROMPT), "user": pl.col("pronunciation"), "assistant": pl.col("standard")}
    messages = pl.concat_list(*(_message(role, text) for role, text in texts.items()))
    pairs.select(messages.alias("messages")).write_ndjson(out / "polars.jsonl")


if __name__ == "__main__":
    run(convert)
