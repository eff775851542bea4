"""Whole builds of hand-made corpora: which form they lie in, where label files belong, and what is too much."""

from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, answers, member, stem, write_loose, write_parts, write_zip
from runs import counts_of, invoke, lines_of, manifest_of, one_thread, pairs_of

from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import Region, SpeechType

ALL_TYPES = tuple(SpeechType)
GYEONGSANG = Region.GYEONGSANG


def test_forms_may_be_mixed(tmp_path: Path) -> None:
    """The same label files give the same lines as a zip, as parts, and loose, and all three in one corpus."""
    corpus = tmp_path / "corpus"
    write_zip(corpus / "zip" / "경상_가.zip", answers(20, "가"))
    write_parts(corpus / "parts" / "경상_나.zip", answers(20, "나"))
    write_loose(corpus / "loose" / "경상", answers(20, "다"))
    build([corpus], tmp_path / "out", BuildOptions(validation=0), make_executor=one_thread)
    rows = {row["archive"]: (row["label_files"], row["decoded"]) for row in manifest_of(tmp_path / "out")["corpus"]}
    assert rows == {"loose/경상": (20, 20), "parts/경상_나.zip": (20, 20), "zip/경상_가.zip": (20, 20)}
    expected = {(f"{text} 묵었나 {number}", f"{text} 먹었니 {number}") for text in "가나다" for number in range(1, 21)}
    assert set(pairs_of(tmp_path / "out")) == expected
    alone = []
    for name in ("loose", "parts", "zip"):
        build([corpus / name], tmp_path / name, BuildOptions(validation=0), make_executor=one_thread)
        alone += lines_of(tmp_path / name)
    assert sorted(alone) == sorted(lines_of(tmp_path / "out"))


def test_left_over_parts_stand_in_for_a_broken_zip(tmp_path: Path) -> None:
    """An empty or half-merged zip beside its parts is read from the parts, and a whole one hides them."""
    for name, size in (("empty", 0), ("half", 2_000), ("whole", None)):
        path = tmp_path / name / ANSWER_ZIP
        write_parts(path, answers(20))
        write_zip(path, answers(20))
        path.write_bytes(path.read_bytes()[:size])
        build([tmp_path / name], tmp_path / f"{name}-out", BuildOptions(validation=0), make_executor=one_thread)
        assert len(lines_of(tmp_path / f"{name}-out")) == 20
    [row] = manifest_of(tmp_path / "half-out")["corpus"]
    assert row == manifest_of(tmp_path / "whole-out")["corpus"][0]


def test_region_and_speech_type_by_what_is_nearest(tmp_path: Path) -> None:
    """The file name decides, then the archive's name, then the document; what nothing tells is unknown."""
    speech = {"scriptId": 1, "speechType": "Read"}
    members = [
        member(stem("talk", "1", 1, code="jj"), "이름이", "이름이", province="gw"),
        member("0001", "자료집이", "자료집이", province="gw", script=speech, speaker=[{"residenceProvince": "gw"}]),
    ]
    silent = [
        member("0002", "문서가", "문서가", script=speech, speaker=[None, {"residenceProvince": "cc"}]),
        member("0003", "아무도", "아무도", script={"speechType": "Speak"}, speaker=[{"residenceProvince": "un"}]),
        member("0004", "알 수 없음", "모름", script=None, speaker=None),
        member("st_set1_unknownCollector_unknownSpeaker_3_8", "말투만", "말투만", speaker=[], script=None),
    ]
    write_zip(tmp_path / "corpus" / "TL_02._전라도_02._1인발화_질문에답하기.zip", members)
    write_zip(tmp_path / "corpus" / "labels.zip", silent)
    build(
        [tmp_path / "corpus"],
        tmp_path / "out",
        BuildOptions(validation=0, speech_type=ALL_TYPES),
        make_executor=one_thread,
    )
    texts = {
        path.stem.rpartition("-")[0]: path.read_text(encoding="utf-8")
        for path in tmp_path.glob("out/chunks/train/*.jsonl")
    }
    words = ("이름이", "자료집이", "문서가", "아무도", "알 수 없음", "말투만")
    found = {word: name for name, text in texts.items() for word in words if word in text}
    assert found == {
        "이름이": "jeju-dialogue",
        "자료집이": "jeolla-answer",
        "문서가": "chungcheong-repeat",
        "아무도": "unknown-unknown",
        "알 수 없음": "unknown-unknown",
        "말투만": "unknown-repeat",
    }
    assert counts_of(tmp_path / "out")["unknown"] == {
        "either": 3,
        "region": 3,
        "script": 0,
        "script_set": 1,
        "speaker": 4,
        "speech_type": 2,
    }


def test_disagreements_are_counted(tmp_path: Path) -> None:
    """Where name, archive and document tell different things, each thing is counted by itself and the name decides."""
    agreeing = list(answers(5))
    members = [
        member(stem("say", "11", 1), "가", "가", province="jj"),
        member(stem("say", "12", 1), "나", "나", fileName="another"),
        member(stem("say", "13", 1), "다", "다", script={"scriptId": 2, "speechType": "Speak"}),
        member(stem("say", "14", 1), "라", "라", script={"scriptId": 1, "speechType": "Read"}),
        member(stem("say", "15", 1), "마", "마", speaker=[{"speakerId": "speakergs99", "residenceProvince": "gs"}]),
        member(stem("say", "16", 1), "바", "바", script={"scriptId": 1.0, "speechType": "speak"}, fileName=None),
        member("Validation/" + stem("say", "17", 1), "사", "사", fileName=stem("say", "17", 1)),
    ]
    write_zip(tmp_path / "corpus" / "Training" / ANSWER_ZIP, [*agreeing, *members])
    build([tmp_path / "corpus"], tmp_path / "out", BuildOptions(validation=0), make_executor=one_thread)
    assert counts_of(tmp_path / "out")["disagreements"] == {
        "file_name": 1,
        "prompt": 1,
        "region": 1,
        "speaker": 1,
        "speech_type": 1,
        "split": 1,
    }
    assert len(lines_of(tmp_path / "out")) == 12


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (BuildOptions(validation=0, region=(Region.JEJU,)), {"jeju-answer", "jeju-repeat"}),
        (BuildOptions(validation=0, speech_type=(SpeechType.ANSWER,)), {"gyeongsang-answer", "jeju-answer"}),
        (
            BuildOptions(validation=0, region=(GYEONGSANG,), speech_type=ALL_TYPES),
            {"gyeongsang-answer", "gyeongsang-dialogue"},
        ),
        (BuildOptions(validation=0), {"gyeongsang-answer", "jeju-answer", "jeju-repeat"}),
    ],
    ids=["region", "speech-type", "both", "default"],
)
def test_filters(tmp_path: Path, options: BuildOptions, kept: set[str]) -> None:
    """Only regions and speech types asked for are in chunks, and the rest is counted as excluded, region first."""
    corpus = tmp_path / "corpus"
    for kind, code in (("say", "gs"), ("talk", "gs"), ("say", "jj"), ("st", "jj")):
        names = [stem(kind, str(number), 1, code=code) for number in range(1, 11)]
        members = [member(name, f"{kind} {number}", "뜻", province=code) for number, name in enumerate(names)]
        write_zip(corpus / f"{kind}-{code}.zip", members)
    manifest = build([corpus], tmp_path / "out", options, make_executor=one_thread).manifest
    assert {f"{row.region}-{row.speech_type}" for row in manifest.shards} == kept
    assert {row.examples for row in manifest.shards} == {10}
    excluded = {f"{row.region}-{row.speech_type}": row.dropped for row in manifest.unsharded}
    groups = {"gyeongsang-answer", "gyeongsang-dialogue", "jeju-answer", "jeju-repeat"}
    assert excluded.keys() == groups - kept
    for group, dropped in excluded.items():
        reason = "speech_type_excluded" if group.partition("-")[0] in options.region else "region_excluded"
        assert dropped == {reason: 10}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 1),
        (("--max-unknown", "0.1", "--max-rejects", "0.1"), 0),
        (("--max-unknown", "0.0999", "--max-rejects", "1"), 1),
        (("--max-unknown", "1", "--max-rejects", "0.0999"), 1),
        (("--max-unknown", "0", "--max-rejects", "0"), 1),
    ],
    ids=["default", "exactly", "unknown-below", "rejects-below", "zero"],
)
def test_thresholds(tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    """Past a threshold the exit code is 1 and says why, and the output is complete all the same."""
    nameless = [member(f"{number:04}", f"가{number}", "나", speaker=[], script=None) for number in range(9)]
    empty = [(f"empty_{number}.json", b"{}") for number in range(10)]
    write_zip(tmp_path / "corpus" / "labels.zip", [*answers(81), *nameless, *empty])
    run = invoke("build", "corpus", "--out", "out", "--validation", "0", *arguments, cwd=tmp_path)
    counts = counts_of(tmp_path / "out")
    assert (counts["decoded"], counts["rejected"]) == (90, {"missing_transcription": 10})
    assert counts["unknown"]["either"] == 9
    assert run.returncode == code, run.stderr
    assert ("Not a success" in run.stderr) is (code == 1)
    assert len(lines_of(tmp_path / "out")) == 81
    assert invoke("verify", "out", cwd=tmp_path).returncode == 0
