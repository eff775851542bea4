"""Builds on Dask clusters with corpus, stage and output folder in object storage: the bytes of a disk."""

import hashlib
import json
import random
import shutil
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from clusters import SOCKETS_LEFT, Cluster, cluster
from corpora import write_both_generations
from killings import PATIENCE_SECONDS, kill_group, reached, started
from object_storage import Fault, Storage, put_tree
from runs import error_of, facts_of, invoke, one_thread, promised_of

from saturi import dask_executor
from saturi.etl.output.folder import CLAIMS
from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import Dedup

if not Path("/proc/self/task").exists():
    pytest.skip("without /proc, the workers of a cluster cannot be found", allow_module_level=True)

pytestmark = SOCKETS_LEFT

OPTIONS = (
    BuildOptions(max_chunk_examples=20, validation=0.2, max_rejects=0.5),
    BuildOptions(max_chunk_examples=7, dedup=Dedup.NONE, max_rejects=0.5),
)
ARGUMENTS = (
    ("--max-chunk-examples", "20", "--validation", "0.2", "--max-rejects", "0.5", "--executor", "dask"),
    ("--max-chunk-examples", "7", "--no-dedup", "--max-rejects", "0.5", "--executor", "dask"),
)
"""Of two builds that replace each other, with chunks of the same names and other contents."""

ALONE = ("--nthreads", "1", "--no-nanny")
"""Arguments of a worker without a nanny, which is one process less."""

Process = subprocess.Popen[str]

_BESIDE_EVERY = 5
"""Kills between two attempts to build beside a build."""

_MOST_REQUESTS = 200
"""Between two kills; a build has as many."""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of both generations, in zips, in parts and in loose files."""
    return write_both_generations(tmp_path_factory.mktemp("corpus") / "aihub")


@pytest.fixture(scope="module")
def expected(local: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """What builds of the corpus on a disk promise, one for each of the options."""
    folder = tmp_path_factory.mktemp("disk")
    promised = []
    for number, options in enumerate(OPTIONS):
        out = folder / str(number)
        build(local, out, options, stage=folder / "stage", make_executor=one_thread)
        promised.append(promised_of(out))
    return promised


@pytest.fixture
def corpus(storage: Storage, local: Path) -> str:
    """The URL of the corpus."""
    return put_tree(storage, local, "aihub")


def test_the_bytes_are_those_of_a_disk(
    corpus: str, expected: list[dict[str, object]], storage: Storage, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """With one worker, two and more, and with workers that come and go meanwhile, the bytes are those of a disk."""
    url, out = f"{storage.url}/out", storage.folder / "out"
    with cluster(tmp_path / "cluster", 0) as running:
        for workers in (1, 2, 3) if pytestconfig.getoption("--thorough") else (1, 2):
            running.grow(*ALONE)
            arguments = (*ARGUMENTS[0], "--scheduler", running.address)
            run = invoke("build", corpus, "--out", url, *arguments, cwd=tmp_path)
            assert run.returncode == 0, run.stderr
            assert "object storage: " in run.stdout
            assert promised_of(out) == expected[0]
            assert facts_of(out)["workers"] == workers
            shutil.rmtree(out)
        held, changed = Event(), Event()
        storage.faults = partial(_hold_one, held, changed)
        with ThreadPoolExecutor(1) as thread:
            make_executor = partial(dask_executor, running.address)
            building = thread.submit(build, corpus, url, OPTIONS[0], make_executor=make_executor)
            try:
                assert held.wait(PATIENCE_SECONDS)
                running.shrink()
                running.grow(*ALONE)
                running.kill_machine()
            finally:
                changed.set()
            building.result()
    assert promised_of(out) == expected[0]


def _hold_one(held: Event, changed: Event, method: str, key: str) -> Fault | None:
    """Let the first segment wait until *changed*."""
    if method == "PUT" and key.startswith("out/stage/") and not held.is_set():
        held.set()
        changed.wait(PATIENCE_SECONDS)
    return None


def test_killed_at_random_moments(
    corpus: str,
    expected: list[dict[str, object]],
    storage: Storage,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """Whatever is killed, and whenever, nobody sees half a build or builds beside one, and the same command ends it."""
    kills: int = request.config.getoption("--cluster-kills")
    chance, done, refused = random.Random(33), 0, 0
    url, out = f"{storage.url}/out", storage.folder / "out"
    with cluster(tmp_path / "cluster") as running, _watched(out):
        for number in count():
            which = number % len(OPTIONS)
            stage = f"stage-{number}"
            command = ("build", corpus, "--out", url, "--stage", f"{storage.url}/{stage}", *ARGUMENTS[which])
            ended = False
            while not ended:
                with started(*command, "--scheduler", running.address, cwd=tmp_path) as process:
                    while done < kills and reached(process, _after(storage, chance.randrange(_MOST_REQUESTS))):
                        if refused * _BESIDE_EVERY <= done:
                            refused += _is_refused_beside(storage, corpus, process, tmp_path)
                        _KILLS[done % len(_KILLS)](running, process)
                        done += 1
                    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
                assert process.returncode in (0, -signal.SIGKILL), errors
                assert "Traceback" not in errors
                ended = process.returncode == 0
            assert promised_of(out) == expected[which]
            shutil.rmtree(storage.folder / stage)
            if done >= kills:
                break
    assert refused or kills <= len(_KILLS)  # of few kills none may find the folder held


def _after(storage: Storage, requests: int) -> Any:
    """Return what holds when the storage has had this many more *requests*."""
    least = len(storage.requests) + requests
    return lambda: len(storage.requests) >= least


def _is_refused_beside(storage: Storage, corpus: str, process: Process, cwd: Path) -> bool:
    """Start another build while that of *process*, if it holds the folder, is frozen; return whether it was so."""
    kill_group(process, signal.SIGSTOP)
    try:
        if not _holds(storage.folder / "out", process):
            return False
        refusal = error_of(invoke("build", corpus, "--out", f"{storage.url}/out", "--workers", "1", cwd=cwd), 5)
        assert "another command is writing there" in refusal
    finally:
        kill_group(process, signal.SIGCONT)
    return True


def _holds(out: Path, process: Process) -> bool:
    """Whether *process* holds the folder *out*."""
    claims = sorted((out / CLAIMS).glob("[0-9]*"))
    if not claims:
        return False
    holder = json.loads(claims[-1].read_bytes())
    return bool(holder["process"] == process.pid and not holder["released"])


@contextmanager
def _watched(out: Path) -> Iterator[None]:
    """Read the build in *out* again and again, and check that whatever has a manifest is whole."""
    ended = Event()

    def watch() -> None:
        while not ended.wait(0.2):
            _refuse_half(out)

    with ThreadPoolExecutor(1) as thread:
        watching = thread.submit(watch)
        try:
            yield
        finally:
            ended.set()
        watching.result()


def _refuse_half(out: Path) -> None:
    manifest = out / "manifest.json"
    content = _read(manifest)
    if content:
        chunks = json.loads(content)["chunks"]
        wrong = [one["path"] for one in chunks if hashlib.sha256(_read(out / one["path"])).hexdigest() != one["sha256"]]
        assert not wrong or _read(manifest) != content, wrong  # its build has begun to make way for another


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _kill_worker(running: Cluster, _: Process) -> None:
    running.kill_worker()


def _kill_machine(running: Cluster, _: Process) -> None:
    running.kill_machine()
    running.add(workers=2)


def _kill_scheduler(running: Cluster, _: Process) -> None:
    running.kill_scheduler()
    running.start_scheduler()
    running.add(workers=2)


def _kill_client(_: Cluster, process: Process) -> None:
    kill_group(process)


_KILLS = (_kill_worker, _kill_client, _kill_scheduler, _kill_machine)
