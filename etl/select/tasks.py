"""Tasks and results of selection, as they travel between processes; the decisions themselves lie in files of one folder."""

from typing import NamedTuple

from msgspec import Struct

from saturi.etl.corpus.groups import Group, SegmentSource
from saturi.etl.select.quotas import Quota, Stratum
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import Conflicts, Dedup


class JudgeTask(Struct, frozen=True):
    """A group, the segments that hold some of it, and the folder for its decisions."""

    group: Group
    sources: tuple[SegmentSource, ...]
    options: BuildOptions
    decisions: str


class CompareTask(Struct, frozen=True):
    """The groups of a section, whose utterances are compared with each other, and the folder of the decisions."""

    groups: tuple[Group, ...]
    conflicts: Conflicts
    dedup: Dedup
    decisions: str


class ShareTask(Struct, frozen=True):
    """The groups of all sections, and the folder of the decisions."""

    groups: tuple[Group, ...]
    decisions: str


class LimitTask(Struct, frozen=True, kw_only=True):
    """
    The groups of a section, of which utterances are counted, and the folder of the decisions.

    `apart` says that no text of train may be in validation.
    """

    groups: tuple[Group, ...]
    apart: bool
    max_per_script: int | None
    max_per_speaker: int | None
    decisions: str


class SampleTask(Struct, frozen=True):
    """The groups of a section, the quotas of their strata, and the folder of the decisions."""

    groups: tuple[Group, ...]
    quotas: dict[Stratum, Quota]
    decisions: str


class Shared(NamedTuple):
    """Numbers of speakers, scripts and texts in both splits, and of validation examples with such a text."""

    speakers: int
    scripts: int
    texts: int
    validation_in_training: int
