"""The tables beside the chunks: rejects, lineage and decisions."""

import msgspec
import polars as pl

from saturi.etl.output.files import pending
from saturi.etl.read.segments import read_files
from saturi.etl.storage.location import location_of
from saturi.etl.write.decisions import write_decisions
from saturi.etl.write.lineage import write_lineage
from saturi.etl.write.tasks import DecisionsTask, LineageTask, RejectsTask, TableTask
from saturi.schemas.manifest import Reject

REJECT_COLUMNS = ("member", "reason", "position", "detail")


def write_table(task: TableTask) -> int:
    """
    Write a table, and return how many label files, examples or utterances are in it.

    Raises:
        StorageError: The file cannot be written.
    """
    match task:
        case RejectsTask():
            return _write_rejects(task)
        case LineageTask():
            return write_lineage(task)
        case DecisionsTask():
            return write_decisions(task)


def _write_rejects(task: RejectsTask) -> int:
    """Write one line for every label file rejected, and return how many there are."""
    encoder = msgspec.json.Encoder()
    count = 0
    file = pending(location_of(task.path))
    try:
        for source in task.sources:
            rejected = read_files(location_of(source.path), REJECT_COLUMNS).filter(pl.col("reason").is_not_null())
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
