"""
Label files whose fields beside the texts have other types than described: an object for a list, a text for an object.

The texts are kept, and so is what can be understood of the rest: names and identifiers. Everything else counts as missing.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from saturi.schemas import label2020, label2022

_LARGEST_BYTES = 1 << 16  # of such a field; a real one has some hundred, and decoded it would take many times its size

LabelFile = label2022.LabelFile | label2020.LabelFile
OddLabelFile = label2022.OddLabelFile | label2020.OddLabelFile
Identifier = int | float | str | None


def label_of(odd: OddLabelFile) -> LabelFile:
    """Return *odd* as the label file it should have been."""
    return _of_2022(odd) if isinstance(odd, label2022.OddLabelFile) else _of_2020(odd)


def _of_2022(odd: label2022.OddLabelFile) -> label2022.LabelFile:
    transcription = None
    if odd.transcription is not None:
        text = odd.transcription
        sentences = None if text.sentences is None else [_sentence(sentence) for sentence in text.sentences]
        transcription = label2022.Transcription(sentences, text.dialect, text.pronunciation, text.standard)
    speakers: list[label2022.Speaker | None] = [
        label2022.Speaker(_identifier(one.get("speakerId")), _identifier(one.get("residenceProvince")))
        for one in _objects(odd.speaker, "speakerId")
    ]
    scripts = [
        label2022.Script(_identifier(one.get("scriptId")), _identifier(one.get("speechType")))
        for one in _objects(odd.script, None)
    ]
    return label2022.LabelFile(
        transcription, _identifier(_value(odd.file_name)), speakers, scripts[0] if scripts else None
    )


def _sentence(odd: label2022.OddSentence | None) -> label2022.Sentence | None:
    if odd is None:
        return None
    return label2022.Sentence(odd.dialect, odd.pronunciation, odd.standard, _identifier(_value(odd.speaker_id)))


def _of_2020(odd: label2020.OddLabelFile) -> label2020.LabelFile:
    utterances = None if odd.utterance is None else [_utterance(utterance) for utterance in odd.utterance]
    speakers: list[label2020.Speaker | None] = [
        label2020.Speaker(_identifier(one.get("id"))) for one in _objects(odd.speaker, "id")
    ]
    metadata = [label2020.Metadata(_identifier(one.get("category"))) for one in _objects(odd.metadata, "category")]
    return label2020.LabelFile(utterances, _identifier(_value(odd.id)), speakers, metadata[0] if metadata else None)


def _utterance(odd: label2020.OddUtterance | None) -> label2020.Utterance | None:
    if odd is None:
        return None
    return label2020.Utterance(odd.dialect_form, odd.standard_form, _identifier(_value(odd.speaker_id)))


def _objects(field: msgspec.Raw, bare: str | None) -> Iterator[dict[str, Any]]:
    """Yield the objects in *field*, a list of them or one alone; a text or a number among them is one with the key *bare*."""
    value = _value(field)
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield one
        elif bare is not None and _identifier(one) is not None:
            yield {bare: one}


def _identifier(value: Any) -> Identifier:
    """Return *value* if it can be an identifier, else None; any JSON value, since what is there is the question."""
    return value if isinstance(value, int | float | str) and not isinstance(value, bool) else None


def _value(field: msgspec.Raw) -> Any:
    """Return the value of *field*, any JSON value; None where it is missing, or too large to mean anything."""
    content = bytes(field)
    if not content or len(content) > _LARGEST_BYTES:
        return None
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
