"""
Synthetic label files of the 2020 generation, as bytes, with every kind of transcribers' markup; all text is invented.

Shape after AI-Hub 118 to 122, but shorter: a real one has some 350 utterances. Nothing is written here.
"""

import json
import random

from saturi.etl.synthetic.documents import spoken_sentence
from saturi.schemas.terms import Region

CONVERSATIONS = 5
"""Label files of 2020 in a sample, each with its twin in plain text."""

_FOLDER = "014.한국어 방언 발화 데이터(경상도)/01.데이터"
_TRAINING = f"{_FOLDER}/1.Training/라벨링데이터/[라벨]경상도_학습데이터_1.zip"
_VALIDATION = f"{_FOLDER}/2.Validation/라벨링데이터/(비식별화완료)경상도_검증데이터_1.zip"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTTERANCES = 40
_MARKUP = (
    "마\u200b이 {}",
    "(마이)/(많이) {}",
    "{} {{laughing}}",
    "((뭐라)) {}",
    "(()) {}",
    "(마이)/많이 {}",
    "&name1& {}",
    "&naem& {}",
    "#이름# {}",
    "#오메 {}",
    "-태- {}",
    "{}-",
    "{}~",
    "{} xx",
    " {}  {}",
    "000101-1000000 {}",
    "010-0000-0000 {}",
    "a@b.example {}",
)
"""Every kind of markup, once; the numbers are invented."""


def conversation_archives(rng: random.Random) -> dict[str, dict[str, bytes]]:
    """Return the members of each archive of 2020, by its path in the sample."""
    archives: dict[str, dict[str, bytes]] = {_TRAINING: {}, _VALIDATION: {}}
    for number in range(1, CONVERSATIONS + 1):
        members = archives[_TRAINING if number < CONVERSATIONS else _VALIDATION]
        name = f"DKSR2000000{number}"
        utterances = _utterances(name, rng)
        text = json.dumps(_label(name) | {"utterance": utterances}, indent=4, ensure_ascii=False)
        if number == 1:  # raw line ends within strings
            text = text.replace('"title": "일상 대화"', '"title": "일상\n대화"').replace(" {laughing}", "\n{laughing}")
        members[f"{name}.json"] = _BYTE_ORDER_MARK + text.encode()
        lines = [f"{part['speaker_id']} : {part['form']}" for part in utterances]
        members[f"{name}.txt"] = _BYTE_ORDER_MARK + "\n".join(lines).encode()
    return archives


def _label(name: str) -> dict[str, object]:
    """Return a label file without its utterances."""
    people = [{"id": str(number), "age": "60대 이상", "sex": "여성", "birthplace": "경상"} for number in (1, 2)]
    category = "경상방언 > 사적 대화 > 일상 대화"
    return {
        "id": name,
        "metadata": {"title": "일상 대화", "category": category, "topic": "장날"},
        "speaker": people,
        "setting": {"relation": "이웃"},
    }


def _utterances(name: str, rng: random.Random) -> list[dict[str, object]]:
    utterances = [_utterance(f"{name}.1.1.{number + 1}", number, rng) for number in range(_UTTERANCES)]
    utterances[-1] |= {"standard_form": None, "eojeolList": None}
    utterances[-2]["speaker_id"] = None
    del utterances[-3]["dialect_form"]
    return utterances


def _utterance(identifier: str, number: int, rng: random.Random) -> dict[str, object]:
    """Return utterance *number* of a conversation; every other one has markup, until each kind was there."""
    words = spoken_sentence(Region.GYEONGSANG, rng)[-3:]
    dialect, standard = (
        " ".join(side) for side in zip(*((word.dialect, word.standard) for word in words), strict=True)
    )
    if number % 2 and number // 2 < len(_MARKUP):
        dialect, standard = (_MARKUP[number // 2].format(text, text) for text in (dialect, standard))
    return {
        "id": identifier,
        "form": dialect,
        "standard_form": standard,
        "dialect_form": dialect,
        "speaker_id": str(number // 3 % 2 + 1),
        "start": number * 2.5,
        "end": number * 2.5 + 2.04,
        "note": "",
        "eojeolList": [
            {"id": place, "eojeol": word.dialect, "standard": word.standard, "isDialect": word.dialect != word.standard}
            for place, word in enumerate(words, 1)
        ],
    }
