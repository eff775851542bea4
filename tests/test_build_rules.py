"""Whole builds of hand-made corpora: what is left out and why, shard by shard, and what decides where a label file belongs."""

from itertools import count, islice
from pathlib import Path

import polars as pl
import pytest
from corpora import ANSWER_ZIP, DIALOGUE_ZIP, REPEAT_ZIP, Member, answers, member, sentences, stem, write_zip
from runs import counts_of, lines_of, one_thread, pairs_of

from saturi.etl.pipeline.build import build
from saturi.etl.select.split import is_held_out
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.manifest import Manifest
from saturi.schemas.terms import Dedup, Region, SpeechType, SplitKey, Unit

SHARE = 0.5
SPEAKERS_AND_SCRIPTS = (SplitKey.SCRIPT, SplitKey.SPEAKER)
LONG = "길다" * 500


def _speakers(held_out: bool, code: str = "gs") -> list[str]:
    """Return speakers who all fall on one side of the split."""
    numbers = (str(number) for number in count(1))
    return list(islice((n for n in numbers if is_held_out(f"speaker:speaker{code}{n}", SHARE) is held_out), 20))


TRAIN, HELD_OUT = _speakers(held_out=False), _speakers(held_out=True)
TRAIN_SCRIPT, HELD_OUT_SCRIPT = (
    next(n for n in count(1) if is_held_out(f"script:gyeongsang:1:{n}", SHARE) is held_out)
    for held_out in (False, True)
)


def _say(speaker: str, source: str | None, target: str | None, prompt: int = 1) -> Member:
    return member(stem("say", speaker, prompt), source, target)


def _shards(manifest: Manifest) -> dict[str, tuple[int, dict[str, int]]]:
    return {f"{row.split}/{row.region}-{row.speech_type}": (row.examples, row.dropped) for row in manifest.shards}


def _unsharded(manifest: Manifest) -> dict[str, dict[str, int]]:
    return {f"{row.region}-{row.speech_type}": row.dropped for row in manifest.unsharded}


@pytest.fixture(scope="module")
def every_drop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus in which every rule has something to leave out."""
    corpus = tmp_path_factory.mktemp("drops") / "corpus"
    members = [
        _say(TRAIN[0], "하나", "일"),
        _say(TRAIN[1], "하나", "일"),
        _say(TRAIN[2], "하나", "이"),
        _say(TRAIN[3], "", "삼"),
        _say(TRAIN[4], None, None),
        _say(TRAIN[5], " \t\n", "삼"),
        _say(TRAIN[6], "셋", "　 "),
        _say(TRAIN[7], "셋", None),
        _say(TRAIN[8], LONG, "긴 말"),
        _say(HELD_OUT[0], "넷", "사"),
        _say(HELD_OUT[1], "넷", "사"),
        _say(HELD_OUT[2], "하나", "처음"),
        _say(HELD_OUT[3], "처음", "일"),
        _say(HELD_OUT[4], "다섯", ""),
        _say(HELD_OUT[5], "여섯", LONG),
        _say(TRAIN[9], "#이름# 왔나", "#이름# 왔니"),
        _say(HELD_OUT[6], "뭐 xx 카노", "뭐라고 하니"),
    ]
    read = [
        member(stem("st", TRAIN[0], TRAIN_SCRIPT), "일곱", "칠"),
        member(stem("st", HELD_OUT[0], HELD_OUT_SCRIPT), "여덟", "팔"),
        member(stem("st", TRAIN[1], HELD_OUT_SCRIPT), "여덟", "팔"),
        member(stem("st", HELD_OUT[1], TRAIN_SCRIPT), "일곱", "칠"),
        member(stem("st", HELD_OUT[2], HELD_OUT_SCRIPT), "하나", "팔"),
    ]
    talked = [member(stem("talk", f"{TRAIN[0]}+{HELD_OUT[0]}", 1), "아홉", "구")]
    write_zip(corpus / ANSWER_ZIP, members)
    write_zip(corpus / REPEAT_ZIP, read)
    write_zip(corpus / DIALOGUE_ZIP, talked)
    write_zip(corpus / "TL_03._제주도_02.zip", [member(stem("say", "1", 1, code="jj"), "열", "십", province="jj")])
    return corpus


def test_every_reason_by_shard(every_drop: Path, tmp_path: Path) -> None:
    """Each utterance left out is counted once, under the first reason that holds, in its shard or beside all shards."""
    regions = tuple(region for region in Region if region is not Region.JEJU)
    options = BuildOptions(region=regions, validation=SHARE, split_by=SPEAKERS_AND_SCRIPTS, max_chunk_bytes=1_500)
    manifest = build([every_drop], tmp_path / "out", options, make_executor=one_thread).manifest
    assert _shards(manifest) == {
        "train/gyeongsang-answer": (
            2,
            {"duplicate": 1, "empty_source": 3, "empty_target": 2, "over_cap": 1, "personal_data": 1},
        ),
        "train/gyeongsang-repeat": (1, {}),
        "validation/gyeongsang-answer": (
            1,
            {"duplicate": 1, "empty_target": 1, "in_training": 2, "over_cap": 1, "unclear": 1},
        ),
        "validation/gyeongsang-repeat": (1, {"in_training": 1}),
    }
    assert _unsharded(manifest) == {
        "gyeongsang-dialogue": {"speech_type_excluded": 1},
        "gyeongsang-repeat": {"split_conflict": 2},
        "jeju-answer": {"region_excluded": 1},
    }
    assert sorted(pairs_of(tmp_path / "out", "validation")) == [("넷", "사"), ("여덟", "팔")]


def test_speakers_on_both_sides_of_a_dialogue(every_drop: Path, tmp_path: Path) -> None:
    """A dialogue between a voice for train and one for validation belongs to neither."""
    options = BuildOptions(speech_type=(SpeechType.DIALOGUE,), validation=SHARE, split_by=(SplitKey.SPEAKER,))
    result = build([every_drop], tmp_path / "out", options, make_executor=one_thread)
    assert result.manifest.counts.examples == 0
    assert _unsharded(result.manifest)["gyeongsang-dialogue"] == {"split_conflict": 1}


def test_the_official_split(tmp_path: Path) -> None:
    """With --validation official the folders decide, what lies in neither is dropped, and leaks are counted and kept."""
    corpus = tmp_path / "corpus"
    write_zip(corpus / "Training" / "경상.zip", answers(12))
    write_zip(corpus / "VL_경상.zip", [*answers(3, first=10), *answers(5, "나")])
    write_zip(corpus / "경상.zip", answers(4, "다"))
    options = BuildOptions(validation="official")
    result = build([corpus], tmp_path / "out", options, make_executor=one_thread)
    assert _shards(result.manifest) == {"train/gyeongsang-answer": (12, {}), "validation/gyeongsang-answer": (8, {})}
    assert _unsharded(result.manifest) == {"gyeongsang-answer": {"no_official_split": 4}}
    assert result.manifest.counts.validation_in_training == 3
    assert any("leaks" in warning for warning in result.warnings)


@pytest.mark.parametrize("validation", [0, 0.05], ids=["none", "default"])
def test_the_share_held_out(tmp_path: Path, validation: float) -> None:
    """Of 2,000 speakers about the share asked for is held out, and with 0 none is."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(2_000))
    build([tmp_path / "corpus"], tmp_path / "out", BuildOptions(validation=validation), make_executor=one_thread)
    held_out = len(lines_of(tmp_path / "out", "validation"))
    assert held_out + len(lines_of(tmp_path / "out", "train")) == 2_000
    assert held_out == pytest.approx(2_000 * validation, rel=0.3)


def test_nothing_leaks(big_sample: Path, tmp_path: Path) -> None:
    """No speaker, no script, no source and no target of a validation example occurs in a training example."""
    options = BuildOptions(validation=0.3, speech_type=tuple(SpeechType), split_by=SPEAKERS_AND_SCRIPTS)
    build([big_sample], tmp_path / "out", options, make_executor=one_thread)
    lineage = pl.read_parquet(tmp_path / "out" / "lineage.parquet")
    keys: dict[str, set[str]] = {"train": set(), "validation": set()}
    for chunk, name in lineage.select("chunk", "member").iter_rows():
        parts = name.strip("/").removesuffix(".json").split("_")
        speakers = [part for part in parts if part.startswith("speaker")]
        scripts = [f"{speakers[0][:9]} {parts[1]} {parts[4]}"] if parts[0] == "st" else []
        keys[chunk.split("/")[1]].update(speakers, scripts)
    texts = {split: list(zip(*pairs_of(tmp_path / "out", split), strict=True)) for split in keys}
    assert len(keys["validation"]) > 50
    assert len(texts["validation"][0]) > 100
    assert not keys["train"] & keys["validation"]
    assert not set(texts["train"][0]) & set(texts["validation"][0])
    assert not set(texts["train"][1]) & set(texts["validation"][1])


def test_of_equal_pairs_the_first_is_kept(tmp_path: Path) -> None:
    """The pair kept is the first of its shard in the order of archives, members and sentences, whatever the arguments."""
    twice = sentences(("가", "나"), ("다", "라"), ("가", "나"))
    corpus = tmp_path / "corpus"
    first = write_zip(corpus / "TL_경상_가.zip", [member(stem("say", "9", 1), "", "", transcription=twice)])
    second = write_zip(corpus / "TL_경상_나.zip", [_say("1", "가", "나"), _say("2", "다", "마"), _say("3", "다", "마")])
    options = BuildOptions(unit=Unit.SENTENCE, validation=0)
    for name, order in (("one", [first, second]), ("two", [second, first])):
        build(order, tmp_path / name, options, make_executor=one_thread)
        origins = pl.read_parquet(tmp_path / name / "lineage.parquet").select("archive", "member", "sentence").rows()
        nine, two = f"{stem('say', '9', 1)}.json", f"{stem('say', '2', 1)}.json"
        assert origins == [(first.name, nine, 1), (first.name, nine, 2), (second.name, two, 1)]
        assert counts_of(tmp_path / name)["dropped"] == {"duplicate": 3}


def test_no_dedup_keeps_equal_pairs(tmp_path: Path) -> None:
    """Without deduplication equal pairs all stay; with it, equal pairs of different shards do."""
    corpus = tmp_path / "corpus"
    write_zip(corpus / ANSWER_ZIP, [_say(str(number), "가", "나") for number in range(1, 13)])
    write_zip(corpus / REPEAT_ZIP, [member(stem("st", "1", 1), "가", "나")])
    for dedup, examples in ((Dedup.NONE, 13), (Dedup.PAIR, 2)):
        build([corpus], tmp_path / "out", BuildOptions(validation=0, dedup=dedup), make_executor=one_thread)
        assert pairs_of(tmp_path / "out") == [("가", "나")] * examples


def test_sentences_as_units(tmp_path: Path) -> None:
    """With --unit sentence each sentence is an utterance with a number of its own, missing ones included."""
    broken: dict[str, object] = sentences(("가", "나"), (None, "라"), ("마", "바"))
    broken["sentences"] = [*broken["sentences"], None]  # type: ignore[misc]  # a list, as made above
    members = [
        member(stem("say", "1", 1), "", "", transcription=broken),
        member(stem("say", "2", 1), "", "", transcription={"pronunciation": "사", "standard": "아"}),
        member(stem("say", "3", 1), "", "", transcription=sentences(("자", "차"))),
    ]
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, members)
    build(
        [tmp_path / "corpus"],
        tmp_path / "out",
        BuildOptions(unit=Unit.SENTENCE, validation=0),
        make_executor=one_thread,
    )
    assert pairs_of(tmp_path / "out") == [("가", "나"), ("마", "바"), ("사", "아"), ("자", "차")]
    assert pl.read_parquet(tmp_path / "out" / "lineage.parquet")["sentence"].to_list() == [1, 3, None, 1]
    counts = counts_of(tmp_path / "out")
    assert (counts["utterances"], counts["dropped"]) == (6, {"empty_source": 2})
