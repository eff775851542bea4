"""Builds that run out of disk: one error with numbers, nothing half written, and the same bytes once there is room."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from runs import digest_of, invoke, leftovers_of, one_thread, saturi

from saturi import verify
from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions

ARGUMENTS = ("--max-chunk-examples", "20", "--validation", "0.2", "--no-clean")
OPTIONS = BuildOptions(max_chunk_examples=20, validation=0.2, clean=False)
MOUNT, UMOUNT = shutil.which("mount") or "", shutil.which("umount") or ""
PAGE_BYTES = 4096
ROOM_BYTES = 64 << 20


class Small(NamedTuple):
    """A disk of a few pages to more than enough, and the folder where it is mounted."""

    folder: Path

    def resize(self, size_bytes: int) -> None:
        """Give the disk *size_bytes*."""
        _mount("-o", f"remount,size={size_bytes}", str(self.folder))


def _mount(*arguments: str) -> None:
    done = subprocess.run([MOUNT, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    """An empty disk in memory."""
    if sys.platform != "linux" or not MOUNT:
        pytest.skip("disks in memory are Linux's")
    folder = tmp_path / "small"
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={ROOM_BYTES}", "tmpfs", str(folder))
    yield Small(folder)
    subprocess.run([UMOUNT, "--lazy", str(folder)], check=True)


class Undisturbed(NamedTuple):
    """A build with room enough: its corpus, its digest, and the pages that its stage and its chunks take."""

    corpus: Path
    digest: dict[str, str]
    stage: int
    chunks: int


@pytest.fixture(scope="module")
def undisturbed(two_regions: Path, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """A build with many chunks."""
    folder = tmp_path_factory.mktemp("undisturbed")
    build([two_regions], folder / "out", OPTIONS, make_executor=one_thread)
    pages = [
        sum(-(-path.stat().st_size // PAGE_BYTES) for path in paths)
        for paths in ((folder / "out").glob("stage/*/*"), (folder / "out").glob("chunks/*/*"))
    ]
    return Undisturbed(two_regions, digest_of(folder / "out"), *pages)


@pytest.mark.parametrize(
    ("of_stage", "of_chunks", "step"),
    # Chunks and traces are written by turns, by one worker or two: which of them meets the end of the disk is not told.
    [
        pytest.param(0.02, 0, "stage/", id="at-once", marks=pytest.mark.thorough),
        pytest.param(0.5, 0, "stage/", id="reading"),
        pytest.param(1, 0.05, ".work/", id="selecting"),
        pytest.param(1, 0.4, ".work/", id="writing"),
        pytest.param(1, 0.8, ".work/", id="writing-late", marks=pytest.mark.thorough),
    ],
)
def test_a_full_disk(
    undisturbed: Undisturbed,
    small: Small,
    of_stage: float,
    of_chunks: float,
    step: str,
    pytestconfig: pytest.Config,
) -> None:
    """On a full disk a build ends with 5 and the bytes needed and free; with more room the same build succeeds."""
    small.resize(int(of_stage * undisturbed.stage + of_chunks * undisturbed.chunks + 4) * PAGE_BYTES)
    workers = "2" if pytestconfig.getoption("--thorough") else "1"
    run = saturi("build", undisturbed.corpus, "--out", "out", "--workers", workers, *ARGUMENTS, cwd=small.folder)
    out = small.folder / "out"
    assert run.returncode == 5, run.stderr
    error = run.stderr.splitlines()[-1]
    message = re.fullmatch(r"saturi: (.*): the disk is full: ([\d,]+) bytes needed, ([\d,]+) bytes free; .*", error)
    assert message is not None, run.stderr
    assert message[1].startswith(f"{out}/{step}"), error
    assert int(message[2].replace(",", "")) > 0
    assert int(message[3].replace(",", "")) < ROOM_BYTES
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    assert [path for path in leftovers_of(out) if path != ".work"] == []
    assert not (out / "manifest.json").exists()
    small.resize(ROOM_BYTES)
    build([undisturbed.corpus], out, OPTIONS, make_executor=one_thread)
    assert digest_of(out) == undisturbed.digest
    assert leftovers_of(out) == []


def test_a_disk_full_from_the_start(undisturbed: Undisturbed, small: Small) -> None:
    """On a disk without a free page a build ends with 5 and one sentence."""
    (small.folder / "ballast").write_bytes(bytes(PAGE_BYTES))
    small.resize(PAGE_BYTES)
    run = invoke("build", undisturbed.corpus, "--out", "out", *ARGUMENTS, cwd=small.folder)
    assert run.returncode == 5, run.stderr
    assert "the disk is full" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_build_before_outlives_a_full_disk(undisturbed: Undisturbed, small: Small) -> None:
    """When a build with other options finds the disk full, the finished one in the folder is still whole."""
    build([undisturbed.corpus], small.folder / "out", OPTIONS, make_executor=one_thread)
    used = ROOM_BYTES - shutil.disk_usage(small.folder).free
    small.resize(used + 50 * PAGE_BYTES)
    second = invoke("build", undisturbed.corpus, "--out", "out", "--no-dedup", *ARGUMENTS, cwd=small.folder)
    assert second.returncode == 5, second.stderr
    assert verify(small.folder / "out").damage == []
    assert digest_of(small.folder / "out") == undisturbed.digest
