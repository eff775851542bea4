"""An I/O call that fails: one sentence and an exit code, no traceback, nothing lost, and afterwards the same bytes."""

import errno
import random
import shutil
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from failing_io import CALLS, ROLES, Failure, Met, environment_of, failing_io, met
from runs import digest_of, leftovers_of, one_thread, saturi, tree_of

from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions

BUILD = (
    "build",
    "corpus",
    "--out",
    "out",
    "--max-chunk-examples",
    "20",
    "--max-rejects",
    "0.5",
    "--no-clean",
)
OPTIONS = BuildOptions(clean=False, max_chunk_examples=20, max_rejects=0.5)
READING = ("open", "read", "mmap")
COMMANDS = {
    "build": (BUILD, ROLES, CALLS),
    "verify": (("verify", "out"), ("parent",), READING),
    "check": (("check", "out"), ("parent",), READING),
    "export": (("export", "out", "--to", "trl"), ("parent",), CALLS),
    "inspect": (("inspect", "corpus"), ROLES, READING),
}
ERRNOS = (errno.EIO, errno.EIO, errno.ENOSPC, errno.ENOMEM, errno.EMFILE, errno.EACCES)
NEVER = 1 << 40
UNDISTURBED = Failure("parent", CALLS[0], errno.EIO, NEVER, NEVER)
_EXIT_CODES = {0, 1, 3, 4, 5}


class Bench:
    """
    A corpus of archives and loose label files, its build, and the calls that each command makes on both.

    Args:
        workers: Number of workers of a build; a second one costs a fourth of the whole.
    """

    def __init__(self, folder: Path, workers: int) -> None:
        self.folder = folder
        self.workers = {"build": ("--workers", str(workers)), "inspect": ("--workers", "1")}
        self.library = failing_io(folder)
        self.whole = folder / "whole"
        self.whole.mkdir()
        for number in range(4):
            name = ANSWER_ZIP.replace(".zip", f"_{number}.zip")
            write_zip(self.whole / "corpus" / name, answers(40, first=100 * number))
        loose = self.whole / "corpus" / ANSWER_ZIP.removesuffix(".zip")
        loose.mkdir()
        for name, content in answers(20, first=900):
            (loose / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        code, errors, found = self.run("build", UNDISTURBED, self.whole)
        assert code == 0, errors
        self.digest = digest_of(self.whole / "out")
        self._calls = {"build": found.calls}

    def place(self, name: str, *, with_build: bool) -> Path:
        """Return a folder of its own, with the corpus and perhaps the build in it."""
        place = self.folder / name
        shutil.copytree(self.whole, place, ignore=None if with_build else shutil.ignore_patterns("out"))
        return place

    def run(self, command: str, failure: Failure, place: Path) -> tuple[int, str, Met]:
        """Run *command* while *failure* happens; return its exit code, what it wrote to stderr, and what was met."""
        state = self.folder / "state"
        arguments = *COMMANDS[command][0], *self.workers.get(command, ())
        run = saturi(*arguments, cwd=place, **environment_of(failure, self.library, place, state))
        return run.returncode, run.stderr, met(state)

    def calls(self, command: str) -> dict[tuple[str, str], int]:
        """Return how many calls of each role and kind *command* makes where none fails."""
        if command not in self._calls:
            place = self.place("counted", with_build=True)
            _, _, found = self.run(command, UNDISTURBED, place)
            self._calls[command] = found.calls
            shutil.rmtree(place)
        return self._calls[command]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"), 2 if pytestconfig.getoption("--thorough") else 1)


def _chosen(rng: random.Random, bench: Bench) -> tuple[str, Failure]:
    """Return a command and a failure of a call that it makes."""
    while True:
        command = rng.choice(["build", "build", "build", *COMMANDS])
        _, roles, kinds = COMMANDS[command]
        role, call = rng.choice(roles), rng.choice(kinds)
        calls = bench.calls(command)[role, call]
        if calls:
            first = rng.randint(1, calls)
            return command, Failure(role, call, rng.choice(ERRNOS), first, rng.choice((first, first, NEVER)))


def test_a_call_that_fails(bench: Bench, request: pytest.FixtureRequest) -> None:
    """Whatever call fails, a command ends with a sentence and no traceback, and a build that is run again has the same bytes."""
    rng = random.Random(12)
    for number in range(request.config.getoption("--io-failures")):
        command, failure = _chosen(rng, bench)
        place = bench.place(str(number), with_build=command != "build")
        before = tree_of(place / "out") if command in ("verify", "check", "inspect") else {}
        code, errors, found = bench.run(command, failure, place)
        context = f"{number}: {command}, {failure}, met {found}: {code}, {errors[-2000:]}"
        assert code in _EXIT_CODES, context
        assert "Traceback" not in errors, context
        assert "Exception" not in errors, context
        if command == "build":
            _finish(bench, place, code, context)
        elif before:
            assert tree_of(place / "out") == before, context
        shutil.rmtree(place)


def _finish(bench: Bench, place: Path, code: int, context: str) -> None:
    """Check that a build ends as an undisturbed one, if not at once, then when it is run again."""
    out = place / "out"
    if code == 0:
        rejects = (out / "rejects.jsonl").read_text(encoding="utf-8")
        assert digest_of(out) == bench.digest or "unreadable" in rejects, context
    build([place / "corpus"], out, OPTIONS, make_executor=one_thread)
    assert digest_of(out) == bench.digest, context
    assert leftovers_of(out) == [], context


@pytest.mark.parametrize(
    ("role", "call", "number"),
    [
        ("parent", "open", errno.EMFILE),
        pytest.param("parent", "open", errno.ENOMEM, marks=pytest.mark.thorough),
        pytest.param("worker", "open", errno.ENFILE, marks=pytest.mark.thorough),
        ("worker", "mmap", errno.ENOMEM),
    ],
)
def test_what_is_wrong_with_the_process(bench: Bench, role: str, call: str, number: int) -> None:
    """No memory or open files left in a process is an error of the whole build, with 5 and a sentence that says so."""
    place = bench.place("process", with_build=False)
    try:
        code, errors, found = bench.run("build", Failure(role, call, number, 1, NEVER), place)
    finally:
        shutil.rmtree(place)
    assert found.failures, "no such call"
    assert code == 5, errors
    assert "Traceback" not in errors
    sentence = errors.splitlines()[-1].lower()
    assert ("memory" in sentence) if number == errno.ENOMEM else ("open files" in sentence)
