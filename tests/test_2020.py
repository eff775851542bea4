"""Label files of 2020: an utterance a row, or a turn; where they belong, who speaks, and what lies beside them."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from corpora import ANSWER_ZIP, CONVERSATION_ZIP, Member, answers, conversation, member, stem, write_zip
from runs import counts_of, digest_of, invoke, manifest_of, one_thread, pairs_of

from saturi.etl.corpus.names import WITHIN, parse_archive, parse_member
from saturi.etl.pipeline.build import build
from saturi.etl.read.contents import TURN_CHARACTERS, contents_of
from saturi.etl.read.decode import Decoded, decode
from saturi.etl.read.segments import read_files
from saturi.etl.runtime.processes import process_pool
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import Dedup, Region, Source, SpeechType, Split, SplitKey, Unit

Spoken = tuple[str | None, str | None, str | int | float | None]

NAME = "DKSR20000001"
TALK: list[Spoken] = [
    ("마이 왔나", "많이 왔니", "1"),
    ("하모", "그럼", "1"),
    ("와 이라노", "왜 이러니", "2"),
    ("아이다", "아니다", "1"),
]
EVERYTHING: dict[str, Any] = {"speech_type": tuple(SpeechType), "validation": 0}


def _build(tmp_path: Path, members: list[Member], archive: str = CONVERSATION_ZIP, **options: Any) -> Path:
    write_zip(tmp_path / "corpus" / archive, members)
    build([tmp_path / "corpus"], tmp_path / "out", BuildOptions(**EVERYTHING | options), make_executor=one_thread)
    return tmp_path / "out"


def _turns_of(*utterances: Spoken) -> list[int]:
    path, document = conversation(NAME, *utterances)
    decoded = decode(document)
    assert isinstance(decoded, Decoded)
    return contents_of(decoded.label, path).turns


def _files(out: Path, column: str) -> list[Any]:
    [segment] = out.glob("stage/*/*.segment")
    return read_files(segment, [column])[column].to_list()


@pytest.mark.parametrize("source", list(Source))
def test_an_utterance_a_row(tmp_path: Path, source: Source) -> None:
    """With --unit sentence each utterance is a row: its dialect form, whatever the source asked for, and its standard form."""
    out = _build(tmp_path, [conversation(NAME, *TALK)], unit=Unit.SENTENCE, source=source)
    assert pairs_of(out) == [(source, meant) for source, meant, _ in TALK]
    lineage = pl.read_parquet(out / "lineage.parquet")
    assert lineage.select("member", "sentence").rows() == [(f"{NAME}.json", number) for number in (1, 2, 3, 4)]
    [shard] = manifest_of(out)["shards"]
    assert (shard["region"], shard["speech_type"]) == ("gyeongsang", "dialogue")


def test_a_turn_a_row(tmp_path: Path) -> None:
    """With --unit file what one says before another does is a row, and its origin is its first utterance."""
    out = _build(tmp_path, [conversation(NAME, *TALK)])
    assert pairs_of(out) == [("마이 왔나 하모", "많이 왔니 그럼"), ("와 이라노", "왜 이러니"), ("아이다", "아니다")]
    assert pl.read_parquet(out / "lineage.parquet")["sentence"].to_list() == [1, 3, 4]
    assert counts_of(out)["utterances"] == 3


@pytest.mark.parametrize(
    ("utterances", "turns"),
    [
        pytest.param([("가", "가", 1), ("나", "나", 1), ("다", "다", 2), ("라", "라", 1)], [1, 1, 2, 3], id="speakers"),
        pytest.param([("가", "가", None), ("나", "나", None), ("다", "다", "")], [1, 2, 3], id="nobody"),
        pytest.param([("가" * TURN_CHARACTERS, "가", 1), ("나", "나", 1)], [1, 2], id="full"),
        pytest.param([("가" * (TURN_CHARACTERS - 2), "가", 1), ("나", "나", 1)], [1, 1], id="exactly"),
        pytest.param([("가" * (TURN_CHARACTERS - 1), "가", 1), ("나", "나", 1)], [1, 2], id="one-over"),
        pytest.param([("가" * 999, "가", 1), ("나" * 999, "나", 1)], [1, 2], id="too-long-alone"),
        pytest.param([(None, "가", 1), ("나", None, 1)], [1, 1], id="missing-texts"),
    ],
)
def test_turns(utterances: list[Spoken], turns: list[int]) -> None:
    """A turn ends where another person speaks or where it would grow too long; utterances of nobody stand alone."""
    assert _turns_of(*utterances) == turns


@pytest.mark.parametrize("lost", [None, "", " \t"], ids=repr)
def test_a_turn_with_a_part_missing(tmp_path: Path, lost: str | None) -> None:
    """A turn of which one side lacks a part is dropped, since its sides would not say the same."""
    talk = [("가", lost, "1"), ("나", "나", "1"), (lost, "다", "2"), ("라", "라", "2"), ("마", "마", "1")]
    out = _build(tmp_path, [conversation(NAME, *talk)])
    assert pairs_of(out) == [("마", "마")]
    assert counts_of(out)["dropped"] == {"empty_source": 1, "empty_target": 1}


@pytest.mark.parametrize(
    ("path", "region"),
    [
        ("DGDQ20000001.json", Region.GANGWON),
        ("DKSR20000001.json", Region.GYEONGSANG),
        ("DJDD20000001.json", Region.JEOLLA),
        ("DZES20000001.json", Region.JEJU),
        ("DCKJ20000001.json", Region.CHUNGCHEONG),
        ("라벨링데이터/dksr20000001.JSON", Region.GYEONGSANG),
        ("DXSR20000001.json", None),
        ("DKSR2.json", None),
    ],
)
def test_names(path: str, region: Region | None) -> None:
    """The second letter of a file name is the region, and such a name is that of a dialogue."""
    name = parse_member(path)
    assert name.region == region
    assert name.speech_type == (SpeechType.DIALOGUE if region else None)
    assert name.speakers == ()


@pytest.mark.parametrize(
    ("parts", "region", "split"),
    [
        (["[라벨]경상도_학습데이터_1.zip"], Region.GYEONGSANG, Split.TRAIN),
        (["(비식별화완료)전라도_검증데이터_2.zip"], Region.JEOLLA, Split.VALIDATION),
        (["[라벨]제주도 검증데이터.zip"], Region.JEJU, Split.VALIDATION),
        (["1.zip", "Validation", "013.한국어 방언 발화 데이터(강원도)"], Region.GANGWON, Split.VALIDATION),
        (["경상.zip", "AI 학습데이터", "인공지능 학습용 데이터"], Region.GYEONGSANG, None),
    ],
)
def test_archive_names(parts: list[str], region: Region | None, split: Split | None) -> None:
    """Names of archives and folders of 2020 tell the region and the split, and none tells the speech type."""
    assert parse_archive(parts) == (region, None, split)


@pytest.mark.parametrize(
    ("archive", "name", "category", "region"),
    [
        pytest.param("[라벨]경상도_학습데이터_1.zip", "0001", "제주방언 > 사적 대화", "gyeongsang", id="archive"),
        pytest.param("라벨.zip", "DJDD20000001", "제주방언 > 사적 대화", "jeolla", id="name"),
        pytest.param("라벨.zip", "0001", "제주방언 > 사적 대화", "jeju", id="category"),
        pytest.param("라벨.zip", "0001", None, "unknown", id="nothing"),
        pytest.param("라벨.zip", "0001", "사적 대화", "unknown", id="no-region"),
    ],
)
def test_where_a_file_belongs(tmp_path: Path, archive: str, name: str, category: str | None, region: str) -> None:
    """The region is that of the file name, then of the archive, then of the category; the speech type is always dialogue."""
    out = _build(tmp_path, [conversation(name, *TALK, category=category)], archive)
    [shard] = manifest_of(out)["shards"]
    assert (shard["region"], shard["speech_type"]) == (region, "dialogue")
    disagree = (name == "0001" and archive != "라벨.zip") or name != "0001"
    assert counts_of(out)["disagreements"].get("region", 0) == disagree


def test_speakers_are_those_of_their_file(tmp_path: Path) -> None:
    """A speaker is the file and the number within it, whether it is listed or only speaks."""
    talk: list[Spoken] = [("가", "가", 1), ("나", "나", 2.0), ("다", "다", "3"), ("라", "라", None)]
    first = conversation(NAME, *talk)
    second = conversation("DKSR20000002", *talk, speaker=None)
    out = _build(tmp_path, [first, second])
    assert [ids.split("\n") for ids in _files(out, "speakers")] == [
        [f"{file}{WITHIN}{number}" for number in (1, 2, 3)] for file in (NAME, "DKSR20000002")
    ]


def test_missing_fields(tmp_path: Path) -> None:
    """Fields may be missing or null, utterances too, and what has no text is dropped."""
    path, _ = conversation(NAME)
    nobody = {
        "utterance": [None, {}, {"dialect_form": None, "standard_form": "다"}],
        "speaker": [None, {}],
        "metadata": None,
    }
    documents = [
        json.dumps(nobody).encode(),
        b'\xef\xbb\xbf{"utterance": [{"dialect_form": "\xea\xb0\x80\n", "standard_form": "\xeb\x82\x98"}], "id": 5}',
    ]
    members = [(path.replace("01.json", f"0{number}.json"), text) for number, text in enumerate(documents)]
    out = _build(tmp_path, members, unit=Unit.SENTENCE)
    counts = counts_of(out)
    assert pairs_of(out) == [("가", "나")]
    assert (counts["decoded"], counts["repaired"]) == (2, 1)
    assert counts["dropped"] == {"empty_source": 3}


def test_both_generations_in_one_corpus(tmp_path: Path) -> None:
    """Both generations stand beside each other, in one archive, too, in the order in which they lie there."""
    answer = member(stem("say", "5", 1), "묵었나", "먹었니", transcription=None)
    mixed = [*answers(2), conversation(NAME, *TALK[:2]), answer, *answers(1, "나", 9)]
    out = _build(tmp_path, mixed, ANSWER_ZIP)
    assert _files(out, "generation") == [2022, 2022, 2020, None, 2022]
    manifest = manifest_of(out)
    assert manifest["counts"]["generations"] == manifest["corpus"][0]["generations"] == {"2020": 1, "2022": 3}
    assert [(row["speech_type"], row["examples"]) for row in manifest["shards"]] == [("answer", 3), ("dialogue", 1)]
    assert len(pairs_of(_build(tmp_path, mixed, ANSWER_ZIP, unit=Unit.SENTENCE))) == 5


def test_twins_are_ignored_and_counted(tmp_path: Path) -> None:
    """The text twins of label files are ignored and counted."""
    twins = [(f"{NAME}.txt", b"1 x"), ("DKSR20000002.txt", b"2 x")]
    out = _build(tmp_path, [conversation(NAME, *TALK), *twins])
    assert (counts_of(out)["ignored"], counts_of(out)["label_files"]) == (2, 1)


def test_an_archive_of_texts_only(tmp_path: Path) -> None:
    """An archive that holds only texts is named with their number, and left out where that is allowed."""
    twins = [(f"DJDD2000000{number}.txt", b"x") for number in range(3)]
    write_zip(tmp_path / "corpus" / "[라벨]전라도_학습데이터_1.zip", twins)
    write_zip(tmp_path / "corpus" / CONVERSATION_ZIP, [conversation(NAME, *TALK)])
    run = invoke("build", "corpus", cwd=tmp_path)
    assert run.returncode == 3
    assert "전라도_학습데이터_1.zip: no JSON in it, only 3 .txt" in run.stderr.splitlines()[-1]
    options = ["--allow-bad-archives", "--speech-type", "dialogue", "--validation", "0"]
    run = invoke("build", "corpus", *options, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    [problem] = [row["problem"] for row in manifest_of(tmp_path / "out")["corpus"] if row["problem"]]
    assert "only 3 .txt" in problem


@pytest.mark.parametrize(
    ("archive", "deidentified"),
    [
        ("(비식별화완료)경상도_학습데이터_1.zip", True),
        ("(비식별화완료)/TL_경상.zip", True),
        (CONVERSATION_ZIP, False),
    ],
)
def test_deidentified(tmp_path: Path, archive: str, deidentified: bool) -> None:
    """The manifest says of each archive whether its name, or its folder's, says that it is de-identified."""
    out = _build(tmp_path, [conversation(NAME, *TALK)], archive)
    assert manifest_of(out)["corpus"][0]["deidentified"] is deidentified


def test_large_files(tmp_path: Path) -> None:
    """A label file of 2020 of several megabytes is read like a small one, defects included."""
    talk = [(f"마이 왔나 {number}", f"많이 왔니 {number}", number % 2) for number in range(7_000)]
    large = conversation(NAME, *talk)
    broken = ("DKSR20000002.json", large[1].replace(b'"\xeb\xa7\x88\xec\x9d\xb4', b'"\xff', 1))
    mended = ("DKSR20000003.json", large[1][:-2] + b",]}")
    assert len(large[1]) > 1 << 20
    out = _build(tmp_path, [large, broken, mended], unit=Unit.SENTENCE, dedup=Dedup.NONE)
    assert pairs_of(out) == [(source, meant) for source, meant, _ in talk] * 2
    assert (counts_of(out)["rejected"], counts_of(out)["repaired"]) == ({"invalid_utf8": 1}, 1)


@pytest.mark.parametrize("unit", list(Unit))
def test_same_bytes_for_any_workers(tmp_path: Path, unit: Unit, pytestconfig: pytest.Config) -> None:
    """A corpus of both generations gives the same bytes for any number of workers, processes of their own or not."""
    processes = unit is Unit.FILE or pytestconfig.getoption("--thorough")
    two = partial(process_pool if processes else ThreadPoolExecutor, 2)
    markup = [
        "{laughing} 왔나",
        "(마이)/(많이) 왔나",
        "&name1& 왔나",
        "((왔나))",
        "-와- 왔나",
        "왔나~",
        "#오메 왔나",
        "xx 왔나",
    ]
    for archive in range(3):
        talks = []
        for number in range(20):
            utterances = [
                (f"{text} {archive} {number} {at}", f"{text} {number}", at // 2) for at, text in enumerate(markup)
            ]
            talks.append(conversation(f"DKSR2000{archive}{number:03}", *utterances))
        write_zip(tmp_path / "corpus" / f"[라벨]경상도_학습데이터_{archive}.zip", talks)
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(100))
    by = (SplitKey.SCRIPT, SplitKey.SPEAKER)
    options = BuildOptions(unit=unit, speech_type=tuple(SpeechType), validation=0.3, split_by=by)
    build([tmp_path / "corpus"], tmp_path / "two", options, make_executor=two)
    build([tmp_path / "corpus"], tmp_path / "thread", options, make_executor=one_thread)
    assert digest_of(tmp_path / "two") == digest_of(tmp_path / "thread")
    counts = counts_of(tmp_path / "thread")
    assert counts["dropped"].keys() >= {"personal_data", "unclear", "in_training"}
    assert counts["examples"] > 100
