"""
Label files of both generations as far as their closed fields go: those with a handful of values, which `inspect` counts.

Whatever is in them is taken as it is, since to find out is the point; texts and identifiers are not among them.
"""

from typing import Any

from msgspec import Struct

from schemas.terms import Generation

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
    """Of the transcription only its words."""

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
