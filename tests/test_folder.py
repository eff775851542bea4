"""The output folder: what is refused, what is replaced, and what stays as it was."""

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, DIALOGUE_ZIP, answers, member, stem, write_loose, write_zip
from coverings import mostly_thorough
from killings import ATTEMPTS, kill_group, reached, started
from runs import chunks_of, digest_of, invoke, leftovers_of, one_thread, segments_of, tree_of

from saturi.etl.errors import ForeignFolderError, LockedError, StorageError
from saturi.etl.output.holding import claimed
from saturi.etl.pipeline.build import build
from saturi.etl.runtime.progress import Progress
from saturi.etl.settings.options import BuildOptions
from saturi.etl.synthetic.corpus import SampleReport
from saturi.schemas.terms import SpeechType

FEW = ("--no-clean", "--validation", "0", "--max-chunk-examples", "10")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A corpus of 60 answers in one shard."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(60))
    return tmp_path / "corpus"


@pytest.mark.parametrize(
    "name", ["notes.txt", "manifest.json", ".hidden", "chunks/train/gyeongsang-answer-00000.jsonl", "stage"]
)
def test_a_foreign_folder_is_refused(corpus: Path, tmp_path: Path, name: str) -> None:
    """A folder that holds something and was not made by a build is refused with 5, and nothing in it is touched."""
    foreign = tmp_path / "out" / name
    foreign.parent.mkdir(parents=True)
    foreign.mkdir() if name == "stage" else foreign.write_text("mine")
    before = tree_of(tmp_path)
    run = invoke("build", corpus, "--out", "out", cwd=tmp_path)
    assert run.returncode == 5
    [sentence] = run.stderr.splitlines()
    assert sentence.startswith(f"saturi: {tmp_path / 'out'}: not empty")
    assert tree_of(tmp_path) == before


def test_a_foreign_stage_is_refused(corpus: Path, tmp_path: Path) -> None:
    """A folder for segments that holds something else is refused with 5, and nothing in it is touched."""
    write_loose(tmp_path / "theirs", [("notes.txt", b"mine")])
    before = tree_of(tmp_path / "theirs")
    run = invoke("build", corpus, "--out", "out", "--stage", "theirs", cwd=tmp_path)
    assert (run.returncode, len(run.stderr.splitlines())) == (5, 1)
    assert tree_of(tmp_path / "theirs") == before


def test_an_empty_folder_is_taken(corpus: Path, tmp_path: Path) -> None:
    """An empty folder, or one that is to be made with its parents, is a place for a build."""
    (tmp_path / "empty").mkdir()
    for name in ("empty", "new/below/새 폴더"):
        assert invoke("build", corpus, "--out", name, *FEW, cwd=tmp_path).returncode == 0
    assert digest_of(tmp_path / "empty") == digest_of(tmp_path / "new/below/새 폴더")


def test_a_build_replaces_the_one_before(corpus: Path, tmp_path: Path) -> None:
    """A build with other options leaves no chunk of the one before, and does not touch the files of others."""
    write_zip(corpus / DIALOGUE_ZIP, [member(stem("talk", str(n), 1), f"가 {n}", f"나 {n}") for n in range(1, 21)])
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    many = BuildOptions(clean=False, validation=0.3, max_chunk_examples=3, speech_type=tuple(SpeechType))
    few = BuildOptions(clean=False, validation=0, max_chunk_examples=10)
    build([corpus], out, many, make_executor=one_thread)
    first = chunks_of(out)
    foreign = {
        name: out / name for name in ("notes.txt", "chunks/notes.txt", "chunks/train/notes.jsonl", "mine/notes.txt")
    }
    for path in foreign.values():
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    build([corpus], out, few, make_executor=one_thread)
    for path in foreign.values():
        assert path.read_text() == "mine"
        path.unlink()
    (out / "mine").rmdir()
    build([corpus], fresh, few, make_executor=one_thread)
    assert digest_of(out) == digest_of(fresh)
    assert len(first) > len(chunks_of(out))
    assert not (out / "chunks" / "validation").exists()
    assert leftovers_of(out) == []
    assert {path.name for path in out.iterdir()} == {path.name for path in fresh.iterdir()}


def test_files_of_others_are_named_by_verify(corpus: Path, tmp_path: Path) -> None:
    """A foreign file among the chunks stays, and is told to whoever verifies."""
    build([corpus], tmp_path / "out", BuildOptions(clean=False, validation=0), make_executor=one_thread)
    (tmp_path / "out" / "chunks" / "notes.txt").write_text("mine")
    run = invoke("verify", "out", cwd=tmp_path)
    assert run.returncode == 4
    assert "extra: chunks/notes.txt" in run.stdout


@pytest.mark.parametrize(
    "what", mostly_thorough(["chunks/*/*.jsonl", "lineage.parquet"], "decisions/*.ipc", "build.json")
)
def test_a_killed_build_leaves_the_one_before(
    sample: SampleReport, sample_build: Path, tmp_path: Path, what: str
) -> None:
    """Until the end of a build, the finished one in the same folder is whole and verifies."""
    out = tmp_path / "out"
    line = ("build", sample.folder, "--out", "out", "--no-dedup", "--no-clean", "--max-chunk-examples", "2")
    before = digest_of(sample_build)
    work = out / ".work"
    for _ in range(ATTEMPTS):  # a busy machine may let a build end before the kill, and then there is nothing to see
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(sample_build, out)
        with started(*line, "--workers", "1", cwd=tmp_path) as process:
            reached(process, lambda: any(work.glob(what)))
            kill_group(process)
        if any(work.glob(what)) and not (work / "manifest.json").exists():
            break
    else:
        pytest.fail("each kill came too late")
    assert digest_of(out) == before
    assert invoke("verify", "out", cwd=tmp_path).returncode == 0


def test_what_a_killed_build_left_is_no_use_for_another(corpus: Path, tmp_path: Path) -> None:
    """The work of a build that was killed is thrown away by a build with other options."""
    out = tmp_path / "out"
    build([corpus], out, BuildOptions(clean=False, validation=0, max_chunk_examples=10), make_executor=one_thread)
    shutil.copytree(out / "chunks", out / ".work" / "chunks")
    (out / ".work" / "key").write_text("another")
    (out / ".work" / ".chunk.00000000.tmp").write_text("half")
    (out / ".manifest.json.00000000.tmp").write_text("half")
    next((out / "stage").glob("??")).joinpath(".x.segment.00000000.tmp").write_text("half")
    build([corpus], out, BuildOptions(clean=False, validation=0, max_chunk_examples=3), make_executor=one_thread)
    build(
        [corpus],
        tmp_path / "fresh",
        BuildOptions(clean=False, validation=0, max_chunk_examples=3),
        make_executor=one_thread,
    )
    assert digest_of(out) == digest_of(tmp_path / "fresh")
    assert leftovers_of(out) == []


def test_a_build_within_its_corpus(corpus: Path, tmp_path: Path) -> None:
    """A folder that a build wrote to is no part of a corpus, even where it lies inside one."""
    build([corpus], tmp_path / "out", BuildOptions(clean=False, validation=0), make_executor=one_thread)
    for _ in range(2):
        build([corpus], corpus / "out", BuildOptions(clean=False, validation=0), make_executor=one_thread)
        assert digest_of(corpus / "out") == digest_of(tmp_path / "out")


def test_the_stage_of_one_build_serves_another(corpus: Path, tmp_path: Path) -> None:
    """The stage in the folder of a finished build can be given to another build, which then reads no archive."""
    one, two = tmp_path / "one", tmp_path / "two"
    build([corpus], one, make_executor=one_thread)
    result = build([corpus], two, make_executor=one_thread, stage=one / "stage")
    assert result.facts.segments_made == 0
    assert segments_of(two / "stage") == []


def test_a_folder_is_held_until_its_last_task_has_ended(corpus: Path, tmp_path: Path) -> None:
    """When a build is interrupted, no other gets its folder before its workers have stopped writing there."""
    out = tmp_path / "out"
    held = []

    class Watched(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=wait, cancel_futures=cancel_futures)
            try:
                with claimed(out, out / "stage"):
                    held.append(False)
            except LockedError:
                held.append(True)

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build([corpus], out, make_executor=partial(Watched, 1), watcher=interrupt)
    assert held == [True]


@pytest.mark.parametrize("name", ["nowhere", "notes.txt"])
def test_a_corpus_that_is_not_there_makes_no_folder(tmp_path: Path, name: str) -> None:
    """A build whose corpus is misspelt, or is none, leaves nothing behind."""
    (tmp_path / "notes.txt").touch()
    before = tree_of(tmp_path)
    assert invoke("build", name, "--out", "out", cwd=tmp_path).returncode == 3
    assert tree_of(tmp_path) == before


def test_files_named_like_chunks_stay(corpus: Path, tmp_path: Path) -> None:
    """A file that no build wrote stays, also where it is named like a chunk; where a build needs the name, it is refused."""
    out = tmp_path / "out"
    few, many = (BuildOptions(clean=False, validation=0, max_chunk_examples=number) for number in (10, 3))
    build([corpus], out, few, make_executor=one_thread)
    there = len(chunks_of(out))
    mine = [out / "chunks" / "train" / f"gyeongsang-answer-{number:05}.jsonl" for number in (there, 777)]
    for path in mine:
        path.write_text("mine")
    build([corpus], out, few, make_executor=one_thread)
    before = tree_of(out / "chunks")
    with pytest.raises(
        ForeignFolderError, match=f"{mine[0].name}: no build wrote this, and one would now; move it elsewhere"
    ):
        build([corpus], out, many, make_executor=one_thread)
    assert tree_of(out / "chunks") == before
    mine[0].unlink()
    build([corpus], out, many, make_executor=one_thread)
    assert mine[1].read_text() == "mine"
    mine[1].unlink()
    build([corpus], tmp_path / "fresh", many, make_executor=one_thread)
    assert digest_of(out) == digest_of(tmp_path / "fresh")


@pytest.mark.parametrize("lost", [("manifest.json",), ("SHA256SUMS",), ("manifest.json", "SHA256SUMS")], ids="+".join)
def test_a_build_without_its_lists_is_built_again(corpus: Path, tmp_path: Path, lost: tuple[str, ...]) -> None:
    """A build whose manifest or list of files is damaged or gone is mended by building again, with the same bytes."""
    out = tmp_path / "out"
    build([corpus], out, BuildOptions(clean=False, validation=0, max_chunk_examples=3), make_executor=one_thread)
    before = digest_of(out)
    for damage in (Path.unlink, lambda path: path.write_bytes(b"\xff")):
        for name in lost:
            damage(out / name)
        build([corpus], out, BuildOptions(clean=False, validation=0, max_chunk_examples=3), make_executor=one_thread)
        assert digest_of(out) == before
        assert invoke("verify", "out", cwd=tmp_path).returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="not everybody may make links there")
@pytest.mark.parametrize("link", ["chunks", "chunks/train", "chunks/validation", ".work", ".saturi"])
def test_a_build_follows_no_link(corpus: Path, tmp_path: Path, link: str) -> None:
    """Where something that a build replaces is a link to elsewhere, it is named, and nothing that lies there is touched."""
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    build([corpus], out, BuildOptions(clean=False, validation=0.3, max_chunk_examples=3), make_executor=one_thread)
    if link == ".work":
        elsewhere.mkdir()
        (elsewhere / "notes.txt").write_text("mine")
    else:
        (out / link).rename(elsewhere)
    (out / link).symlink_to(elsewhere)
    before = tree_of(elsewhere) if elsewhere.is_dir() else elsewhere.read_bytes()
    with pytest.raises(ForeignFolderError, match=f"{Path(link).name}: a link to elsewhere"):
        build([corpus], out, BuildOptions(clean=False, validation=0), make_executor=one_thread)
    assert before == (tree_of(elsewhere) if elsewhere.is_dir() else elsewhere.read_bytes())


def test_temporary_files_of_others_stay(corpus: Path, tmp_path: Path) -> None:
    """Only half files of ours are swept away, and no hidden file of another name."""
    out = tmp_path / "out"
    build([corpus], out, BuildOptions(clean=False, validation=0), make_executor=one_thread)
    (out / ".notes.tmp").write_text("mine")
    (out / ".manifest.json.0a1b2c3d.tmp").write_text("half")
    build([corpus], out, BuildOptions(clean=False, validation=0), make_executor=one_thread)
    assert (out / ".notes.tmp").read_text() == "mine"
    assert not (out / ".manifest.json.0a1b2c3d.tmp").exists()


def test_a_folder_that_a_file_manager_has_opened(corpus: Path, tmp_path: Path) -> None:
    """A folder that holds nothing but what a file manager left is as good as an empty one."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".DS_Store").write_bytes(b"Bud1")
    build([corpus], tmp_path / "out", BuildOptions(clean=False, validation=0), make_executor=one_thread)
    assert invoke("verify", "out", cwd=tmp_path).returncode == 0


def test_a_name_that_cannot_be_given(corpus: Path, tmp_path: Path) -> None:
    """A build whose file cannot get its name ends with the path of that file, and is finished when it can."""
    out = tmp_path / "out"
    build([corpus], out, BuildOptions(clean=False, validation=0), make_executor=one_thread)
    (out / "lineage.parquet").unlink()
    (out / "lineage.parquet" / "folder").mkdir(parents=True)
    with pytest.raises(StorageError, match=r"out/lineage\.parquet: cannot be written") as caught:
        build([corpus], out, BuildOptions(clean=False, validation=0.5), make_executor=one_thread)
    assert caught.value.path == str(out / "lineage.parquet")
    shutil.rmtree(out / "lineage.parquet")
    build([corpus], out, BuildOptions(clean=False, validation=0.5), make_executor=one_thread)
    build([corpus], tmp_path / "fresh", BuildOptions(clean=False, validation=0.5), make_executor=one_thread)
    assert digest_of(out) == digest_of(tmp_path / "fresh")
