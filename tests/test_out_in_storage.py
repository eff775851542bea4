"""Builds whose output folder, or stage, lies in object storage: over real HTTP to a server on loopback, with honest and other servers."""

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from killings import ATTEMPTS, PATIENCE_SECONDS, killed_after, killed_when, started
from object_storage import KEYS, Fault, Storage, object_storage, put_tree, random_faults
from runs import digest_of, error_of, facts_of, invoke, one_thread, saturi, segments_of

from saturi.etl.errors import ForeignFolderError, LockedError, OptionError, StorageError
from saturi.etl.output.claim import CLAIMS, Claim
from saturi.etl.output.files import pending
from saturi.etl.pipeline.build import BuildResult, build
from saturi.etl.runtime.processes import process_pool
from saturi.etl.settings.options import BuildOptions
from saturi.etl.storage.location import ObjectPath
from saturi.etl.synthetic.corpus import SampleReport
from saturi.schemas.terms import Dedup

ARGUMENTS = ("--max-chunk-examples", "20", "--workers", "2", "--validation", "0.2")
OPTIONS = BuildOptions(max_chunk_examples=20, validation=0.2)
OTHER = BuildOptions(max_chunk_examples=15, dedup=Dedup.NONE)
TABLES = ("lineage.parquet", "decisions.parquet")
OLD = 3_600.0

build_here = partial(build, make_executor=one_thread)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    with object_storage(tmp_path_factory.mktemp("server")) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield running


@pytest.fixture
def storage(server: Storage) -> Iterator[Storage]:
    """A storage without an object, honest and undisturbed."""
    server.requests.clear()
    yield server
    server.faults, server.lies = _undisturbed, False
    for left in server.folder.iterdir():
        shutil.rmtree(left)


def _undisturbed(_method: str, _key: str) -> Fault | None:
    return None


class Local:
    """A build on a disk, to compare with, of *options*."""

    def __init__(self, corpus: Path, folder: Path, options: BuildOptions) -> None:
        self.corpus, self.out = corpus, folder / "out"
        build_here(corpus, self.out, options, stage=folder.parent / "stage")
        self.result = promised(self.out)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("local")


@pytest.fixture(scope="module")
def local(sample: SampleReport, folder: Path) -> Local:
    """A build of the sample: both generations, zips, parts and loose files, with rejects of every kind."""
    return Local(sample.folder, folder / "one", OPTIONS)


@pytest.fixture(scope="module")
def other(sample: SampleReport, folder: Path, local: Local) -> Local:
    """A build of the sample with other options."""
    return Local(local.corpus, folder / "other", OTHER)


def promised(out: Path) -> dict[str, object]:
    """Return all of a build whose bytes are promised, its list of hashes included but for that of its times."""
    sums = (out / "SHA256SUMS").read_text().splitlines()
    return {
        **digest_of(out),
        **{name: (out / name).read_bytes() for name in TABLES},
        "SHA256SUMS": [line for line in sums if not line.endswith("build.json")],
    }


def out_of(storage: Storage, name: str = "out") -> Path:
    """Return the folder that the server keeps the objects of *name* in."""
    return storage.folder / name


def leftovers(storage: Storage) -> list[str]:
    """Return the keys that only a build that runs, or was stopped in between, has."""
    return [key for key in storage.keys() if "/.work/" in key or "probe" in key]


def test_the_bytes_are_those_of_a_disk(local: Local, storage: Storage) -> None:
    """A build in object storage, by processes, has the bytes of one on a disk, and leaves nothing else but its claims."""
    result = build(local.corpus, f"{storage.url}/out", OPTIONS, make_executor=partial(process_pool, 2))
    out = out_of(storage)
    assert promised(out) == local.result
    assert result.out == f"{storage.url}/out"
    assert len(segments_of(out / "stage")) == result.facts.segments_made
    assert leftovers(storage) == []
    written = {path.relative_to(out).parts[0] for path in out.rglob("*") if path.is_file()}
    assert written == {CLAIMS, *(path.name for path in local.out.iterdir() if path.name != ".saturi"), "stage"}


def test_each_chunk_goes_up_once(local: Local, storage: Storage) -> None:
    """No chunk is written twice, nor read: the storage itself gives it its name."""
    build_here(local.corpus, f"{storage.url}/out", OPTIONS)
    chunks = [request for request in storage.requests if request.key.endswith(".jsonl") and "/chunks/" in request.key]
    names = [request.key for request in chunks if request.method == "PUT" and "/.work/" in request.key]
    assert len(names) == len(set(names)) == len(list(out_of(storage).glob("chunks/*/*")))
    assert not [request for request in chunks if request.method == "GET"]


def test_a_second_build_reads_no_archive(local: Local, other: Local, storage: Storage) -> None:
    """A build with other options takes the place of the one before, from its stage; the first ones give the first again."""
    url = f"{storage.url}/out"
    build_here(local.corpus, url, OPTIONS)
    for options, expected in ((OTHER, other), (OPTIONS, local), (OPTIONS, local)):
        result = build_here(local.corpus, url, options)
        assert result.facts.segments_made == 0
        assert promised(out_of(storage)) == expected.result
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
    assert promised(out_of(storage) if remote == "out" else tmp_path / "out") == local.result
    assert segments_of(tmp_path / "stage" if remote == "out" else out_of(storage, "stage"))


@pytest.mark.parametrize("name", [".work", "chunks/train", CLAIMS])
def test_the_stage_has_a_folder_of_its_own(local: Local, storage: Storage, name: str) -> None:
    """A stage below what a build moves and removes is refused before anything is asked."""
    with pytest.raises(OptionError, match="is for other things"):
        build_here(local.corpus, f"{storage.url}/out", stage=f"{storage.url}/out/{name}")
    assert storage.requests == []


def test_a_build_is_on_a_disk_when_it_is_copied(local: Local, other: Local, storage: Storage, tmp_path: Path) -> None:
    """A build that was copied from object storage to a disk, or back, is ours there, too."""
    build_here(local.corpus, f"{storage.url}/out", OPTIONS)
    shutil.copytree(out_of(storage), tmp_path / "out")
    build_here(local.corpus, tmp_path / "out", OTHER)
    assert promised(tmp_path / "out") == other.result
    build_here(local.corpus, put_tree(storage, local.out, "back"), OTHER)
    assert promised(out_of(storage, "back")) == other.result


# Kills and faults.


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--kills")) // 4


def test_builds_killed_at_any_moment_go_on(local: Local, storage: Storage, tmp_path: Path, kills: int) -> None:
    """However often a build is killed, there is no manifest but a whole one, and the next run, at once, ends with the same bytes."""
    url = f"{storage.url}/out"
    for number in range(kills):
        killed_after(0.6 + 1.4 * number / kills, "build", local.corpus, "--out", url, *ARGUMENTS, cwd=tmp_path)
        if (out_of(storage) / "manifest.json").exists():
            assert promised(out_of(storage)) == local.result
    build_here(local.corpus, url, OPTIONS)
    assert promised(out_of(storage)) == local.result
    assert leftovers(storage) == []


@pytest.mark.parametrize("again", [OPTIONS, OTHER], ids=["the-same", "another"])
def test_a_build_killed_while_it_publishes(
    local: Local, other: Local, storage: Storage, tmp_path: Path, again: BuildOptions
) -> None:
    """A build that is killed between the old manifest and the new one is finished, or replaced, by the next one."""
    url, out = f"{storage.url}/out", out_of(storage)
    for _ in range(ATTEMPTS):
        storage.faults = _undisturbed
        build_here(local.corpus, url, OTHER)
        storage.faults = _slow_copies
        if killed_when(partial(_is_half_published, out), "build", local.corpus, "--out", url, *ARGUMENTS, cwd=tmp_path):
            break
    assert not (out / "manifest.json").exists()
    storage.faults = _undisturbed
    build_here(local.corpus, url, again)
    assert promised(out) == (local if again is OPTIONS else other).result
    assert leftovers(storage) == []


def _slow_copies(method: str, key: str) -> Fault | None:
    return Fault.SLOW if method == "PUT" and key.startswith("out/chunks/") else None


def _is_half_published(out: Path) -> bool:
    return (out / ".work").exists() and not (out / "manifest.json").exists() and (out / "SHA256SUMS").exists()


def test_faults_change_no_byte(local: Local, storage: Storage, request: pytest.FixtureRequest) -> None:
    """Whatever the storage does to some of the requests, the build has the same bytes."""
    for seed in range(request.config.getoption("--faults") // 50):
        number, faults = count(), random_faults(seed, 0.02)
        storage.faults = lambda method, key: faults(method, key) if next(number) > 40 else None  # noqa: B023 - used here
        build_here(local.corpus, f"{storage.url}/{seed}", OPTIONS)
        storage.faults = _undisturbed
        assert promised(out_of(storage, str(seed))) == local.result
        assert leftovers(storage) == []


def test_a_large_object_is_there_when_it_is_finished(storage: Storage, tmp_path: Path) -> None:
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


# Claims.


@pytest.fixture
def small(tmp_path: Path) -> Path:
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(10))
    return tmp_path / "corpus"


def holder(storage: Storage, number: int = 1, name: str = "out") -> Path:
    """Return the file that the server keeps a claim in."""
    return storage.folder / name / CLAIMS / f"{number:08d}"


def strangers(storage: Storage, age_seconds: float = 0.0, **changes: object) -> None:
    """Put the claim of a process of another machine into the bucket."""
    there = {"owner": "x", "host": "\x1b[31mother", "machine": "", "process": 1, "since": "", **changes}
    holder(storage).parent.mkdir(parents=True, exist_ok=True)
    holder(storage).write_text(json.dumps(there))
    written = holder(storage).stat().st_mtime - age_seconds
    os.utime(holder(storage), (written, written))


def test_of_many_one_holds_a_folder(storage: Storage) -> None:
    """However many want a folder at once, one gets it, and the next one when that is done."""
    folder = ObjectPath(storage.url) / "out"
    claims = [Claim(folder) for _ in range(6)]

    def takes(claim: Claim) -> bool:
        try:
            claim.take()
        except LockedError:
            return False
        return True

    for _ in range(2):
        with ThreadPoolExecutor(len(claims)) as pool:
            took = list(pool.map(takes, claims))
        assert sum(took) == 1
        claims[took.index(True)].release()
        claims = [Claim(folder) for _ in range(6)]
    assert storage.keys() == ["out/.claims/00000002"]


def test_a_held_folder_is_refused(storage: Storage, small: Path) -> None:
    """A build does not touch a folder that another command holds, and names that one, without any control character."""
    claim = Claim(ObjectPath(storage.url) / "out")
    claim.take()
    before = storage.keys()
    refusal = error_of(invoke("build", small, "--out", f"{storage.url}/out", "--workers", "1", cwd=small), 5)
    assert f"{storage.url}/out: another command is writing there (process {os.getpid()} on " in refusal
    assert storage.keys() == before
    claim.release()
    strangers(storage)
    holder(storage, 2).unlink(missing_ok=True)
    with pytest.raises(LockedError) as caught:
        build_here(small, f"{storage.url}/out")
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("age_seconds", "changes"),
    [(OLD, {}), (0.0, {"released": True}), (OLD, {"owner": 7})],
    ids=["not heard of for an hour", "released", "no claim, and old"],
)
def test_who_is_dead_is_taken_over(
    storage: Storage, small: Path, age_seconds: float, changes: dict[str, object]
) -> None:
    """A claim that is released, or old by the clock of the storage, is taken over, and then removed."""
    strangers(storage, age_seconds, **changes)
    build_here(small, f"{storage.url}/out")
    assert not holder(storage, 1).exists()
    assert json.loads(holder(storage, 2).read_text())["released"]


def test_what_a_killed_probe_left_is_removed(storage: Storage, small: Path) -> None:
    """Objects of commands that were killed at their start are removed when they are old."""
    left = holder(storage).with_name("probe-0123")
    left.parent.mkdir(parents=True)
    left.touch()
    os.utime(left, (1.0, 1.0))
    build_here(small, f"{storage.url}/out")
    assert leftovers(storage) == []


@pytest.mark.parametrize("look", [True, False])
def test_a_lost_claim_is_noticed(storage: Storage, look: bool) -> None:
    """A holder that another has taken over from sees it when it looks, or when its last sign of life is old."""
    claim = Claim(ObjectPath(storage.url) / "out", dead_seconds=60.0 if look else 0.0)
    claim.take()
    claim.refuse_loss(look=look)
    shutil.copy(holder(storage), holder(storage, 2))
    with pytest.raises(LockedError, match="has taken it over"):
        claim.refuse_loss(look=look)
    claim.release()
    assert storage.keys() == ["out/.claims/00000002"]


def test_a_build_that_lost_its_claim_publishes_nothing(storage: Storage, small: Path) -> None:
    """A build whose folder was taken over ends with an error, and what was there before stays."""
    url, out = f"{storage.url}/out", out_of(storage)
    build_here(small, url)
    before = promised(out)

    def take_over(_: object) -> None:
        shutil.copy(holder(storage, 2), holder(storage, 3))

    with pytest.raises(LockedError, match="has taken it over"):
        build_here(small, url, BuildOptions(max_chunk_examples=3), watcher=take_over)
    assert promised(out) == before


def test_a_holder_gives_signs_of_life(storage: Storage) -> None:
    """A claim is written again and again, until it is released."""
    claim = Claim(ObjectPath(storage.url) / "out", beat_seconds=0.01)
    claim.take()
    lives = threading.Event()

    def watch(method: str, key: str) -> Fault | None:
        if method == "PUT" and key.endswith(holder(storage).name):
            lives.set()
        return None

    storage.faults = watch
    assert lives.wait(PATIENCE_SECONDS)
    claim.release()
    there = json.loads(holder(storage).read_text())
    assert there["beats"] > 0
    assert there["released"]


def test_a_lost_answer_loses_no_claim(storage: Storage) -> None:
    """Where the answer to the conditional write is lost, the claim is found to be ours."""
    faults = [Fault.LOST]
    storage.faults = lambda method, key: (
        faults.pop() if method == "PUT" and key.endswith("/00000001") and faults else None
    )
    claim = Claim(ObjectPath(storage.url) / "out")
    claim.take()
    claim.release()
    assert faults == []


def test_who_waits_goes_on(storage: Storage, small: Path) -> None:
    """With --wait a build goes on when the folder in the storage is free."""
    claim = Claim(ObjectPath(storage.url) / "out")
    claim.take()
    with started("build", small, "--out", f"{storage.url}/out", "--workers", "1", "--wait", cwd=small) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith(f"Waiting for {storage.url}/out")
        claim.release()
        process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0


# Storages that are not to be relied on, and what is met at once.


def _always(storage: Storage) -> None:
    storage.lies = True


def _when_they_race(storage: Storage) -> None:
    def decide(_method: str, key: str) -> Fault | None:
        storage.lies = key.endswith("-race")
        return None

    storage.faults = decide


@pytest.mark.parametrize("lie", [_always, _when_they_race])
def test_a_storage_that_lies_is_refused(storage: Storage, small: Path, lie: Callable[[Storage], None]) -> None:
    """Where two writers win one name, of two builds at once neither writes anything, and both say what to do."""
    lie(storage)

    def attempt(_: int) -> BuildResult | StorageError:
        try:
            return build_here(small, f"{storage.url}/out")
        except StorageError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        errors = list(pool.map(attempt, range(2)))
    assert all("lets two writers win one name; give --out" in str(error) for error in errors)
    assert storage.keys() == []
    assert error_of(saturi("build", small, "--out", f"{storage.url}/out", cwd=small), 5)


def test_a_wrong_key_is_met_at_once(storage: Storage, small: Path) -> None:
    """A storage that refuses is asked once; the sentence names the folder, and no key."""
    storage.faults = lambda _method, _key: Fault.FORBIDDEN
    sentence = error_of(invoke("build", small, "--out", f"{storage.url}/out", "--workers", "1", cwd=small), 5)
    assert sentence.startswith(f"saturi: {storage.url}/out: cannot be written (the storage refuses: 403 AccessDenied)")
    assert not any(key in sentence for key in KEYS.values())
    assert len(storage.requests) == 1


def test_a_key_that_may_only_read_is_met_at_once(storage: Storage, small: Path) -> None:
    """A storage that refuses to be written to is asked to once, and has nothing of the build."""
    storage.faults = lambda method, _key: Fault.FORBIDDEN if method in ("PUT", "DELETE") else None
    sentence = error_of(invoke("build", small, "--out", f"{storage.url}/out", "--workers", "1", cwd=small), 5)
    assert "cannot be written (the storage refuses: 403 AccessDenied)" in sentence
    assert storage.asked()["PUT"] == 1


@pytest.mark.usefixtures("storage")
def test_a_missing_bucket_is_met_at_once(small: Path) -> None:
    """A bucket that is not there is one sentence."""
    sentence = error_of(invoke("build", small, "--out", "s3://missing/out", "--workers", "1", cwd=small), 5)
    assert sentence.startswith("saturi: s3://missing/out: cannot be written (no such object, or no such bucket)")


def test_a_foreign_folder_is_refused(storage: Storage, small: Path) -> None:
    """A folder of other objects stays as it is; what file managers leave is no object of anybody."""
    (storage.folder / "mine").mkdir()
    (storage.folder / "mine/.DS_Store").touch()
    build_here(small, f"{storage.url}/mine")
    (storage.folder / "others/deep").mkdir(parents=True)
    (storage.folder / "others/deep/notes.txt").write_text("메모")
    before = [key for key in storage.keys() if not key.startswith("mine/")]
    with pytest.raises(ForeignFolderError, match="s3://bucket/others: not empty, and not made by saturi"):
        build_here(small, f"{storage.url}/others")
    assert [key for key in storage.keys() if not key.startswith("mine/")] == before


def test_a_foreign_object_with_the_name_of_a_chunk_stays(storage: Storage, small: Path) -> None:
    """What no build wrote is not replaced by a chunk of that name, and the build before stays valid."""
    url, out = f"{storage.url}/out", out_of(storage)
    build_here(small, url)
    before = promised(out)
    foreign = out / "chunks/train/gyeongsang-answer-00001.jsonl"
    foreign.write_text("other\n")
    with pytest.raises(ForeignFolderError, match="no build wrote this"):
        build_here(small, url, BuildOptions(max_chunk_examples=3))
    assert foreign.read_text() == "other\n"
    foreign.unlink()
    assert promised(out) == before


def test_no_page_is_written_there(storage: Storage, small: Path) -> None:
    """`--report` is refused before anything is built where the folder is in object storage."""
    run = invoke("build", small, "--out", f"{storage.url}/out", "--report", cwd=small)
    assert run.returncode == 2
    assert "no page is written to object storage" in run.stderr
    assert storage.requests == []
