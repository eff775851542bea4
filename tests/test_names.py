"""Names of members, archives and folders: what they tell, in every form in which they are met, and that none does harm."""

import unicodedata

import pytest
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from saturi.etl.corpus.names import (
    CODES,
    Hints,
    MemberName,
    is_audio_archive,
    is_label_file,
    parse_archive,
    parse_member,
)
from saturi.schemas.terms import Region, SpeechType, Split

_KINDS = {"st": SpeechType.REPEAT, "say": SpeechType.ANSWER, "talk": SpeechType.DIALOGUE}
_UNKNOWN = MemberName(None, None, None)
_REPEAT = MemberName(Region.GYEONGSANG, SpeechType.REPEAT, None, 1, 79, ("speakergs3",))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        pytest.param(
            "st_set1_collectorgs1_speakergs3_79_8.json",
            MemberName(Region.GYEONGSANG, SpeechType.REPEAT, None, 1, 79, ("speakergs3",)),
            id="repeat",
        ),
        pytest.param(
            "say_set2_collectorgw185_speakergw2034_59_0_26.json",
            MemberName(Region.GANGWON, SpeechType.ANSWER, None, 2, 59, ("speakergw2034",)),
            id="answer",
        ),
        pytest.param(
            "talk_set1_collectorjj14_speakerjj59_speakerjj60_4_0_121.json",
            MemberName(Region.JEJU, SpeechType.DIALOGUE, None, 1, 4, ("speakerjj59", "speakerjj60")),
            id="two-speakers",
        ),
        pytest.param(
            "/talk_set3_collectorcc1_speakercc2_speakercc3_4_0_121.json",
            MemberName(Region.CHUNGCHEONG, SpeechType.DIALOGUE, None, 3, 4, ("speakercc2", "speakercc3")),
            id="leading-slash",
        ),
        pytest.param(
            "talk_set1_collectorjl1_speakerjl2_speaker8f3a_4_0_121.json",
            MemberName(Region.JEOLLA, SpeechType.DIALOGUE, None, 1, 4, ("speakerjl2", "speaker8f3a")),
            id="unregistered-second-speaker",
        ),
        pytest.param(
            "say_set1_collectorgw1_unknownSpeaker_12_0_9.json",
            MemberName(Region.GANGWON, SpeechType.ANSWER, None, 1, 12, ("unknownSpeaker",)),
            id="unknown-speaker",
        ),
        pytest.param(
            "st_set1_unknownCollector_speakergs3_79_8.json",
            MemberName(Region.GYEONGSANG, SpeechType.REPEAT, None, 1, 79, ("speakergs3",)),
            id="unknown-collector",
        ),
        pytest.param(
            "st_set1_unknownCollector_unknownSpeaker_79_8.json",
            MemberName(None, SpeechType.REPEAT, None, 1, 79, ("unknownSpeaker",)),
            id="both-unknown",
        ),
        pytest.param(
            "TL_04. 제주도/st_set1_unknownCollector_unknownSpeaker_79_8.json",
            MemberName(Region.JEJU, SpeechType.REPEAT, Split.TRAIN, 1, 79, ("unknownSpeaker",)),
            id="both-unknown-in-a-folder",
        ),
        pytest.param(
            "st_set1_collectorcc9_speakerun3_79_8.json",
            MemberName(Region.CHUNGCHEONG, SpeechType.REPEAT, None, 1, 79, ("speakerun3",)),
            id="un-speaker",
        ),
        pytest.param(
            "st_set1_collectorun9_speakerun3_79_8.json",
            MemberName(None, SpeechType.REPEAT, None, 1, 79, ("speakerun3",)),
            id="un-everywhere",
        ),
        pytest.param(
            "talk_set1_collectorgs1_speakerun2_speakerjl3_4_0_121.json",
            MemberName(Region.JEOLLA, SpeechType.DIALOGUE, None, 1, 4, ("speakerun2", "speakerjl3")),
            id="first-known-speaker-decides",
        ),
        pytest.param(
            "st_set1_collectorgs1_speakerjj3_79_8.json",
            MemberName(Region.JEJU, SpeechType.REPEAT, None, 1, 79, ("speakerjj3",)),
            id="speaker-before-collector",
        ),
        pytest.param(
            "1.Training/02.라벨링데이터/TL_03. 제주도_02. 1인발화 질문에답하기/st_set1_collectorgs1_speakergs3_79_8.json",
            MemberName(Region.GYEONGSANG, SpeechType.REPEAT, Split.TRAIN, 1, 79, ("speakergs3",)),
            id="name-before-folders",
        ),
        pytest.param(
            unicodedata.normalize("NFD", "제주도/2.Validation/2인발화/x.json"),
            structs.replace(_UNKNOWN, region=Region.JEJU, speech_type=SpeechType.DIALOGUE, split=Split.VALIDATION),
            id="decomposed-folders",
        ),
        pytest.param("강원도/제주도/x.json", structs.replace(_UNKNOWN, region=Region.JEJU), id="nearest-folder"),
        pytest.param(
            "강원도/(강원도, 경상도)/x.json",
            structs.replace(_UNKNOWN, region=Region.GANGWON),
            id="folder-of-two-regions",
        ),
        pytest.param("st_set1_collectorgs1_speakergs3_79.json", _UNKNOWN, id="a-number-short"),
        pytest.param("st_set1_collectorgs1_speakergs3_79_0_8_1.json", _REPEAT, id="a-number-too-many"),
        pytest.param("xst_set1_collectorgs1_speakergs3_79_8.json", _UNKNOWN, id="something-in-front"),
        pytest.param("st_set1_collectorgs1_speakergs3_79_8x.json", _UNKNOWN, id="something-behind"),
        pytest.param("st_set1_collectorgs1_speakergs3_79_8 (1).json", _REPEAT, id="copy"),
        pytest.param("st_set1_collectorgs1_speakergs3_79_8 - 복사본.json", _REPEAT, id="korean-copy"),
        pytest.param("복사본 st_set1_collectorgs1_speakergs3_79_8.json", _REPEAT, id="korean-copy-in-front"),
        pytest.param("st_set1_collectorgs1_speakergs3_79_8 2.json", _REPEAT, id="copy-of-a-mac"),
        pytest.param("Copy of st_set1_collectorgs1_speakergs3_79_8.json", _REPEAT, id="copy-in-front"),
        pytest.param("st_set1_collectorgs1_speakergs3_79_8_label.json", _REPEAT, id="label"),
        pytest.param("st_set1_collectorgs1_speakergs3_79_8.wav.json", _REPEAT, id="two-endings"),
        pytest.param("st_set1_collectorgs1_speakergs3_79_8 .json", _REPEAT, id="blank-at-the-end"),
        pytest.param("st set1 collectorgs1 speakergs3 79 8.json", _REPEAT, id="blanks"),
        pytest.param("ST-SET1-collectorgs1-speakergs3-79-8.JSON", _REPEAT, id="hyphens"),
        pytest.param("폴더\\st_set1_collectorgs1_speakergs3_79_8.json", _REPEAT, id="backslash"),
        pytest.param("\\제주도\\x.json", structs.replace(_UNKNOWN, region=Region.JEJU), id="backslashes-and-a-folder"),
        pytest.param(
            "DKSR20000001 (1).json",
            MemberName(Region.GYEONGSANG, SpeechType.DIALOGUE, None, conversation="DKSR20000001"),
            id="copy-of-a-conversation",
        ),
        pytest.param("xDKSR20000001.json", _UNKNOWN, id="something-in-front-of-a-conversation"),
        pytest.param("", _UNKNOWN, id="empty"),
        pytest.param("/", _UNKNOWN, id="slash"),
        pytest.param("방언.json", _UNKNOWN, id="hangul"),
    ],
)
def test_members_tell_their_kind(path: str, kind: MemberName) -> None:
    """The path of a label file tells region, speech type, split, script and speakers, its name before its folders."""
    assert parse_member(path) == kind


@pytest.mark.parametrize(
    ("name", "own_name", "expected"),
    [
        ("0101.json", "st_set1_collectorgs1_speakergs3_79_8", _REPEAT),
        ("0101.json", "st_set1_collectorgs1_speakergs3_79_8.json", _REPEAT),
        ("0101.json", "D:\\작업\\st_set1_collectorgs1_speakergs3_79_8 (1).json", _REPEAT),
        ("st_set1_collectorgs1_speakergs3_79_8.json", "st_set2_collectorgs1_speakergs4_80_9", _REPEAT),
        ("st_set1_collectorgs1_speakergs3_79_8 (1).json", "st_set2_collectorgs1_speakergs4_80_9", _REPEAT),
        ("0101.json", "0101", _UNKNOWN),
        ("0101.json", None, _UNKNOWN),
    ],
)
def test_the_name_in_the_document_stands_in(name: str, own_name: str | None, expected: MemberName) -> None:
    """A file name without any fact gives way to the one in the document; one with facts, within others too, does not."""
    assert parse_member(name, own_name) == expected


def test_upper_case_tells_the_same() -> None:
    """A name in capitals tells the region, the speech type and the script of the same name in small letters."""
    path = "st_set1_collectorgs1_speakergs3_79_8.json"
    assert structs.replace(parse_member(path.upper()), speakers=()) == structs.replace(parse_member(path), speakers=())


codes = st.sampled_from([*CODES, "un"])
numbers = st.integers(0, 9_999)


@given(
    st.sampled_from(list(_KINDS)),
    st.integers(1, 3),
    st.none() | st.tuples(codes, numbers),
    st.lists(st.none() | st.tuples(codes, numbers), max_size=3),
    st.tuples(numbers, st.none() | numbers, numbers),
    st.sampled_from(["", "/", "folder/", "/a/b/", "./", "가나다/"]),
)
@examples(200)
def test_names_made_after_the_grammar_give_their_parts(
    kind: str,
    script_set: int,
    collector: tuple[str, int] | None,
    speakers: list[tuple[str, int] | None],
    end: tuple[int, int | None, int],
    folder: str,
) -> None:
    """A name put together from parts gives these parts again, whatever is known and whatever folder it is in."""
    spelt = [f"speaker{person[0]}{person[1]}" if person else "unknownSpeaker" for person in speakers]
    collected = f"collector{collector[0]}{collector[1]}" if collector else "unknownCollector"
    tail = [str(number) for number in end if number is not None]
    path = folder + "_".join([kind, f"set{script_set}", collected, *spelt, *tail]) + ".json"
    heard = [person[0] for person in [*speakers, collector] if person]
    region = next((CODES[code] for code in heard if code in CODES), None)
    assert parse_member(path) == MemberName(region, _KINDS[kind], None, script_set, end[0], tuple(spelt))


pieces = st.sampled_from(
    ["st", "talk", "_", "set1", "collector", "speaker", "gs", "un", "3", "9" * 30, "²", "٣", "/", ".json", "제주"]
)


@given(st.text(max_size=60) | st.lists(pieces, max_size=14).map("".join))
@examples(200)
def test_any_name_is_survived(name: str) -> None:
    """No text whatever makes the parsers raise, and what they tell is small and of the closed lists."""
    kind = parse_member(name)
    assert kind.region in (None, *Region)
    assert kind.prompt is None or 0 <= kind.prompt < 2**32
    assert kind.script_set is None or 0 <= kind.script_set < 2**32
    assert parse_archive(name.split("/")).speech_type in (None, *SpeechType)
    assert is_audio_archive(name) in (True, False)
    assert is_label_file(name.encode(errors="surrogatepass")) in (True, False)


def test_more_folders_than_are_remembered_do_no_harm() -> None:
    """Members of a thousand folders, in any order, each tell what their own folder says."""
    regions = {"강원": Region.GANGWON, "제주": Region.JEJU}
    for number in [*range(1_000), *range(1_000)]:
        for word, region in regions.items():
            assert parse_member(f"{word}도 {number}/x.json").region is region


_TRAIN_REPEAT = Hints(Region.GYEONGSANG, SpeechType.REPEAT, Split.TRAIN)


@pytest.mark.parametrize(
    ("parts", "hints"),
    [
        pytest.param(["TL_02._경상도_01._1인발화_따라말하기.zip"], _TRAIN_REPEAT, id="underscores"),
        pytest.param(["TL_02. 경상도_01. 1인발화 따라말하기.zip"], _TRAIN_REPEAT, id="spaces"),
        pytest.param(["(비식별화완료)TL_02. 경상도_01. 1인발화 따라말하기.zip"], _TRAIN_REPEAT, id="prefix"),
        pytest.param(
            ["(비식별화완료)_TL_02._경상도_01._1인발화_따라_말하기.zip"], _TRAIN_REPEAT, id="prefix-and-underscores"
        ),
        pytest.param(
            [unicodedata.normalize("NFD", "TL_02._경상도_01._1인발화_따라말하기.zip")], _TRAIN_REPEAT, id="decomposed"
        ),
        pytest.param(
            ["VL_03. 제주도_03. 2인발화.zip"],
            Hints(Region.JEJU, SpeechType.DIALOGUE, Split.VALIDATION),
            id="validation",
        ),
        pytest.param(
            ["vl_01. 강원도_02. 1인발화 질문에 답하기.zip"],
            Hints(Region.GANGWON, SpeechType.ANSWER, Split.VALIDATION),
            id="answer-in-small-letters",
        ),
        pytest.param(["139-1. 중·노년층 한국어 방언 데이터 (강원도, 경상도)"], Hints(), id="two-regions"),
        pytest.param(["x.zip", "(강원도, 경상도)", "전라도"], Hints(Region.JEOLLA), id="two-regions-below-one"),
        pytest.param(
            ["x.zip", "제주도", "Training"],
            Hints(Region.JEJU, None, Split.TRAIN),
            id="folders-tell-what-the-name-does-not",
        ),
        pytest.param(
            ["강원도.zip", "제주도", "Validation"], Hints(Region.GANGWON, None, Split.VALIDATION), id="nearest-first"
        ),
        pytest.param(["x.zip", "1.Training"], Hints(split=Split.TRAIN), id="numbered-training"),
        pytest.param(["x.zip", "2.Validation"], Hints(split=Split.VALIDATION), id="numbered-validation"),
        pytest.param(["x.zip", "validation "], Hints(split=Split.VALIDATION), id="stray-space"),
        pytest.param(["x.zip", "Sample"], Hints(), id="sample"),
        pytest.param(["x.zip", "my training runs"], Hints(), id="a-word-in-a-sentence"),
        pytest.param(["total_s.zip", "retl_x"], Hints(), id="letters-inside-a-word"),
        pytest.param([], Hints(), id="nothing"),
    ],
)
def test_archives_tell_their_kind(parts: list[str], hints: Hints) -> None:
    """Names of archives and folders tell region, speech type and split in every spelling; two regions are none."""
    assert parse_archive(parts) == hints


@pytest.mark.parametrize(
    ("path", "audio"),
    [
        pytest.param("TS_02._경상도_01._1인발화_따라말하기.zip", True, id="training-source"),
        pytest.param("VS_02. 경상도_01. 1인발화 따라말하기.zip", True, id="validation-source"),
        pytest.param("(비식별화완료)TS_01. 충청도.zip", True, id="prefix"),
        pytest.param("Training/01.원천데이터/x.zip", True, id="folder"),
        pytest.param(unicodedata.normalize("NFD", "Training/01.원천데이터/x.zip"), True, id="decomposed-folder"),
        pytest.param("[원천]경상도_학습데이터_1.zip", True, id="other-generation"),
        pytest.param("TL_02._경상도.zip", False, id="label"),
        pytest.param("Training/02.라벨링데이터/x.zip", False, id="label-folder"),
        pytest.param("01.원천데이터/02.라벨링데이터/x.zip", False, id="label-folder-nearer"),
        pytest.param("02.라벨링데이터/01.원천데이터/x.zip", True, id="source-folder-nearer"),
        pytest.param("01.원천데이터/TL_02._경상도.zip", False, id="label-in-a-source-folder"),
        pytest.param("02.라벨링데이터/TS_02._경상도.zip", True, id="source-in-a-label-folder"),
        pytest.param("[라벨]경상도_학습데이터_1.zip", False, id="label-of-other-generation"),
        pytest.param("x.zip", False, id="nothing-told"),
        pytest.param("facts_x.zip", False, id="letters-inside-a-word"),
    ],
)
def test_recordings_are_told_from_labels(path: str, audio: bool) -> None:
    """An archive of recordings is known by its prefix or its folder, whichever is nearer to it."""
    assert is_audio_archive(path) is audio


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("a.json", True),
        ("a.JSON", True),
        ("/a.json", True),
        ("folder/방언.json", True),
        (".json", True),
        ("..json", True),
        ("a.json ", False),
        ("a.jsonl", False),
        ("a.json.bak", False),
        ("json", False),
        ("", False),
        ("a.txt", False),
        ("a.wav", False),
        ("folder.json/", False),
        ("._a.json", False),
        ("folder/._a.json", False),
        ("__MACOSX/a.json", False),
        ("__MACOSX/folder/._a.json", False),
        ("/__MACOSX/a.json", False),
        ("folder\\a.json", True),
        ("._folder\\a.json", True),
        ("folder\\._a.json", False),
        ("__MACOSX\\folder\\a.json", False),
        ("a._b.json", True),
        ("._folder/a.json", True),
        ("__MACOSX.json", True),
        ("folder/__MACOSX/a.json", True),
        (".DS_Store", False),
        ("folder/.DS_Store", False),
    ],
)
def test_label_files_are_told_from_debris(path: str, label: bool) -> None:
    """A label file ends in .json in any case, and is none of what file managers leave behind."""
    assert is_label_file(path.encode()) is label
