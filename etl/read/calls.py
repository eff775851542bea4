"""
Functions of this room that run in workers, as the parent hands them out.

Each imports its module when it is called, in the worker: the parent never loads Polars, which keeps it small and saves
its start 0.1 s.
"""

from saturi.etl.corpus.scan import Scan
from saturi.etl.errors import InputError
from saturi.etl.read.tasks import ProbeTask, ReadTask, ScanTask, StagedBatch, UnreadBatch
from saturi.etl.storage.location import location_of


def scan_archive(task: ScanTask) -> Scan | InputError:
    """Return the scan of an archive, or why it cannot be scanned; see `saturi.etl.corpus.scan`."""
    from saturi.etl.corpus import scan

    try:
        return scan.scan(task.archive, task.rules, location_of(task.stage))
    except InputError as error:
        return error


def read_batch(task: ReadTask) -> StagedBatch | UnreadBatch:
    """Make the segment of a batch, unless it is there and can be trusted; see `saturi.etl.read.batch`."""
    from saturi.etl.read import batch

    return batch.read_batch(task)


def probe(task: ProbeTask) -> None:
    """Decode some entries of a batch and forget them; see `saturi.etl.read.batch`."""
    from saturi.etl.read import batch

    batch.probe(task)
