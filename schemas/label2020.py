"""
Label files of the 2020 generation ("한국어 방언 발화", AI-Hub 118 to 122): only the fields that are used.

Each is a conversation of some 350 utterances. As in `saturi.schemas.label2022`, unknown fields are skipped, and any field may
be missing or null; `OddLabelFile` is for documents in which something else is there instead.
"""

from msgspec import Raw, Struct


class Speaker(Struct, gc=False):
    """A speaker of the recording; the id is a number within the file."""

    id: int | float | str | None = None


class Metadata(Struct, gc=False):
    """Facts of the conversation; the category is a path like "경상방언 > 사적 대화 > 일상 대화"."""

    category: int | float | str | None = None


class Utterance(Struct, gc=False):
    """One utterance in dialect orthography and in standard Korean."""

    dialect_form: str | None = None
    standard_form: str | None = None
    speaker_id: int | float | str | None = None


class LabelFile(Struct, gc=False):
    """One JSON document of the label archives."""

    utterance: list[Utterance | None] | None = None
    id: int | float | str | None = None
    speaker: list[Speaker | None] | None = None
    metadata: Metadata | None = None


class OddUtterance(Struct, gc=False):
    """An utterance of `OddLabelFile`."""

    dialect_form: str | None = None
    standard_form: str | None = None
    speaker_id: Raw = Raw()


class OddLabelFile(Struct, gc=False):
    """A label file of which all but the texts is still to be looked at."""

    utterance: list[OddUtterance | None] | None = None
    id: Raw = Raw()
    speaker: Raw = Raw()
    metadata: Raw = Raw()
