"""Whole builds, again and again: the same bytes whatever the circumstances, and no archive read twice."""

import os
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, answers, member, stem, write_loose, write_zip
from runs import digest_of, facts_of, manifest_of, one_thread, result_of, saturi, segments_of

from saturi.etl.errors import LockedError
from saturi.etl.pipeline.build import build
from saturi.etl.runtime.processes import process_pool
from saturi.etl.settings.options import BuildOptions
from saturi.etl.synthetic.corpus import SampleReport
from saturi.schemas.terms import Dedup, Region, Source, SpeechType, Unit

# Of two regions, one of which has an archive in parts: what a build costs here is above all its shards.
OPTIONS = BuildOptions(validation=0.2, max_chunk_bytes=3_000, region=(Region.GYEONGSANG, Region.JEOLLA))


class Built:
    """A build of the sample to compare with, and its stage."""

    def __init__(self, corpus: Path, folder: Path) -> None:
        self.corpus, self.out, self.stage = corpus, folder / "out", folder / "stage"
        build([corpus], self.out, OPTIONS, stage=self.stage, make_executor=one_thread)
        self.digest = digest_of(self.out)

    def copy_stage(self, target: Path) -> Path:
        """Copy the stage to *target*, and return it."""
        shutil.copytree(self.stage, target)
        return target


@pytest.fixture(scope="module")
def built(sample: SampleReport, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A build of the sample, with several chunks in most shards."""
    found = Built(sample.folder, tmp_path_factory.mktemp("built"))
    assert len(found.digest) > 15
    return found


SEGMENTS = 4
"""Segments of the build that is damaged, each in a way of its own."""


@pytest.fixture(scope="module")
def few(sample: SampleReport, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], Path]:
    """Three zips and a loose folder, and a build of them."""
    corpus = [next(sample.folder.rglob("*.json")).parent, *sorted(sample.folder.rglob("TL_02._*.zip"))]
    out = tmp_path_factory.mktemp("few") / "out"
    build(corpus, out, OPTIONS, make_executor=one_thread)
    return corpus, out


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_any_number_of_workers(few: tuple[list[Path], Path], tmp_path: Path, workers: int, method: str) -> None:
    """The bytes do not depend on the number of workers, nor on how they are started."""
    if method == "forkserver" and sys.platform == "win32":
        pytest.skip("Windows has no forkserver")
    corpus, out = few
    build(corpus, tmp_path / "out", OPTIONS, make_executor=partial(process_pool, workers, method))
    assert digest_of(tmp_path / "out") == digest_of(out)


def test_any_executor(built: Built, tmp_path: Path) -> None:
    """Threads in place of processes give the same bytes: all data goes through files."""
    build([built.corpus], tmp_path / "out", OPTIONS, make_executor=partial(ThreadPoolExecutor, 3))
    assert digest_of(tmp_path / "out") == built.digest


def test_any_order_of_arguments(sample: SampleReport, tmp_path: Path) -> None:
    """Archives given one by one, in any order and more than once, give the same bytes."""
    archives = [
        *sample.folder.rglob("*라벨링데이터/*.zip"),
        next(sample.folder.rglob("*.part0")),
        next(sample.folder.rglob("*.json")).parent,
    ]
    assert len(archives) == sample.archives
    stage = tmp_path / "stage"
    for name, order in (("one", archives), ("two", [*archives[7::-1], *archives[::-1]])):
        build(order, tmp_path / name, OPTIONS, stage=stage, make_executor=one_thread)
    assert digest_of(tmp_path / "one") == digest_of(tmp_path / "two")


def test_a_corpus_in_another_place(built: Built, tmp_path: Path) -> None:
    """The bytes do not depend on where the corpus lies, nor on the times of its files."""
    elsewhere = tmp_path / "다른 곳" / "x"
    shutil.copytree(built.corpus, elsewhere, copy_function=shutil.copyfile)
    build([elsewhere], tmp_path / "out", OPTIONS, make_executor=one_thread)
    assert digest_of(tmp_path / "out") == built.digest


def test_hash_seeds(built: Built, tmp_path: Path) -> None:
    """The bytes do not depend on the order in which Python keeps its sets, which is that of this process and of another."""
    regions = ("--region", "gyeongsang", "--region", "jeolla")
    arguments = ("--out", "out", "--workers", "1", "--validation", "0.2", "--max-chunk-bytes", "3000", *regions)
    assert saturi("build", built.corpus, *arguments, cwd=tmp_path, PYTHONHASHSEED="1").returncode == 0
    assert digest_of(tmp_path / "out") == built.digest


def test_again_into_the_same_folder(few: tuple[list[Path], Path], tmp_path: Path) -> None:
    """A second build into the same folder makes no segment and changes no byte."""
    corpus, first = few
    assert facts_of(first)["segments_made"] == SEGMENTS
    out = Path(shutil.copytree(first, tmp_path / "out"))
    result = build(corpus, out, OPTIONS, make_executor=one_thread)
    assert result_of(out) == result_of(first)
    assert result.facts.segments_made == facts_of(out)["segments_made"] == 0


@pytest.mark.parametrize(
    "options",
    [
        BuildOptions(unit=Unit.SENTENCE),
        BuildOptions(source=Source.DIALECT),
        BuildOptions(region=(Region.JEJU,), speech_type=tuple(SpeechType)),
        BuildOptions(validation="official", dedup=Dedup.NONE, system_prompt=""),
        BuildOptions(max_chunk_bytes=900, max_chunk_examples=3, max_rejects=0, max_entries=100_000),
    ],
    ids=["sentence", "dialect", "filters", "official", "caps"],
)
def test_other_options_read_no_archive_again(
    few: tuple[list[Path], Path], tmp_path: Path, options: BuildOptions
) -> None:
    """With a stage at hand, a build with other options reads no archive, and has the bytes of one from scratch."""
    corpus, out = few
    result = build(corpus, tmp_path / "reused", options, stage=out / "stage", make_executor=one_thread)
    assert result.facts.segments_made == 0
    assert result.facts.segments_reused == SEGMENTS
    build(corpus, tmp_path / "fresh", options, make_executor=one_thread)
    assert digest_of(tmp_path / "reused") == digest_of(tmp_path / "fresh")


def test_one_more_archive_is_all_that_is_read(few: tuple[list[Path], Path], tmp_path: Path) -> None:
    """When an archive joins a corpus, only its own segments are made."""
    corpus, out = few
    write_zip(tmp_path / "more" / ANSWER_ZIP, answers(30))
    stage = shutil.copytree(out / "stage", tmp_path / "stage")
    result = build([*corpus, tmp_path / "more"], tmp_path / "out", OPTIONS, stage=stage, make_executor=one_thread)
    assert result.facts.segments_made == 1
    assert result.facts.segments_reused == len(segments_of(out / "stage"))


def test_a_stage_serves_one_build_at_a_time(built: Built, tmp_path: Path) -> None:
    """Two builds that share a stage do not run at once: the second ends with an error that names the stage."""
    stage = built.copy_stage(tmp_path / "stage")

    def second(_: object) -> None:
        if not (tmp_path / "two").exists():
            with pytest.raises(LockedError, match="is writing there"):
                build([built.corpus], tmp_path / "two", OPTIONS, stage=stage, make_executor=one_thread)

    build([built.corpus], tmp_path / "one", OPTIONS, stage=stage, watcher=second, make_executor=one_thread)
    assert digest_of(tmp_path / "one") == built.digest


def _flip(at: Callable[[bytes], int]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[at(bytes(content))] ^= 1
        path.write_bytes(content)

    return damage


def _after(name: bytes) -> Callable[[bytes], int]:
    """Return what finds the first byte of the value of *name* in the header of a segment."""
    return lambda content: content.index(b'"%s":' % name) + len(name) + 3


DAMAGES: dict[str, Callable[[Path], object]] = {
    "first-byte": _flip(lambda _: 0),
    "key": _flip(lambda content: _after(b"key")(content) + 1),
    "crc": _flip(_after(b"crc32")),
    "count-of-label-files": _flip(_after(b"label_files")),
    "count-of-decoded": _flip(_after(b"decoded")),
    "count-of-ignored": _flip(_after(b"ignored")),
    "count-of-repaired": _flip(_after(b"repaired")),
    "count-of-files-of-a-kind": _flip(_after(b"files")),
    "count-of-sentences": _flip(_after(b"sentences")),
    "count-of-disagreements": _flip(_after(b"file_name")),
    "digest": _flip(lambda content: _after(b"digest")(content) + 1),
    "first-of-columns": _flip(lambda content: content.index(b"\n") + 1),
    "middle": _flip(lambda content: len(content) // 2),
    "last-byte": _flip(lambda content: len(content) - 1),
    "halved": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "one-byte-short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "one-byte-long": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "header-only": lambda path: path.write_bytes(path.read_bytes().split(b"\n")[0] + b"\n"),
    "no-newline": lambda path: path.write_bytes(path.read_bytes().split(b"\n")[0]),
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"\xff\xfe garbage\n" * 999),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("first", range(0, len(DAMAGES), SEGMENTS), ids=list(DAMAGES)[::SEGMENTS])
def test_a_damaged_segment_is_made_anew(few: tuple[list[Path], Path], tmp_path: Path, first: int) -> None:
    """A segment that is not whole is read from its archive again, and the result has the same bytes."""
    corpus, undisturbed = few
    shutil.copytree(undisturbed, tmp_path / "out")
    segments = segments_of(tmp_path / "out" / "stage")
    assert len(segments) == SEGMENTS
    for segment, damage in zip(segments, [*DAMAGES.values(), *DAMAGES.values()][first:], strict=False):
        damage(segment)
    result = build(corpus, tmp_path / "out", OPTIONS, make_executor=one_thread)
    assert (result.facts.segments_made, result.facts.segments_reused) == (len(segments), 0)
    assert result_of(tmp_path / "out") == result_of(undisturbed)


def test_swapped_segments_are_made_anew(built: Built, tmp_path: Path) -> None:
    """Two whole segments under each other's names are both read again, and no other is."""
    stage = built.copy_stage(tmp_path / "stage")
    first, second, *_ = segments_of(stage)
    contents = first.read_bytes(), second.read_bytes()
    second.write_bytes(contents[0])
    first.write_bytes(contents[1])
    result = build([built.corpus], tmp_path / "out", OPTIONS, stage=stage, make_executor=one_thread)
    assert result.facts.segments_made == 2
    assert digest_of(tmp_path / "out") == built.digest
    assert (first.read_bytes(), second.read_bytes()) == contents


def test_the_manifest_holds_no_circumstance(built: Built) -> None:
    """No path of this machine, no time and no number of workers is in the manifest."""
    manifest = (built.out / "manifest.json").read_bytes()
    assert str(built.corpus).encode() not in manifest
    assert str(built.out).encode() not in manifest
    assert not {"started", "seconds", "workers"} & manifest_of(built.out).keys()
    assert not {"workers", "stage", "out"} & manifest_of(built.out)["options"].keys()


def test_decisions_of_loose_files_are_those_of_their_contents(tmp_path: Path) -> None:
    """Copying loose label files, with other times and inodes, changes no table that is published."""
    files = [member(stem("say", str(number), 1), f"마이 {number}", f"많이 {number}") for number in range(12)]
    for name in ("one", "two"):
        write_loose(tmp_path / name / "corpus" / "라벨", files)
        for number, file in enumerate(sorted((tmp_path / name / "corpus" / "라벨").iterdir())):
            os.utime(file, (number, number) if name == "one" else None)
        build([tmp_path / name / "corpus"], tmp_path / name / "out", make_executor=one_thread)
    for table in ("decisions.parquet", "lineage.parquet", "manifest.json"):
        assert (tmp_path / "one" / "out" / table).read_bytes() == (tmp_path / "two" / "out" / table).read_bytes()
