"""
Closed fields of label files of both generations: fields with a handful of values, which `inspect` counts.

Every value is accepted, since the inspection is to show which ones occur; texts and identifiers are not among them.
"""

from typing import Any

from msgspec import Struct

from saturi.schemas.terms import Generation

CLOSED_FIELDS = {
    Generation.OF_2022: (
        "speaker[].gender",
        "speaker[].residenceProvince",
        "speaker[].academicBackground",
        "speaker[].healthCondition",
        "collector.residenceProvince",
        "script.domain",
        "script.speechType",
        "audio.bitsPerSample",
        "audio.samplingFrequency",
        "audio.channel",
        "transcription.segments[].voiceType",
        "stt.recognizer",
    ),
    Generation.OF_2020: (
        "metadata.category",
        "metadata.topic",
        "setting.relation",
        "speaker[].age",
        "speaker[].sex",
        "speaker[].birthplace",
    ),
}
"""The closed fields of a generation, as paths; `[]` stands for every element of a list."""


class Transcription(Struct, gc=False):
    """The words of the transcription, and nothing else of it."""

    segments: Any = None


class Particulars2022(Struct, gc=False):
    """The parts of a label file of 2022 that hold closed fields."""

    speaker: Any = None
    collector: Any = None
    script: Any = None
    audio: Any = None
    stt: Any = None
    transcription: Transcription | None = None


class Particulars2020(Struct, gc=False):
    """The parts of a label file of 2020 that hold closed fields."""

    metadata: Any = None
    setting: Any = None
    speaker: Any = None
