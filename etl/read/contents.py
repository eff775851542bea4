"""The contents of a label file in one form for both generations: where it belongs, who speaks, and its texts."""

from collections.abc import Iterable, Sequence
from typing import Literal
from unicodedata import normalize

from msgspec import Struct

from saturi.etl.corpus.names import ANY_SET, CODES, WITHIN, MemberName, base_name, parse_member, region_in
from saturi.etl.read.odd import LabelFile
from saturi.schemas import label2020, label2022
from saturi.schemas.terms import Generation, Region

TURN_CHARACTERS = 500
"""Dialect text of a turn, at most: a minute of speech, as long as a dialogue's label file of 2022."""

Texts = tuple[str | None, str | None, str | None]
"""Pronunciation, dialect spelling and standard spelling."""

Identifier = int | float | str | None


class Contents(Struct, frozen=True, gc=False):
    """
    The contents of one label file.

    Args:
        name: The facts in its path, and in the name that it has for itself.
        generation: The form it has.
        region, speech_type: Where it belongs by its document; the type as `read`, `speak` or `dialogue`.
        script: Its set and prompt, or `ANY_SET` and its number; None where neither is known, and of 2020.
        speakers: The ids of all who are named in it.
        whole: The texts of the whole file; of 2020, none. Where there are none, those of the sentences joined by blanks.
        sentences: The texts of each sentence, or of 2020, of each utterance. Where there are none, those of the whole file.
        stand_in: Which of the two stands in for the other, if any.
        turns: Of 2020, the number of the turn, from 1, that each utterance is part of; else empty.
        disagreements: The things on which its name and its contents disagree.
    """

    name: MemberName
    generation: Generation
    region: Region | None
    speech_type: str | None
    script: str | None
    speakers: set[str]
    whole: Texts
    sentences: list[Texts]
    stand_in: Literal["whole_only", "sentences_only"] | None
    turns: list[int]
    disagreements: list[str]


def contents_of(label: LabelFile, path: str) -> Contents:
    """Return the contents of *label*, a member of its archive at *path*."""
    return _of_2022(label, path) if isinstance(label, label2022.LabelFile) else _of_2020(label, path)


def _of_2022(label: label2022.LabelFile, path: str) -> Contents:
    name = parse_member(path, label.file_name if isinstance(label.file_name, str) else None)
    text = label.transcription or label2022.Transcription()
    spoken: list[Texts] = []
    identifiers: set[Identifier] = set()
    for sentence in text.sentences or ():
        if sentence is None:
            spoken.append((None, None, None))
        else:
            spoken.append((sentence.pronunciation, sentence.dialect, sentence.standard))
            identifiers.add(sentence.speaker_id)
    for speaker in label.speaker or ():
        if speaker is not None:
            identifiers.add(speaker.speaker_id)
    speakers = _named(identifiers)
    disagreements = [] if _same_name(path, label.file_name) else ["file_name"]
    number = _script_number(label.script)
    if name.prompt is not None and number is not None and number != str(name.prompt):
        disagreements.append("prompt")
    if speakers and not speakers.issuperset(name.speakers):
        disagreements.append("speaker")
    speakers.update(name.speakers)
    whole = (text.pronunciation, text.dialect, text.standard)
    stand_in: Literal["whole_only", "sentences_only"] | None = None
    if not spoken:
        spoken, stand_in = [whole], "whole_only"
    elif (
        not _has_text(text.standard)
        and not any(map(_has_text, whole))
        and any(_has_text(text) for texts in spoken for text in texts)
    ):
        whole, stand_in = _joined(spoken), "sentences_only"
    return Contents(
        name,
        Generation.OF_2022,
        _home(label),
        _elicited(label),
        _script(name, number),
        speakers,
        whole,
        spoken,
        stand_in,
        [],
        disagreements,
    )


def _of_2020(label: label2020.LabelFile, path: str) -> Contents:
    """Return the contents of a label file of 2020; ids of speakers are those of the file only, so its name is part of them."""
    utterances = [utterance or label2020.Utterance() for utterance in label.utterance or []]
    identifiers = [speaker.id for speaker in label.speaker or [] if speaker is not None]
    speakers = _named(identifiers + [utterance.speaker_id for utterance in utterances])
    category = label.metadata.category if label.metadata is not None else None
    name = parse_member(path, label.id if isinstance(label.id, str) else None)
    conversation = name.conversation or _in_one_line(normalize("NFC", _stem(path)))
    return Contents(
        name,
        Generation.OF_2020,
        region_in(category) if isinstance(category, str) else None,
        "dialogue",
        None,
        {f"{conversation}{WITHIN}{speaker}" for speaker in speakers},
        (None, None, None),
        # There is no pronunciation: the dialect spelling is the source of a pair, whatever `--source` is.
        [(None, utterance.dialect_form, utterance.standard_form) for utterance in utterances],
        None,
        list(_turns(utterances)),
        [] if _same_name(path, label.id) else ["file_name"],
    )


def _has_text(text: str | None) -> bool:
    return text is not None and text != "" and not text.isspace()


def _joined(spoken: Sequence[Texts]) -> Texts:
    """Return the texts of a whole file of those of its sentences; None where one has none, so that the spellings stay level."""
    pronunciation, dialect, standard = (
        " ".join(text or "" for text in texts) if all(map(_has_text, texts)) else None
        for texts in zip(*spoken, strict=True)
    )
    return pronunciation, dialect, standard


def _turns(utterances: Iterable[label2020.Utterance]) -> Iterable[int]:
    """
    Yield the number of the turn of each utterance.

    A turn is what one person says before another does, or before it grows over `TURN_CHARACTERS`; two utterances
    without a speaker may be of two people.
    """
    number = characters = 0
    speaker: Identifier = None
    for utterance in utterances:
        length = len(utterance.dialect_form or "")
        goes_on = utterance.speaker_id == speaker and speaker not in (None, "")
        if goes_on and characters + 1 + length <= TURN_CHARACTERS:  # a blank between the two
            characters += 1 + length
        else:
            number, characters = number + 1, length
        speaker = utterance.speaker_id
        yield number


def _home(label: label2022.LabelFile) -> Region | None:
    """Return the region of the first speaker who has one."""
    for speaker in label.speaker or []:
        province = speaker.residence_province if speaker is not None else None
        if isinstance(province, str) and province in CODES:
            return CODES[province]
    return None


def _elicited(label: label2022.LabelFile) -> str | None:
    """Return `read` or `speak`, the only speech types in a document."""
    value = label.script.speech_type if label.script is not None else None
    speech_type = value.lower() if isinstance(value, str) else None
    return speech_type if speech_type in ("read", "speak") else None


def _script(name: MemberName, number: str | None) -> str | None:
    """Return the set and the prompt in *name*, else the *number* of a script whose set is not known."""
    if name.prompt is not None and name.script_set is not None:
        return f"{name.script_set}:{name.prompt}"
    return None if number is None else f"{ANY_SET}:{number}"


def _script_number(script: label2022.Script | None) -> str | None:
    """Return the number of *script* as a file name has it, without zeros in front."""
    if script is None or script.script_id is None:
        return None
    number = _as_text(script.script_id)
    return (number.lstrip("0") or "0") if number.isdecimal() else number or None


def _named(identifiers: Iterable[Identifier]) -> set[str]:
    names = set()
    for identifier in identifiers:
        if isinstance(identifier, str) and identifier.isalnum():  # the rule, and this is called for every label file
            names.add(identifier)
        elif identifier is not None and (name := _as_text(identifier)):
            names.add(name)
    return names


def _same_name(path: str, name: Identifier) -> bool:
    """Whether the file at *path* is called *name*, as its document says; True where that says nothing."""
    if not isinstance(name, str):
        return True
    stem = _stem(path)
    # Equal bytes are the rule; normalising every name would cost more than decoding it.
    return stem == name or normalize("NFC", stem) == normalize("NFC", name).removesuffix(".json")


def _stem(path: str) -> str:
    return base_name(path)[:-5]


def _as_text(identifier: Identifier) -> str:
    """Return an identifier as text, the same for `7`, `7.0` and `"7"`."""
    if isinstance(identifier, str):
        return _in_one_line(identifier)
    return str(int(identifier)) if isinstance(identifier, float) and identifier.is_integer() else str(identifier)


def _in_one_line(text: str) -> str:
    """Return *text* without white space at its ends, and each run of it, line ends and separators included, as a blank."""
    return text if text.isalnum() else " ".join(text.split())
