"""`zipfile` and `json`, one process: what the standard library does without unpacking."""

import json
from pathlib import Path

from benchmarks.contenders.recipe import Pair, convert_zip, run


def parse(document: bytes) -> Pair:
    """Return the pair in *document*."""
    text = json.loads(document)["transcription"]
    return text["pronunciation"], text["standard"]


def convert(corpus: Path, out: Path, _: int) -> None:
    """Write the pair of every label file in the zips below *corpus*."""
    for path in sorted(corpus.rglob("*.zip")):
        convert_zip(parse, out, path)


if __name__ == "__main__":
    run(convert)
