"""Files of a corpus that the system cannot open, read or map: each failure has a result or names what failed."""

import contextlib
import errno
import os
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, answers, write_loose, write_zip
from coverings import some_of
from failing_calls import FailingSystem
from runs import counts_of, manifest_of, one_thread, rejects_of

from saturi.etl.corpus.discover import discover
from saturi.etl.corpus.scan import scan
from saturi.etl.errors import EtlError, ExhaustedError, InputError
from saturi.etl.pipeline.build import BuildResult, build
from saturi.etl.pipeline.reading import scan_rules
from saturi.etl.settings.options import BuildOptions

OTHER_ZIP = ANSWER_ZIP.replace("TL", "VL")
_CALLS = {"open", "read", "mmap", "scandir"}
_PROCESS = (errno.EMFILE, errno.ENFILE)
_OF_FILES = (errno.EIO, errno.EACCES, errno.ESTALE)


def _corpus(folder: Path) -> Path:
    """Two zips and a folder of loose label files, all of one shard."""
    write_zip(folder / ANSWER_ZIP, answers(20))
    write_zip(folder / OTHER_ZIP, answers(1, "나", first=500))
    write_loose(folder / "낱개", answers(3, "바", 900_000))
    return folder


def _build(corpus: Path, out: Path, *, allowed: bool = False) -> BuildResult:
    options = BuildOptions(clean=False, validation=0, tokens=False, max_rejects=1, allow_bad_archives=allowed)
    return build([corpus], out, options, make_executor=one_thread)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return that corpus."""
    return _corpus(tmp_path_factory.mktemp("failing") / "corpus")


@pytest.fixture(scope="module")
def number_of_calls(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many calls a build makes on the files of the corpus."""
    with pytest.MonkeyPatch.context() as patch:
        system = FailingSystem(patch, corpus, errno.EIO, 1 << 60, _CALLS)
        _build(corpus, tmp_path_factory.mktemp("counted") / "out")
        return system.seen


def _build_where_a_call_fails(
    corpus: Path, out: Path, number: int, at: int, *, allowed: bool
) -> BuildResult | EtlError:
    with pytest.MonkeyPatch.context() as patch:
        FailingSystem(patch, corpus, number, at, _CALLS)
        try:
            return _build(corpus, out, allowed=allowed)
        except EtlError as error:
            return error


@pytest.fixture
def places(number_of_calls: int, number: int, pytestconfig: pytest.Config) -> Sequence[int]:
    """The calls of a build to fail with the error *number*; by default other ones with each error."""
    first = (*_OF_FILES, errno.ENOMEM).index(number)
    return some_of(range(number_of_calls), pytestconfig, every=4, first=first)


@pytest.mark.parametrize("number", [*_OF_FILES, errno.ENOMEM], ids=errno.errorcode.get)
def test_one_call_that_fails(corpus: Path, places: Sequence[int], tmp_path: Path, number: int) -> None:
    """A build with one call that fails is whole but for rejects, or ends with an error that names the file or the process."""
    ends = set()
    for at in places:
        end = _build_where_a_call_fails(corpus, tmp_path / f"{at}", number, at, allowed=False)
        ends.add(type(end))
        if isinstance(end, EtlError):
            assert os.strerror(number) in str(end)
            assert any(name in str(end) for name in (ANSWER_ZIP, OTHER_ZIP, "낱개", corpus.name))
            assert isinstance(end, InputError) or (isinstance(end, ExhaustedError) and number == errno.ENOMEM)
            continue
        counts = counts_of(tmp_path / f"{at}")
        assert set(counts["rejected"]) <= {"unreadable"}
        assert number != errno.ENOMEM or counts["rejected"] == {}
        assert counts["label_files"] == counts["decoded"] + sum(counts["rejected"].values())
    assert BuildResult in ends
    assert len(ends) > 1


@pytest.mark.parametrize("number", _OF_FILES, ids=errno.errorcode.get)
def test_one_call_that_fails_where_bad_archives_are_allowed(
    corpus: Path, places: Sequence[int], tmp_path: Path, number: int
) -> None:
    """Where bad archives are allowed, the one that cannot be read is left out and noted, whenever that is seen."""
    left_out = 0
    for at in places:
        end = _build_where_a_call_fails(corpus, tmp_path / f"{at}", number, at, allowed=True)
        if isinstance(end, EtlError):
            assert "cannot be listed" in str(end)  # a folder of the corpus, in which zips may lie
            continue
        problems = [row for row in manifest_of(tmp_path / f"{at}")["corpus"] if row["problem"]]
        assert all(os.strerror(number) in row["problem"] and row["label_files"] == 0 for row in problems)
        assert len([warning for warning in end.warnings if "left out" in warning]) == len(problems)
        left_out += len(problems)
    assert left_out > 1


def test_a_zip_that_cannot_be_mapped_is_read(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no file can be mapped, for want of address space or on a network disk, members are read instead."""
    FailingSystem(monkeypatch, corpus, errno.ENOMEM, 0, {"mmap"}, once=False)
    _build(corpus, tmp_path / "out")
    assert counts_of(tmp_path / "out")["rejected"] == {}


def test_members_that_cannot_be_read_are_rejected(corpus: Path, tmp_path: Path) -> None:
    """A member whose place on the disk is damaged is rejected as unreadable, with its place, and the next build reads it."""
    with pytest.MonkeyPatch.context() as patch:
        FailingSystem(patch, corpus, errno.ENODEV, 0, {"mmap"}, once=False)
        system = FailingSystem(patch, corpus / ANSWER_ZIP, errno.EIO, 40, {"read"})
        _build(corpus, tmp_path / "out")
    assert system.seen > 40
    [row] = rejects_of(tmp_path / "out")
    assert row["reason"] == "unreadable"
    assert row["position"] is not None
    assert "Input/output error" in row["detail"]
    _build(corpus, tmp_path / "out")
    assert rejects_of(tmp_path / "out") == []


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as one:  # paths of sockets are short
        one.bind(path.name)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


_SPECIAL = {"pipe": _pipe, "socket": _socket, "device": _device}
pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes with names in folders")


@pytest.mark.parametrize("name", ["x.zip", "x.json", "x.zip.part0", "x"])
@pytest.mark.parametrize("make", _SPECIAL.values(), ids=_SPECIAL)
def test_what_is_no_file_as_an_argument(tmp_path: Path, make: Callable[[Path], None], name: str) -> None:
    """A pipe, a socket or a device given as a corpus is refused at once, and named."""
    make(tmp_path / name)
    with pytest.raises(InputError, match=rf"{name}: it is a (named pipe|socket|device)"):
        discover([tmp_path / name])


@pytest.mark.parametrize("make", _SPECIAL.values(), ids=_SPECIAL)
def test_what_is_no_file_in_a_corpus(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """A pipe, a socket or a device called like a label file is rejected, and one called like a zip is ignored and counted."""
    write_loose(tmp_path / "corpus", answers(3))
    make(tmp_path / "corpus" / "x.json")
    make(tmp_path / "corpus" / "x.zip")
    _build(tmp_path / "corpus", tmp_path / "out")
    [row] = rejects_of(tmp_path / "out")
    assert (row["member"], row["reason"]) == ("x.json", "unreadable")
    assert counts_of(tmp_path / "out")["ignored"] == 1


def test_a_zip_that_becomes_a_pipe(tmp_path: Path) -> None:
    """A zip, or a loose label file, in whose place a pipe comes is not waited for."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(3))
    archives = discover([tmp_path / "corpus"])
    (tmp_path / "corpus" / ANSWER_ZIP).unlink()
    os.mkfifo(tmp_path / "corpus" / ANSWER_ZIP)
    errors: list[BaseException] = []

    def look() -> None:
        try:
            scan(archives.archives[0], scan_rules(BuildOptions()))
        except InputError as error:
            errors.append(error)

    waiting = threading.Thread(target=look, daemon=True)
    waiting.start()
    waiting.join(20)
    assert not waiting.is_alive()
    assert "it is a named pipe" in str(errors[0])


def test_a_corpus_that_is_gone_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, or a part, that goes while the corpus is listed is an error that names it."""
    write_loose(tmp_path / "corpus" / "sub", answers(3))
    real = os.scandir

    def gone(path: Path) -> object:
        if str(path).endswith("sub"):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", gone)
    with pytest.raises(InputError, match=r"sub: cannot be listed \(No such file or directory\)"):
        discover([tmp_path / "corpus"])


@pytest.mark.parametrize("number", [*_PROCESS, errno.ENOMEM], ids=errno.errorcode.get)
@pytest.mark.parametrize("at", [0, 2, 3, 4, 5, 8])
def test_what_the_process_lacks_is_no_reject(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, at: int
) -> None:
    """A process without open files or memory left ends a build with code 5 and says so, and no label file is to blame."""
    FailingSystem(monkeypatch, corpus, number, at, {"open", "scandir"}, once=False)
    with pytest.raises(ExhaustedError, match=os.strerror(number)) as caught:
        _build(corpus, tmp_path / "out", allowed=True)
    assert caught.value.exit_code == 5
    assert not (tmp_path / "out" / "manifest.json").exists()
