"""The tables beside the chunks: what could not be read, where every line came from, and what became of every utterance."""

import io
from pathlib import Path

import msgspec
import polars as pl

from etl.output.files import PendingFile, write_whole
from etl.read.segments import read_files
from etl.write.decisions import write_trace
from etl.write.shard import LINEAGE
from etl.write.tasks import LineageTask, RejectsTask, TableTask, TraceTask
from schemas.manifest import Reject

REJECT_COLUMNS = ("member", "reason", "position", "detail")
_ROW_GROUP_ROWS = 16_384  # bounds the memory of whoever writes or reads it


def write_table(task: TableTask) -> int:
    """
    Write a table, and return of how many label files, examples or utterances it tells.

    Raises:
        StorageError: The file cannot be written.
    """
    match task:
        case RejectsTask():
            return _write_rejects(task)
        case LineageTask():
            return _write_lineage(task)
        case TraceTask():
            return write_trace(task)


def _write_rejects(task: RejectsTask) -> int:
    """Write one line for every label file rejected, and return how many there are."""
    encoder = msgspec.json.Encoder()
    count = 0
    file = PendingFile(Path(task.path))
    try:
        for source in task.sources:
            rejected = read_files(Path(source.path), REJECT_COLUMNS).filter(pl.col("reason").is_not_null())
            rows = [
                Reject(archive=source.archive, member=member, reason=reason, position=position, detail=detail)
                for member, reason, position, detail in rejected.iter_rows()
            ]
            file.write(encoder.encode_lines(rows))
            count += len(rows)
        file.finish()
    finally:
        file.discard()
    return count


def _write_lineage(task: LineageTask) -> int:
    """Join the parts of the lineage, and return how many rows it has."""
    frame = pl.scan_ipc(list(task.parts), glob=False) if task.parts else LINEAGE.to_frame().lazy()
    buffer = io.BytesIO()  # 20 bytes an example; a full disk is then met by our own write and not inside Polars
    frame.sink_parquet(buffer, row_group_size=_ROW_GROUP_ROWS)
    content = buffer.getvalue()
    write_whole(Path(task.path), [content])
    rows: int = pl.scan_parquet(content).select(pl.len()).collect().item()
    return rows
