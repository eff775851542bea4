"""Submissions that meet a random fault or are killed at a random moment, each followed by the same command again."""

import random
import shutil
from collections import Counter
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from provider import Server, World
from provider.faults import FILE, JOB, Moment, answer_lost, calling, refused, reset
from submissions import assert_submitted_once, options_for, profile
from submitter import DONE, FAILED, KILLED, RESUBMIT, Errand, Submitter

ANY = ".*"
MOMENTS: tuple[Moment, ...] = ("before", "body", "after")
MOST_REQUESTS = 14  # of one run, uploads in parts included
IN_PARTS = ("uploads_threshold_bytes = 4_000", "max_part_bytes = 3_000")
SECONDS = 0.25  # a submission takes about that

Disturb = Callable[[random.Random, World, Callable[[], None]], None]


def _killed_at_a_request(rng: random.Random, world: World, kill: Callable[[], None]) -> None:
    world.faults.append(calling(ANY, rng.choice(MOMENTS), kill, nth=rng.randint(1, MOST_REQUESTS)))


def _killed_at_the_job(rng: random.Random, world: World, kill: Callable[[], None]) -> None:
    world.faults.append(calling(JOB, rng.choice(MOMENTS), kill))


def _refused(rng: random.Random, world: World, _: Callable[[], None]) -> None:
    status = rng.choice((429, 500, 503, 400, 401, 403))
    world.faults.append(refused(ANY, status, nth=rng.randint(1, MOST_REQUESTS)))


def _reset(rng: random.Random, world: World, _: Callable[[], None]) -> None:
    world.faults.append(reset(ANY, rng.randrange(20_000), nth=rng.randint(1, MOST_REQUESTS)))


def _answer_lost(rng: random.Random, world: World, _: Callable[[], None]) -> None:
    world.faults.append(answer_lost(rng.choice((ANY, FILE, JOB)), nth=rng.randint(1, 2)))


def _wrong_bytes(_: random.Random, world: World, __: Callable[[], None]) -> None:
    world.wrong_bytes = 1


def _undisturbed(_: random.Random, __: World, ___: Callable[[], None]) -> None:
    """Killed by the clock instead."""


DISTURBANCES: tuple[Disturb, ...] = (
    _killed_at_a_request,
    _killed_at_the_job,
    _refused,
    _reset,
    _answer_lost,
    _wrong_bytes,
    _undisturbed,
)


@pytest.fixture(scope="module")
def submitter() -> Submitter:
    """What starts submissions."""
    return Submitter()


def test_faults_and_kills(
    built: Path, server: Server, submitter: Submitter, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """After any fault or kill and the same command again there is one job, and the files are the chunks, byte for byte."""
    in_parts = profile(tmp_path, *IN_PARTS)
    endings: Counter[int] = Counter()
    for number in range(pytestconfig.getoption("--faults")):
        rng = random.Random(number)
        world = server.world(f"faults-{tmp_path.name}-{number}")
        world.late_lists = rng.choice((0, 0, 1, 2))
        out = Path(shutil.copytree(built, tmp_path / "out"))
        more = {"providers": in_parts} if rng.random() < 0.5 else {}
        errand = Errand(out, options_for(server, world, **more))
        endings[_disturbed(submitter, errand, rng, world, DISTURBANCES[number % len(DISTURBANCES)])] += 1
        world.faults.clear()
        again = submitter.finish(errand)
        if again == RESUBMIT:  # killed between the intent and the request: only a person can say
            assert world.jobs == {}, number
            again = submitter.finish(errand._replace(again=True))
        assert again == DONE, number
        assert_submitted_once(out, world)
        shutil.rmtree(out)
        shutil.rmtree(world.folder)
    assert {DONE, FAILED, KILLED} <= endings.keys(), endings


def _disturbed(submitter: Submitter, errand: Errand, rng: random.Random, world: World, disturb: Disturb) -> int:
    """Run *errand* while it is disturbed, and return its exit code."""
    started: list[BaseProcess] = []

    def kill() -> None:
        started[0].kill()

    disturb(rng, world, kill)
    process = submitter.start(errand)
    started.append(process)
    if disturb is _undisturbed:
        process.join(rng.uniform(0, SECONDS))
        process.kill()
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode
