"""Stale segments: what was read is used again only while it is sure to be the same."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, answers, member, write_loose, write_zip
from runs import ROOT, counts_of, lines_of, one_thread, result_of

from saturi.etl.corpus.archive import read_members
from saturi.etl.corpus.discover import discover
from saturi.etl.corpus.scan import scan
from saturi.etl.errors import InputError, OptionError
from saturi.etl.pipeline.build import build
from saturi.etl.pipeline.reading import scan_rules
from saturi.etl.read.batch import read_batch
from saturi.etl.read.tasks import ReadTask, StagedBatch, UnreadBatch
from saturi.etl.settings.options import BuildOptions

OPTIONS = BuildOptions(clean=False, validation=0)


def test_folders_of_like_files_are_told_apart(tmp_path: Path) -> None:
    """Two folders whose files have the same names, sizes and times hold different texts, and both are read."""
    for folder, text in (("a", "가가가"), ("b", "나나나")):
        name, content = member("say_set1_collectorgs1_speakergs1_1_0_9", text, text)
        path = tmp_path / "corpus" / folder / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        os.utime(path, ns=(10**18, 10**18))
    build([tmp_path / "corpus"], tmp_path / "out", OPTIONS, make_executor=one_thread)
    lines = b"".join(lines_of(tmp_path / "out")).decode()
    assert "가가가" in lines
    assert "나나나" in lines


def test_a_mended_archive_is_read_again(tmp_path: Path) -> None:
    """An archive that was damaged, and is whole after another download, gives up all its label files."""
    path = tmp_path / "corpus" / ANSWER_ZIP
    write_zip(path, answers(12))
    whole = path.read_bytes()
    damaged = bytearray(whole)
    with zipfile.ZipFile(path) as archive:
        at = archive.infolist()[3].header_offset
    damaged[at + 80 : at + 100] = bytes(20)
    path.write_bytes(damaged)
    build([path], tmp_path / "out", OPTIONS, make_executor=one_thread)
    assert sum(counts_of(tmp_path / "out")["rejected"].values()) == 1
    again = build([path], tmp_path / "out", OPTIONS, make_executor=one_thread)
    assert again.facts.segments_made == 0
    path.write_bytes(whole)
    build([path], tmp_path / "out", OPTIONS, make_executor=one_thread)
    assert counts_of(tmp_path / "out")["rejected"] == {}
    assert counts_of(tmp_path / "out")["decoded"] == 12


def test_an_archive_that_changes_while_it_is_read_stops_the_build(tmp_path: Path) -> None:
    """Members are never read by the directory of another archive, even one of the same size."""
    path, other = tmp_path / ANSWER_ZIP, tmp_path / "other.zip"
    write_zip(path, answers(3))
    [batch] = scan(discover([path]).archives[0], scan_rules(OPTIONS)).batches
    write_zip(other, answers(4))
    shutil.move(other, path)
    with pytest.raises(InputError, match="has changed since the build began"):
        list(read_members(batch))


def test_brackets_in_the_output_folder(tmp_path: Path) -> None:
    """An output folder whose name looks like a pattern gives the same bytes as any other."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(30))
    for out in ("out", "o[1]*{x}"):
        build([tmp_path / "corpus"], tmp_path / out, BuildOptions(validation=0.3), make_executor=one_thread)
    assert result_of(tmp_path / "out") == result_of(tmp_path / "o[1]*{x}")


@pytest.mark.parametrize("folder", [".work", "chunks", "chunks/train"])
def test_the_stage_has_a_folder_of_its_own(folder: str, tmp_path: Path) -> None:
    """Segments cannot lie where a build works or publishes."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(12))
    with pytest.raises(OptionError, match=r"--stage: .* is for other things; give a folder of its own"):
        build([tmp_path / "corpus"], tmp_path / "out", OPTIONS, stage=tmp_path / "out" / folder)
    assert not (tmp_path / "out").exists()


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    """A folder reached by a link is read, and one that leads back up is not read again."""
    write_zip(tmp_path / "elsewhere" / ANSWER_ZIP, answers(12))
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "corpus")
    assert [archive.name for archive in discover([tmp_path / "corpus"]).archives] == [f"link/{ANSWER_ZIP}"]


def test_a_script_without_a_guard_ends_with_a_sentence(tmp_path: Path) -> None:
    """A script that workers cannot import ends soon, with an error that tells how to write it."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(300))
    script = "from saturi import build\nbuild(['corpus'], 'out', workers=2)\n"
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode != 0
    assert "put build() under `if __name__" in run.stderr


def _loose(folder: Path) -> Path:
    return write_loose(folder / "제주도", answers(12))


def _published(out: Path) -> dict[str, bytes]:
    names = ("decisions.parquet", "lineage.parquet", "manifest.json", "rejects.jsonl")
    return {name: (out / name).read_bytes() for name in names} | result_of(out)


@pytest.mark.parametrize("change", ["copy", "touch", "chmod", "rewrite"])
def test_loose_files_are_known_by_their_contents(tmp_path: Path, change: str) -> None:
    """Loose files that were copied, touched, written again, or given other permissions give the same bytes, tables too."""
    corpus = _loose(tmp_path / "corpus").parent
    build([corpus], tmp_path / "out", OPTIONS, make_executor=one_thread)
    published = _published(tmp_path / "out")
    if change == "copy":
        corpus = Path(shutil.copytree(corpus, tmp_path / "copy" / "corpus"))
    for path in sorted(corpus.rglob("*.json")):
        if change == "touch":
            os.utime(path, ns=(10**18, 10**18))
        elif change == "chmod":
            path.chmod(0o600)
        elif change == "rewrite":
            path.write_bytes(path.read_bytes())
    for out, stage in (
        (tmp_path / "out", None),
        (tmp_path / "anew", None),
        (tmp_path / "other", tmp_path / "out" / "stage"),
    ):
        again = build([corpus], out, OPTIONS, stage=stage, make_executor=one_thread)
        assert _published(out) == published
        if out.name == "out" and change != "copy":
            assert (again.facts.segments_made, again.facts.segments_reused) == (0, 1)


@pytest.mark.parametrize("times", ["kept", "new"])
def test_other_contents_of_loose_files_are_read(tmp_path: Path, times: str) -> None:
    """A loose file with other contents of the same size is read, also where somebody gave it the times of the one before."""
    folder = _loose(tmp_path / "corpus")
    build([folder], tmp_path / "out", OPTIONS, make_executor=one_thread)
    path = min(folder.iterdir())
    before = path.stat()
    path.write_bytes(path.read_bytes().replace("묵었나".encode(), "드셨나".encode()))
    if times == "kept":
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    again = build([folder], tmp_path / "out", OPTIONS, make_executor=one_thread)
    assert again.facts.segments_made == 1
    assert "드셨나" in b"".join(lines_of(tmp_path / "out")).decode()


def test_an_archive_overwritten_while_it_is_read(tmp_path: Path) -> None:
    """An archive whose members turn to damage while it is read has changed, which is said; one that was damaged is rejected."""
    path = write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(12))
    [batch] = scan(discover([path]).archives[0], scan_rules(OPTIONS)).batches
    content = bytearray(path.read_bytes())
    content[80:100] = bytes(20)
    with path.open("r+b") as file:
        file.write(content)
    task = ReadTask(batch, str(tmp_path / "stage"))
    assert read_batch(task) == UnreadBatch(
        str(path),
        "has changed since the build began",
        "leave the corpus alone while it is read, and run the same command again",
    )
    [batch] = scan(discover([path]).archives[0], scan_rules(OPTIONS)).batches
    staged = read_batch(ReadTask(batch, str(tmp_path / "stage")))
    assert isinstance(staged, StagedBatch)
    assert sum(staged.header.rejected.values()) == 1


def test_a_loose_file_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loose file that is written to while it is read is rejected for that, and read by the next build."""
    folder = _loose(tmp_path / "corpus")
    real = os.read
    changed: list[int] = []

    def read(descriptor: int, length: int) -> bytes:
        content = real(descriptor, length)
        if not changed and b"transcription" in content:
            changed.append(descriptor)
            os.utime(descriptor, ns=(10**18, 10**18))
        return content

    monkeypatch.setattr(os, "read", read)
    build([folder], tmp_path / "out", BuildOptions(validation=0, max_rejects=1), make_executor=one_thread)
    assert counts_of(tmp_path / "out")["rejected"] == {"unreadable": 1}
    build([folder], tmp_path / "out", BuildOptions(validation=0, max_rejects=1), make_executor=one_thread)
    assert counts_of(tmp_path / "out")["rejected"] == {}
