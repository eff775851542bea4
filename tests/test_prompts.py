"""The instruction of a pair: filled in with Korean names, one of several by hash; other braces are doubled, or refused."""

import json
from collections import Counter
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, answers, member, stem, write_zip
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st
from runs import lines_of, one_thread

from saturi.etl.corpus.groups import Group
from saturi.etl.errors import OptionError
from saturi.etl.example.prompts import fill_prompts, pick
from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import SYSTEM_PROMPT, TO_DIALECT_PROMPT, BuildOptions
from saturi.schemas.terms import Direction, Region, SpeechType


@pytest.mark.parametrize(
    ("prompt", "group", "filled"),
    [
        pytest.param("{region}", Group(Region.JEJU, SpeechType.ANSWER), "제주도", id="region"),
        pytest.param("{speech_type}", Group(Region.JEJU, SpeechType.ANSWER), "질문에 답하기", id="answer"),
        pytest.param("{speech_type}", Group(Region.JEJU, SpeechType.REPEAT), "따라 말하기", id="repeat"),
        pytest.param("{speech_type}", Group(Region.JEJU, SpeechType.DIALOGUE), "대화", id="dialogue"),
        pytest.param(
            "{region} {region}, {speech_type}", Group(Region.UNKNOWN, SpeechType.UNKNOWN), "어느 지역 어느 지역, 발화", id="unknown"
        ),
        pytest.param('{{"a": {{}}}}', Group(Region.JEJU, SpeechType.ANSWER), '{"a": {}}', id="json"),
        pytest.param("{{region}}", Group(Region.GANGWON, SpeechType.ANSWER), "{region}", id="doubled"),
        pytest.param("{{{region}}}", Group(Region.GANGWON, SpeechType.ANSWER), "{강원도}", id="doubled-around-a-name"),
        pytest.param("", Group(Region.GANGWON, SpeechType.ANSWER), "", id="empty"),
    ],
)  # fmt: skip
def test_only_two_names_are_filled_in(prompt: str, group: Group, filled: str) -> None:
    """`{region}` and `{speech_type}` become what people call them; doubled braces are braces."""
    assert fill_prompts([prompt], group) == (filled,)


@given(st.text(max_size=40))
@examples(100)
def test_any_other_text_stays(text: str) -> None:
    """A prompt whose braces are doubled is what was given, with each of them once."""
    given = text.encode(errors="replace").decode()
    options = BuildOptions(paraphrase=(given.replace("{", "{{").replace("}", "}}"),))
    assert fill_prompts(options.prompts, Group(Region.JEJU, SpeechType.ANSWER))[1] == given


@given(st.text("{}region!: ", max_size=12))
@examples(100)
def test_any_text_is_filled_or_refused(text: str) -> None:
    """A prompt that is not refused can be filled in."""
    try:
        options = BuildOptions(system_prompt=text)
    except OptionError:
        return
    fill_prompts(options.prompts, Group(Region.JEJU, SpeechType.ANSWER))


def test_numbers_pick_evenly() -> None:
    """The number of an utterance picks its prompt, each as often as any other."""
    assert Counter(pick(("가", "나", "다"), range(300))) == {"가": 100, "나": 100, "다": 100}


def test_paraphrases_are_spread(tmp_path: Path) -> None:
    """Each pair has one of all instructions, an empty one included, and in a second build the same."""
    write_zip(tmp_path / "c" / ANSWER_ZIP, answers(400))
    options = BuildOptions(clean=False, system_prompt="{region}에서", paraphrase=("", "{speech_type}"), validation=0)
    for name in ("one", "two"):
        build([tmp_path / "c"], tmp_path / name, options, make_executor=one_thread)
    lines = lines_of(tmp_path / "one")
    first = Counter(json.loads(line)["messages"][0]["content"] for line in lines)
    assert 90 < first["경상도에서"] < 180
    assert 90 < first["질문에 답하기"] < 180
    assert 90 < sum(len(json.loads(line)["messages"]) == 2 for line in lines) < 180
    assert lines == lines_of(tmp_path / "two")


def test_the_other_direction(tmp_path: Path) -> None:
    """To dialect, the standard text comes first, under an instruction that asks for the dialect of the region."""
    write_zip(tmp_path / "c" / ANSWER_ZIP, [member(stem("say", "1", 1), "마이 무라", "많이 먹어라")])
    options = BuildOptions(direction=Direction.TO_DIALECT, validation=0)
    build([tmp_path / "c"], tmp_path / "out", options, make_executor=one_thread)
    [line] = lines_of(tmp_path / "out")
    assert [turn["content"] for turn in json.loads(line)["messages"]] == [
        TO_DIALECT_PROMPT.replace("{region}", "경상도"),
        "많이 먹어라",
        "마이 무라",
    ]


def test_an_instruction_of_ones_own_stays() -> None:
    """Only the original instruction gives way to the one of the other direction."""
    assert BuildOptions(direction=Direction.TO_DIALECT, system_prompt="사투리로").system_prompt == "사투리로"
    assert BuildOptions().system_prompt == SYSTEM_PROMPT
