"""Options of the test run, and the corpora that many tests share."""

import os
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, answers, write_zip

from benchmarks.corpus import FACTS, make_corpus
from etl.sample.corpus import SampleReport, write_sample

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # as in a worker; read when Polars is first used


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=25, help="how many builds are killed at a random moment")
    parser.addoption("--large", action="store_true", help="also build a million label files")
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleReport:
    """The sample of the default size, 400 label files with every oddity and defect."""
    return write_sample(tmp_path_factory.mktemp("sample") / "corpus")


@pytest.fixture(scope="session")
def big_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean corpus of 3,000 label files, 130 MB of JSON in thirty archives."""
    folder = tmp_path_factory.mktemp("big") / "corpus"
    make_corpus(folder, files=3_000)
    (folder / FACTS).unlink()
    return folder


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a corpus of answers in `corpus`, and nothing else."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(40))
    return tmp_path
