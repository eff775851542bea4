"""
Region, speech type, split, script and speakers in the names of members, archives and folders.

The grammar of a 2022 label file (AI-Hub 71517 and 71558):

    {st|say|talk}_set{1-3}_collector{rr}{n}_speaker{rr}{n}[_speaker{rr}{n}]_{prompt}[_{take}]_{seconds}.json

One of 2020 (118 to 122) is a conversation, and its name begins with D and a letter for the region: `DKSR20000001.json`.

Copies and conversions put something before or behind a name (`… (1).json`, `… - 복사본.json`, `…_label.json`) or other
signs between its parts: it is then looked for within. Where it is not there at all, the name in the document stands in.

Names are compared in NFC, since a Mac hands them out decomposed. Nothing here ever becomes a path on disk.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct

from saturi.etl.output.debris import RESOURCE_FOLDER, RESOURCE_FORK
from saturi.schemas.terms import Region, SpeechType, Split

CODES = {
    "gw": Region.GANGWON,
    "gs": Region.GYEONGSANG,
    "cc": Region.CHUNGCHEONG,
    "jl": Region.JEOLLA,
    "jj": Region.JEJU,
}
"""The two-letter codes in file names and in `speaker[].residenceProvince`; `un` stands for unknown."""

_CODES_2020 = {
    "G": Region.GANGWON,
    "K": Region.GYEONGSANG,
    "C": Region.CHUNGCHEONG,
    "J": Region.JEOLLA,
    "Z": Region.JEJU,
}
WITHIN = "\x1f"
"""Between the name of a file and the id of a speaker who is known only within it; names and ids have no such character."""

ANY_SET = "?"
"""Stands for the set of a script that is known by its number only."""

_KINDS = {"st": SpeechType.REPEAT, "say": SpeechType.ANSWER, "talk": SpeechType.DIALOGUE}
_STEM = re.compile(
    r"(?P<kind>st|say|talk)_set(?P<set>\d+)_(?:collector(?P<collector>[a-z]{2})?[^_]*|unknowncollector)"
    r"(?P<speakers>(?:_(?:speaker[^_]*|unknownspeaker))*)"
    r"_(?P<prompt>\d+)(?:_\d+)?_\d+",
    re.IGNORECASE,
)
_RESOURCE_FORK, _RESOURCE_FOLDER = RESOURCE_FORK.encode(), RESOURCE_FOLDER.encode()
_STEM_2020 = re.compile(r"(D([GKJZC])[A-Z]{0,4}\d{6,})(?:[._]\d+)*", re.IGNORECASE)
# The same within a longer name, between what is no letter and no digit.
_WITHIN, _WITHIN_2020 = (
    re.compile(rf"(?<![^\W_]){stem.pattern}(?![^\W_])", re.IGNORECASE) for stem in (_STEM, _STEM_2020)
)
_SEPARATORS = re.compile(r"[\s_.+-]+")

_REGION_WORDS = {
    "강원": Region.GANGWON,
    "경상": Region.GYEONGSANG,
    "충청": Region.CHUNGCHEONG,
    "전라": Region.JEOLLA,
    "제주": Region.JEJU,
}
_SPEECH_WORDS = {
    "따라말하기": SpeechType.REPEAT,
    "질문에답하기": SpeechType.ANSWER,
    "2인발화": SpeechType.DIALOGUE,
}
_FOLDER_END = re.compile(r"[/\\]")
_SPACES = re.compile(r"[\s_]+")
_SPLIT_FOLDER = re.compile(r"(?:\d+\.)?(training|validation)", re.IGNORECASE)
_SPLIT_PREFIX = re.compile(r"(?:^|[^a-z])([tv])[ls]_", re.IGNORECASE)
_SPLIT_WORD = re.compile(r"(?:도|[_\])])[\s_]*(학습|검증)데이터")  # 2020: "[라벨]경상도_학습데이터_1.zip"
_SPLITS = {"t": Split.TRAIN, "v": Split.VALIDATION, "학": Split.TRAIN, "검": Split.VALIDATION}
_AUDIO = re.compile(r"(?:^|[^a-z])[tv]s_|원천데이터|\[원천\]", re.IGNORECASE)
_LABEL = re.compile(r"(?:^|[^a-z])[tv]l_|라벨", re.IGNORECASE)


class MemberName(Struct, frozen=True, gc=False):
    """
    The facts in the path of one label file inside its archive; None where there is none.

    `conversation` is the name of a conversation of 2020 without what a copy adds to it.
    """

    region: Region | None
    speech_type: SpeechType | None
    split: Split | None
    script_set: int | None = None
    prompt: int | None = None
    speakers: tuple[str, ...] = ()
    conversation: str | None = None


class Hints(NamedTuple):
    """The facts in the name of an archive, or of a folder; None where there is none."""

    region: Region | None = None
    speech_type: SpeechType | None = None
    split: Split | None = None


_NOWHERE = Hints()


def is_label_file(path: bytes) -> bool:
    r"""
    Whether the member *path* is a label file, and no folder, audio or debris of a file manager.

    It is not decoded: UTF-8 and CP949 have `/`, `\`, `.` and `_` nowhere but where they are meant.
    """
    if path[-5:].lower() != b".json":
        return False
    # The rule, and this is called twice for every entry. `in` would first try to make numbers of these bytes, which takes longer.
    if path.find(_RESOURCE_FORK) < 0 and path.find(_RESOURCE_FOLDER) < 0:
        return True
    *folders, name = path.replace(b"\\", b"/").lstrip(b"/").split(b"/")
    return not name.startswith(_RESOURCE_FORK) and folders[:1] != [_RESOURCE_FOLDER]


def base_name(path: str) -> str:
    r"""Return the part of *path* after the last `/` or `\`: some programs write the one, some the other."""
    return _FOLDER_END.split(path)[-1] if "\\" in path else path.rpartition("/")[2]


def is_audio_archive(path: str) -> bool:
    """Whether the archive at *path* holds recordings ("원천데이터") and not labels; the name nearest to the file decides."""
    for part in reversed(unicodedata.normalize("NFC", path).split("/")):
        if _LABEL.search(part):
            return False
        if _AUDIO.search(part):
            return True
    return False


def is_label_archive(path: str) -> bool:
    """Whether the archive at *path* holds labels ("라벨링데이터"), by the name nearest to the file that says what it holds."""
    parts = unicodedata.normalize("NFC", path).split("/")
    return not is_audio_archive(path) and any(_LABEL.search(part) for part in parts)


def is_deidentified(parts: Iterable[str]) -> bool:
    """Whether one of the names *parts*, an archive's and its folders', says that it was delivered again without names."""
    return any("비식별화" in unicodedata.normalize("NFC", part) for part in parts)


def parse_member(path: str, own_name: str | None = None) -> MemberName:
    """
    Return the facts in *path*: first in its file name, then in the folders above it, nearest first.

    The region of a file is that of its first speaker whose code is known, else of its collector.

    Args:
        path: Of the label file in its archive.
        own_name: The name that its document has for it, which stands in for a file name without any fact.
    """
    if not path.isascii():
        path = unicodedata.normalize("NFC", path)
    if "\\" in path:
        path = path.replace("\\", "/")
    folder, _, name = path.rpartition("/")
    around = _folder_hints(folder) if folder else _NOWHERE
    match = _STEM.fullmatch(name[:-5])
    if match is not None:
        return _of_2022(match, around)
    names = [name[:-5]] if own_name is None else [name[:-5], base_name(unicodedata.normalize("NFC", own_name))]
    return next(filter(None, (_search(stem, around) for stem in names)), MemberName(*around))


def _search(stem: str, around: Hints) -> MemberName | None:
    """Return the facts within *stem*, a name that something was added to, or whose parts have other signs between them."""
    match = _STEM_2020.fullmatch(stem)
    if match is None:
        stem = _SEPARATORS.sub("_", stem)
        within = _WITHIN.search(stem)
        if within is not None:
            return _of_2022(within, around)
        match = _WITHIN_2020.search(stem)
    if match is None:
        return None
    conversation, code = match.groups()
    return MemberName(_CODES_2020[code.upper()], SpeechType.DIALOGUE, around.split, conversation=conversation)


def _of_2022(match: re.Match[str], around: Hints) -> MemberName:
    kind, script_set, collector, speaker_part, prompt = match.groups()
    speakers = tuple(speaker_part.split("_")[1:])
    region = _region_of(speakers) or CODES.get((collector or "").lower()) or around.region
    return MemberName(region, _KINDS[kind.lower()], around.split, _number(script_set), _number(prompt), speakers)


def _region_of(speakers: Iterable[str]) -> Region | None:
    """Return the region of the first of *speakers* whose code, between `speaker` and a number, is known."""
    for speaker in speakers:
        if speaker[9:10].isdecimal() and (region := CODES.get(speaker[7:9].lower())) is not None:
            return region
    return None


def parse_archive(parts: Iterable[str]) -> Hints:
    """Return the facts in the names *parts*, the archive's own first, then its folders, nearest first."""
    region = speech_type = split = None
    for part in parts:
        hints = _hints(unicodedata.normalize("NFC", part))
        region = region or hints.region
        speech_type = speech_type or hints.speech_type
        split = split or hints.split
    return Hints(region, speech_type, split)


# A corpus has a handful of folders and hundreds of thousands of files in them; the last ones seen are remembered.
_FOLDERS: dict[str, Hints] = {}


def _folder_hints(folder: str) -> Hints:
    hints = _FOLDERS.get(folder)
    if hints is None:
        if len(_FOLDERS) > 256:  # noqa: PLR2004 - any small bound: hostile archives may hold a folder a file
            _FOLDERS.clear()
        hints = _FOLDERS[folder] = parse_archive(reversed(folder.split("/")))
    return hints


def _hints(part: str) -> Hints:
    squeezed = _SPACES.sub("", part)
    speech_types = {speech_type for word, speech_type in _SPEECH_WORDS.items() if word in squeezed}
    return Hints(
        region_in(squeezed),
        speech_types.pop() if len(speech_types) == 1 else None,
        _split(part.strip()),
    )


def region_in(text: str) -> Region | None:
    """Return the one region that *text* names; None where it names none, or two, as "139-1 (강원도, 경상도)" does."""
    regions = {region for word, region in _REGION_WORDS.items() if word in text}
    return regions.pop() if len(regions) == 1 else None


def _split(part: str) -> Split | None:
    match = _SPLIT_FOLDER.fullmatch(part) or _SPLIT_PREFIX.search(part) or _SPLIT_WORD.search(part)
    return _SPLITS[match[1][0].lower()] if match else None


def _number(digits: str) -> int | None:
    """Return the number written in *digits* (any decimal script), or None where it is too long to mean anything."""
    return int(digits) if len(digits) <= 9 else None  # noqa: PLR2004 - fits 32 bits; real ones have up to four digits
