"""
Label files of the 2022 generation ("중·노년층 한국어 방언 데이터", AI-Hub 71517 and 71558): only the fields that are used.

Unknown fields are skipped by the decoder, and any field may be missing or null: the data sets differ from their
description in many places. Identifiers are numbers, strings or null.

`OddLabelFile` is the same with everything but texts undecoded, for documents in which something else is there instead.
"""

from msgspec import Raw, Struct


class Speaker(Struct, gc=False, rename="camel"):
    """A speaker of the recording."""

    speaker_id: int | float | str | None = None
    residence_province: int | float | str | None = None


class Script(Struct, gc=False, rename="camel"):
    """The text to read, or the topic to talk about."""

    script_id: int | float | str | None = None
    speech_type: int | float | str | None = None


class Sentence(Struct, gc=False, rename="camel"):
    """One sentence in three transcriptions: phonetic, in dialect orthography, and in standard Korean."""

    dialect: str | None = None
    pronunciation: str | None = None
    standard: str | None = None
    speaker_id: int | float | str | None = None


class Transcription(Struct, gc=False, rename="camel"):
    """The whole recording in three transcriptions, and its sentences."""

    sentences: list[Sentence | None] | None = None
    dialect: str | None = None
    pronunciation: str | None = None
    standard: str | None = None


class LabelFile(Struct, gc=False, rename="camel"):
    """One JSON document of the label archives."""

    transcription: Transcription | None = None
    file_name: int | float | str | None = None
    speaker: list[Speaker | None] | None = None
    script: Script | None = None


class OddSentence(Struct, gc=False, rename="camel"):
    """A sentence of `OddLabelFile`."""

    dialect: str | None = None
    pronunciation: str | None = None
    standard: str | None = None
    speaker_id: Raw = Raw()


class OddTranscription(Struct, gc=False, rename="camel"):
    """The transcription of `OddLabelFile`."""

    sentences: list[OddSentence | None] | None = None
    dialect: str | None = None
    pronunciation: str | None = None
    standard: str | None = None


class OddLabelFile(Struct, gc=False, rename="camel"):
    """A label file of which all but the texts is still to be looked at."""

    transcription: OddTranscription | None = None
    file_name: Raw = Raw()
    speaker: Raw = Raw()
    script: Raw = Raw()
