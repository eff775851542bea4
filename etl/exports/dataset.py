"""A dataset folder that holds the chunks, for the Hugging Face Hub's tools."""

from saturi.etl.exports.training import Export, Training, path_in_export

_USAGE = """\
```python
from datasets import load_dataset

dataset = load_dataset("OUT/export/hf")
```
"""


def dataset(training: Training) -> Export:
    """Return the export for the Hub's tools."""
    links = {path_in_export(chunk): chunk for chunk in training.chunks}
    return Export(usage=_USAGE, links=links, front=front(training, "data/{split}/*.jsonl"))


def front(training: Training, paths: str) -> str:
    """
    Return the YAML in front of a card that tells the Hub's tools which files are which split, and whose they are.

    Args:
        training: What there is.
        paths: Pattern of the files of a *split*.
    """
    files = "".join(f"      - split: {split}\n        path: {paths.format(split=split)}\n" for split in training.splits)
    return f"""\
---
license: other
license_name: aihub-terms-of-use
language: ko
task_categories: [text-generation]
configs:
  - config_name: default
    data_files:
{files}---

"""
