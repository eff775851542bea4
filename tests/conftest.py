"""Options of the test run, and the corpora that many tests share."""

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from coverings import SHORT, THOROUGH, covering
from filelock import FileLock
from forks import prepare_forks
from hypothesis import HealthCheck, settings
from object_storage import Storage, object_storage
from provider import Server, World, serving
from runs import one_thread
from submissions import ENVIRONMENT, KEY, make_build

from benchmarks.corpus import FACTS, make_corpus
from saturi.etl.evaluation import resampling
from saturi.etl.inspection.survey import inspect
from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions
from saturi.etl.synthetic.corpus import SampleReport
from saturi.etl.synthetic.corpus import sample as write_sample
from saturi.schemas.inspection import Inspection

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # as in a worker; read when Polars is first used

# A thousand commands and workers start from these sources: where none keeps its bytecode, each compiles all that it imports.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

prepare_forks()

gc.set_threshold(20_000, 50, 100)  # of the objects of a test few are in circles

# Whatever Hypothesis measures by the clock fails on a busy machine, and says nothing of the code.
UNCHECKED = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)  # a folder may serve all examples of a test
settings.register_profile(SHORT, deadline=None, max_examples=10, suppress_health_check=UNCHECKED)
settings.register_profile(THOROUGH, deadline=None, max_examples=100, suppress_health_check=UNCHECKED)

COUNTS = {
    "kills": (2, 8),
    "interrupts": (2, 8),
    "io_failures": (3, 12),
    "faults": (6, 100),
    "cuts": (4, 12),
    "fetch_kills": (1, 4),
    "cluster_kills": (2, 12),
    "storage_faults": (2, 20),
}
"""Options that are numbers: what they are by default, and in the thorough run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--thorough",
        action="store_true",
        help="run every case of every product of parameters, properties on ten times the examples, and higher counts",
    )
    parser.addoption(
        "--kills",
        type=int,
        help="how many builds are killed at a random moment, and how often an evaluation is",
    )
    parser.addoption("--interrupts", type=int, help="how many builds are interrupted at a random moment")
    parser.addoption("--io-failures", type=int, help="how many commands meet an I/O call that fails")
    parser.addoption("--large", action="store_true", help="also build a million label files")
    parser.addoption("--faults", type=int, help="how many submissions meet a random fault or are killed")
    parser.addoption("--unsloth", type=Path, help="the Python that Unsloth Studio is installed for, to be talked to")
    parser.addoption(
        "--schemas", type=Path, help="the Python that the SDKs of Together and Fireworks are installed for"
    )
    parser.addoption(
        "--trainers", help="folder with an environment for each trainer of open models, to train with them"
    )
    parser.addoption("--cuts", type=int, help="how many downloads break off at a random byte")
    parser.addoption("--fetch-kills", type=int, help="how many downloads are killed at a random moment")
    parser.addoption("--cluster-kills", type=int, help="how many parts of Dask clusters are killed")
    parser.addoption(
        "--storage-faults",
        type=int,
        help="how many builds meet random faults of object storage, and how many a single one",
    )
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "thorough: runs with --thorough only")
    thorough: bool = config.option.thorough
    for count, (few, many) in COUNTS.items():
        if getattr(config.option, count) is None:
            setattr(config.option, count, many if thorough else few)
    settings.load_profile(THOROUGH if thorough else SHORT)  # before the tests are imported, which read it


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only the thorough run has: tests marked so, and most of each product of parameters."""
    if config.option.thorough:
        return
    kept = covering([item for item in items if item.get_closest_marker("thorough") is None])
    left_out = [item for item in items if item not in kept]
    items[:] = [item for item in items if item in kept]
    config.hook.pytest_deselected(items=left_out)


def pytest_collection_finish() -> None:
    """Let the garbage collector look at what a test makes, and not at four thousand tests and all modules, time and again."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _fewer_rounds(pytestconfig: pytest.Config) -> Iterator[None]:
    """
    What goes round a fixed number of times does so less often by default, which is most of what it costs with a few lines.

    Rows of an evaluation are drawn a hundred times.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not pytestconfig.getoption("--thorough"):
            patch.setattr(resampling, "RESAMPLES", 100)
        yield


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> SampleReport:
    """A sample with every oddity and defect: of 240 label files, or of the default size, 400."""
    files = 400 if pytestconfig.getoption("--thorough") else 240
    return write_sample(tmp_path_factory.mktemp("sample") / "corpus", files)


@pytest.fixture(scope="session")
def sample_build(sample: SampleReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build of that sample with the default options, to be looked at only."""
    out = tmp_path_factory.mktemp("sample-build") / "out"
    build([sample.folder], out, BuildOptions(max_rejects=1), make_executor=one_thread)
    return out


@pytest.fixture(scope="session")
def sample_inspection(sample: SampleReport) -> Inspection:
    """What is in that sample."""
    return inspect(sample.folder, make_executor=one_thread)


@pytest.fixture(scope="session")
def big_sample(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """A clean corpus of 1,000 label files in thirty archives, or 3,000 with 130 MB of JSON; one for all workers of pytest-xdist."""
    files = 3_000 if pytestconfig.getoption("--thorough") else 1_000
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "big"
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            made = folder.with_suffix(".part")
            make_corpus(made, files=files, workers=1)
            (made / FACTS).unlink()
            made.rename(folder)
    return folder


@pytest.fixture(scope="session")
def two_regions(big_sample: Path, pytestconfig: pytest.Config) -> Path:
    """Two regions of the big sample, twelve archives, for builds that are begun again and again; all of it in the thorough run."""
    return big_sample if pytestconfig.getoption("--thorough") else next(big_sample.glob("139-1*"))


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
        shutil.rmtree(left) if left.is_dir() else left.unlink()


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
