"""Whole builds that choose: the same whatever runs them, stable when archives come, and samples that are parts of the whole."""

import itertools
import shutil
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from corpora import ANSWER_ZIP, DIALOGUE_ZIP, REPEAT_ZIP, Member, member, sentences, stem, write_zip
from coverings import mostly_thorough
from runs import chunks_of, counts_of, digest_of, lines_of, manifest_of, one_thread, pairs_of, result_of

from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions

THREE_TYPES = ("repeat", "answer", "dialogue")
CHOICES: dict[str, dict[str, Any]] = {
    "identical": {"identical": 0.4},
    "lengths": {"min_words": 2, "max_words": 5, "min_chars": 3, "max_chars": 18, "max_length_ratio": 1.5},
    "sources-once": {"dedup": "source"},
    "duplicates-stay": {"dedup": "none", "sample": 50},
    "majority": {"conflicts": "majority"},
    "no-conflicts": {"conflicts": "drop"},
    "max-per-script": {"max_per_script": 2},
    "speaker-max": {"speaker_max": 3},
    "balance-regions": {"balance": "region"},
    "balance-speech-types": {"balance": "speech_type:20"},
    "sample": {"sample": 40},
    "sample-per-shard": {"sample_per_shard": 9},
    "merged-regions": {"shard_by": "speech_type", "sample_per_shard": 9},
    "one-shard-a-split": {"shard_by": "split", "speaker_max": 4},
    "prompts": {"system_prompt": "{region}, {speech_type}", "paraphrase": ("", "{region} {{이}}")},
    "to-dialect": {"direction": "to-dialect"},
}
EVERYTHING: dict[str, Any] = {name: value for options in CHOICES.values() for name, value in options.items()}


def _said(number: int, words: int) -> tuple[str, str]:
    """Return a pair: every third says the same on both sides, every fifth has the source of another."""
    source = " ".join(["오늘", f"장에 {number % 5 and number}", *["마이 갔다"] * (words % 4)])
    return source, source if number % 3 == 0 else f"{source} 요 {number % 11}"


def _members(code: str, first: int, count: int) -> dict[str, list[Member]]:
    found: dict[str, list[Member]] = {REPEAT_ZIP: [], ANSWER_ZIP: [], DIALOGUE_ZIP: []}
    for number in range(first, first + count):
        kind, archive = [("st", REPEAT_ZIP), ("say", ANSWER_ZIP), ("talk", DIALOGUE_ZIP)][number % 7 % 3]
        speakers = f"{number % 23}+{number % 19}" if kind == "talk" else str(number % 23)
        name = stem(kind, speakers, number % 6, script_set=number, code=code)
        if kind == "st":
            name = stem(kind, speakers, number % 6, code=code).removesuffix("8") + str(number)
        texts = sentences(_said(number, number), _said(number // 2, 1))
        found[archive].append(member(name, "", "", province=code, transcription=texts))
    return found


def write_corpus(folder: Path, codes: str = "gs jj", first: int = 0, count: int = 150, mark: str = "") -> Path:
    """Write archives of regions *codes*; their names begin with *mark* and tell no region."""
    for code in codes.split():
        for archive, members in _members(code, first, count).items():
            write_zip(folder / f"{mark}{code} {archive}".replace("경상도", ""), members)
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with duplicates, conflicts, equal texts, dialogues, and scripts that many read."""
    return write_corpus(tmp_path_factory.mktemp("choices") / "corpus")


@pytest.fixture(scope="module")
def plain(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of that corpus without any choice, and its stage."""
    out = tmp_path_factory.mktemp("choices") / "out"
    build([corpus], out, _options(), make_executor=one_thread)
    return out


def _options(**given: Any) -> BuildOptions:
    """Options of a build that does not clean: there is nothing to, and looking for it is most of what so small a build costs."""
    return BuildOptions(**{"unit": "sentence", "speech_type": THREE_TYPES, "validation": 0.3, "clean": False, **given})


@pytest.fixture(scope="module")
def chosen(corpus: Path, plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return the build of that corpus by one worker with the options given, made when it is first asked for."""
    folder = tmp_path_factory.mktemp("chosen")
    made: list[dict[str, Any]] = []

    def make(**options: Any) -> Path:
        if options not in made:
            made.append(options)
            out = folder / str(made.index(options))
            build([corpus], out, _options(**options), stage=plain / "stage", make_executor=one_thread)
        return folder / str(made.index(options))

    return make


FEW = ("duplicates-stay", "speaker-max", "balance-regions", "sample-per-shard", "merged-regions")


@pytest.mark.parametrize("name", mostly_thorough(FEW, *(name for name in CHOICES if name not in FEW)))
def test_same_bytes_for_any_number_of_workers(
    corpus: Path, plain: Path, chosen: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    """Each option that chooses gives other bytes than without it, and the same with one worker as with three."""
    options, out = CHOICES[name], tmp_path / "three"
    pool: partial[Executor] = partial(ThreadPoolExecutor, 3)
    build([corpus], out, _options(**options), stage=plain / "stage", make_executor=pool, workers=3)
    assert sorted(lines_of(out)) != sorted(lines_of(plain)) or chunks_of(out).keys() != chunks_of(plain).keys()
    assert digest_of(out) == digest_of(chosen(**options))


def test_same_bytes_in_processes(corpus: Path, plain: Path, tmp_path: Path) -> None:
    """All options at once give the same bytes in two processes and in a thread."""
    options = _options(**EVERYTHING, clean=True)
    build([corpus], tmp_path / "thread", options, stage=plain / "stage", make_executor=one_thread)
    build([corpus], tmp_path / "two", options, stage=plain / "stage", workers=2)
    assert counts_of(tmp_path / "thread")["examples"] >= 10
    assert result_of(tmp_path / "two") == result_of(tmp_path / "thread")


def _origins(out: Path) -> dict[tuple[str, str, int], tuple[str, str]]:
    """Return (side, pair) of every example by archive, member and sentence; archives by their last name."""
    lineage = pl.read_parquet(out / "lineage.parquet")
    lines = chunks_of(out)
    return {
        (archive.rpartition("/")[2], name, sentence): (chunk.split("/")[1], lines[chunk][line - 1].decode())
        for chunk, line, archive, name, sentence in lineage.select(
            "chunk", "line", "archive", "member", "sentence"
        ).iter_rows()
    }


SAMPLES: dict[str, dict[str, Any]] = {
    "per-shard": {"sample_per_shard": 9},
    "of-all": {"sample": 70},
    "balanced": {"balance": "region"},
    "duplicates-stay": {"sample_per_shard": 12, "dedup": "none"},
    "per-script": {"max_per_script": 2, "sample_per_shard": 12},
    "per-speaker": {"speaker_max": 3},
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_a_part_of_the_whole(plain: Path, chosen: Callable[..., Path], name: str) -> None:
    """What is sampled is in the build without sampling, too, on the same side, and from the same label file."""
    options = SAMPLES[name]
    whole = chosen(dedup=options["dedup"]) if "dedup" in options else plain
    part, all_there_is = _origins(chosen(**options)), _origins(whole)
    assert 20 < len(part) < len(all_there_is)
    assert part.items() <= all_there_is.items()


@pytest.fixture(scope="module")
def joined(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """That corpus with archives of one more region before its own, and a stage of all."""
    folder = tmp_path_factory.mktemp("joined")
    shutil.copytree(corpus, folder / "corpus")
    write_corpus(folder / "corpus", "cc", first=10_000, mark="가 ")
    return folder / "corpus", folder / "stage"


@pytest.mark.parametrize("name", ["of-all", "balanced", "duplicates-stay", "per-script"])
def test_archives_of_other_regions_change_only_quotas(
    joined: tuple[Path, Path], chosen: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    """When archives of another region join, no row changes its side; of a stratum fewer are chosen, or more, in the same order."""
    (more, stage), options = joined, SAMPLES[name]
    build([more], tmp_path / "after", _options(**options), stage=stage, make_executor=one_thread)
    before, after = _origins(chosen(**options)), _origins(tmp_path / "after")
    there = {origin: facts for origin, facts in after.items() if not origin[0].startswith("가 ")}
    assert 0 < len(there) < len(after)
    assert all(there[origin] == before[origin] for origin in there.keys() & before.keys())
    for kind in {(facts[0], origin[0]) for origin, facts in (before | there).items()}:
        # An archive of this corpus holds one region and one speech type.
        old, new = (
            {origin for origin, facts in found.items() if (facts[0], origin[0]) == kind} for found in (before, there)
        )
        assert old <= new or new <= old
    if "sample" not in options and "balance" not in options:
        assert there == before


def test_archives_of_the_same_shard_change_only_ranks(
    corpus: Path, plain: Path, chosen: Callable[..., Path], tmp_path: Path
) -> None:
    """When new texts join a shard, what is sampled of the old ones was sampled before, and nothing changes its side."""
    more = tmp_path / "more"
    shutil.copytree(corpus, more)
    write_corpus(more, first=20_000, mark="가 ")
    build(
        [more], tmp_path / "after", _options(**SAMPLES["per-shard"]), stage=tmp_path / "stage", make_executor=one_thread
    )
    build([more], tmp_path / "all", _options(), stage=tmp_path / "stage", make_executor=one_thread)
    old_sides, new_sides = (
        {line: path.split("/")[1] for path, lines in chunks_of(out).items() for line in lines}
        for out in (plain, tmp_path / "all")
    )
    assert len(new_sides) > len(old_sides) > 100
    assert all(new_sides[line] == side for line, side in old_sides.items() if line in new_sides)
    old, new = (set(lines_of(out)) for out in (chosen(**SAMPLES["per-shard"]), tmp_path / "after"))
    assert 0 < len(new & old_sides.keys()) < len(old)
    assert new & old_sides.keys() <= old


def test_a_name_with_a_number_changes_no_choice(tmp_path: Path) -> None:
    """An archive that gets a number, since another of its name joins before it, keeps what is chosen of it."""
    texts = [_said(number, number) for number in range(40)]
    members = [member(stem("say", str(number), 1), *texts[number]) for number in range(40)]
    read = [
        member(stem("st", str(number % 20), number % 3), f"말 {number}", f"글 {number}") for number in range(200, 240)
    ]
    write_zip(tmp_path / "나" / "labels.zip", members)
    write_zip(tmp_path / "가" / "labels.zip", read)
    options = BuildOptions(dedup="none", sample_per_shard=10, validation=0, clean=False, paraphrase=("가", "나"))  # type: ignore[arg-type]  # plain text, as from outside
    build([tmp_path / "나"], tmp_path / "one", options, make_executor=one_thread)
    build([tmp_path / "나", tmp_path / "가"], tmp_path / "two", options, make_executor=one_thread)
    path = "chunks/train/gyeongsang-answer-00000.jsonl"
    assert [row["archive"] for row in manifest_of(tmp_path / "two")["corpus"]] == ["labels.zip", "labels.zip (2)"]
    assert len(chunks_of(tmp_path / "one")[path]) == 10
    assert chunks_of(tmp_path / "two")[path] == chunks_of(tmp_path / "one")[path]


def test_majority_and_first(tmp_path: Path) -> None:
    """The target of most utterances wins, duplicates counted, of equally frequent ones the first; or the first of all, or none."""
    pairs = [("가", "첫째"), ("가", "둘째"), ("가", "둘째"), ("나", "셋째"), ("나", "넷째"), ("다", "다섯째")]
    write_zip(tmp_path / "c" / ANSWER_ZIP, [member(stem("say", str(n), 1), *pair) for n, pair in enumerate(pairs, 1)])
    expected = {
        ("keep", "pair"): [pairs[0], pairs[1], *pairs[3:]],
        ("majority", "pair"): [pairs[1], pairs[3], pairs[5]],
        ("majority", "none"): [pairs[1], pairs[2], pairs[3], pairs[5]],
        ("majority", "source"): [pairs[1], pairs[3], pairs[5]],
        ("keep", "source"): [pairs[0], pairs[3], pairs[5]],
        ("drop", "pair"): [pairs[5]],
    }
    for (conflicts, dedup), left in expected.items():
        options = BuildOptions(clean=False, validation=0, conflicts=conflicts, dedup=dedup)  # type: ignore[arg-type]  # plain text, as from outside
        build([tmp_path / "c"], tmp_path / "out", options, make_executor=one_thread)
        assert pairs_of(tmp_path / "out") == left


def test_merged_shards(corpus: Path, plain: Path, tmp_path: Path) -> None:
    """A shard that is not apart by region holds one region after the other under the name `all`, and each pair once."""
    build([corpus], tmp_path / "merged", _options(shard_by="split"), stage=plain / "stage", make_executor=one_thread)
    apart, merged = chunks_of(plain), chunks_of(tmp_path / "merged")
    assert list(merged) == ["chunks/train/all-all-00000.jsonl", "chunks/validation/all-all-00000.jsonl"]
    for split in ("train", "validation"):
        joined = list(itertools.chain.from_iterable(lines for path, lines in apart.items() if f"/{split}/" in path))
        assert merged[f"chunks/{split}/all-all-00000.jsonl"] == list(dict.fromkeys(joined))
    shards = manifest_of(tmp_path / "merged")["shards"]
    assert [(s["split"], s["region"], s["speech_type"]) for s in shards] == [
        ("train", "all", "all"),
        ("validation", "all", "all"),
    ]
    assert {row["region"] for row in manifest_of(tmp_path / "merged")["unsharded"]} <= {
        "gyeongsang",
        "jeju",
        "chungcheong",
    }
