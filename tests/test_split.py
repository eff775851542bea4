"""The split of an utterance: the same for ever, close to the share asked for, and never a key in both."""

import unicodedata
from collections import Counter

import polars as pl
import pytest
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st

from saturi.etl.corpus.groups import Group
from saturi.etl.select.letters import letters
from saturi.etl.select.split import (
    PLACES,
    SplitRule,
    is_held_out,
    place_of,
    resolve_scripts,
    script_keys,
    speaker_keys,
    splits,
)
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import Region, SpeechType, Split, SplitKey

_SCRIPT, _SPEAKER, _BOTH = (SplitKey.SCRIPT,), (SplitKey.SPEAKER,), (SplitKey.SCRIPT, SplitKey.SPEAKER)


@pytest.mark.parametrize(
    ("key", "place"),
    [
        pytest.param("speaker:speakergs3", 0.7688451, id="speaker"),
        pytest.param("speaker:speakergw2034", 0.9471717, id="another-speaker"),
        pytest.param("speaker:speakergs2", 0.0012736, id="speaker-held-out"),
        pytest.param("speaker:1", 0.8720600, id="speaker-of-one-digit"),
        pytest.param("speaker:방언", 0.6993504, id="hangul"),
        pytest.param("script:jeolla:2:40", 0.7733027, id="script"),
        pytest.param("script:gyeongsang:3:12", 0.7516885, id="another-script"),
        pytest.param("text:0123456789", 0.8043220, id="text"),
        pytest.param("", 0.8931675, id="empty"),
    ],
)
def test_places_of_keys_never_change(key: str, place: float) -> None:
    """The place of a key between 0 and 1 is part of the format: another one would move examples between the splits."""
    assert not is_held_out(key, place - 1e-6)
    assert is_held_out(key, place + 1e-6)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3, 0.5])
@pytest.mark.parametrize("kind", ["speaker:speakergs", "script:jeju:1:"])
def test_the_share_is_kept(share: float, kind: str) -> None:
    """Of twenty thousand keys, those held out are within one percent of the keys of the share asked for."""
    held_out = sum(is_held_out(f"{kind}{number}", share) for number in range(20_000))
    assert abs(held_out / 20_000 - share) < 0.01


@pytest.mark.parametrize("series", ["script:jeju:1:", "script:jeju:3:", "script:unknown:?:"])
@pytest.mark.parametrize("first", [0, 20, 300, 99_999_980])
def test_of_twenty_in_a_row_one_is_held_out(series: str, first: int) -> None:
    """Of twenty scripts numbered one after another, each has its place in another twentieth."""
    places = sorted(place_of(f"{series}{number}") / PLACES for number in range(first, first + 20))
    assert all(part / 20 <= place < (part + 1) / 20 for part, place in enumerate(places))


@pytest.mark.parametrize("step", [7, 20, 1_000])
def test_numbers_with_gaps_are_spread_as_by_chance(step: int) -> None:
    """Where not every number is in use, the share is met as by chance."""
    places = [place_of(f"script:jeju:1:{number * step}") / PLACES for number in range(2_000)]
    assert abs(sum(place < 0.3 for place in places) / 2_000 - 0.3) < 0.05


@given(st.text(max_size=20), st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
@examples(200)
def test_a_larger_share_only_adds(key: str, one: float, other: float) -> None:
    """A key that is held out at one share is so at every larger one, and none is at share zero."""
    small, large = sorted((one, other))
    assert not is_held_out(key, 0.0)
    assert is_held_out(key, large) or not is_held_out(key, small)


@pytest.mark.parametrize(
    ("speakers", "keys"),
    [
        pytest.param("", [], id="nothing-known"),
        pytest.param("a\nb", ["speaker:a", "speaker:b"], id="two"),
        pytest.param(" a\na\n ", ["speaker:a"], id="stray-spaces"),
        pytest.param("a\x1f1\na\x1f2\nb\x1f1", ["speaker:a", "speaker:b"], id="known-within-a-file"),
        pytest.param("gs/1\ngs/2", ["speaker:gs/1", "speaker:gs/2"], id="slash-within-an-id"),
        pytest.param("화자 하나\n둘", ["speaker:화자 하나", "speaker:둘"], id="hangul"),
        pytest.param(unicodedata.normalize("NFD", "화자\n화자"), ["speaker:화자"], id="decomposed"),
        pytest.param("Speaker1\nspeaker1", ["speaker:speaker1"], id="case"),
    ],
)
def test_every_speaker_is_a_key(speakers: str, keys: list[str]) -> None:
    """Every speaker is a key, however the id is spelled."""
    assert speaker_keys(speakers) == keys


@pytest.mark.parametrize("by", [_SCRIPT, _SPEAKER, _BOTH])
@pytest.mark.parametrize("speech_type", list(SpeechType))
def test_a_script_or_a_text_is_a_key(by: tuple[SplitKey, ...], speech_type: SpeechType) -> None:
    """What is read aloud has its script as a key where scripts count; all else has its text where no speakers count."""
    keys = script_keys(["1:79", None], pl.Series(["밥먹었니", ""]), Group(Region.JEJU, speech_type), by)
    if SplitKey.SCRIPT in by and speech_type is SpeechType.REPEAT:
        assert keys == ["script:jeju:1:79", None]
    elif by == _SCRIPT:
        assert keys == [*_scripts([None], ["밥먹었니"], SpeechType.REPEAT), None]
    else:
        assert keys == [None, None]


_SAME_SCRIPT = ["밥 먹었니?", " 밥 먹었니", "밥먹었니!", "밥, 먹었니"]


def _scripts(script: list[str | None], standard: list[str | None], speech_type: SpeechType) -> list[str | None]:
    spelled = letters(pl.DataFrame({"standard": standard}, schema={"standard": pl.String})).to_series()
    return list(resolve_scripts(script, spelled, speech_type))


def test_a_text_stands_for_a_script_that_is_unknown() -> None:
    """Readings of a script that nothing names have one script by their letters and digits; other texts have another."""
    scripts = _scripts([None] * 5, [*_SAME_SCRIPT, "밥 먹었네"], SpeechType.REPEAT)
    assert len(set(scripts[:4])) == 1
    assert scripts[4] not in scripts[:4]
    assert _scripts(["1:7", None], ["가", "가"], SpeechType.REPEAT) == [
        "1:7",
        *_scripts([None], ["가"], SpeechType.REPEAT),
    ]
    assert "먹" not in str(scripts)


def test_a_text_without_letters_stands_for_nothing() -> None:
    """A missing text, or one of signs only, is no script."""
    assert _scripts([None] * 3, [None, "", "…?"], SpeechType.REPEAT) == [None, None, None]


@pytest.mark.parametrize("speech_type", [kind for kind in SpeechType if kind is not SpeechType.REPEAT])
def test_only_what_is_read_aloud_has_a_script(speech_type: SpeechType) -> None:
    """Questions and topics are no scripts, known or not."""
    assert _scripts(["1:79", None], ["가", "나"], speech_type) == [None, None]


people = st.integers(0, 30).map("speakerjj{}".format)
rows = st.tuples(
    st.lists(people, max_size=3).map("\n".join), st.none() | st.integers(0, 30).map("script:jeju:1:{}".format)
)
rules = st.builds(
    lambda validation, split_by, speech_type: SplitRule.of(
        BuildOptions(validation=validation, split_by=split_by, speech_type=speech_type)
    ),
    st.sampled_from([0.05, 0.3, 0.5, 0.9]),
    st.sampled_from([_SCRIPT, _SPEAKER, _BOTH]),
    st.sets(st.sampled_from(list(SpeechType)), min_size=1).map(tuple),
)

Row = tuple[str, str | None]


def _splits(drawn: list[Row], rule: SplitRule) -> list[Split | None]:
    return splits([speakers for speakers, _ in drawn], [key for _, key in drawn], rule)


def _keys(row: Row, rule: SplitRule) -> list[str]:
    speakers = speaker_keys(row[0]) if SplitKey.SPEAKER in rule.by else []
    return [*speakers, *([row[1]] if row[1] is not None else [])]


@given(st.lists(rows, max_size=60), rules)
@examples(150)
def test_no_key_is_in_both_splits(drawn: list[Row], rule: SplitRule) -> None:
    """However speakers and scripts are woven together, none that counts is ever in both."""
    row_splits = _splits(drawn, rule)
    splits_by_key: dict[str, set[Split]] = {}
    for row, split in zip(drawn, row_splits, strict=True):
        if split is not None:
            for key in _keys(row, rule):
                splits_by_key.setdefault(key, set()).add(split)
    assert all(len(both) == 1 for both in splits_by_key.values())


@given(st.lists(rows, max_size=60), rules)
@examples(150)
def test_a_row_is_in_the_split_of_all_its_keys(drawn: list[Row], rule: SplitRule) -> None:
    """A row is train if no key is held out, validation if all are, in neither otherwise, nor with one key between the bounds."""
    for row, split in zip(drawn, _splits(drawn, rule), strict=True):
        keys = set(_keys(row, rule))
        held_out = [is_held_out(key, rule.held_out) for key in keys]
        if not any(held_out):
            assert split == "train"
        elif len(keys) == 1:
            assert split == ("validation" if is_held_out(keys.pop(), rule.alone) else None)
        else:
            assert split == ("validation" if all(held_out) else None)


@given(st.lists(rows, max_size=30), st.lists(rows, max_size=30), rules)
@examples(100)
def test_adding_rows_changes_no_split(old: list[Row], new: list[Row], rule: SplitRule) -> None:
    """A row stays in its split when archives are added, before it or after it."""
    assert _splits(old + new, rule) == _splits(old, rule) + _splits(new, rule)
    assert _splits(new + old, rule) == _splits(new, rule) + _splits(old, rule)


_SHAPES = {  # the keys of the rows of a speech type: speakers, and whether there is a script or a text
    SpeechType.REPEAT: (1, True),
    SpeechType.ANSWER: (1, False),
    SpeechType.DIALOGUE: (2, False),
}


@pytest.mark.parametrize("share", [0.02, 0.05, 0.3])
@pytest.mark.parametrize(
    "speech_types",
    [("repeat",), ("answer",), ("dialogue",), ("repeat", "answer"), ("repeat", "answer", "dialogue")],
    ids="+".join,
)
@pytest.mark.parametrize("by", [_SCRIPT, _SPEAKER, _BOTH], ids="+".join)
def test_every_speech_type_has_its_share(share: float, speech_types: tuple[str, ...], by: tuple[SplitKey, ...]) -> None:
    """Of the rows that are in a split, validation has the share asked for: in every speech type, whatever its keys are."""
    rule = SplitRule.of(BuildOptions(validation=share, split_by=by, speech_type=speech_types))  # type: ignore[arg-type]  # plain text, as from outside
    for speech_type in map(SpeechType, speech_types):
        speakers, script = _SHAPES[speech_type]
        with_key = SplitKey.SCRIPT in by and (script or by == _SCRIPT)
        drawn: list[Row] = [
            ("\n".join(f"{number} {person}" for person in range(speakers)), f"key {number}" if with_key else None)
            for number in range(10_000)
        ]
        counted = Counter(_splits(drawn, rule))
        kept = counted[Split.TRAIN] + counted[Split.VALIDATION]
        assert abs(counted[Split.VALIDATION] / kept - share) < 4 * (share * (1 - share) / kept) ** 0.5
        assert kept == 10_000 or by != _SCRIPT
