"""Builds on Dask clusters of real processes: the bytes of one process, whatever is killed, added or removed meanwhile."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import dask
import pytest
from clusters import SOCKETS_LEFT, Cluster, cluster
from corpora import ANSWER_ZIP, answers, write_parts, write_zip
from deadly_worker import KILLER
from killings import ATTEMPTS, PATIENCE_SECONDS, kill_group, reached, started, wait_for
from runs import (
    ROOT,
    counts_of,
    digest_of,
    error_of,
    facts_of,
    invoke,
    leftovers_of,
    one_thread,
    rejects_of,
    saturi,
    segments_of,
)
from squares import square, square_and_die, square_and_die_once

from saturi import dask_executor
from saturi.etl.corpus.discover import discover
from saturi.etl.errors import ClusterError, InputError, OptionError
from saturi.etl.output.holding import landmarks
from saturi.etl.pipeline.build import build
from saturi.etl.runtime.executor import Workers
from saturi.etl.settings.options import BuildOptions
from saturi.etl.synthetic.corpus import SampleReport
from saturi.schemas.terms import Region

if not Path("/proc/self/task").exists():
    pytest.skip("without /proc, the workers of a cluster cannot be found", allow_module_level=True)

pytestmark = SOCKETS_LEFT

OPTIONS = BuildOptions(max_chunk_examples=20, validation=0.2, region=(Region.GYEONGSANG,))
PLAIN = ("--max-chunk-examples", "20", "--validation", "0.2", "--region", "gyeongsang")
ALONE = ("--nthreads", "1", "--no-nanny")
"""Arguments of a worker without a nanny, which is one process less."""

ARGUMENTS = (*PLAIN, "--executor", "dask")


def fail(number: int) -> int:
    if number == 1:
        raise InputError("x.zip", "is broken", "mend it")
    if number == 2:
        raise LookupError("어데 갔노")
    return number


def wait_for_file(path: str) -> int:
    """Return when there is a file at *path*; leave one beside it that says that this has begun."""
    Path(f"{path}.begun").touch()
    while not Path(path).exists():
        time.sleep(0.01)
    return 1


def alone_in_its_process(folder: str) -> int:
    """Return how many tasks run in this process while this one does."""
    mine = Path(folder) / f"{os.getpid()}-{threading.get_ident()}"
    mine.touch()
    time.sleep(0.05)
    beside = len(list(Path(folder).glob(f"{os.getpid()}-*")))
    mine.unlink()
    return beside


class Built:
    """A corpus of both generations, in zips and in parts, and the build of it by one thread."""

    def __init__(self, corpus: Path, out: Path) -> None:
        self.corpus = corpus
        build([corpus], out, OPTIONS, make_executor=one_thread)
        self.digest = digest_of(out)
        self.lineage = (out / "lineage.parquet").read_bytes()

    def check(self, out: Path) -> None:
        """Check that the build in *out* is this one, and that nothing else is there."""
        assert digest_of(out) == self.digest
        assert (out / "lineage.parquet").read_bytes() == self.lineage
        assert leftovers_of(out) == []


@pytest.fixture(scope="module")
def built(sample: SampleReport, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Built:
    """The folders of the sample that have label files of the region, or all of it in the thorough run, and a zip in parts."""
    folder = tmp_path_factory.mktemp("built")
    corpus = folder / "corpus"
    corpus.mkdir()
    for pattern in ("*",) if pytestconfig.getoption("--thorough") else ("139-1*", "014*"):
        for path in sample.folder.glob(pattern):
            (corpus / path.name).symlink_to(path)
    write_parts(corpus / "parts" / ANSWER_ZIP, answers(60))
    return Built(corpus, folder / "out")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of two workers, for tests that leave it as it is; a task is run again after one worker that it has killed."""
    with cluster(tmp_path_factory.mktemp("cluster"), allowed_failures="1") as running:
        yield running


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler, for tests that leave it without workers."""
    with cluster(tmp_path_factory.mktemp("bare"), 0) as running:
        yield running


def _plugins(dask_scheduler: Any) -> list[str]:
    """Return the names of the plugins for workers, and of those of the scheduler."""
    return sorted([*dask_scheduler.worker_plugins, *dask_scheduler.plugins])


def _workers(running: Cluster) -> Workers:
    return Workers(partial(dask_executor, running.address), 1)


def _shared_workers(running: Cluster, places: tuple[str, ...]) -> Workers:
    return Workers(partial(dask_executor, running.address), 1, shared=places)


def _values(workers: Workers, function: Callable[[Any], int], tasks: list[Any]) -> dict[Any, int | None]:
    outcomes = list(workers.map(function, tasks))
    assert len(outcomes) == len(tasks)
    return {outcome.task: None if outcome.result is None else outcome.result.value for outcome in outcomes}


def _without_progress(errors: str) -> list[str]:
    """Return the lines of stderr that a build writes whatever the time it takes."""
    return [line for line in errors.splitlines() if re.match(r"[a-z ]+: [0-9]", line) is None]


def test_the_bytes_are_those_of_one_thread(built: Built, shared: Cluster, tmp_path: Path) -> None:
    """A build on a cluster says what one by processes does, and gives its bytes; of the corpus nothing is in the cluster's logs."""
    run = invoke("build", built.corpus, *ARGUMENTS, "--scheduler", shared.address, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    built.check(tmp_path / "out")
    assert facts_of(tmp_path / "out")["workers"] == 2
    assert 1 << 20 < facts_of(tmp_path / "out")["worker_peak_bytes"] < 1 << 30
    assert "transcription" not in shared.logs()
    again = invoke("build", built.corpus, *ARGUMENTS, "--scheduler", shared.address, "--profile", cwd=tmp_path)
    assert again.returncode == 0
    assert facts_of(tmp_path / "out")["segments_made"] == 0
    assert facts_of(tmp_path / "out")["stages"]


def test_a_cluster_of_its_own(built: Built, tmp_path: Path) -> None:
    """Without a scheduler a build starts a cluster of processes and ends it; the terminal has no line of the engine."""
    run = saturi("build", built.corpus, *ARGUMENTS, "--workers", "1", cwd=tmp_path)
    assert run.returncode == 0
    built.check(tmp_path / "out")
    assert facts_of(tmp_path / "out")["workers"] == 1
    plain = invoke("build", built.corpus, *PLAIN, cwd=tmp_path)
    assert _without_progress(run.stderr) == _without_progress(plain.stderr)


def test_what_is_there_before_is_there_afterwards(shared: Cluster) -> None:
    """A client of somebody else stays open, and its scheduler keeps no task and no plugin of ours."""
    with shared.client() as client:
        plugins = client.run_on_scheduler(_plugins)
        with Workers(partial(dask_executor, client), 1) as workers:
            assert _values(workers, square, [1, 2, 3]) == {1: 1, 2: 4, 3: 9}
        assert client.status == "running"
        assert client.submit(square, 4).result() == 16
        wait_for(lambda: client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) == 0)
        assert client.run_on_scheduler(_plugins) == plugins


def test_errors_of_tasks_come_through(shared: Cluster) -> None:
    """An error raised by a task reaches the caller, one that nobody foresaw with its traceback; the cluster does not log it."""
    with _workers(shared) as workers:
        with pytest.raises(InputError, match=r"x\.zip: is broken; mend it"):
            workers.alone(fail, 1)
        with pytest.raises(LookupError, match="어데 갔노") as caught:
            workers.alone(fail, 2)
        assert "in fail" in caught.value.__notes__[0]
        assert _values(workers, fail, [5]) == {5: 5}
    assert "어데" not in shared.logs()
    assert "Traceback" not in shared.logs()


def test_a_worker_that_does_not_see_the_folders(shared: Cluster, tmp_path: Path) -> None:
    """A worker on which a folder of the build is missing, or another one, has no task, and the build ends with a sentence."""
    corpus = tmp_path / "corpus"
    write_zip(corpus / ANSWER_ZIP, answers(3))
    (corpus / "loose").mkdir()
    (corpus / "loose" / "a.json").write_text("{}")
    assert discover([corpus / "loose", corpus / ANSWER_ZIP]).landmarks == (
        str(corpus / ANSWER_ZIP),
        str(corpus / "loose/a.json"),
    )
    with landmarks(tmp_path, tmp_path) as marks:
        with _shared_workers(shared, (*marks, str(corpus))) as workers:
            assert _values(workers, square, [2]) == {2: 4}
        for missing in (str(corpus / "elsewhere"), marks[0] + "x"):
            with _shared_workers(shared, (*marks, missing)) as workers, pytest.raises(OptionError) as caught:
                _values(workers, square, [2])
            assert f"does not see {missing}; give folders that all machines have in common" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_the_width_follows_the_cluster(shared: Cluster, tmp_path: Path) -> None:
    """Twice as many tasks are under way as there are workers, and two more with another one, of whose threads one is used."""
    with _workers(shared) as workers:
        taken: list[str] = []

        def endless() -> Iterator[str]:
            while True:
                taken.append(str(tmp_path / f"task-{len(taken)}"))
                yield taken[-1]

        outcomes = workers.map(wait_for_file, endless())
        (tmp_path / "task-0").touch()
        next(outcomes)
        assert len(taken) == 4
        shared.grow("--nthreads", "3", "--no-nanny")
        wait_for(lambda: workers.count == 3)
        (tmp_path / "task-1").touch()
        next(outcomes)
        assert len(taken) == 7
        for number in range(7):
            (tmp_path / f"task-{number}").touch()
    _assert_one_task_at_a_time(shared, tmp_path)
    shared.shrink()


def _assert_one_task_at_a_time(shared: Cluster, tmp_path: Path) -> None:
    """Check that a worker with several threads is named in one sentence, and runs one task at a time all the same."""
    notes: list[str] = []
    with Workers(partial(dask_executor, shared.address, notify=notes.append), 1) as workers:
        tasks = [str(tmp_path / "tasks")] * 12
        (tmp_path / "tasks").mkdir()
        assert [one.result and one.result.value for one in workers.map(alone_in_its_process, tasks)] == [1] * 12
    assert "--nthreads 1" in notes[-1]


def test_a_worker_that_is_killed_once(shared: Cluster, tmp_path: Path) -> None:
    """A killed worker costs nothing: the cluster runs its task again."""
    marker = tmp_path / "killed"
    tasks = [(number, str(marker) if number == 5 else "") for number in range(12)]
    with _workers(shared) as workers:
        assert _values(workers, square_and_die_once, tasks) == {task: task[0] ** 2 for task in tasks}
    assert marker.exists()


def test_a_task_that_always_kills(shared: Cluster) -> None:
    """A task that kills every worker comes back without a result, and all others with theirs."""
    with _workers(shared) as workers:
        expected = {number: None if number == 3 else number * number for number in range(8)}
        assert _values(workers, square_and_die, list(range(8))) == expected


@pytest.mark.thorough
def test_a_member_that_kills_its_worker(tmp_path: Path) -> None:
    """A member whose every reader is killed is rejected on a cluster, too, and nothing else is."""
    corpus, out = tmp_path / "corpus", tmp_path / "out"
    write_zip(corpus / ANSWER_ZIP, answers(2))  # each level of halves costs a worker
    name = "say_set1_collectorgs1_speakergs2_1_0_8.json"
    with cluster(tmp_path / "cluster", 0) as running:
        running.add("--nthreads", "1", "--preload", "deadly_worker", workers=2, **{KILLER: name})
        build([corpus], out, BuildOptions(max_rejects=0.5), make_executor=partial(dask_executor, running.address))
    assert [(row["member"], row["reason"]) for row in rejects_of(out)] == [(name, "worker_killed")]
    assert counts_of(out)["decoded"] == 1


def test_a_scheduler_that_is_started_again(bare: Cluster, tmp_path: Path) -> None:
    """When the scheduler goes and another comes at its address, what was under way is run again there."""
    bare.grow(*ALONE)
    with _workers(bare) as workers, ThreadPoolExecutor(1) as thread:
        path, begun = tmp_path / "task", tmp_path / "task.begun"
        ended = thread.submit(_values, workers, wait_for_file, [str(path)])
        wait_for(begun.exists)
        bare.kill_scheduler()
        begun.unlink()
        bare.start_scheduler()
        bare.add(*ALONE)
        wait_for(begun.exists)
        path.touch()
        assert ended.result() == {str(path): 1}
    bare.kill_machine()
    bare.wait_for_workers()


def test_no_scheduler(tmp_path: Path) -> None:
    """Where no scheduler answers, a build ends with 5 and one sentence, and has written nothing."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(5))
    address = "tcp://127.0.0.1:9"
    with dask.config.set({"distributed.comm.timeouts.connect": "500ms"}):
        run = invoke("build", "corpus", *ARGUMENTS, "--scheduler", address, cwd=tmp_path)
    sentence = error_of(run, 5)
    assert sentence.startswith(f"saturi: {address}: the scheduler does not answer")
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_no_certificates() -> None:
    """An encrypted address without certificates, or with some that are not there, is refused before it is tried."""
    with pytest.raises(OptionError, match="tls:// needs certificates, and none are set"):
        dask_executor("tls://127.0.0.1:9")
    files = dict.fromkeys(("ca-file", "client.cert", "client.key"), "/none")
    with (
        dask.config.set({f"distributed.comm.tls.{name}": file for name, file in files.items()}),
        pytest.raises(OptionError, match="the certificates for tls:// cannot be read"),
    ):
        dask_executor("tls://127.0.0.1:9")


def test_no_workers(bare: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster without workers is waited for, as long as Dask's setting says, and then named in one sentence."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(5))
    monkeypatch.setattr("saturi.etl.runtime.cluster.SILENT_SECONDS", 0.5)
    with dask.config.set({"distributed.scheduler.no-workers-timeout": "1s"}):
        run = invoke("build", "corpus", *ARGUMENTS, "--scheduler", bare.address, cwd=tmp_path)
    assert run.returncode == 5
    note, sentence = run.stderr.splitlines()
    assert note == f"Note: {bare.address}: no worker is there yet; waiting for one"
    assert sentence.startswith(f"saturi: {bare.address}: the cluster has no worker; start some")


def test_workers_that_all_leave(bare: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no worker is left while tasks are under way, that is said, and is the end after as long as Dask's setting says."""
    monkeypatch.setattr("saturi.etl.runtime.cluster.SILENT_SECONDS", 0.5)
    notes: list[str] = []
    bare.grow(*ALONE)
    with (
        dask.config.set({"distributed.scheduler.no-workers-timeout": "1s"}),
        Workers(partial(dask_executor, bare.address, notify=notes.append), 1) as workers,
        ThreadPoolExecutor(1) as thread,
    ):
        ended = thread.submit(_values, workers, wait_for_file, [str(tmp_path / "task")])
        wait_for((tmp_path / "task.begun").exists)
        bare.kill_machine()
        with pytest.raises(ClusterError, match="has no worker"):
            ended.result()
    assert [sentence for sentence in notes if "no worker is" in sentence]


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        pytest.param("msgspec-9.9.9.dist-info/METADATA", "has msgspec 9.9.9; install msgspec", id="another-version"),
        pytest.param("saturi.py", "No module named 'saturi.etl'", id="no-saturi", marks=pytest.mark.thorough),
    ],
)
def test_workers_of_other_versions(package: str, expected: str, shared: Cluster, tmp_path: Path) -> None:
    """A worker with another version, or without saturi, is named before anything is read, and when it joins later."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(5))
    file = tmp_path / "packages" / package
    file.parent.mkdir(parents=True)
    file.write_text("Name: msgspec\nVersion: 9.9.9\n" if file.name == "METADATA" else "")
    shared.wait_for_workers()
    with _workers(shared) as workers:
        shared.grow(*ALONE, PYTHONPATH=str(tmp_path / "packages"))
        wait_for(lambda: workers.count == 3)
        with pytest.raises(OptionError):
            _values(workers, square, list(range(50)))
    run = invoke("build", "corpus", *ARGUMENTS, "--scheduler", shared.address, cwd=tmp_path)
    shared.shrink()
    assert expected in error_of(run, 2)
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--scheduler", "tcp://host:8786"), "--scheduler: processes of this machine have none"),
        (("--executor", "dask", "--scheduler", "host"), "--scheduler: 'host' is no address"),
        (("--executor", "dask", "--scheduler", "tcp://a:b@host:1"), "is no address"),
        (
            ("--executor", "dask", "--scheduler", "host:1", "--workers", "2"),
            "--workers: a scheduler has its own workers",
        ),
        (("--executor", "spark"), "'spark' is unknown; choose from process, dask"),
    ],
)
def test_options_that_do_not_fit(arguments: tuple[str, ...], expected: str, tmp_path: Path) -> None:
    """An executor and a scheduler that do not fit each other are refused before anything is looked at."""
    assert expected in error_of(invoke("build", tmp_path, *arguments, cwd=tmp_path), 2)


def test_a_build_with_processes_does_not_load_dask() -> None:
    """The command `build` is there without loading the engine."""
    code = (
        "import sys, saturi.etl.console.commands.build, saturi.etl.pipeline.build; print('distributed' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


@pytest.mark.parametrize(
    "own", [pytest.param(True, id="its-own", marks=pytest.mark.thorough), pytest.param(False, id="of-others")]
)
def test_interrupted(own: bool, built: Built, shared: Cluster, tmp_path: Path) -> None:
    """Ctrl-C ends a build on a cluster with 130 and how to go on; a cluster of others lives, and the next run goes on."""
    where = ("--workers", "2") if own else ("--scheduler", shared.address)
    for attempt in range(ATTEMPTS):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        with started("build", built.corpus, "--out", "out", *ARGUMENTS, *where, cwd=folder) as process:
            if reached(process, lambda folder=folder: bool(segments_of(folder / "out" / "stage"))):  # type: ignore[misc]
                kill_group(process, signal.SIGINT)
            output, errors = process.communicate(timeout=PATIENCE_SECONDS)
        if process.returncode == 130:
            break
    assert (process.returncode, output) == (130, "")
    assert [line for line in errors.splitlines() if "Run the same command again" in line]
    assert "Traceback" not in errors
    assert "distributed" not in errors
    build([built.corpus], folder / "out", OPTIONS, make_executor=one_thread)
    built.check(folder / "out")
    if not own:
        shared.wait_for_workers()
