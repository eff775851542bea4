"""Builds that are killed: whatever was left behind, the next run ends with the same bytes and does little twice."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Container, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from coverings import mostly_thorough
from killings import (
    ATTEMPTS,
    PATIENCE_SECONDS,
    kill_group,
    killed_after,
    killed_when,
    reached,
    started,
    wait_until,
    workers_of,
)
from runs import counts_of, digest_of, facts_of, invoke, leftovers_of, one_thread, rejects_of, saturi, segments_of

from saturi import verify
from saturi.etl.corpus.archive import Defect, Member, read_members
from saturi.etl.corpus.batches import Batch
from saturi.etl.errors import InputError
from saturi.etl.pipeline.build import build
from saturi.etl.read import batch as batch_module
from saturi.etl.runtime.processes import start_worker
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import Dedup

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups to kill")

# Nothing is cleaned: looking for what to clean is half of what such builds cost, and no moment of its own.
ARGUMENTS = ("--max-chunk-examples", "20", "--validation", "0.2", "--no-clean")
TWO_WORKERS = ("--workers", "2")
OPTIONS = BuildOptions(max_chunk_examples=20, validation=0.2, clean=False)
OTHER_ARGUMENTS = ("--max-chunk-examples", "15", "--workers", "2", "--no-dedup", "--no-clean")
OTHER_OPTIONS = BuildOptions(max_chunk_examples=15, dedup=Dedup.NONE, clean=False)
IN_A_ROW = 4
KILLER = "say_set1_collectorgs1_speakergs11_1_0_8.json"
LOST = ("decisions/*.judged.ipc", "rendered/*", "lineage/*", "decisions/*.limited.ipc", "*-*.json", "chunks/*/*")
"""Files of a build that writes chunks, all of which are there at once."""


class Undisturbed:
    """
    A build that nobody killed: what it took and what it gave.

    Args:
        workers: Arguments of those that are killed at a certain moment; a second worker costs a fourth of the whole.
    """

    def __init__(self, corpus: Path, folder: Path, workers: tuple[str, ...]) -> None:
        self.corpus, self.folder = corpus, folder
        self.command: tuple[str | Path, ...] = ("build", corpus, "--out", "out", *ARGUMENTS, *TWO_WORKERS)
        self.command_at_a_moment: tuple[str | Path, ...] = (*self.command, *workers)
        began = time.monotonic()
        assert saturi(*self.command, cwd=folder).returncode == 0
        self.seconds = time.monotonic() - began
        self.out = folder / "out"
        self.digest = digest_of(self.out)
        self.segments = len(segments_of(self.out / "stage"))

    def finish(self, cwd: Path) -> None:
        """Run the same build plainly in *cwd*, and check that its result is this one's."""
        build([self.corpus], cwd / "out", OPTIONS, make_executor=one_thread)
        self.check(cwd)

    def resume(self, cwd: Path) -> None:
        """Run the same command in *cwd*, and check that its result is this one's."""
        run = invoke(*self.command, cwd=cwd)
        assert run.returncode == 0, run.stderr
        self.check(cwd)

    def check(self, cwd: Path) -> None:
        """Check that the build in *cwd* is this one, and the only thing there."""
        assert digest_of(cwd / "out") == self.digest
        assert leftovers_of(cwd / "out") == []


@pytest.fixture(scope="module")
def undisturbed(
    two_regions: Path, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Undisturbed:
    """A build with many chunks."""
    workers = TWO_WORKERS if pytestconfig.getoption("--thorough") else ("--workers", "1")
    return Undisturbed(two_regions, tmp_path_factory.mktemp("undisturbed"), workers)


def test_killed_at_random_moments(undisturbed: Undisturbed, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """However often a build is killed, and whenever, a plain run afterwards gives the bytes of an undisturbed one."""
    rng = random.Random(20)
    kills: int = request.config.getoption("--kills")
    longest = undisturbed.seconds
    for row in range(-(-kills // IN_A_ROW)):
        folder = tmp_path / str(row)
        folder.mkdir()
        for _ in range(min(IN_A_ROW, kills - row * IN_A_ROW)):
            began = time.monotonic()
            while not killed_after(rng.uniform(0, longest), *undisturbed.command, cwd=folder):
                # It was done by then: what is there makes it quicker, and so does a machine less busy.
                began, longest = time.monotonic(), time.monotonic() - began
        undisturbed.resume(folder)
        shutil.rmtree(folder)


class Stopped(NamedTuple):
    """A build that a signal ended: its folder, its exit code, and what it wrote."""

    folder: Path
    returncode: int
    output: str
    errors: str


def _stopped(
    undisturbed: Undisturbed,
    tmp_path: Path,
    condition: Callable[[subprocess.Popen[str], Path], bool],
    number: int = signal.SIGKILL,
) -> Stopped:
    """Run the build below *tmp_path*, send signal *number* when *condition* on it and its output holds, and return how it ended."""
    for attempt in range(ATTEMPTS):
        folder = tmp_path / f"stopped-{attempt}"
        folder.mkdir(parents=True)
        with started(*undisturbed.command_at_a_moment, cwd=folder) as process:
            if reached(process, partial(condition, process, folder / "out")):
                kill_group(process, number)
            output, errors = process.communicate(timeout=PATIENCE_SECONDS)
        if process.returncode:
            return Stopped(folder, process.returncode, output, errors)
    pytest.fail("every build ended before the signal")


def test_killed_in_mid_read(undisturbed: Undisturbed, tmp_path: Path) -> None:
    """The run after a kill makes the segments that are missing and no other."""

    def is_reading(_: subprocess.Popen[str], out: Path) -> bool:
        return len(segments_of(out / "stage")) >= 3

    for attempt in range(ATTEMPTS):
        stopped = _stopped(undisturbed, tmp_path / str(attempt), is_reading)
        out = stopped.folder / "out"
        there = {path: path.stat().st_mtime_ns for path in segments_of(out / "stage")}
        if len(there) < undisturbed.segments:
            break
    assert 3 <= len(there) < undisturbed.segments
    undisturbed.finish(stopped.folder)
    facts = facts_of(out)
    assert (facts["segments_reused"], facts["segments_made"]) == (len(there), undisturbed.segments - len(there))
    assert {path: path.stat().st_mtime_ns for path in there} == there


@pytest.mark.parametrize(
    "what",
    mostly_thorough(
        ["decisions/*.ipc", "lineage.parquet"], "chunks/*/*.jsonl", "*.json", "rejects.jsonl", "build.json"
    ),
)
def test_killed_after_reading(undisturbed: Undisturbed, tmp_path: Path, what: str) -> None:
    """A build killed while it selects, writes chunks, or writes tables is finished without reading again."""
    for attempt in range(ATTEMPTS):  # some of these are there for a millisecond
        folder = tmp_path / str(attempt)
        folder.mkdir()
        found = partial(_finds, folder / "out" / ".work", what)
        killed = killed_when(found, *undisturbed.command_at_a_moment, cwd=folder)
        if killed and not (folder / "out" / "manifest.json").exists():
            break
    assert killed
    assert not (folder / "out" / "manifest.json").exists()
    undisturbed.finish(folder)
    assert facts_of(folder / "out")["segments_made"] == 0


def _finds(folder: Path, pattern: str) -> bool:
    return any(folder.glob(pattern))


@pytest.fixture(scope="module")
def earlier(undisturbed: Undisturbed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished build of the same corpus with other options."""
    folder = tmp_path_factory.mktemp("earlier")
    shutil.copytree(undisturbed.out, folder / "out")
    build([undisturbed.corpus], folder / "out", OTHER_OPTIONS, make_executor=one_thread)
    return folder / "out"


@pytest.mark.parametrize("pause", mostly_thorough([0.003], 0, 0.01), ids=lambda pause: f"{pause * 1000:g}-ms")
def test_killed_while_publishing(undisturbed: Undisturbed, earlier: Path, tmp_path: Path, pause: float) -> None:
    """A build killed while it takes the place of another leaves no manifest or a whole build, and can be run again."""
    out = tmp_path / "out"
    shutil.copytree(earlier, out)
    before = _published(out)
    with started(*undisturbed.command_at_a_moment, cwd=tmp_path) as process:
        wait_until(process, lambda: _published(out) != before)
        time.sleep(pause)
        kill_group(process)
    if (out / "manifest.json").exists():
        assert digest_of(out) == undisturbed.digest
    else:
        with pytest.raises(InputError):
            verify(out)
    undisturbed.finish(tmp_path)


def _reads(process: subprocess.Popen[str], out: Path, count: int) -> bool:
    """Whether a build has made *count* segments and has workers."""
    return len(segments_of(out / "stage")) >= count and bool(workers_of(process))


def test_one_worker_is_killed(undisturbed: Undisturbed, tmp_path: Path) -> None:
    """A build outlives the death of its workers: it ends well and with the same bytes."""
    if not Path("/proc/self/task").exists():
        pytest.skip("without /proc, the workers of a build cannot be found")
    out = tmp_path / "out"
    killed = 0
    with started(*undisturbed.command, cwd=tmp_path) as process:
        for count in (2, undisturbed.segments // 3):
            wait_until(process, partial(_reads, process, out, count))
            os.kill(workers_of(process)[0], signal.SIGKILL)
            killed += 1
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, killed) == (0, 2), errors
    assert "Traceback" not in errors
    assert digest_of(out) == undisturbed.digest
    assert leftovers_of(out) == []


def _start_deadly_worker(name: str) -> None:
    """Prepare a worker that is killed as soon as it reads the member *name*."""
    start_worker()

    def deadly(batch: Batch, spared: Container[int] = frozenset()) -> Iterator[Member | None]:
        for member in read_members(batch, spared):
            if member is not None and member.path == name and not isinstance(member.content, Defect):
                os.kill(os.getpid(), signal.SIGKILL)
            yield member

    batch_module.read_members = deadly  # type: ignore[attr-defined]  # what the module uses and does not export


def _deadly_pool(name: str) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        2, mp_context=get_context("forkserver"), initializer=_start_deadly_worker, initargs=(name,)
    )


def test_a_member_that_kills_its_worker(tmp_path: Path) -> None:
    """A member whose every reader is killed is rejected, and nothing else is; the next build reads it."""
    corpus, out = tmp_path / "corpus", tmp_path / "out"
    write_zip(corpus / ANSWER_ZIP, answers(15))
    write_zip(corpus / ANSWER_ZIP.replace("TL_", "VL_"), answers(5, first=100))
    options = BuildOptions(max_rejects=0.5)
    build([corpus], out, options, make_executor=partial(_deadly_pool, KILLER))
    assert [(row["member"], row["reason"]) for row in rejects_of(out)] == [(KILLER, "worker_killed")]
    counts = counts_of(out)
    assert (counts["label_files"], counts["decoded"], counts["rejected"]) == (20, 19, {"worker_killed": 1})
    result = build([corpus], out, options, make_executor=one_thread)
    assert rejects_of(out) == []
    assert (result.facts.segments_made, result.facts.segments_reused) == (1, 1)
    build([corpus], tmp_path / "fresh", options, make_executor=one_thread)
    assert digest_of(out) == digest_of(tmp_path / "fresh")


@pytest.mark.parametrize(
    "what", [".saturi", "stage/*/*.segment", ".work/chunks/*/*.jsonl"], ids=["starting", "reading", "writing"]
)
def test_interrupted(undisturbed: Undisturbed, tmp_path: Path, what: str) -> None:
    """Ctrl-C ends a build with 130, tells how to go on, and the next run goes on with every segment that is there."""
    stopped = _stopped(
        undisturbed, tmp_path, lambda process, out: any(out.glob(what)) and bool(workers_of(process)), signal.SIGINT
    )
    out = stopped.folder / "out"
    assert stopped.returncode == 130
    assert "Run the same command again" in stopped.errors
    assert "Traceback" not in stopped.errors
    assert stopped.output == ""
    assert not (out / "manifest.json").exists()
    there = len(segments_of(out / "stage"))
    undisturbed.finish(stopped.folder)
    assert facts_of(out)["segments_reused"] == there


@pytest.fixture(scope="module")
def stopped_while_writing(undisturbed: Undisturbed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a build that was killed while it wrote chunks, to be copied."""
    folder = tmp_path_factory.mktemp("writing")
    return _stopped(undisturbed, folder, lambda _, out: all(any(out.glob(f".work/{lost}")) for lost in LOST)).folder


@pytest.mark.parametrize("lost", mostly_thorough(LOST[:3], *LOST[3:]))
@pytest.mark.parametrize("left", [None, 0, 100], ids=["no-name", "no-content", "some-content"])
def test_files_lost_with_the_power(
    undisturbed: Undisturbed, stopped_while_writing: Path, tmp_path: Path, lost: str, left: int | None
) -> None:
    """A build killed while writing goes on without reading, though some files have lost their names, or what was in them."""
    folder = Path(shutil.copytree(stopped_while_writing, tmp_path / "stopped"))
    found = [*(folder / "out").glob(f".work/{lost}")]
    assert found
    for path in found:
        if left is None or lost.startswith("chunks"):  # these are synced before they have their names
            path.unlink()
        else:
            os.truncate(path, left)
    undisturbed.finish(folder)
    assert facts_of(folder / "out")["segments_made"] == 0


def test_two_builds_into_one_folder(undisturbed: Undisturbed, tmp_path: Path) -> None:
    """While a build runs, another into the same folder ends with 5 and one sentence, and the first is not disturbed."""
    with started(*undisturbed.command_at_a_moment, cwd=tmp_path) as process:
        wait_until(process, lambda: any((tmp_path / "out" / "stage").glob("*/*.segment")))
        kill_group(process, signal.SIGSTOP)
        second = invoke("build", undisturbed.corpus, "--out", "out", *OTHER_ARGUMENTS, cwd=tmp_path)
        kill_group(process, signal.SIGCONT)
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert second.returncode == 5
    assert second.stdout == ""
    [sentence] = second.stderr.splitlines()
    assert sentence.startswith("saturi: ")
    assert "is writing there" in sentence
    assert process.returncode == 0, errors
    assert digest_of(tmp_path / "out") == undisturbed.digest


def test_the_workers_die_with_their_parent(undisturbed: Undisturbed, tmp_path: Path) -> None:
    """When the main process alone is killed, its workers end too, and the folder is free again."""
    with started(*undisturbed.command, cwd=tmp_path) as process:
        wait_until(process, lambda: any((tmp_path / "out" / "stage").glob("*/*.segment")))
        process.kill()
        process.wait()
        undisturbed.finish(tmp_path)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while _group_runs(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not _group_runs(process.pid)


def _group_runs(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _published(out: Path) -> tuple[bool, list[str]]:
    """Return whether there is a manifest, and the names of the chunks beside it."""
    return (out / "manifest.json").exists(), sorted(path.name for path in (out / "chunks" / "train").iterdir())
