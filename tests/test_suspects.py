"""Batches whose workers are killed: the members that kill are found; where every worker is killed, the machine is to blame."""

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from runs import rejects_of

from saturi.etl.errors import WorkerKilledError
from saturi.etl.pipeline.build import build
from saturi.etl.read.tasks import ProbeTask, ReadTask
from saturi.etl.settings.options import BuildOptions


class DeadlyExecutor(Executor):
    """
    Run tasks in this process, and break as an executor does whose worker is killed.

    Args:
        kills: Whether it kills to read these members.
        deaths: Gets an entry for every worker that is killed.
    """

    def __init__(self, kills: Callable[[set[int]], bool], deaths: list[set[int]]) -> None:
        self._kills, self._deaths = kills, deaths

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return a future that has ended."""
        future: Future[Any] = Future()
        members = _members_of(args[1])  # behind the function that a worker runs
        if members is not None and self._kills(members):
            self._deaths.append(members)
            future.set_exception(BrokenExecutor())
        else:
            future.set_result(function(*args, **kwargs))
        return future


def _members_of(task: Any) -> set[int] | None:
    """Return the members that *task* reads; None where it is not about reading."""
    if isinstance(task, ProbeTask):
        return set(range(task.first, task.last))
    return (
        set(range(task.batch.extent.first, task.batch.extent.last)) - task.killers
        if isinstance(task, ReadTask)
        else None
    )


def _build(folder: Path, kills: Callable[[set[int]], bool], deaths: list[set[int]]) -> None:
    """Build from sixty label files with workers that are killed by some."""
    write_zip(folder / "corpus" / ANSWER_ZIP, answers(60))
    make = partial(DeadlyExecutor, kills, deaths)
    build([folder / "corpus"], folder / "out", BuildOptions(max_rejects=0.5), make_executor=make)


@pytest.mark.parametrize(
    ("kills", "most_deaths"),
    [
        pytest.param(lambda _: True, 5, id="whatever-it-does"),
        pytest.param(bool, 32, id="whatever-it-reads"),
        pytest.param(lambda members: len(members) > 20, 9, id="what-is-large"),
    ],
)
def test_a_machine_that_kills_every_worker(tmp_path: Path, kills: Callable[[set[int]], bool], most_deaths: int) -> None:
    """Where workers are killed whatever they read, a build ends after a few of them, and not after each label file."""
    deaths: list[set[int]] = []
    with pytest.raises(WorkerKilledError, match="for want of memory") as caught:
        _build(tmp_path, kills, deaths)
    assert caught.value.exit_code == 5
    assert 0 < len(deaths) <= most_deaths
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.parametrize("killers", [{7}, set(range(20, 27)), {0, 59}], ids=["one", "seven-in-a-row", "at-the-ends"])
def test_members_that_kill(tmp_path: Path, killers: set[int]) -> None:
    """Members that kill are rejected, and nothing else is."""
    _build(tmp_path, lambda members: bool(members & killers), [])
    assert [row["reason"] for row in rejects_of(tmp_path / "out")] == ["worker_killed"] * len(killers)
