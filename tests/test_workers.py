"""Real pools of processes: every task has its outcome, whoever is killed, and no worker outlives its parent."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from runs import ROOT
from squares import square, square_and_die, square_and_die_once

from saturi.etl.errors import InputError
from saturi.etl.runtime.executor import Outcome, Workers
from saturi.etl.runtime.processes import default_workers, process_pool

if sys.platform == "win32":
    pytest.skip("processes are killed by signals here", allow_module_level=True)

import fcntl

_METHODS = [method for method in ("spawn", "forkserver") if method in multiprocessing.get_all_start_methods()]
_PATIENCE_SECONDS = 120.0  # for a machine however busy; what hangs takes for ever


def fail_on_seven(number: int) -> int:
    if number == 7:
        raise InputError("x.zip", "is broken", "mend it")
    return number


def threads_of_polars(_: int) -> int:
    return pl.thread_pool_size()


def handler_of_interrupts(_: int) -> bool:
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=() if name == "spawn" else pytest.mark.thorough) for name in _METHODS],
)
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    """Two workers, which all tests share: whatever became of the tasks of one, the next one finds them."""
    with Workers(partial(process_pool, 2, request.param), 2) as started:
        yield started


def _values(outcomes: Iterator[Outcome[int, int]]) -> dict[int, int | None]:
    found = list(outcomes)
    assert len({outcome.task for outcome in found}) == len(found)
    return {outcome.task: None if outcome.result is None else outcome.result.value for outcome in found}


def test_every_task_has_its_result(workers: Workers) -> None:
    """Every task comes back once with its result, and a pool can be used again, also for nothing."""
    assert _values(workers.map(square, range(50))) == {number: number * number for number in range(50)}
    assert _values(workers.map(square, [])) == {}
    assert _values(workers.map(square, iter([5]))) == {5: 25}


def test_results_are_measured(workers: Workers) -> None:
    """A result comes with the seconds of CPU it took and the most memory its process ever had."""
    [outcome] = workers.map(square, [9])
    assert outcome.result is not None
    assert 0 <= outcome.result.cpu_seconds < 5
    assert 1 << 20 < outcome.result.peak_bytes < 1 << 32


def test_workers_are_modest(workers: Workers) -> None:
    """A worker gives Polars one thread, and leaves Ctrl-C to its parent."""
    assert set(_values(workers.map(threads_of_polars, range(4))).values()) == {1}
    assert set(_values(workers.map(handler_of_interrupts, range(4))).values()) == {True}


def test_a_task_whose_worker_was_killed_is_run_again(workers: Workers, tmp_path: Path) -> None:
    """A worker killed once costs nothing: its task and those beside it have their results."""
    marker = tmp_path / "killed"
    tasks = [(number, str(marker) if number == 5 else "") for number in range(20)]
    outcomes = list(workers.map(square_and_die_once, tasks))
    assert Counter(outcome.task for outcome in outcomes) == Counter(tasks)
    for outcome in outcomes:
        assert outcome.result is not None
        assert outcome.result.value == outcome.task[0] ** 2
    assert marker.exists()


def test_a_task_that_always_kills_has_no_result(workers: Workers, pytestconfig: pytest.Config) -> None:
    """Tasks that kill every worker, of which there is one by default, come back without a result, and all others with theirs."""
    tasks = range(16 if pytestconfig.getoption("--thorough") else 10)
    expected = {number: None if number in (3, 11) else number * number for number in tasks}
    assert _values(workers.map(square_and_die, tasks)) == expected
    assert _values(workers.map(square, range(3))) == {0: 0, 1: 1, 2: 4}


def test_a_task_alone_is_told_from_one_that_kills(workers: Workers) -> None:
    """A task run alone gives its result, or none where its worker is killed, and the next one finds a new worker."""
    assert workers.alone(square_and_die, 3) is None
    measured = workers.alone(square_and_die, 4)
    assert measured is not None
    assert measured.value == 16


def test_errors_of_tasks_come_through(workers: Workers) -> None:
    """An error raised by a task reaches the caller with its facts, and the pool lives on."""
    with pytest.raises(InputError, match=r"x\.zip: is broken; mend it"):
        list(workers.map(fail_on_seven, range(20)))
    with pytest.raises(InputError):
        workers.alone(fail_on_seven, 7)
    assert _values(workers.map(square, [2])) == {2: 4}


def test_tasks_are_taken_as_they_are_needed() -> None:
    """No more tasks are taken from an endless source than may be under way at once."""
    taken = 0

    def endless() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    with Workers(partial(ThreadPoolExecutor, 2), 2) as workers:
        outcomes = workers.map(square, endless())
        for number in range(1, 10):
            next(outcomes)
            assert taken <= number + 4


def test_any_executor_will_do() -> None:
    """Tasks run through whatever executor is given, made once as long as it holds."""
    made = []

    def make() -> Executor:
        made.append(ThreadPoolExecutor(1))
        return made[-1]

    with Workers(make, 1) as workers:
        assert _values(workers.map(square, range(9))) == {number: number * number for number in range(9)}
    assert len(made) == 1
    with pytest.raises(RuntimeError):
        made[0].submit(square, 1)


def _wait_for(what: Callable[[], bool]) -> bool:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.05)
    return False


def _is_free(path: Path) -> bool:
    """Whether nobody holds the lock on *path*; a process that is gone but not yet buried holds none."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@pytest.mark.parametrize("method", _METHODS)
def test_workers_die_with_their_parent(method: str, tmp_path: Path) -> None:
    """When the parent is killed, its workers end within seconds, in the middle of their tasks."""
    code = f"import squares; squares.be_a_parent({method!r}, {str(tmp_path)!r})"
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    parent = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": paths})
    locks = [tmp_path / "0", tmp_path / "1"]
    try:
        assert _wait_for(lambda: all(lock.with_name(f"{lock.name}.held").exists() for lock in locks))
        assert not any(map(_is_free, locks))
    finally:
        parent.kill()
        parent.wait()
    assert _wait_for(lambda: all(map(_is_free, locks)))


def test_the_default_is_one_worker_a_processor() -> None:
    """Without a number there is a worker for every processor this process may use."""
    assert 1 <= default_workers() <= (os.cpu_count() or 1)
