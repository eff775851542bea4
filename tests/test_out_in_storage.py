"""Builds whose output folder, or stage, lies in object storage: over HTTP to a server on loopback."""

import os
import shutil
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from corpora import write_both_generations
from killings import ATTEMPTS, killed_when
from object_storage import Fault, Request, Storage, put_tree, undisturbed
from runs import facts_of, invoke, one_thread, promised_of, segments_of

from saturi.etl.errors import OptionError
from saturi.etl.output.files import pending
from saturi.etl.output.folder import CLAIMS
from saturi.etl.pipeline.build import build
from saturi.etl.runtime.processes import process_pool
from saturi.etl.settings.options import BuildOptions
from saturi.etl.storage.location import ObjectPath
from saturi.etl.synthetic.corpus import SampleReport
from saturi.schemas.terms import Dedup, SpeechType

WHOLE = BuildOptions(max_chunk_examples=20, validation=0.2, speech_type=tuple(SpeechType))
ARGUMENTS = (
    "--max-chunk-examples",
    "20",
    "--workers",
    "2",
    "--validation",
    "0.2",
    "--max-rejects",
    "0.5",
    "--no-clean",
)
OPTIONS = BuildOptions(clean=False, max_chunk_examples=20, validation=0.2, max_rejects=0.5)
OTHER = BuildOptions(clean=False, max_chunk_examples=15, dedup=Dedup.NONE, max_rejects=0.5)

build_here = partial(build, make_executor=one_thread)


class Local:
    """A build on a disk, to compare with, of *options*."""

    def __init__(self, corpus: Path, folder: Path, options: BuildOptions) -> None:
        self.corpus, self.out = corpus, folder / "out"
        build_here(corpus, self.out, options, stage=folder.parent / "stage")
        self.result = promised_of(self.out)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("local")


@pytest.fixture(scope="module")
def local(folder: Path) -> Local:
    """A build of a small corpus that has all kinds of archives."""
    return Local(write_both_generations(folder / "aihub"), folder / "one", OPTIONS)


@pytest.fixture(scope="module")
def other(folder: Path, local: Local) -> Local:
    """A build of the corpus with other options."""
    return Local(local.corpus, folder / "other", OTHER)


class There(NamedTuple):
    """A build in object storage: a copy of what it has left there, and what it has asked for."""

    folder: Path
    requests: list[Request]

    def put(self, storage: Storage) -> str:
        """Put the build into *storage*, and return its URL there."""
        return put_tree(storage, self.folder, "out")


@pytest.fixture(scope="module")
def there(folder: Path, local: Local, storage_server: Storage) -> There:
    """A build of the corpus that began with nothing, and its stage."""
    storage_server.requests.clear()
    build_here(local.corpus, f"{storage_server.url}/out", OPTIONS)
    return There(Path(shutil.move(out_of(storage_server), folder / "there")), storage_server.requests.copy())


def out_of(storage: Storage, name: str = "out") -> Path:
    """Return the folder that the server keeps the objects of *name* in."""
    return storage.folder / name


def leftovers(storage: Storage) -> list[str]:
    """Return the keys that only a build that runs, or was stopped in between, has."""
    return [key for key in storage.keys() if "/.work/" in key or "probe" in key]  # noqa: SIM118 - no dict


def test_the_bytes_are_those_of_a_disk(local: Local, storage: Storage) -> None:
    """A build in object storage, by processes, has the bytes of one on a disk, and leaves nothing else but its claims."""
    result = build(local.corpus, f"{storage.url}/out", OPTIONS, make_executor=partial(process_pool, 2))
    out = out_of(storage)
    assert promised_of(out) == local.result
    assert result.out == f"{storage.url}/out"
    assert len(segments_of(out / "stage")) == result.facts.segments_made
    assert leftovers(storage) == []
    written = {path.relative_to(out).parts[0] for path in out.rglob("*") if path.is_file()}
    assert written == {CLAIMS, *(path.name for path in local.out.iterdir() if path.name != ".saturi"), "stage"}


@pytest.mark.thorough
def test_the_whole_sample(sample: SampleReport, folder: Path, storage: Storage) -> None:
    """A build of all regions and speech types, with every oddity and reject, has the bytes of one on a disk."""
    build_here(sample.folder, f"{storage.url}/out", WHOLE)
    assert promised_of(out_of(storage)) == Local(sample.folder, folder / "whole", WHOLE).result


def test_each_chunk_goes_up_once(there: There) -> None:
    """No chunk is written twice, nor read: the storage itself gives it its name."""
    chunks = [request for request in there.requests if request.key.endswith(".jsonl") and "/chunks/" in request.key]
    names = [request.key for request in chunks if request.method == "PUT" and "/.work/" in request.key]
    assert len(names) == len(set(names)) == len(list(there.folder.glob("chunks/*/*"))) > 0
    assert not [request for request in chunks if request.method == "GET"]


def test_a_second_build_reads_no_archive(local: Local, other: Local, there: There, storage: Storage) -> None:
    """A build with other options takes the place of the one before, from its stage; the first ones give the first again."""
    url = there.put(storage)
    for options, expected in ((OTHER, other), (OPTIONS, local), (OPTIONS, local)):
        result = build_here(local.corpus, url, options)
        assert result.facts.segments_made == 0
        assert promised_of(out_of(storage)) == expected.result
    assert leftovers(storage) == []


def test_traffic_is_counted(local: Local, storage: Storage) -> None:
    """Requests and bytes both ways are in the result, in build.json and on the screen, and none of a build on a disk."""
    facts = build(local.corpus, f"{storage.url}/out", OPTIONS, make_executor=partial(process_pool, 1)).facts
    there = facts_of(out_of(storage))
    sent = sum(request.sent_bytes for request in storage.requests if request.method == "GET")
    assert 0 < there["requests"] < facts.requests == len(storage.requests)
    assert facts.requested_written_bytes > sum(path.stat().st_size for path in segments_of(out_of(storage) / "stage"))
    assert 0 < facts.requested_read_bytes < sent  # lists are no contents
    assert facts_of(local.out)["requests"] == 0
    shown = invoke("build", local.corpus, "--out", f"{storage.url}/out", "--workers", "1", cwd=local.out)
    assert shown.returncode == 0, shown.stderr
    assert "object storage: " in shown.stdout


@pytest.mark.parametrize("remote", ["out", "stage"])
def test_one_here_and_one_there(local: Local, storage: Storage, tmp_path: Path, remote: str) -> None:
    """Output folder and stage are each on a disk or in object storage, with the same bytes."""
    url = f"{storage.url}/{remote}"
    out, stage = (url, str(tmp_path / "stage")) if remote == "out" else (str(tmp_path / "out"), url)
    assert build_here(local.corpus, out, OPTIONS, stage=stage).facts.segments_reused == 0
    assert build_here(local.corpus, out, OPTIONS, stage=stage).facts.segments_made == 0
    assert promised_of(out_of(storage) if remote == "out" else tmp_path / "out") == local.result
    assert segments_of(tmp_path / "stage" if remote == "out" else out_of(storage, "stage"))


@pytest.mark.parametrize("name", [".work", "chunks/train", CLAIMS])
def test_the_stage_has_a_folder_of_its_own(local: Local, storage: Storage, name: str) -> None:
    """A stage below what a build moves and removes is refused before anything is asked."""
    with pytest.raises(OptionError, match="is for other things"):
        build_here(local.corpus, f"{storage.url}/out", stage=f"{storage.url}/out/{name}")
    assert storage.requests == []


def test_a_build_is_on_a_disk_when_it_is_copied(
    local: Local, other: Local, there: There, storage: Storage, tmp_path: Path
) -> None:
    """A build that was copied from object storage to a disk, or back, is ours there, too."""
    shutil.copytree(there.folder, tmp_path / "out")
    build_here(local.corpus, tmp_path / "out", OTHER)
    assert promised_of(tmp_path / "out") == other.result
    build_here(local.corpus, put_tree(storage, local.out, "back"), OTHER)
    assert promised_of(out_of(storage, "back")) == other.result


# Kills.


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--kills")) // 2


def test_builds_killed_at_any_moment_go_on(
    local: Local, there: There, storage: Storage, tmp_path: Path, kills: int
) -> None:
    """However often a build is killed, there is no manifest but a whole one, and the next run ends with the same bytes."""
    url = f"{storage.url}/out"
    takes = len(there.requests)
    for number in range(kills):
        storage.requests.clear()
        least = takes * (number + 1) // (kills + 1)
        killed_when(partial(_has_asked, storage, least), "build", local.corpus, "--out", url, *ARGUMENTS, cwd=tmp_path)
        if (out_of(storage) / "manifest.json").exists():
            assert promised_of(out_of(storage)) == local.result
    build_here(local.corpus, url, OPTIONS)
    assert promised_of(out_of(storage)) == local.result
    # What a kill leaves of a probe may be another's that is under way; it is removed when it is old.
    assert [key for key in leftovers(storage) if "probe" not in key] == []


def _has_asked(storage: Storage, least: int) -> bool:
    return len(storage.requests) >= least


@pytest.mark.parametrize(
    "again", [pytest.param(OPTIONS, id="the-same", marks=pytest.mark.thorough), pytest.param(OTHER, id="another")]
)
def test_a_build_killed_while_it_publishes(
    local: Local, other: Local, storage: Storage, tmp_path: Path, again: BuildOptions
) -> None:
    """A build that is killed between the old manifest and the new one is finished, or replaced, by the next one."""
    url, out = f"{storage.url}/out", out_of(storage)
    for _ in range(ATTEMPTS):
        shutil.rmtree(out, ignore_errors=True)
        put_tree(storage, other.out, "out")
        storage.faults = _slow_copies
        if killed_when(partial(_is_half_published, out), "build", local.corpus, "--out", url, *ARGUMENTS, cwd=tmp_path):
            break
    assert not (out / "manifest.json").exists()
    storage.faults = undisturbed
    build_here(local.corpus, url, again)
    assert promised_of(out) == (local if again is OPTIONS else other).result
    assert leftovers(storage) == []


def _slow_copies(method: str, key: str) -> Fault | None:
    return Fault.SLOW if method == "PUT" and key.startswith("out/chunks/") else None


def _is_half_published(out: Path) -> bool:
    return (out / ".work").exists() and not (out / "manifest.json").exists() and (out / "SHA256SUMS").exists()


def test_a_large_object_is_there_when_it_is_finished(storage: Storage) -> None:
    """An object larger than what is held in memory is written whole, or not at all."""
    block = os.urandom(1 << 20)
    for name in ("whole", "half"):
        file = pending(ObjectPath(storage.url) / "objects" / name)
        for _ in range(20):
            file.write(block)
        if name == "whole":
            file.finish()
        file.discard()
    assert storage.keys() == ["objects/whole"]
    assert (storage.folder / "objects" / "whole").read_bytes() == block * 20
