"""Claims on folders of object storage: one command at a time, the dead are taken over, and storages that lie are refused."""

import json
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from killings import PATIENCE_SECONDS, started, wait_for
from object_storage import KEYS, Fault, Storage
from runs import digest_of, error_of, invoke, one_thread, promised_of

from saturi.etl.errors import ForeignFolderError, LockedError, StorageError
from saturi.etl.output.claim import Claim
from saturi.etl.output.finished import verify
from saturi.etl.output.folder import CLAIMS
from saturi.etl.pipeline.build import BuildResult, build
from saturi.etl.settings.options import BuildOptions
from saturi.etl.storage.location import ObjectPath

OLD = 3_600.0

build_here = partial(build, make_executor=one_thread)


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


@pytest.mark.parametrize(
    "lies", [pytest.param(False, id="honest"), pytest.param(True, id="lying", marks=pytest.mark.thorough)]
)
def test_two_builds_at_once(storage: Storage, small: Path, lies: bool) -> None:
    """Of two builds that are started at once one finishes, and the other refuses; where the storage lies, both refuse."""
    refused = threading.Event()

    def wait_for_refusal(method: str, key: str) -> Fault | None:
        if method == "PUT" and key.startswith("out/stage/") and CLAIMS not in key:
            refused.wait(PATIENCE_SECONDS)
        return None

    storage.faults, storage.lies = wait_for_refusal, lies
    command = ("build", small, "--out", f"{storage.url}/out", "--workers", "1", "--no-clean")
    with started(*command, cwd=small) as one, started(*command, cwd=small) as other:
        wait_for(lambda: one.poll() is not None or other.poll() is not None)
        refused.set()
        runs = [(process.communicate(timeout=PATIENCE_SECONDS), process.returncode) for process in (one, other)]
    refusals = [errors.splitlines() for (_, errors), code in runs if code == 5]
    assert len(refusals) == 1 + lies, runs
    expected = "lets two writers win one name" if lies else "another command is writing there"
    assert all(len(lines) == 1 and expected in lines[0] for lines in refusals)
    if lies:
        assert storage.keys() == []
    else:
        build_here(small, small.parent / "disk", BuildOptions(clean=False))
        assert promised_of(storage.folder / "out") == promised_of(small.parent / "disk")


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
    assert not left.exists()


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
    url, out = f"{storage.url}/out", storage.folder / "out"
    build_here(small, url)
    before = digest_of(out)

    def take_over(_: object) -> None:
        shutil.copy(holder(storage, 2), holder(storage, 3))

    with pytest.raises(LockedError, match="has taken it over"):
        build_here(small, url, BuildOptions(max_chunk_examples=3), watcher=take_over)
    assert digest_of(out) == before


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
    with started(
        "build", small, "--out", f"{storage.url}/out", "--workers", "1", "--wait", "--no-clean", cwd=small
    ) as process:
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


def test_a_storage_that_lists_late_is_refused(storage: Storage, small: Path) -> None:
    """Where a claim is not listed as soon as it is written, another command could not see it, and the build ends."""

    def forget(method: str, _key: str) -> None:
        if method == "GET":
            holder(storage).unlink(missing_ok=True)

    storage.faults = forget
    with pytest.raises(StorageError, match="does not list what was written there a moment ago; give --out"):
        build_here(small, f"{storage.url}/out")


def test_a_storage_that_does_not_copy_is_refused(storage: Storage, small: Path) -> None:
    """Where chunks could not get their names in the end, a build ends before it writes anything."""
    storage.forgets_to_copy = True
    sentence = error_of(invoke("build", small, "--out", f"{storage.url}/out", "--workers", "1", cwd=small), 5)
    assert "this storage copies an object to other bytes; give --out" in sentence
    assert storage.keys() == []


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
    (storage.folder / "others/deep").mkdir(parents=True)
    (storage.folder / "others/deep/notes.txt").write_text("메모")
    with pytest.raises(ForeignFolderError, match="s3://bucket/others: not empty, and not made by saturi"):
        build_here(small, f"{storage.url}/others")
    assert storage.keys() == ["others/deep/notes.txt"]
    (storage.folder / "mine").mkdir()
    (storage.folder / "mine/.DS_Store").touch()
    build_here(small, f"{storage.url}/mine")


def test_a_folder_that_a_console_made_is_empty(storage: Storage, small: Path) -> None:
    """A build goes into a folder that was made by hand, and the markers of folders are no files of its own."""
    storage.markers = ["made/"]
    build_here(small, f"{storage.url}/made")
    storage.markers.append("made/chunks/train/")
    assert verify(f"{storage.url}/made").damage == []


def test_a_foreign_object_with_the_name_of_a_chunk_stays(storage: Storage, small: Path) -> None:
    """What no build wrote is not replaced by a chunk of that name, and the build before stays valid."""
    url, out = f"{storage.url}/out", storage.folder / "out"
    build_here(small, url)
    before = digest_of(out)
    foreign = out / "chunks/train/gyeongsang-answer-00001.jsonl"
    foreign.write_text("other\n")
    with pytest.raises(ForeignFolderError, match="no build wrote this"):
        build_here(small, url, BuildOptions(max_chunk_examples=3))
    assert foreign.read_text() == "other\n"
    foreign.unlink()
    assert digest_of(out) == before
