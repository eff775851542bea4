"""
Hugging Face datasets on label files already unpacked.

`load_dataset("json")` does not read them: identifiers that are sometimes numbers and sometimes
texts end it. The files are read through `from_generator`, as in public notebooks, in as many processes as workers.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.contenders.recipe import messages, run

os.environ["HF_DATASETS_OFFLINE"] = "1"


def _examples(paths: list[str]) -> Iterator[dict[str, Any]]:
    for path in paths:
        text = json.loads(Path(path).read_bytes())["transcription"]
        if text["pronunciation"] and text["standard"]:
            yield {"messages": messages(text["pronunciation"], text["standard"])}


def convert(corpus: Path, out: Path, workers: int) -> None:
    """Write the pair of every label file below the folder *corpus*."""
    from datasets import Dataset, disable_progress_bars  # noqa: PLC0415 - reads its settings when it is loaded

    disable_progress_bars()
    paths = [str(path) for path in corpus.rglob("*.json")]
    arguments = {"gen_kwargs": {"paths": paths}, "num_proc": workers}
    examples = Dataset.from_generator(_examples, cache_dir=str(out / "cache"), **arguments)
    examples.to_json(out / "datasets.jsonl", force_ascii=False)


if __name__ == "__main__":
    run(convert)
