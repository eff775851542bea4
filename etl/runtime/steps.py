"""A run of steps: tasks of one kind each, through one executor, measured and watched."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from saturi.etl.errors import WorkerKilledError
from saturi.etl.runtime.executor import Workers
from saturi.etl.runtime.measurements import Meter
from saturi.etl.runtime.progress import Progress, Watcher

Task = TypeVar("Task")
Result = TypeVar("Result")


class Run(NamedTuple):
    """The executor, the meter and the watcher of all steps of one run."""

    pool: Workers
    meter: Meter
    watcher: Watcher

    def map(self, step: str, function: Callable[[Task], Result], tasks: Sequence[Task]) -> list[Result]:
        """
        Return the results of *function* for *tasks*, in their order.

        Raises:
            WorkerKilledError: Every process given one of them was killed.
        """
        results: dict[int, Result] = {}
        places = {id(task): place for place, task in enumerate(tasks)}
        with self.meter.step(step):
            if tasks:  # at once, since the first result may take long
                self.watcher(Progress(step, 0, len(tasks)))
            for task, measured in self.pool.map(function, tasks):
                if measured is None:
                    raise WorkerKilledError(step)
                results[places[id(task)]] = self.meter.take(measured)
                self.watcher(Progress(step, len(results), len(tasks)))
        return [results[place] for place in range(len(tasks))]
