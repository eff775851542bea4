"""Too little memory: one sentence that says so, whichever process or library meets it first."""

import subprocess
import sys
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from runs import command, digest_of, saturi

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


@pytest.mark.parametrize("mebibytes", [200, 400, 700])
def test_a_build(there: Path, mebibytes: int) -> None:
    """A build with too little address space is whole, or ends with a sentence about memory and what to do."""
    run = limited(there, mebibytes, *BUILD)
    assert "Traceback" not in run.stderr, run.stderr
    if run.returncode != 0:
        sentence = run.stderr.splitlines()[-1]
        assert sentence.startswith("saturi: "), run.stderr
        assert "memory" in sentence
        assert "__main__" not in sentence
        assert run.returncode in (4, 5)


def test_a_build_goes_on_with_more(there: Path) -> None:
    """A build that had too little memory is finished by the same command with more."""
    limited(there, 500, *BUILD)
    assert saturi(*BUILD, cwd=there).returncode == 0
    assert saturi(*BUILD[:3], "fresh", *BUILD[4:], cwd=there).returncode == 0
    assert digest_of(there / "out") == digest_of(there / "fresh")


@pytest.mark.parametrize("arguments", [("inspect", "corpus"), ("check", "out"), ("estimate", "out")], ids=" ".join)
def test_other_commands(there: Path, arguments: tuple[str, ...]) -> None:
    """Other commands end with a sentence about memory, too."""
    if not (there / "out" / "manifest.json").exists():
        assert saturi(*BUILD, cwd=there).returncode == 0
    run = limited(there, 200, *arguments)
    assert "Traceback" not in run.stderr, run.stderr
    if run.returncode not in (0, 1):
        assert "memory" in run.stderr.splitlines()[-1]
