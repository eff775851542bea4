"""Whole builds under tiny caps: no chunk over its cap, none empty, and every line in its place."""

from pathlib import Path

import polars as pl
import pytest
from corpora import ANSWER_ZIP, REPEAT_ZIP, answers, member, stem, write_zip
from runs import chunks_of, counts_of, lines_of, one_thread

from saturi.etl.checking.check import check
from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import DropReason


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[bytes]]:
    """A corpus of 60 pairs of different lengths in one shard, the stage of a build, and its lines in one chunk."""
    folder = tmp_path_factory.mktemp("uneven")
    pairs = [("가" * (1 + number * 7 % 23) + str(number), "나" * (number % 11 + 1)) for number in range(60)]
    members = [member(stem("say", str(number), 1), *pair) for number, pair in enumerate(pairs, 1)]
    write_zip(folder / "corpus" / ANSWER_ZIP, members)
    build(
        [folder / "corpus"],
        folder / "out",
        BuildOptions(validation=0),
        stage=folder / "stage",
        make_executor=one_thread,
    )
    [lines] = chunks_of(folder / "out").values()
    return folder / "corpus", folder / "stage", lines


@pytest.mark.parametrize(
    ("of_longest", "more", "examples"),
    [
        (1, 0, None),
        (1, 1, None),
        (2, 0, None),
        (10, 0, None),
        (12, -1, None),
        (60, 0, None),
        (60, 0, 1),
        (60, 0, 7),
        (60, 0, 59),
        (60, 0, 60),
    ],
    ids=[
        "exactly-one",
        "one-byte-more",
        "two",
        "ten",
        "under-twelve",
        "all",
        "one-example",
        "seven",
        "all-but-one",
        "exactly-all",
    ],
)
def test_the_cap_is_hard(
    uneven: tuple[Path, Path, list[bytes]], tmp_path: Path, of_longest: int, more: int, examples: int | None
) -> None:
    """No chunk is over a cap on bytes or examples, none is empty, and joined they are the shard in its order."""
    corpus, stage, lines = uneven
    cap = of_longest * max(map(len, lines)) + more
    build(
        [corpus],
        tmp_path / "out",
        BuildOptions(validation=0, max_chunk_bytes=cap, max_chunk_examples=examples),
        stage=stage,
        make_executor=one_thread,
    )
    chunks = list(chunks_of(tmp_path / "out").values())
    assert all(0 < sum(map(len, chunk)) <= cap for chunk in chunks)
    assert all(len(chunk) <= (examples or 60) for chunk in chunks)
    assert [line for chunk in chunks for line in chunk] == lines


def test_an_example_over_the_cap_is_dropped(uneven: tuple[Path, Path, list[bytes]], tmp_path: Path) -> None:
    """With a cap one byte under the longest line, exactly the lines of that length are left out as over_cap."""
    corpus, stage, lines = uneven
    longest = max(map(len, lines))
    build(
        [corpus],
        tmp_path / "out",
        BuildOptions(validation=0, max_chunk_bytes=longest - 1),
        stage=stage,
        make_executor=one_thread,
    )
    fitting = [line for line in lines if len(line) < longest]
    assert lines_of(tmp_path / "out") == fitting
    assert counts_of(tmp_path / "out")["dropped"] == {DropReason.OVER_CAP: len(lines) - len(fitting)}
    assert pl.read_parquet(tmp_path / "out" / "lineage.parquet").height == len(fitting)


def test_a_cap_that_nothing_fits(uneven: tuple[Path, Path, list[bytes]], tmp_path: Path) -> None:
    """With a cap of one byte every example is dropped, no chunk is written, and the build is no success."""
    corpus, stage, lines = uneven
    result = build(
        [corpus], tmp_path / "out", BuildOptions(validation=0, max_chunk_bytes=1), stage=stage, make_executor=one_thread
    )
    assert counts_of(tmp_path / "out")["dropped"] == {DropReason.OVER_CAP: len(lines)}
    assert chunks_of(tmp_path / "out") == {}
    assert result.failures == ["no example is left: 60 utterances were dropped: 60 over_cap (raise --max-chunk-bytes)"]
    assert [
        warning for warning in result.warnings if warning.startswith("60 utterances (100.0%) larger than a whole chunk")
    ]


@pytest.mark.parametrize(("count", "few"), [(9, True), (10, False), (11, False)], ids=["nine", "ten", "eleven"])
def test_a_shard_with_too_few_examples_is_flagged(tmp_path: Path, count: int, few: bool) -> None:
    """A shard with a chunk of fewer than ten examples is marked; where its split has no more, a warning says what `check` says."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(count))
    result = build([tmp_path / "corpus"], tmp_path / "out", BuildOptions(validation=0), make_executor=one_thread)
    assert [shard.too_few for shard in result.manifest.shards] == [few]
    refused = "train has 9 examples in all, and fine-tuning APIs refuse a file of fewer than 10"
    assert result.warnings[1:] == ([refused] if few else [])
    assert len(result.warnings) == 2 * few
    assert check(tmp_path / "out").errors == ({"too_few_examples": 1} if few else {})


def test_small_shards_beside_others(tmp_path: Path) -> None:
    """A shard with too few examples for a file of its own is named, and nothing is refused where its split has enough."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(12))
    write_zip(tmp_path / "corpus" / REPEAT_ZIP, [member(stem("st", "1", 1), "가 묵었나", "가 먹었니")])
    result = build(tmp_path / "corpus", tmp_path / "out", BuildOptions(validation=0), make_executor=one_thread)
    [warning] = result.warnings
    assert "a chunk of train/gyeongsang-repeat has fewer than 10 examples" in warning
    assert check(tmp_path / "out").errors == {}
