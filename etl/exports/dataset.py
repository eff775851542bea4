"""A dataset folder that holds the chunks, for the Hugging Face Hub's tools."""

from etl.exports.training import Export, Training


def dataset(_training: Training) -> Export:
    """Return the export for the Hub's tools, without the chunks."""
    usage = """\
```python
from datasets import load_dataset

dataset = load_dataset("OUT/export/hf")
```
"""
    return Export({}, usage)
