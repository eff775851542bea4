"""What the system refuses, call by call, while a finished build is read, or exported: one sentence, nothing lost."""

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from coverings import some_of
from runs import one_thread, tree_of

from saturi import check, estimate, export, verify
from saturi.etl.errors import EtlError
from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions

CALLS = (
    *("open", "replace", "rename", "unlink", "mkdir", "rmdir", "link", "stat", "lstat", "scandir", "listdir", "fsync"),
    *("fstat", "utime"),
)
"""Functions of `os` that the standard library makes its calls by."""


class Faults:
    """
    The calls of `os` on what lies below a folder, counted, of which one fails.

    Args:
        folder: The folder.
        at: Number of the call that fails, from 0; -1 for none.
        number: The error of the system.
    """

    def __init__(self, folder: Path, at: int = -1, number: int = errno.EIO) -> None:
        self.folder, self.at, self.number = str(folder), at, number
        self.calls = 0

    def wrap(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Return *real*, counted."""

        def call(*arguments: Any, **named: Any) -> Any:
            path = _path_of(arguments[0]) if arguments else ""
            if path.startswith(self.folder):
                self.calls += 1
                if self.calls - 1 == self.at:
                    raise OSError(self.number, os.strerror(self.number), path)
            return real(*arguments, **named)

        return call


def _path_of(argument: object) -> str:
    """Return the path of *argument*, a path or a descriptor."""
    if isinstance(argument, int):
        try:
            return str(Path(f"/proc/self/fd/{argument}").readlink())
        except OSError:  # no Linux
            return ""
    return str(argument) if isinstance(argument, str | os.PathLike) else ""


@contextmanager
def failing(faults: Faults) -> Iterator[None]:
    """Let the calls of `os` go through *faults*."""
    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, faults.wrap(getattr(os, name)))
        yield


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build with an export, so small that it can be copied for each fault."""
    folder = tmp_path_factory.mktemp("faults")
    write_zip(folder / "corpus" / ANSWER_ZIP, answers(40))
    options = BuildOptions(validation=0.3, max_chunk_examples=12)
    build([folder / "corpus"], folder / "out", options, make_executor=one_thread)
    shutil.rmtree(folder / "out" / "stage")
    export(folder / "out", "hf")
    return folder / "out"


def _outcome(function: Callable[[Path], object], out: Path) -> tuple[Any, str | None]:
    """Return what *function* returns, or the sentence that it ends with."""
    try:
        return function(out), None
    except EtlError as error:
        return None, str(error)


READERS: dict[str, Callable[[Path], object]] = {
    "verify": verify,
    "check": lambda out: check([out]),
    "estimate": estimate,
}


@pytest.mark.skipif(sys.platform == "win32", reason="the standard library makes its calls in another way there")
@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_reading(built: Path, read: Callable[[Path], object]) -> None:
    """Whatever call fails while a build is read, the answer is an error of ours with the path, damage, or as if none had."""
    whole = Faults(built)
    with failing(whole):
        expected = read(built)
    assert whole.calls > 10
    for at in range(whole.calls):
        with failing(Faults(built, at, (errno.EIO, errno.EACCES, errno.EMFILE)[at % 3])):
            result, error = _outcome(read, built)
        if error is None:
            assert result == expected or (read is verify and result.damage)
        else:
            assert str(built) in error
            assert "\n" not in error
    assert read(built) == expected


@pytest.mark.skipif(sys.platform == "win32", reason="the standard library makes its calls in another way there")
def test_exporting(built: Path, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Whatever call fails during an export, the error has the path, nothing of others is lost, and the next export is whole."""
    expected = tree_of(export(shutil.copytree(built, tmp_path / "whole"), "hf"))
    whole = Faults(_with_a_model(built, tmp_path / "counted"))
    with failing(whole):
        export(whole.folder, "hf")
    assert whole.calls > 30
    for at in some_of(range(whole.calls + 1), pytestconfig, every=4, first=1):
        out = _with_a_model(built, tmp_path / f"out{at}")
        with failing(Faults(out, at, (errno.ENOSPC, errno.EROFS, errno.EIO)[at % 3])):
            _, error = _outcome(lambda out: export(out, "hf"), out)
        assert error is None or str(out) in error
        assert (out / "export" / "hf" / "model" / "adapter").read_text() == "hours of training"
        assert verify(out).damage == []
        export(out, "hf")
        shutil.rmtree(out / "export" / "hf" / "model")
        assert tree_of(out / "export" / "hf") == expected
        shutil.rmtree(out)


def _with_a_model(built: Path, out: Path) -> Path:
    """Return a copy of *built* in *out* whose export lacks some files, and has a model beside the others."""
    shutil.copytree(built, out)
    (out / "export" / "hf" / "model").mkdir()
    (out / "export" / "hf" / "model" / "adapter").write_text("hours of training")
    for name in ("README.md", "data/train/gyeongsang-answer-00000.jsonl"):
        (out / "export" / "hf" / name).unlink()
    return out


@pytest.mark.skipif(sys.platform != "linux", reason="the file that cannot be read is one of Linux")
@pytest.mark.parametrize("name", ["chunk", "lineage.parquet", "manifest.json", "SHA256SUMS"])
def test_a_file_that_cannot_be_read(built: Path, tmp_path: Path, name: str) -> None:
    """A file of which the disk gives nothing is named, by `verify` as unreadable where it is no list of others."""
    out = Path(shutil.copytree(built, tmp_path / "out"))
    path = min((out / "chunks" / "train").iterdir()) if name == "chunk" else out / name
    path.unlink()
    path.symlink_to("/proc/self/mem")  # of which the first bytes are an I/O error
    with pytest.raises(EtlError, match=path.name):
        check([out])
    if name in ("chunk", "lineage.parquet"):
        assert [(one.path.split("/")[-1], one.problem) for one in verify(out).damage] == [(path.name, "unreadable")]
