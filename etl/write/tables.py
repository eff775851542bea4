"""The two tables beside the chunks: `rejects.jsonl`, what could not be read, and `lineage.parquet`, where every line came from."""

import io
from pathlib import Path

import msgspec
import polars as pl

from etl.files import PendingFile, write_whole
from etl.read.segments import read_files
from etl.tasks import LineageTask, RejectsTask
from etl.write.shard import LINEAGE
from schemas.manifest import Reject

REJECT_COLUMNS = ("member", "reason", "position", "detail")
_ROW_GROUP_ROWS = 16_384  # bounds the memory of whoever writes or reads it


def write_rejects(task: RejectsTask) -> int:
    """
    Write one line for every label file rejected, and return how many there are.

    Raises:
        StorageError: The file cannot be written.
    """
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


def write_lineage(task: LineageTask) -> int:
    """
    Join the parts of the lineage, and return how many rows it has.

    Raises:
        StorageError: The file cannot be written.
    """
    frame = pl.scan_ipc(list(task.parts), glob=False) if task.parts else LINEAGE.to_frame().lazy()
    buffer = io.BytesIO()  # 20 bytes an example; a full disk is then met by our own write and not inside Polars
    frame.sink_parquet(buffer, row_group_size=_ROW_GROUP_ROWS)
    write_whole(Path(task.path), [buffer.getvalue()])
    return sum(pl.scan_ipc(part, glob=False).select(pl.len()).collect().item() for part in task.parts)
