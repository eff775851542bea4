"""
Synthetic label files of the 2022 generation, as bytes; no sentence in them was ever recorded.

Shape, sizes and shares follow what holders of AI-Hub 71517 and 71558 report: 2.1 sentences a file, most scripts read in
dialect and most answers not, and most of a label file is pitch values (F0), one a line. Nothing is written here.
"""

import json
import random
import re
from array import array
from collections.abc import Mapping
from functools import lru_cache
from itertools import accumulate
from textwrap import indent
from typing import NamedTuple
from zlib import crc32

from saturi.etl.synthetic.series import CODES, LabelName
from saturi.schemas.terms import Region, SpeechType

_SENTENCES = {SpeechType.ANSWER: (2, 3, 3, 4, 4), SpeechType.DIALOGUE: (6, 7, 7, 8)}
# Measured: with these, a file has the 44 KB reported on average, and a zip a quarter of that.
_FRAMES_PER_SECOND = 160
_DECIMALS = (1, 2, 3, 4, 4)
_TWO_SENTENCES = 0.1  # share of scripts
_NULL_TIMES = 0.1  # share of segments
_ODD = 0.03  # share of files with numbers as strings, and with keys that no description mentions
_IDENTICAL_SCRIPTS, _IDENTICAL_ANSWERS = 0.05, 0.6

# A word is "spoken", "spoken|orthography|standard", or "spoken/spoken by others|orthography|standard".
_PLAIN = (
    "오늘은 어제는 아침에 저녁에 봄마다 지난달에 새벽에 장날이면 겨울에 이따금",
    "삼촌이 이웃이 조카가 손님이 목수가 친구가 막내가 주인이",
    "마당에서 시장에서 뒷산에서 바닷가에서 논에서 골목에서 장독대에서 마루에서 고개에서 창고에서",
    "천천히 혼자서 다시 몰래 새로 함께",
    "한번 두개쯤 서너개 여남은개 한가득 반쯤 절반은 세번씩",
    "바구니를 빗자루를 수박을 호미를 이불을 콩나물을 보리쌀을 소쿠리를",
)
_STEMS = "봤 샀 찾았 얻었 놓았 팔았 심었 씻었 말렸 옮겼"
_DIALECT = {
    Region.GANGWON: (
        "할머이가|할머이가|할머니가 아부지가|아부지가|아버지가 동상이|동상이|동생이 언나가/얼라가|언나가|아이가",
        "마이/마니|마이|많이 얼푼|얼푼|얼른 마카/말카|마카|모두",
        "옥시기를/옥씨기를|옥시기를|옥수수를 감재를|감재를|감자를 짐치를|짐치를|김치를 낭구를/낭글|낭구를|나무를",
        "드래요/뜨래요|드래요|어요 잖소/짠소|잖소|잖아요 다니/다이|다니|다니까",
    ),
    Region.GYEONGSANG: (
        "할매가|할매가|할머니가 아지매가/아주매가|아지매가|아주머니가 동상이|동상이|동생이 얼라가|얼라가|아이가",
        "마이/마에|마이|많이 퍼뜩|퍼뜩|얼른 억수로/억쑤로|억수로|매우",
        "정구지를|정구지를|부추를 강낭이를/강내이를|강냉이를|옥수수를 짐치를|짐치를|김치를 단디를|단지를|항아리를",
        "다카이/다까이|다카이|다니까 심더/씸더|심더|습니다 는교/능교|는교|나요",
    ),
    Region.CHUNGCHEONG: (
        "할무니가|할무니가|할머니가 아부지가/아부이가|아부지가|아버지가 성님이|성님이|형님이 애덜이|애덜이|아이들이",
        "워낙/원칸|워낙|매우 싸게|싸게|빨리 죄다/죄|죄다|모두",
        "올갱이를/올개이를|올갱이를|다슬기를 무수를|무수를|무를 짐장을|짐장을|김장을 벅을/부엌을|벜을|부엌을",
        "어유/슈|어유|어요 구먼유/구만유|구먼유|군요 는디/는듸|는디|는데",
    ),
    Region.JEOLLA: (
        "할매가/할무니가|할매가|할머니가 아재가|아재가|아저씨가 성이|성이|형이 가시내가|가시내가|여자아이가",
        "겁나게/겁나|겁나게|매우 싸게|싸게|빨리 싹다/싹|싹다|모두",
        "솔을|솔을|부추를 꼬치를/꼬추를|꼬추를|고추를 거시기를/거시길|거시기를|그것을 정제를|정제를|부엌을",
        "당께/당게|당께|다니까 어라우/써라|어라우|어요 는디/는듸|는디|는데",
    ),
    Region.JEJU: (
        "할망이/할망은|할망이|할머니가 하르방이|하르방이|할아버지가 아방이|아방이|아버지가 비바리가|비바리가|처녀가",
        "하영/하영덜|하영|많이 혼저/혼자|혼저|어서 몬딱/모딱|몬딱|모두",
        "감저를|감저를|고구마를 지실을/지슬을|지슬을|감자를 독새기를|독새기를|달걀을 송키를|송키를|채소를",
        "수다/쑤다|수다|습니다 주마씸/쭈마씸|주마씸|지요 수게/쑤게|수게|습니다",
    ),
}


class Word(NamedTuple):
    """One word: as spoken (by some, by others), in dialect orthography, in standard Korean."""

    spoken: tuple[str, ...]
    dialect: str
    standard: str


class F0Pool:
    """
    Pitch values in Hz as lines of JSON, made once and cut many times: random walks of voice, and silence between them.

    Args:
        lines: How many values to make; a document takes 1,000 to 28,000 of them.
    """

    def __init__(self, lines: int = 1 << 17) -> None:
        rng = random.Random("f0")
        text: list[str] = []
        while len(text) < lines:
            hertz = rng.uniform(100, 280)
            for _ in range(rng.randint(30, 120)):
                hertz = min(400.0, max(60.0, hertz + rng.gauss(0, 4)))
                text.append(f"\t\t\t\t\t{round(hertz, rng.choice(_DECIMALS))!r},\n")
            text.extend(["\t\t\t\t\t0.0,\n"] * rng.randint(4, 20))
        self._bytes = "".join(text).encode()
        self._starts = array("I", accumulate(map(len, text), initial=0))

    def cut(self, lines: int, rng: random.Random) -> bytes:
        """Return *lines* consecutive lines, the last without its comma."""
        first = int(rng.random() * (len(self._starts) - 1 - lines))
        return self._bytes[self._starts[first] : self._starts[first + lines] - 2]


@lru_cache
def _slots(region: Region) -> tuple[tuple[Word, ...], ...]:
    who, how, what, endings = (tuple(map(_word, text.split())) for text in _DIALECT[region])
    when, people, where, manner, amount, things = (tuple(map(_word, text.split())) for text in _PLAIN)
    did = tuple(
        Word(tuple(stem + spoken for spoken in end.spoken), stem + end.dialect, stem + end.standard)
        for stem in _STEMS.split()
        for end in endings
    )
    return when, who + people, where, how + manner, amount, what + things, did


def _word(text: str) -> Word:
    spoken, dialect, standard = text.split("|") if "|" in text else (text, text, text)
    return Word(tuple(spoken.split("/")), dialect, standard)


def spoken_sentence(region: Region, rng: random.Random) -> list[Word]:
    """Return a sentence of a conversation; most of them are standard Korean."""
    return _sentence(region, rng, identical=rng.random() < _IDENTICAL_ANSWERS)


def _sentence(region: Region, rng: random.Random, *, identical: bool) -> list[Word]:
    words = [slot[int(rng.random() * len(slot))] for slot in _slots(region)]
    return [Word((word.standard,), word.standard, word.standard) for word in words] if identical else words


@lru_cache(maxsize=2048)
def _script(region: Region, script_set: int, prompt: int) -> list[list[Word]]:
    rng = random.Random(f"{region}/{script_set}/{prompt}")
    identical = rng.random() < _IDENTICAL_SCRIPTS
    return [_sentence(region, rng, identical=identical) for _ in range(2 if rng.random() < _TWO_SENTENCES else 1)]


def _spoken(name: LabelName, rng: random.Random) -> list[list[Word]]:
    if name.kind is SpeechType.REPEAT:
        return _script(name.region, name.script_set, name.prompt)
    identical = rng.random() < _IDENTICAL_ANSWERS
    return [_sentence(name.region, rng, identical=identical) for _ in range(rng.choice(_SENTENCES[name.kind]))]


# The time of every tenth of a second of the longest recording, since formatting them would take a third of the time.
_CLOCK = [f"00:{tenth // 600:02}:{tenth // 10 % 60:02}.{tenth % 10}00" for tenth in range(1500)]


def _template(document: Mapping[str, object], depth: int) -> str:
    """Return *document* as indented JSON, *depth* levels deep; "%s" is a string to fill in, "#d" a bare value."""
    text = json.dumps(document, indent="\t", ensure_ascii=False)
    return indent(re.sub('"#([sd])"', r"%\1", text), "\t" * depth)


_HOME = {"residenceProvince": "%s", "residenceCity": "#d", "residencePeriod": "#d"}
_PERSON = {"speakerId": "%s", "gender": "%s", "birthYear": "#d"} | _HOME
_SPEAKER = _template(_PERSON | {"job": "%s", "academicBackground": "#d", "healthCondition": None}, 2)
_TEXTS = {"dialect": "%s", "pronunciation": "%s", "standard": "%s"}
_WORD_TEXTS = {"dialect": "%s", "pronunciation": "#s", "standard": "#s", "voiceType": "voice_speech"}
_SEGMENT = _template({"orderInFile": "#s", "startTime": "%s", "endTime": "#s"} | _WORD_TEXTS, 3)
_TIMES = {"startTime": "%s", "endTime": "%s"}
_SENTENCE = _template({"speakerId": "%s", "intonations": ["^"]} | _TIMES | _TEXTS | {"sentenceId": "#s"}, 3)
_SOUND = {"bitsPerSample": 16, "samplingFrequency": 16000, "channel": "Mono"}
_SPEECH_TIMES = {"speechStartTime": "00:00:00.100", "speechEndTime": "%s"}
_LAYERS = ("standards", "intonations", "transcriptionAnnotations", "intents", "emotions", "grammarTypes")
_DOCUMENT = {
    "fileName": "%s",
    "speaker": ["#s"],
    "collector": {"collectorId": "%s"} | _HOME,
    "script": {"scriptId": "#d", "value": "%s", "domain": "%s", "speechType": "%s"},
    "audio": _SOUND | {"recordDate": "202208%s"} | _SPEECH_TIMES | {"recordDuration": "#s"},
    "transcription": {"segments": ["^"], "sentences": ["^"]} | _TEXTS,
    "annotation": {layer: [] for layer in _LAYERS},
    "stt": {"recognizer": "naver clova speech", "responseDate": "20220825", "speakerIds": [], "segments": []},
}
_HEAD, _MIDDLE, _TAIL = _template(_DOCUMENT, 0).split('\t\t\t"^"')
_UNKNOWN_KEYS = '\t"categoryName": "생활",\n\t"filename": null,\n'
_TINY = (
    '{"fileName":"%s","speaker":[{"speakerId":"%s","residenceProvince":"%s"}],"script":{"scriptId":%d,"speechType":"%s"},'
    '"transcription":{"sentences":[],"dialect":"%s","pronunciation":"%s","standard":"%s"}}'
)


def label_document(name: LabelName, f0: F0Pool, rng: random.Random) -> bytes:
    """
    Return one clean label file, as the annotators' tool writes it: UTF-8, indented by tabs, Hangul as it is.

    Args:
        name: The recording; a script, its speaker's manner of saying it and the speaker's particulars follow from it.
        f0: Where pitch values are cut from.
        rng: Decides all the rest.
    """
    spoken, manner = _spoken(name, rng), crc32(name.speakers[0].encode()) % 3
    texts = [_texts(words, manner) for words in spoken]
    whole = tuple(map(" ".join, zip(*texts, strict=True)))
    odd = rng.random() < _ODD
    before, after = _SENTENCE.split('\t\t\t\t\t"^"')
    tenths = name.seconds * 10 // len(spoken)
    lines = name.seconds * _FRAMES_PER_SECOND // len(spoken)
    opening = _head(name, whole[2], odd=odd) + _segments(spoken, manner, tenths, rng) + _MIDDLE
    pieces = [opening.encode()]
    for index, text in enumerate(texts):
        times = _CLOCK[index * tenths + 1], _CLOCK[(index + 1) * tenths - 1]
        number = f'"{index + 1}"' if odd else str(index + 1)
        pieces += [
            b",\n" if index else b"",
            (before % name.speakers[index % len(name.speakers)]).encode(),
            f0.cut(lines, rng),
            (after % (*times, *text, number)).encode(),
        ]
    pieces.append((_TAIL % whole).encode())
    return b"".join(pieces)


def tiny_document(name: LabelName, rng: random.Random) -> bytes:
    """Return the least that is a label file, about 350 bytes without pitch, segments or sentences."""
    texts = _texts(_spoken(name, rng)[0][-3:], 0)
    speaker, script_id = name.speakers[0], name.prompt
    return (_TINY % (name.stem, speaker, CODES[name.region], script_id, _speech(name.kind), *texts)).encode()


def _texts(words: list[Word], manner: int) -> tuple[str, str, str]:
    """Return a sentence in dialect orthography, as spoken (which never has punctuation), and in standard Korean."""
    spoken = " ".join([word.spoken[manner % len(word.spoken)] for word in words])
    return " ".join([word.dialect for word in words]) + ".", spoken, " ".join([word.standard for word in words])


def _speech(kind: SpeechType) -> str:
    return "Read" if kind is SpeechType.REPEAT else "Speak"


def _head(name: LabelName, standard: str, *, odd: bool) -> str:
    code = CODES[name.region]
    value = standard if name.kind is SpeechType.REPEAT else f"{name.prompt}번째 물음에 대해 이야기해 주세요"
    topic = ("자연", "음식", "집안일", "장날")[name.prompt % 4]
    speakers = ",\n".join([_speaker(speaker, code) for speaker in name.speakers]).lstrip("\t")
    seconds = f'"{name.seconds}.0"' if odd else f"{name.seconds}.0"
    head = _HEAD % (
        *(name.stem, speakers, name.collector, code, 128, 30),
        *(name.prompt, value, topic, _speech(name.kind)),
        *(f"{name.prompt % 28 + 1:02}", _CLOCK[name.seconds * 10 - 1], seconds),
    )
    return head.replace('\t"speaker": [', _UNKNOWN_KEYS + '\t"speaker": [', 1) if odd else head


def _speaker(speaker: str, code: str) -> str:
    draw = crc32(speaker.encode())
    job = ("농업", "어업", "상업", "주부", "무직")[draw % 5]
    return _SPEAKER % (speaker, "fm"[draw % 2], 1938 + draw % 34, code, 101 + draw % 30, 20 + draw % 50, job, draw % 6)


def _segments(spoken: list[list[Word]], manner: int, tenths: int, rng: random.Random) -> str:
    segments: list[str] = []
    for index, words in enumerate(spoken):
        step = (tenths - 2) / len(words)
        for place, word in enumerate(words):
            start = int(index * tenths + 1 + place * step)
            end = "null" if rng.random() < _NULL_TIMES else f'"{_CLOCK[int(start + step)]}"'
            pronounced, standard = "null", "null"
            if word.dialect != word.standard:
                pronounced, standard = f'"{word.spoken[manner % len(word.spoken)]}"', f'"{word.standard}"'
            segments.append(
                _SEGMENT % (f"{len(segments) + 1}.0", _CLOCK[start], end, word.dialect, pronounced, standard)
            )
    return ",\n".join(segments)
