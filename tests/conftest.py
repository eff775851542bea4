"""Options of the test run, and the corpora that many tests share."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from filelock import FileLock
from hypothesis import HealthCheck, settings
from object_storage import Storage, object_storage
from provider import Server, World, serving
from submissions import ENVIRONMENT, KEY, make_build

from benchmarks.corpus import FACTS, make_corpus
from saturi.etl.synthetic.corpus import SampleReport
from saturi.etl.synthetic.corpus import sample as write_sample

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # as in a worker; read when Polars is first used

# A thousand commands and workers start from these sources: where none keeps its bytecode, each compiles all that it imports.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Whatever Hypothesis measures by the clock fails on a busy machine, and says nothing of the code.
settings.register_profile("without-a-clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("without-a-clock")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kills",
        type=int,
        default=8,
        help="how many builds are killed at a random moment, and how often an evaluation is",
    )
    parser.addoption("--interrupts", type=int, default=8, help="how many builds are interrupted at a random moment")
    parser.addoption("--io-failures", type=int, default=12, help="how many commands meet an I/O call that fails")
    parser.addoption("--large", action="store_true", help="also build a million label files")
    parser.addoption("--faults", type=int, default=100, help="how many submissions meet a random fault or are killed")
    parser.addoption("--unsloth", type=Path, help="the Python that Unsloth Studio is installed for, to be talked to")
    parser.addoption(
        "--schemas", type=Path, help="the Python that the SDKs of Together and Fireworks are installed for"
    )
    parser.addoption(
        "--trainers", help="folder with an environment for each trainer of open models, to train with them"
    )
    parser.addoption("--cuts", type=int, default=12, help="how many downloads break off at a random byte")
    parser.addoption("--fetch-kills", type=int, default=4, help="how many downloads are killed at a random moment")
    parser.addoption("--cluster-kills", type=int, default=4, help="how many parts of Dask clusters are killed")
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleReport:
    """The sample of the default size, 400 label files with every oddity and defect."""
    return write_sample(tmp_path_factory.mktemp("sample") / "corpus")


@pytest.fixture(scope="session")
def big_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean corpus of 3,000 label files, 130 MB of JSON in thirty archives; made once, for all workers of pytest-xdist."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "big"
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            made = folder.with_suffix(".part")
            make_corpus(made, files=3_000)
            (made / FACTS).unlink()
            made.rename(folder)
    return folder


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a corpus of answers in `corpus`, and nothing else."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(40))
    return tmp_path


@pytest.fixture(scope="module")
def storage_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """An S3 server on loopback, to which the environment leads."""
    with object_storage(tmp_path_factory.mktemp("storage")) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield running


@pytest.fixture
def storage(storage_server: Storage) -> Iterator[Storage]:
    """A storage without an object, honest and undisturbed, for one test."""
    storage_server.requests.clear()
    yield storage_server
    storage_server.behave()
    for left in storage_server.folder.iterdir():
        shutil.rmtree(left)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A provider on loopback."""
    with serving(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture
def world(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An account at the provider, for one test; its key is in the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return server.world(tmp_path.name)


@pytest.fixture
def studio(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """An account at Unsloth Studio, as the provider on loopback imitates it."""
    monkeypatch.setenv("UNSLOTH_API_KEY", KEY)
    world.studio = True
    return world


@pytest.fixture
def clova(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """An account at CLOVA Studio, with a bucket and its keys, as the provider on loopback imitates it."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    world.clova = True
    return world


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build to submit, to be copied before it is."""
    return make_build(tmp_path_factory.mktemp("built"))


@pytest.fixture
def out(built: Path, tmp_path: Path) -> Path:
    """A build to submit, for one test."""
    return Path(shutil.copytree(built, tmp_path / "out"))


@pytest.fixture(scope="session")
def built_large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build with examples enough for every provider, to be copied before it is submitted."""
    return make_build(tmp_path_factory.mktemp("large"), rows=100)


@pytest.fixture
def large(built_large: Path, tmp_path: Path) -> Path:
    """A build with examples enough for every provider, for one test."""
    return Path(shutil.copytree(built_large, tmp_path / "out"))
