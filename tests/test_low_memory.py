"""Too little memory: one sentence that says so, whichever process or library meets it first."""

import subprocess
import sys
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from runs import command, digest_of, invoke

if sys.platform != "linux":
    pytest.skip("address space is limited on Linux", allow_module_level=True)

import resource

BUILD = ("build", "corpus", "--out", "out", "--workers", "2")
_MEBIBYTE = 1 << 20


def limited(cwd: Path, mebibytes: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with so much address space for each of its processes."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    script = (
        "import os, resource, sys;"
        f"resource.setrlimit(resource.RLIMIT_AS, ({mebibytes * _MEBIBYTE}, {before[1]}));"
        "os.execv(sys.executable, sys.argv[1:])"
    )
    line = [sys.executable, "-c", script, *command(*arguments)]
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus; of few label files, since each is tried alone where every worker is killed."""
    folder = tmp_path_factory.mktemp("there")
    for number in range(2):
        write_zip(folder / "corpus" / ANSWER_ZIP.replace(".zip", f"_{number}.zip"), answers(12, first=100 * number))
    return folder


@pytest.fixture(scope="module")
def built(there: Path) -> Path:
    """The same folder, with a build of the corpus in `out`."""
    assert invoke(*BUILD, cwd=there).returncode == 0
    return there


@pytest.mark.parametrize(
    ("mebibytes", "arguments"),
    [
        (240, ("inspect", "corpus")),
        (400, ("evaluate", "out")),
        (400, BUILD),
        (800, ("evaluate", "out")),
        (9_000, ("report", "out")),
    ],
    ids=str,
)
def test_a_limit_that_is_too_low(built: Path, mebibytes: int, arguments: tuple[str, ...]) -> None:
    """A limit of address space below what a command needs ends it at once with 5, both numbers, and what to do."""
    before = digest_of(built / "out")
    run = limited(built, mebibytes, *arguments)
    assert run.returncode == 5, run.stderr
    [sentence] = run.stderr.splitlines()
    assert sentence.startswith("saturi: memory: ")
    assert f"{mebibytes:,} MiB are allowed; raise the limit by `ulimit -v`" in sentence
    assert digest_of(built / "out") == before


@pytest.mark.parametrize(
    ("mebibytes", "arguments"),
    [(200, ("verify", "out")), (700, ("estimate", "out")), (700, ("check", "out"))],
    ids=str,
)
def test_a_limit_that_is_high_enough(built: Path, mebibytes: int, arguments: tuple[str, ...]) -> None:
    """A command has enough with a limit that is above what it needs, or ends with a sentence about memory."""
    run = limited(built, mebibytes, *arguments)
    assert "Traceback" not in run.stderr, run.stderr
    if run.returncode not in (0, 1):  # on machines with many processors each process needs more
        assert run.returncode == 5, run.stderr
        assert "memory" in run.stderr.splitlines()[-1]


def test_a_build_goes_on_with_more(built: Path) -> None:
    """A build within a limit is whole, or ends with a sentence about memory and is finished by the same command with more."""
    arguments = (*BUILD[:3], "later", *BUILD[4:])
    run = limited(built, 600, *arguments)
    assert "Traceback" not in run.stderr, run.stderr
    assert run.returncode == 0 or "memory" in run.stderr.splitlines()[-1], run.stderr
    assert invoke(*arguments, cwd=built).returncode == 0
    assert digest_of(built / "later") == digest_of(built / "out")
