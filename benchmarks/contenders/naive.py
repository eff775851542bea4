"""The naive recipe, as public notebooks have it, on label files already unpacked: `json.load` one file after the other."""

import json
from pathlib import Path

from benchmarks.contenders.recipe import line, run


def convert(corpus: Path, out: Path, _: int = 1) -> None:
    """Write the pair of every label file below the folder *corpus*."""
    with (out / "naive.jsonl").open("w", encoding="utf-8") as lines:
        for path in corpus.rglob("*.json"):
            with path.open(encoding="utf-8") as file:
                label = json.load(file)
            source, target = label["transcription"]["pronunciation"], label["transcription"]["standard"]
            if source and target:
                lines.write(line(source, target))


if __name__ == "__main__":
    run(convert)
