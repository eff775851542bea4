"""Standard streams that are full, closed or left by their reader: nothing ends in the middle, and no result is lost in silence."""

import errno
import io
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from coverings import mostly_thorough
from runs import command, digest_of, invoke

from saturi.etl.console.streams import SturdyBytes

FULL = Path("/dev/full")
BUILD = ("build", "corpus", "--out", "out", "--workers", "1", "--no-clean")
OTHERS = (
    ("verify", "out"),
    ("check", "out"),
    ("estimate", "out"),
    ("inspect", "corpus", "--workers", "1"),
    ("--help",),
    ("build", "-h"),
)

if not FULL.exists():
    pytest.skip("a stream that is full is Linux's /dev/full", allow_module_level=True)


def ends(cwd: Path, *arguments: str, redirected: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a shell that has *redirected* its streams."""
    line = [shutil.which("bash") or "", "-c", f'"$@" {redirected}', "bash", *command(*arguments)]
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus and its build."""
    folder = tmp_path_factory.mktemp("there")
    write_zip(folder / "corpus" / ANSWER_ZIP, answers(40))
    assert invoke(*BUILD, cwd=folder).returncode == 0
    return folder


@pytest.mark.parametrize(
    "redirected",
    mostly_thorough(
        [">&- 2>&- <&-", "2>/dev/full >&-", "2>&1 | true; exit ${PIPESTATUS[0]}"], "2>/dev/full", "2>&-", ">&-"
    ),
)
def test_a_build_goes_on(there: Path, redirected: str) -> None:
    """A build whose lines cannot be written is whole, nothing printed is in a file of it, and it is a success all the same."""
    again = tuple("again" if word == "out" else word for word in BUILD)
    run = ends(there, *again, redirected=redirected)
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
    assert digest_of(there / "again") == digest_of(there / "out")
    (there / "again" / "manifest.json").unlink()


@pytest.mark.parametrize("redirected", ["| true; exit ${PIPESTATUS[0]}", ">&-", "2>&-", "2>/dev/full", ">&- 2>&- <&-"])
@pytest.mark.parametrize("arguments", OTHERS, ids=" ".join)
def test_streams_that_are_not_there(there: Path, arguments: tuple[str, ...], redirected: str) -> None:
    """Every command ends as it would, though it cannot print, or its reader has seen enough."""
    run = ends(there, *arguments, redirected=redirected)
    assert run.returncode == invoke(*arguments, cwd=there).returncode, run.stderr
    assert "Traceback" not in run.stderr


def test_a_result_that_is_lost(there: Path) -> None:
    """A result that a full disk does not take is an error with 5 and one sentence; for machines also where nobody reads it."""
    for arguments, redirected, name in (
        (("verify", "out"), ">/dev/full", "ENOSPC"),
        (("verify", "out", "--json"), ">/dev/full", "ENOSPC"),
        (("estimate", "out", "--json"), ">&-", "EBADF"),
        (("check", "out", "--json"), ">&-", "EBADF"),
    ):
        run = ends(there, *arguments, redirected=redirected)
        assert run.returncode == 5, run.stderr
        sentence = run.stderr.splitlines()[-1]
        assert "stdout: the result cannot be written there" in sentence
        assert name in sentence


class Stuttering(io.RawIOBase):
    """A stream that takes little at a time, or nothing, as one that does not wait."""

    def __init__(self, number: int) -> None:
        self.number, self.taken, self.turns = number, b"", 0

    def fileno(self) -> int:  # noqa: D102 - io's
        return self.number

    def write(self, data: "memoryview[int]") -> int | None:  # type: ignore[override]  # noqa: D102 - io's, of any buffer
        self.turns += 1
        if self.turns % 2:
            return None
        self.taken += bytes(data[:3])
        return len(data[:3])


def test_a_stream_that_does_not_wait() -> None:
    """A stream that takes a little at a time gets everything, in order."""
    reader, writer = os.pipe()
    raw = Stuttering(writer)
    assert SturdyBytes(raw).write(b"0123456789") == 10
    assert raw.taken == b"0123456789"
    os.close(reader)
    os.close(writer)


def test_the_first_failure_is_kept() -> None:
    """What cannot be written counts as written, and the first reason is kept."""
    with FULL.open("wb", buffering=0) as full:
        stream = SturdyBytes(full)
        assert stream.write(b"lost") == 4
        assert stream.failure is not None
        assert stream.failure.errno == errno.ENOSPC
    nothing = SturdyBytes(None)
    assert (nothing.write(b"lost"), nothing.isatty()) == (4, False)
    assert nothing.failure is not None
    with pytest.raises(io.UnsupportedOperation):
        nothing.fileno()
