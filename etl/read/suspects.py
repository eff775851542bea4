"""Find the member that kills whoever reads it, by halving its batch; each half is read with nothing beside it."""

from saturi.etl.corpus.batches import Batch
from saturi.etl.errors import WorkerKilledError
from saturi.etl.read.calls import probe, read_batch
from saturi.etl.read.tasks import ProbeTask, ReadTask, StagedBatch, UnreadBatch
from saturi.etl.runtime.executor import Measured, Workers


def read_without_killers(workers: Workers, task: ReadTask) -> Measured[StagedBatch | UnreadBatch]:
    """
    Return the segment of a batch whose workers were killed, the members that kill them rejected.

    Raises:
        WorkerKilledError: No member is to blame, and still every worker is killed.
    """
    killers = _killers(workers, task.batch, task.batch.extent.first, task.batch.extent.last)
    measured = workers.alone(read_batch, ReadTask(task.batch, task.stage, frozenset(killers)))
    if measured is None:
        raise WorkerKilledError(f"reading {task.batch.archive.name}")
    return measured


def _killers(workers: Workers, batch: Batch, first: int, last: int) -> list[int]:
    """Return those entries from *first* to *last* that kill a worker even when read alone."""
    if workers.alone(probe, ProbeTask(batch, first, last)) is not None:
        return []
    if last - first == 1:
        return [first] if workers.alone(probe, ProbeTask(batch, first, last)) is None else []
    middle = (first + last) // 2
    return _killers(workers, batch, first, middle) + _killers(workers, batch, middle, last)
