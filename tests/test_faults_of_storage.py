"""Builds of which corpus, stage and output folder lie in a storage that fails now and then: the bytes of a disk all the same."""

import random
import shutil
import threading
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from corpora import write_both_generations
from object_storage import Fault, Storage, put_tree, random_faults, undisturbed
from runs import one_thread, promised_of, segments_of

from saturi.etl.errors import EtlError
from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions

OPTIONS = BuildOptions(clean=False, max_chunk_examples=20, validation=0.2, max_rejects=0.5)
MOST_SHARE = 0.1
"""Of requests that meet a fault."""

FEWEST_REQUESTS = 200
"""Of a build; the first so many are let meet a fault, one each time."""

build_here = partial(build, make_executor=one_thread)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small corpus that has all kinds of archives."""
    return write_both_generations(tmp_path_factory.mktemp("corpus") / "aihub")


@pytest.fixture(scope="module")
def expected(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the build on a disk promises."""
    out = tmp_path_factory.mktemp("disk") / "out"
    build_here(corpus, out, OPTIONS)
    return promised_of(out)


@pytest.fixture
def faults(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--storage-faults"))


def _built(storage: Storage, name: str) -> Path:
    """
    Build the corpus in the bucket to *name* there, and return the folder that the server keeps that in.

    Where the first contact with a storage is what fails, a command ends at once, before it does anything: then it is run again.
    """
    url, out = f"{storage.url}/{name}", storage.folder / name
    while True:
        try:
            build_here(f"{storage.url}/aihub", url, OPTIONS)
        except EtlError:
            assert segments_of(out / "stage") == []
        else:
            return out


def test_faults_change_no_byte(corpus: Path, expected: dict[str, object], storage: Storage, faults: int) -> None:
    """Whatever a storage does to some of the requests of a build, its bytes are those of a disk."""
    put_tree(storage, corpus, "aihub")
    for seed in range(faults):
        storage.faults = random_faults(seed, random.Random(seed).uniform(0, MOST_SHARE))
        out = _built(storage, f"out-{seed}")
        storage.faults = undisturbed
        assert promised_of(out) == expected, seed
        assert not (out / ".work").exists(), seed
        shutil.rmtree(out)


def test_one_fault_at_any_request(corpus: Path, expected: dict[str, object], storage: Storage, faults: int) -> None:
    """Whichever request of a build meets a fault, and whichever fault, the bytes are those of a disk."""
    put_tree(storage, corpus, "aihub")
    moments = [(number, fault) for number in range(FEWEST_REQUESTS) for fault in Fault]
    for number, fault in random.Random(5).sample(moments, min(faults, len(moments))):
        storage.requests.clear()
        storage.faults = _one(number, fault)
        out = _built(storage, f"out-{number}")
        assert len(storage.requests) > number
        assert promised_of(out) == expected, (number, fault)
        assert not (out / ".work").exists(), (number, fault)
        shutil.rmtree(out)


def _one(number: int, fault: Fault) -> Callable[[str, str], Fault | None]:
    """Return what lets request *number* meet *fault*, and no other."""
    numbers, counting = count(), threading.Lock()

    def decide(_method: str, _key: str) -> Fault | None:
        with counting:
            return fault if next(numbers) == number else None

    return decide
