"""Tasks and results of selection, as they travel between processes."""

from typing import NamedTuple

from msgspec import Struct

from etl.corpus.groups import Group, SegmentSource
from etl.settings.options import BuildOptions


class JudgeTask(Struct, frozen=True):
    """A group, the segments that hold some of it, and the folder for its decisions."""

    group: Group
    sources: tuple[SegmentSource, ...]
    options: BuildOptions
    decisions: str


class CompareTask(Struct, frozen=True):
    """The groups of a section, whose utterances are compared with each other, and the folder of the decisions."""

    groups: tuple[Group, ...]
    options: BuildOptions
    decisions: str


class LimitTask(Struct, frozen=True):
    """The groups of a section, of which utterances are counted, and the folder of the decisions."""

    groups: tuple[Group, ...]
    options: BuildOptions
    decisions: str


class ShareTask(Struct, frozen=True):
    """The groups of all sections, and the folder of the decisions."""

    groups: tuple[Group, ...]
    decisions: str


class Shared(NamedTuple):
    """How many different speakers, scripts and texts both sides have, and how many validation examples such a text."""

    speakers: int
    scripts: int
    texts: int
    validation_in_training: int
