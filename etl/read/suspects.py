"""Find the members that kill whoever reads them, by halving their batch; each half is read with nothing beside it."""

from saturi.etl.corpus.batches import Batch
from saturi.etl.errors import WorkerKilledError
from saturi.etl.read.calls import probe, read_batch
from saturi.etl.read.tasks import ProbeTask, ReadTask, StagedBatch, UnreadBatch
from saturi.etl.runtime.executor import Measured, Workers

_MOST_IN_A_ROW = 8
"""Members that kill, one after the other, before the machine is to blame. Real corpora have none; each costs three workers."""


class Isolation:
    """
    Read batches whose workers were killed, without the members that kill.

    Where workers are killed whatever they read, no member is to blame, but the machine: most likely it lacks memory.

    Args:
        workers: Run one task at a time.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._in_a_row = 0

    def note_survivor(self) -> None:
        """Take in that a worker has read something and lives."""
        self._in_a_row = 0

    def read(self, task: ReadTask) -> Measured[StagedBatch | UnreadBatch]:
        """
        Return the segment of a batch, the members that kill rejected.

        Raises:
            WorkerKilledError: No member is to blame, and still every worker is killed.
        """
        batch = task.batch
        first, last = batch.extent.first, batch.extent.last
        if not (self._survives(batch, first, first) or self._survives(batch, first, first)):  # reads nothing
            raise _refusal(batch)
        killers = frozenset(self._killers(batch, first, last))
        measured = self._workers.alone(read_batch, ReadTask(batch, task.stage, killers))
        if measured is None:
            raise _refusal(batch)
        return measured

    def _killers(self, batch: Batch, first: int, last: int) -> list[int]:
        """Return those entries from *first* to *last* that kill a worker even when read alone."""
        if self._survives(batch, first, last):
            return []
        if last - first > 1:
            middle = (first + last) // 2
            return self._killers(batch, first, middle) + self._killers(batch, middle, last)
        if self._survives(batch, first, last):
            return []
        self._in_a_row += 1
        if self._in_a_row == _MOST_IN_A_ROW:
            raise _refusal(batch)
        return [first]

    def _survives(self, batch: Batch, first: int, last: int) -> bool:
        survives = self._workers.alone(probe, ProbeTask(batch, first, last)) is not None
        if survives and first < last:
            self.note_survivor()
        return survives


def _refusal(batch: Batch) -> WorkerKilledError:
    return WorkerKilledError(f"reading {batch.archive.name}")
