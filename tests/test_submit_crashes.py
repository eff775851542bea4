"""Submissions that meet a random fault or are killed at a random moment, each followed by the same command again."""

import logging
import random
import shutil
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

import pytest
from killings import PATIENCE_SECONDS
from provider import Fault, Server, World
from provider.faults import JOB, Moment, answer_lost, calling, refused, reset
from submissions import OPEN_MODEL, assert_submitted_once, options_for, profile
from submitter import DONE, FAILED, KILLED, RESUBMIT, Errand, finish, start

ANY = ".*"
MOMENTS: tuple[Moment, ...] = ("before", "body", "after")
WHOLE, PARTED, AT_STUDIO = 8, 19, 7  # requests of a run that nothing goes wrong in
PARTS = 4
LOG = logging.getLogger(__name__)
IN_PARTS = ("uploads_threshold_bytes = 4_000", "max_part_bytes = 3_000")
SECONDS = 0.25  # a submission takes about that


class Course(NamedTuple):
    """A run that shall be disturbed: by what chance, where, in how many requests, and what kills it."""

    rng: random.Random
    world: World
    requests: int
    kill: Callable[[], None]

    def nth(self) -> int:
        """Return the number of one of its requests."""
        return self.rng.randint(1, self.requests)


def _killed_at_a_request(course: Course) -> Fault:
    return calling(ANY, course.rng.choice(MOMENTS), course.kill, nth=course.nth())


def _killed_at_the_job(course: Course) -> Fault:
    return calling(JOB, course.rng.choice(MOMENTS), course.kill)


def _refused(course: Course) -> Fault:
    code = course.rng.choice((None, None, "training_not_available", "insufficient_quota"))
    return refused(ANY, course.rng.choice((429, 500, 503, 400, 401, 403)), code, nth=course.nth())


def _reset(course: Course) -> Fault:
    return reset(ANY, course.rng.randrange(20_000), nth=course.nth())


def _answer_lost(course: Course) -> Fault:
    return answer_lost(ANY, nth=course.nth())


def _job_answer_lost(course: Course) -> Fault:
    return course.rng.choice((answer_lost(JOB), refused(JOB, 500), reset(JOB)))


def _wrong_bytes(course: Course) -> None:
    course.world.wrong_bytes = 1


def _by_the_clock(_: Course) -> None:
    """Killed while it does whatever it does then."""


DISTURBANCES: dict[Callable[[Course], Fault | None], set[int] | None] = {
    _killed_at_a_request: {KILLED},
    _killed_at_the_job: {KILLED},
    _refused: None,
    _reset: None,
    _answer_lost: None,
    _job_answer_lost: {FAILED},
    _wrong_bytes: {FAILED},
    _by_the_clock: {KILLED, DONE},
}
"""What goes wrong, and how a run then ends, where that is certain."""


@pytest.mark.parametrize("part", range(PARTS))
def test_faults_and_kills(
    built: Path,
    server: Server,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    part: int,
) -> None:
    """After any fault or kill and the same command again there is one job, and the files are the chunks, byte for byte."""
    in_parts = profile(tmp_path, *IN_PARTS)
    for number in range(part, pytestconfig.getoption("--faults"), PARTS):
        rng = random.Random(number)
        world = server.world(f"faults-{tmp_path.name}-{number}")
        world.late_lists = rng.choice((0, 0, 1, 2))
        out = Path(shutil.copytree(built, tmp_path / "out"))
        parted = rng.random() < 0.5
        errand = Errand(out, options_for(server, world, **({"providers": in_parts} if parted else {})))
        _disturbed(errand, rng, world, number, PARTED if parted else WHOLE)
        world.faults.clear()
        again = finish(errand)
        if again == RESUBMIT:  # the request may have been on its way: only a person can say
            assert world.jobs == {}, number
            again = finish(errand._replace(again=True))
        assert again == DONE, number
        assert_submitted_once(out, world)
        shutil.rmtree(out)
        shutil.rmtree(world.folder)


def test_faults_and_kills_at_studio(built: Path, server: Server, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """The same holds where no metadata is kept, nothing can be deleted, and one job runs at a time."""
    kinds = list(DISTURBANCES)
    for number in range(max(len(kinds), pytestconfig.getoption("--faults") // 5)):
        if kinds[number % len(kinds)] is _wrong_bytes:  # such a file stays there, and is not used
            continue
        rng = random.Random(number)
        world = server.world(f"studio-{tmp_path.name}-{number}")
        world.studio, world.late_lists = True, rng.choice((0, 0, 1, 2))
        out = Path(shutil.copytree(built, tmp_path / "out"))
        errand = Errand(out, options_for(server, world, provider="unsloth", model=OPEN_MODEL))
        _disturbed(errand, rng, world, number, AT_STUDIO)
        world.faults.clear()
        again = finish(errand)
        if again == RESUBMIT:
            assert world.jobs == {}, number
            again = finish(errand._replace(again=True))
        assert again == DONE, number
        assert_submitted_once(out, world)
        shutil.rmtree(out)
        shutil.rmtree(world.folder)


def _disturbed(errand: Errand, rng: random.Random, world: World, number: int, requests: int) -> None:
    """Run *errand* while it is disturbed, and check that it was."""
    disturb, endings = list(DISTURBANCES.items())[number % len(DISTURBANCES)]
    started: Future[BaseProcess] = Future()  # the first request may come before it is known here

    def kill() -> None:
        started.result().kill()

    fault = disturb(Course(rng, world, requests, kill))
    world.faults += [] if fault is None else [fault]
    process = start(errand)
    started.set_result(process)
    if disturb is _by_the_clock:
        process.join(rng.uniform(0, SECONDS))
        process.kill()
    process.join(PATIENCE_SECONDS)
    assert process.exitcode is not None, number
    assert endings is None or process.exitcode in endings, number
    assert fault is None or fault.seen >= fault.nth, number
    LOG.info("%s %s %s", disturb.__name__, "hit" if fault else "-", process.exitcode)  # to be counted, with --log-file
