"""The instruction of a pair: a template filled in with the Korean names of its region and speech type, one of several by hash."""

from collections.abc import Iterable, Sequence

from saturi.etl.corpus.groups import Group
from saturi.etl.settings.prompts import fill
from saturi.schemas.terms import Region, SpeechType

REGION_NAMES = {
    Region.GANGWON: "강원도",
    Region.GYEONGSANG: "경상도",
    Region.CHUNGCHEONG: "충청도",
    Region.JEOLLA: "전라도",
    Region.JEJU: "제주도",
    Region.UNKNOWN: "어느 지역",  # "some region or other"
}
"""What `{region}` becomes: the names in AI-Hub's own archives."""

SPEECH_TYPE_NAMES = {
    SpeechType.REPEAT: "따라 말하기",
    SpeechType.ANSWER: "질문에 답하기",
    SpeechType.DIALOGUE: "대화",
    SpeechType.UNKNOWN: "발화",  # "speech"
}
"""What `{speech_type}` becomes: AI-Hub's words, but "dialogue" for what it calls "speech of two"."""


def fill_prompts(templates: Iterable[str], group: Group) -> tuple[str, ...]:
    """Return the instructions for utterances of *group*, of *templates* that were checked."""
    names = {"region": REGION_NAMES[group.region], "speech_type": SPEECH_TYPE_NAMES[group.speech_type]}
    return tuple(fill(template, names) for template in templates)


def pick(prompts: Sequence[str], choices: Iterable[int]) -> list[str]:
    """Return the instruction for each utterance, by its number in `saturi.etl.select.choice`."""
    return [prompts[choice % len(prompts)] for choice in choices]
