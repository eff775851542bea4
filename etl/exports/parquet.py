"""A dataset folder of Parquet files, one a split, which pandas, DuckDB, Polars and `datasets` read."""

from functools import partial
from pathlib import Path

from saturi.etl.errors import StorageError
from saturi.etl.exports.dataset import front
from saturi.etl.exports.training import Export, Training
from saturi.etl.output.files import storage_errors
from saturi.etl.output.finished import FinishedBuild
from saturi.schemas.terms import Split

_ROW_GROUP = 50_000  # rows; some 10 MB of text, which a reader decodes at once

_USAGE = """\
```python
import pandas

rows = pandas.read_parquet("OUT/export/parquet/train.parquet")
```

```sql
SELECT region, count(*) FROM 'OUT/export/parquet/*.parquet' GROUP BY region;  -- DuckDB
```

| column | |
|---|---|
| `messages` | list of `role` and `content`: the conversation, as in the chunks |
| `region`, `speech_type` | of the shard; `all` where shards are not apart by it |
"""


def parquet(training: Training) -> Export:
    """Return the export to Parquet, whose rows are in the order of the chunks."""
    data = {f"{split}.parquet": partial(_write, split) for split in training.splits}
    return Export(usage=_USAGE, data=data, front=front(training, "{split}.parquet"))


def _write(split: Split, build: FinishedBuild, path: Path) -> None:
    """Write the examples of *split* to *path*, some thousand at a time, so that memory does not grow with them."""
    import polars as pl  # noqa: PLC0415 - the parent of a build never loads it, nor does --help

    sides = {"system": "system", "user": "source", "assistant": "target"}
    turns = [
        pl.when(pl.col(column).is_not_null()).then(pl.struct(role=pl.lit(role), content=pl.col(column)))
        for role, column in sides.items()
    ]
    messages = pl.concat_list(turns).list.drop_nulls().alias("messages")
    rows = build.examples().filter(split=str(split)).select(messages, "region", "speech_type")
    with storage_errors(path, 0):
        try:
            rows.sink_parquet(
                path, compression="zstd", row_group_size=_ROW_GROUP, maintain_order=True, statistics=False
            )
        except pl.exceptions.ComputeError as error:  # of a failed write as of a chunk that changed meanwhile
            raise StorageError(path, f"cannot be written ({error})", "see saturi verify, and free space") from error
