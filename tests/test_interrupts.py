"""Signals that end a command: at any moment, once or often, to the parent or to its group; nothing is left behind."""

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from multiprocessing.process import BaseProcess
from pathlib import Path

import forked
import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from killings import (
    ATTEMPTS,
    PATIENCE_SECONDS,
    POLL_SECONDS,
    catches_signals,
    kill_group,
    processes_of,
    reached,
    started,
    wait_until,
)
from provider import Fault, Server, World
from provider.faults import FILE, JOB
from runs import ROOT, digest_of, invoke, leftovers_of, one_thread, saturi, segments_of
from submissions import assert_submitted_once
from test_submit_cli import submission

from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions

if not Path("/proc/self/status").exists():
    pytest.skip("without /proc, what is left of a command cannot be seen", allow_module_level=True)

BUILD = ("build", "corpus", "--out", "out", "--workers", "2", "--validation", "0.2", "--no-clean")
_SIGNALS = (signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AGREED = ("--accept-data-terms", "--yes", "--max-cost", "30")
_RESUME = "Run the same command again"


class Undisturbed:
    """A corpus of several archives and the build of it that nothing interrupts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for archive in range(8):
            name = ANSWER_ZIP.replace(".zip", f"_{archive}.zip")
            write_zip(folder / "corpus" / name, answers(100, first=1000 * archive))
        began = time.monotonic()
        assert saturi(*BUILD, cwd=folder).returncode == 0
        self.seconds = time.monotonic() - began
        self.digest = digest_of(folder / "out")

    def lend(self, folder: Path) -> None:
        """Put the corpus into *folder*."""
        folder.mkdir()
        (folder / "corpus").symlink_to(self.folder / "corpus")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return Undisturbed(tmp_path_factory.mktemp("undisturbed"))


def send(process: subprocess.Popen[str], number: int, *, to_group: bool) -> None:
    """Send signal *number* to the parent alone, or to it and all that it started."""
    if to_group:
        kill_group(process, number)
    elif process.poll() is None:
        os.kill(process.pid, number)


def end_of(process: subprocess.Popen[str]) -> str:
    """Return what *process* wrote to stderr, after it has ended and left no process and no traceback behind."""
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert_quiet(process.pid, errors)
    return errors


def assert_quiet(session: int, errors: str) -> None:
    """Check that no process is left in *session*, and that *errors* are sentences."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while processes_of(session) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    assert processes_of(session) == []
    for word in ("Traceback", "Exception ignored", "Warning", "leaked"):
        assert word not in errors, errors


def test_interrupted_at_random_moments(
    undisturbed: Undisturbed, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Two or more signals to a build, from its first moments on, end it with 128 and their number, and the next run goes on."""
    rng = random.Random(11)
    for number in range(request.config.getoption("--interrupts")):
        folder = tmp_path / str(number)
        undisturbed.lend(folder)
        kind, to_group = rng.choice(_SIGNALS), rng.random() < 0.5
        with started(*BUILD, cwd=folder) as process:
            wait_until(process, lambda process=process: catches_signals(process))  # type: ignore[misc]  # bound at once
            time.sleep(rng.uniform(0, undisturbed.seconds))
            ended = process.poll() is not None
            for _ in range(rng.randrange(2, 5)):
                send(process, kind, to_group=to_group)
                time.sleep(rng.choice((0, 0.01, rng.uniform(0, 0.5))))
            errors = end_of(process)
        if process.returncode == 0:
            assert digest_of(folder / "out") == undisturbed.digest
        else:
            assert not ended
            assert process.returncode == 128 + kind, errors
        if number % 4 == 0:
            build(
                [folder / "corpus"], folder / "out", BuildOptions(validation=0.2, clean=False), make_executor=one_thread
            )
            assert digest_of(folder / "out") == undisturbed.digest
            assert leftovers_of(folder / "out") == []


@pytest.mark.parametrize("kind", sorted(set(_SIGNALS)))
def test_how_to_resume(undisturbed: Undisturbed, tmp_path: Path, kind: signal.Signals) -> None:
    """An interrupted build says once how to go on, whichever signal it was."""
    for attempt in range(ATTEMPTS):
        folder = tmp_path / str(attempt)
        undisturbed.lend(folder)
        with started(*BUILD, "--workers", "1", cwd=folder) as process:
            reached(process, lambda: bool(segments_of(folder / "out" / "stage")))  # noqa: B023 - called at once
            send(process, kind, to_group=False)
            send(process, kind, to_group=False)
            errors = end_of(process)
        if process.returncode:
            break
    assert process.returncode == 128 + kind
    assert errors.count(_RESUME) == 1


def test_a_hang_up_that_is_ignored(undisturbed: Undisturbed, tmp_path: Path) -> None:
    """Under nohup a build outlives the terminal."""
    folder = tmp_path / "here"
    undisturbed.lend(folder)
    with started(*BUILD, cwd=folder, hang_up=signal.SIG_IGN) as process:
        wait_until(process, lambda: bool(segments_of(folder / "out" / "stage")))
        kill_group(process, signal.SIGHUP)
        errors = end_of(process)
    assert process.returncode == 0, errors
    assert digest_of(folder / "out") == undisturbed.digest


def test_a_killed_parent(undisturbed: Undisturbed, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """When the parent is killed at any moment, no worker is left."""
    rng = random.Random(12)
    for number in range(pytestconfig.getoption("--interrupts") // 2):
        folder = tmp_path / str(number)
        undisturbed.lend(folder)
        with started(*BUILD, cwd=folder) as process:
            wait_until(process, lambda process=process: catches_signals(process))  # type: ignore[misc]  # bound at once
            time.sleep(rng.uniform(0, undisturbed.seconds))
            process.kill()
            process.communicate(timeout=PATIENCE_SECONDS)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while processes_of(process.pid) and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
            assert processes_of(process.pid) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", "corpus", "--workers", "2"),
        ("verify", "out"),
        ("check", "out"),
        ("estimate", "out"),
        ("export", "out", "--to", "trl"),
        ("sample", "new", "--files", "20000"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_other_commands(undisturbed: Undisturbed, arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Any command that is interrupted twice, while it is still being loaded or later, ends with 130 and without a traceback."""
    folder = tmp_path / "here"
    undisturbed.lend(folder)
    (folder / "out").symlink_to(undisturbed.folder / "out")
    rng = random.Random(arguments[0])
    assert _interrupted(arguments, folder, rng.uniform(0, 0.3)) in (0, 130)
    for _ in range(ATTEMPTS):
        code = _interrupted(arguments, folder, 0)
        assert code in (0, 130)
        if code == 130:
            break
    assert code == 130


def _interrupted(arguments: tuple[str, ...], folder: Path, delay: float) -> int:
    """Return the exit code of a command that is interrupted twice, *delay* seconds after it answers signals."""
    with started(*arguments, cwd=folder) as process:
        wait_until(process, lambda: catches_signals(process))
        time.sleep(delay)
        for _ in range(2):
            send(process, signal.SIGINT, to_group=True)
        end_of(process)
    return process.returncode


@pytest.mark.usefixtures("out")
def test_submit_and_watch(server: Server, world: World, tmp_path: Path) -> None:
    """A submission or a watch that is interrupted twice while it waits for an answer ends with 130, says how to go on, and does."""
    submitting, watching = submission(server, world, *AGREED), ["watch", "out", "--every", "0.05"]
    _interrupted_at(FILE, submitting, world, tmp_path)
    _interrupted_at(JOB, submitting, world, tmp_path)
    run = invoke(*submitting, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    _interrupted_at("GET /fine_tuning/jobs/.*/events", watching, world, tmp_path)
    run = invoke(*watching, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert_submitted_once(tmp_path / "out", world)


def _interrupted_at(moment: str, arguments: list[str], world: World, cwd: Path) -> None:
    """Run a command that is interrupted twice after a request was carried out of which no answer comes, and check how it ends."""
    running: Future[BaseProcess] = Future()  # the first request may come before it is known here

    def interrupt() -> None:
        for _ in range(2):
            os.kill(running.result().pid or 0, signal.SIGINT)

    world.faults[:] = [Fault(moment, "after", act=interrupt, stall_seconds=20.0, proceeds=True)]
    run = forked.run(forked.COMMAND_LINE, *arguments, cwd=cwd, started=running.set_result)
    assert_quiet(running.result().pid or 0, run.stderr)
    assert run.returncode == 130, run.stderr
    assert _RESUME in run.stderr


def test_an_interrupt_that_a_library_hides() -> None:
    """An interrupt that lands in Python that Polars calls, which makes a panic of it, ends a command as any other does."""
    code = """
import os, signal
from saturi.etl.console import dispatch
from saturi.etl.runtime.interrupts import end_on_signals

class PanicException(BaseException): ...

def panic():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except KeyboardInterrupt as interrupt:
        raise PanicException("called `Result::unwrap()` on an `Err` value") from interrupt

end_on_signals()
dispatch._run = panic
os._exit(dispatch.run())
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert (run.returncode, run.stderr) == (128 + signal.SIGTERM, "")
