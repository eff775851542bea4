"""Pairs of a build: shown, loaded and compared with those of another build; the same ones every time."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from corpora import ANSWER_ZIP, DIALOGUE_ZIP, REPEAT_ZIP, answers, member, sentences, stem, write_zip
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from runs import chunks_of, counts_of, manifest_of, one_thread, pair_in

from saturi import BuildOptions, build, diff, load, load_dataset, show
from saturi.etl.console.dispatch import cli
from saturi.etl.console.screens.diff import show_diff
from saturi.etl.console.screens.show import show_pairs
from saturi.etl.errors import BuildError, OptionError
from saturi.etl.pairs import changes
from saturi.etl.pairs.choice import spread
from saturi.etl.pairs.runs import runs_of
from saturi.schemas.pairs import Run, ShownPair
from saturi.schemas.terms import DropReason

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Builds of one corpus: 30 answers of one region, ten of another, five read aloud twice, three dialogues."""
    folder = tmp_path_factory.mktemp("pairs")
    write_zip(folder / "corpus" / ANSWER_ZIP, answers(30))
    jeju = [
        member(stem("say", str(n), 2, code="jj"), f"{n}번 먹언", f"{n}번 먹었어", province="jj") for n in range(1, 11)
    ]
    write_zip(folder / "corpus" / ANSWER_ZIP.replace("경상도", "제주도"), jeju)
    aloud = [
        member(stem("st", str(speaker), number), f"말 {number} 카이", f"말 {number} 하니")
        for number in range(5)
        for speaker in (1, 2)
    ]
    write_zip(folder / "corpus" / REPEAT_ZIP, aloud)
    two = [
        member(
            stem("talk", f"{n}+9", 3), "가", "나", transcription=sentences(("어데 가노", "어디 가니"), ("집에", "집에"))
        )
        for n in range(1, 4)
    ]
    write_zip(folder / "corpus" / DIALOGUE_ZIP, two)
    made: dict[str, Path] = {}

    def built(**options: Any) -> Path:
        name = f"out{len(made)}"
        key = json.dumps(options, sort_keys=True, default=str)
        if key not in made:
            made[key] = folder / name
            values: dict[str, Any] = {"clean": False, "validation": 0.2, **options}
            given = BuildOptions(**values)
            build(folder / "corpus", made[key], given, stage=folder / "stage", make_executor=one_thread)
        return made[key]

    return built


@given(st.integers(0, 40), st.integers(0, 3_000))
def test_a_few_of_many(count: int, total: int) -> None:
    """Of many numbers, as many different ones are chosen as there are and were asked for, the same every time, spread evenly."""
    chosen = spread(count, total)
    assert len(set(chosen)) == len(chosen) == min(count, total)
    assert chosen == sorted(chosen) == spread(count, total)
    assert all(0 <= number < total for number in chosen)
    if count > 10 and total > 10 * count:
        gaps = [later - earlier for earlier, later in pairwise(chosen)]
        assert max(gaps) < 4 * total / count


WORDS = st.lists(st.sampled_from(["가", "나", "다", "라카이"]), max_size=8).map(" ".join)


@given(WORDS, WORDS)
def test_runs_are_the_words_of_both_texts(source: str, target: str) -> None:
    """Runs joined are the words of both texts, and equal texts are one run."""
    runs = runs_of(source, target)
    assert " ".join(run.source for run in runs if run.source) == source
    assert " ".join(run.target for run in runs if run.target) == target
    assert any(run.changed for run in runs) == (source != target)


def test_runs_of_a_sentence() -> None:
    """Words that change one for one are runs of their own; what has no counterpart is one with nothing."""
    assert runs_of("니 밥 묵었나", "너 밥 먹었니") == [Run("니", "너"), Run("밥", "밥"), Run("묵었나", "먹었니")]
    assert runs_of("가가 뭐꼬", "뭐꼬") == [Run("가가", ""), Run("뭐꼬", "뭐꼬")]
    assert runs_of("", "") == []


def test_examples_are_shown(make: Make) -> None:
    """Pairs of examples are as they lie in the chunks, with where they came from; the same ones every time."""
    out = make()
    pairs = show(out, 7)
    assert len(pairs) == 7
    assert pairs == show(str(out), 7)
    chunks = chunks_of(out)
    for pair in pairs:
        assert pair.chunk is not None
        assert pair.line is not None
        assert pair_in(chunks[pair.chunk][pair.line - 1]) == (pair.source, pair.target)
        assert (pair.archive or "").endswith(".zip")
        assert (pair.member or "").endswith(".json")
    assert len(show(out, 1_000)) == counts_of(out)["examples"]


@pytest.mark.parametrize("shard_by", [["region", "speech_type"], []], ids=["apart", "merged"])
def test_a_choice_of_examples(make: Make, shard_by: list[str]) -> None:
    """Region, speech type and split narrow the choice, in Korean, too, also where shards are not apart by them."""
    out = make(shard_by=shard_by)
    everything = show(out, 1_000)
    jeju = show(out, 1_000, region="제주")
    assert {pair.region for pair in jeju} == {"jeju"}
    assert len(jeju) == 10
    assert {pair.speech_type for pair in show(out, 1_000, speech_type="따라말하기")} == {"repeat"}
    held_out = show(out, 1_000, split="VALIDATION", region=["jeju", "경상도"])
    assert held_out == [pair for pair in everything if pair.split == "validation"]
    assert show(out, region="강원") == []


@pytest.mark.parametrize(
    ("reason", "number"), [("duplicate", 5), ("identical", 3), ("speech_type_excluded", 6), ("in_training", 0)]
)
def test_dropped_utterances_are_shown(make: Make, reason: str, number: int) -> None:
    """Dropped utterances have their reason, label file and texts, as many as the manifest counts."""
    more = {"duplicate": {}, "identical": {"identical": "drop", "speech_type": ["dialogue"]}}
    out = make(unit="sentence", **more.get(reason, {}))
    pairs = show(out, 100, dropped=reason, stage=out.parent / "stage")
    assert len(pairs) == counts_of(out)["dropped"].get(reason, 0) == number
    assert pairs == show(out, 100, dropped=reason.upper(), stage=out.parent / "stage")
    for pair in pairs:
        assert pair.dropped == reason
        assert pair.chunk is None
        assert pair.source
        assert (pair.member or "").endswith(".json")
    if number > 2:
        assert len(show(out, 2, dropped=reason, stage=out.parent / "stage")) == 2


def test_dropped_utterances_without_a_stage(make: Make, tmp_path: Path) -> None:
    """Where the stage is gone, dropped utterances have no texts; those of groups left out cannot be listed."""
    out = make()
    pairs = show(out, 2, dropped="duplicate", stage=tmp_path)
    assert [(pair.source, pair.member, pair.dropped) for pair in pairs] == [(None, None, DropReason.DUPLICATE)] * 2
    with pytest.raises(BuildError, match="a segment of this build is not there"):
        show(out, dropped="speech_type_excluded", stage=tmp_path)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"count": 0}, "--count: 0"),
        ({"dropped": "nope"}, "--dropped: 'nope'"),
        ({"region": "seoul"}, "--region: 'seoul'"),
    ],
    ids=["none", "reason", "region"],
)
def test_a_choice_that_cannot_be(make: Make, given: dict[str, object], problem: str) -> None:
    """A number, reason or region that cannot be is refused by its name."""
    with pytest.raises(OptionError, match=problem):
        show(make(), **given)  # type: ignore[arg-type]  # what a user may give


def test_all_pairs_are_loaded(make: Make) -> None:
    """The frame of a build has each example once, with region, speech type, script and label file."""
    out = make()
    rows = load(out)
    pairs = [pair_in(line) for lines in chunks_of(out).values() for line in lines]
    assert list(rows.select("source", "target").iter_rows()) == pairs
    aloud = rows.filter(speech_type="repeat")
    assert sorted(aloud["script"]) == [f"1:{number}" for number in range(5)]
    assert rows["member"].null_count() == 0
    merged = load(make(shard_by=[]))
    assert merged.sort("member").drop("split").equals(rows.sort("member").drop("split"))


def test_a_build_without_lineage(make: Make, tmp_path: Path) -> None:
    """A build that was handed on without its lineage is loaded and shown all the same, without label files."""
    out = tmp_path / "out"
    build(make().parent / "corpus", out, BuildOptions(clean=False, validation=0), make_executor=one_thread)
    (out / "lineage.parquet").unlink()
    assert load(out)["script"].null_count() == counts_of(out)["examples"]
    assert show(out, 1)[0].archive is None
    compared = diff(out, make())
    assert (compared.equal, compared.pairs) == (False, None)
    merged = BuildOptions(clean=False, validation=0, shard_by=())
    build(make().parent / "corpus", out, merged, make_executor=one_thread)
    (out / "lineage.parquet").unlink()
    with pytest.raises(BuildError, match="leave out --region"):
        show(out, region="jeju")


def test_a_dataset_has_the_splits(make: Make) -> None:
    """As a dataset a build has its splits, and the columns of the frame."""
    dataset, rows = load_dataset(make()), load(make())
    assert {name: len(dataset[name]) for name in dataset} == dict(rows.group_by("split").len().iter_rows())
    assert dataset["train"].column_names == rows.columns


@pytest.mark.parametrize("part_rows", [500_000, 7], ids=["whole", "in-parts"])
def test_what_differs(make: Make, monkeypatch: pytest.MonkeyPatch, part_rows: int) -> None:
    """Options, counts and pairs that differ are those that a comparison of all pairs finds, however it is cut into parts."""
    monkeypatch.setattr(changes, "_PART_ROWS", part_rows)
    one, other = make(), make(validation=0.5, dedup="none", region=["gyeongsang"], direction="to-dialect")
    found = diff(one, other, 3)
    assert found.equal is False
    assert {value.name for value in found.options} == {
        "validation", "dedup", "region", "direction", "system_prompt"
    }  # fmt: skip
    old, new = (
        load(out).rows_by_key(["archive", "member", "sentence"], named=True, unique=True) for out in (one, other)
    )
    pairs = found.pairs
    assert pairs is not None
    kept = old.keys() & new.keys()
    assert (pairs.kept, pairs.came, pairs.went) == (len(kept), len(new.keys() - kept), len(old.keys() - kept))
    assert pairs.other_split == sum(old[key]["split"] != new[key]["split"] for key in kept)
    assert pairs.other_text == len(kept)  # each has the other direction
    assert [(key.archive, key.member, key.sentence) for key in pairs.went_first] == sorted(old.keys() - kept)[:3]
    assert sum(shard.came for shard in pairs.shards) == pairs.came
    back = diff(other, one).pairs
    assert back is not None
    assert (back.came, back.went) == (pairs.went, pairs.came)


def test_equal_builds(make: Make, tmp_path: Path) -> None:
    """Builds of the same bytes are equal, wherever they lie."""
    build(
        make().parent / "corpus",
        tmp_path / "again",
        BuildOptions(clean=False, validation=0.2),
        make_executor=one_thread,
    )
    assert diff(make(), tmp_path / "again").equal
    assert manifest_of(make()) == manifest_of(tmp_path / "again")


def test_a_name_twice_in_an_archive(tmp_path: Path) -> None:
    """Pairs of two label files of one name are told apart by their order."""
    name = stem("say", "1", 1)
    with pytest.warns(UserWarning, match="Duplicate name"):
        write_zip(
            tmp_path / "corpus" / ANSWER_ZIP,
            [member(name, "가", "나"), member(name, "다", "라"), *answers(12, first=2)],
        )
    for out, most in (("one", 14), ("other", 13)):
        options = BuildOptions(clean=False, validation=0, sample=most)
        build(tmp_path / "corpus", tmp_path / out, options, make_executor=one_thread)
    pairs = diff(tmp_path / "one", tmp_path / "other").pairs
    assert pairs is not None
    assert (pairs.kept, pairs.came, pairs.went) == (13, 0, 1)


@pytest.mark.parametrize("width", [60, 120])
def test_screens_of_pairs(make: Make, width: int) -> None:
    """Without colour changed words are between signs; with it they are in colour, and no sign is added."""
    pairs = show(make(), 3, region="jeju")
    for terminal in (False, True):
        console = Console(
            width=width, force_terminal=terminal, color_system="standard" if terminal else None, no_color=False
        )
        with console.capture() as capture:
            show_pairs(console, pairs)
        assert ("{+먹었어+}" in capture.get(), "\x1b[1;32m먹었어" in capture.get()) == (not terminal, terminal)
        assert ("\x1b[1;32m+\x1b[0m " in capture.get()) == terminal  # what follows the sign is plain where it is equal
    console = Console(width=width, force_terminal=False, color_system=None)
    with console.capture() as capture:
        show_diff(
            console, diff(make(), make(validation=0.5, dedup="none", region=["gyeongsang"], direction="to-dialect"))
        )
    shown = capture.get()
    assert "went" in shown
    tables = shown.split("\nCame\n")[0].splitlines()
    assert max(map(cell_len, tables)) <= width


def test_equal_pairs_are_shown_last() -> None:
    """A pair of equal texts is shown behind those that differ, its text once, with the words that it is equal."""
    pairs = [
        ShownPair(
            region="jeju", speech_type="answer", line=line, source=source, target="먹었어", runs=[Run(source, "먹었어")]
        )
        for line, source in enumerate(("먹었어", "먹언"))
    ]
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        show_pairs(console, pairs)
    texts = [line.strip() for line in capture.get().splitlines() if line.strip()[0] in "-+="]
    assert texts == ["- [-먹언-]", "+ {+먹었어+}", "- 먹었어", "= source and target are equal"]


def test_exit_codes_of_diff(make: Make) -> None:
    """`diff` ends with 0 for equal builds and 1 for others; `show` prints JSON with a version."""
    one, other = str(make()), str(make(shard_by=[]))
    run = CliRunner().invoke(cli, ["diff", one, one])
    assert (run.exit_code, "equal" in run.stdout) == (0, True)
    assert CliRunner().invoke(cli, ["diff", one, other]).exit_code == 1
    shown = json.loads(CliRunner().invoke(cli, ["show", one, "-n", "2", "--region", "제주도", "--json"]).stdout)
    assert (shown["version"], [pair["region"] for pair in shown["pairs"]]) == (1, ["jeju", "jeju"])
    nothing = CliRunner().invoke(cli, ["show", one, "--region", "jeolla"])
    assert "no pair of this build is like that" in nothing.stderr
    assert pl.DataFrame(shown["pairs"]).height == 2
    empty = CliRunner().invoke(cli, ["show", str(make(min_words=99))])
    assert isinstance(empty.exception, BuildError)
    assert "this build has no examples" in str(empty.exception)
