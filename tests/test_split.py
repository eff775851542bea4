"""The split of an utterance: the same for ever, close to the share asked for, and never a key in both."""

import unicodedata
from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.corpus.groups import Group
from etl.select.split import SPLIT, is_held_out, keys_of, resolve_scripts, split_of, splits
from schemas.terms import Region, SpeechType, Split

_HELD_OUT = ["speaker:speakergs2", "speaker:speakergs13", "script:gyeongsang:1:3", "script:gyeongsang:3:12"]
_LEARNT = ["speaker:speakergs3", "speaker:speakerjj59", "script:jeju:1:79", "speaker:unknownSpeaker"]


@pytest.mark.parametrize(
    ("key", "place"),
    [
        pytest.param("speaker:speakergs3", 0.7688451, id="speaker"),
        pytest.param("speaker:speakergw2034", 0.9471717, id="another-speaker"),
        pytest.param("speaker:speakergs2", 0.0012736, id="speaker-held-out"),
        pytest.param("speaker:1", 0.8720600, id="speaker-of-one-digit"),
        pytest.param("speaker:방언", 0.6993504, id="hangul"),
        pytest.param("script:jeolla:2:40", 0.4660541, id="script"),
        pytest.param("script:gyeongsang:3:12", 0.0337699, id="script-held-out"),
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


@given(st.text(max_size=20), st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
@settings(deadline=None, max_examples=200)
def test_a_larger_share_only_adds(key: str, one: float, other: float) -> None:
    """A key that is held out at one share is so at every larger one, and none is at share zero."""
    small, large = sorted((one, other))
    assert not is_held_out(key, 0.0)
    assert is_held_out(key, large) or not is_held_out(key, small)


@pytest.mark.parametrize(
    ("keys", "split"),
    [
        pytest.param([], Split.TRAIN, id="no-key"),
        pytest.param(_HELD_OUT[:1], Split.VALIDATION, id="one-held-out"),
        pytest.param(_LEARNT[:1], Split.TRAIN, id="one-learnt"),
        pytest.param(_HELD_OUT, Split.VALIDATION, id="all-held-out"),
        pytest.param(_LEARNT, Split.TRAIN, id="none-held-out"),
        pytest.param([*_LEARNT, _HELD_OUT[0]], None, id="one-of-many-held-out"),
        pytest.param([*_HELD_OUT, _LEARNT[0]], None, id="one-of-many-learnt"),
        pytest.param([_HELD_OUT[0]] * 3, Split.VALIDATION, id="the-same-thrice"),
    ],
)
def test_a_row_is_in_the_split_of_all_its_keys(keys: list[str], split: Split | None) -> None:
    """A row is validation if all its keys are, train if none is, and in neither otherwise, in any order of keys."""
    assert split_of(keys, 0.05) == split
    assert split_of(reversed(keys), 0.05) == split


@pytest.mark.parametrize(
    ("speakers", "scripts", "keys"),
    [
        pytest.param("", [], [], id="nothing-known"),
        pytest.param("speakergs3", [], ["speaker:speakergs3"], id="speaker-without-script"),
        pytest.param("", ["1:79"], ["script:jeju:1:79"], id="script-without-speaker"),
        pytest.param("a\nb", ["1:79"], ["speaker:a", "speaker:b", "script:jeju:1:79"], id="both"),
        pytest.param(" a\na\n ", [], ["speaker:a"], id="stray-spaces"),
        pytest.param("a\x1f1\na\x1f2\nb\x1f1", [], ["speaker:a", "speaker:b"], id="known-within-a-file"),
        pytest.param("gs/1\ngs/2", [], ["speaker:gs/1", "speaker:gs/2"], id="slash-within-an-id"),
        pytest.param("화자 하나\n둘", [], ["speaker:화자 하나", "speaker:둘"], id="hangul"),
        pytest.param(unicodedata.normalize("NFD", "화자\n화자"), [], ["speaker:화자"], id="decomposed"),
        pytest.param("Speaker1\nspeaker1", [], ["speaker:speaker1"], id="case"),
    ],
)
def test_keys_are_speakers_and_scripts(speakers: str, scripts: list[str], keys: list[str]) -> None:
    """Every speaker is a key, and every script of its region."""
    assert keys_of(speakers, scripts, Region.JEJU) == keys


_SAME_SCRIPT = ["밥 먹었니?", " 밥 먹었니", "밥먹었니!", unicodedata.normalize("NFD", "밥 먹었니?")]


def _scripts(script: list[str | None], standard: list[str | None], speech_type: SpeechType) -> list[str | None]:
    texts = pl.Series(standard, dtype=pl.String)
    return resolve_scripts(pl.Series(script, dtype=pl.String), texts, speech_type).to_list()


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
rows = st.tuples(st.lists(people, max_size=3).map("\n".join), st.none() | st.integers(0, 30).map("1:{}".format))


def _frame(drawn: list[tuple[str, str | None]]) -> pl.DataFrame:
    schema = {"speakers": pl.String, "script": pl.String, "split": pl.String}
    return pl.DataFrame([(*row, None) for row in drawn], schema=schema, orient="row")


@given(st.lists(rows, max_size=60), st.sampled_from([0.05, 0.3, 0.5, 0.9]), st.sampled_from(list(SpeechType)))
@settings(deadline=None, max_examples=150)
def test_no_key_is_in_both_splits(drawn: list[tuple[str, str | None]], share: float, speech_type: SpeechType) -> None:
    """However speakers and scripts are woven together, none is ever in both."""
    row_splits = splits(_frame(drawn), Group(Region.JEJU, speech_type), share)
    assert row_splits.dtype == SPLIT
    splits_by_key: dict[str, set[str]] = {}
    for (speakers, script), split in zip(drawn, row_splits, strict=True):
        for key in keys_of(speakers, [script] if script else [], Region.JEJU) if split else []:
            splits_by_key.setdefault(key, set()).add(split)
    assert all(len(both) == 1 for both in splits_by_key.values())


@given(st.lists(rows, max_size=30), st.lists(rows, max_size=30), st.sampled_from([0.05, 0.5]))
@settings(deadline=None, max_examples=100)
def test_adding_rows_changes_no_split(
    old: list[tuple[str, str | None]], new: list[tuple[str, str | None]], share: float
) -> None:
    """A row stays in its split when archives are added, before it or after it."""

    def splits_of(drawn: list[tuple[str, str | None]]) -> list[str | None]:
        return splits(_frame(drawn), Group(Region.JEJU, SpeechType.REPEAT), share).to_list()

    assert splits_of(old + new) == splits_of(old) + splits_of(new)
    assert splits_of(new + old) == splits_of(new) + splits_of(old)


def test_splits_of_a_group_follow_the_rule() -> None:
    """A frame gives each row its split: both held out, both learnt, and one of each."""
    drawn = [
        ("speakergs2", "1:3"),
        ("speakergs3", "1:1"),
        ("speakergs2", "1:1"),
        ("speakergs3", "1:3"),
        ("speakergs2\nspeakergs13", None),
        ("", None),
    ]
    row_splits = splits(_frame(drawn), Group(Region.GYEONGSANG, SpeechType.REPEAT), 0.05)
    assert row_splits.to_list() == ["validation", "train", None, None, "validation", "train"]


def test_no_validation_puts_everything_into_train() -> None:
    """With a share of zero every row is train, whoever speaks."""
    drawn: list[tuple[str, str | None]] = [("speakergs2", "1:3"), ("speakergs2\nspeakergs3", "1:1"), ("", None)]
    row_splits = splits(_frame(drawn), Group(Region.GYEONGSANG, SpeechType.REPEAT), 0)
    assert row_splits.to_list() == ["train"] * 3
    assert row_splits.dtype == SPLIT
    assert splits(_frame([]), Group(Region.JEJU, SpeechType.REPEAT), 0).to_list() == []


def test_the_official_split_is_that_of_the_folders() -> None:
    """The official split takes the split published, whatever the keys say, and null where none was."""
    frame = pl.DataFrame(
        {
            "speakers": ["speakergs2", "speakergs3", "speakergs2"],
            "script": ["1:3", "1:3", None],
            "split": ["train", "validation", None],
        }
    )
    row_splits = splits(frame, Group(Region.GYEONGSANG, SpeechType.REPEAT), "official")
    assert row_splits.dtype == SPLIT
    assert row_splits.to_list() == ["train", "validation", None]


def test_speakers_are_spread_like_keys() -> None:
    """Of five thousand single speakers at one half, about half the rows are in each split and none is lost."""
    drawn: list[tuple[str, str | None]] = [(f"speakercc{number}", None) for number in range(5_000)]
    row_splits = Counter(splits(_frame(drawn), Group(Region.CHUNGCHEONG, SpeechType.ANSWER), 0.5))
    assert row_splits.total() == 5_000
    assert abs(row_splits["train"] - 2_500) < 150
