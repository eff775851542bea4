"""Tasks and results of selection, as they travel between processes; the decisions themselves lie in files of one folder."""

from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from saturi.etl.corpus.groups import Group, SegmentSource
from saturi.etl.select.quotas import Quota, Stratum
from saturi.etl.settings.options import BuildOptions


class Step(StrEnum):
    """The steps of selection after which decisions are on disk."""

    JUDGED = "judged"
    COMPARED = "compared"
    LIMITED = "limited"
    SAMPLED = "sampled"


class Stretch(Struct, frozen=True, order=True):
    """Consecutive segments of a group, of so many utterances that a task with each of them is a short one."""

    group: Group
    number: int

    def __str__(self) -> str:
        return f"{self.group}-{self.number:05d}"


class JudgeTask(Struct, frozen=True):
    """A stretch, the segments that hold it, and the folder for its decisions."""

    stretch: Stretch
    sources: tuple[SegmentSource, ...]
    options: BuildOptions
    decisions: str


class CompareTask(Struct, frozen=True):
    """The stretches of a section, whose utterances are compared with each other, and the folder of the decisions."""

    stretches: tuple[Stretch, ...]
    options: BuildOptions
    decisions: str


class ShareTask(Struct, frozen=True):
    """The stretches of all sections, the last step of the decisions on them, and their folder."""

    stretches: tuple[Stretch, ...]
    step: Step
    decisions: str


class LimitTask(Struct, frozen=True, kw_only=True):
    """
    The stretches of a section, of which utterances are counted, and the folder of the decisions.

    `apart` says that no text of train may be in validation.
    """

    stretches: tuple[Stretch, ...]
    apart: bool
    max_per_script: int | None
    max_per_speaker: int | None
    decisions: str


class SampleTask(Struct, frozen=True):
    """The stretches of a section, the quotas of their strata, and the folder of the decisions."""

    stretches: tuple[Stretch, ...]
    quotas: dict[Stratum, Quota]
    decisions: str


class Shared(NamedTuple):
    """Numbers of speakers, scripts and texts in both splits, and of validation examples with such a text."""

    speakers: int
    scripts: int
    texts: int
    validation_in_training: int
