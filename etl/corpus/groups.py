"""Groups of label files, by their names, archives and contents, and the sections that share shards."""

from collections.abc import Container

from msgspec import Struct

from saturi.etl.corpus.names import Hints
from saturi.schemas.segment import Kind
from saturi.schemas.terms import Dimension, Region, SpeechType

ALL = "all"
"""Stands for the region, or the speech type, where shards are not apart by it."""

ELICITED = {"read": SpeechType.REPEAT, "dialogue": SpeechType.DIALOGUE}
"""The speech type by what the contents of a label file say of it; `speak` may be an answer or a dialogue."""


class Group(Struct, frozen=True, order=True):
    """One region and speech type."""

    region: Region
    speech_type: SpeechType

    def __str__(self) -> str:
        return f"{self.region}-{self.speech_type}"


class Section(Struct, frozen=True, order=True):
    """The groups that share their shards, which are made together for both splits: a region and a speech type, or `ALL`."""

    region: str
    speech_type: str

    def __str__(self) -> str:
        return f"{self.region}-{self.speech_type}"


class SegmentSource(Struct, frozen=True):
    """A segment of the stage, the archive it is from, and the hints in that archive's name."""

    path: str
    archive: str
    hints: Hints


def group_of(kind: Kind, hints: Hints) -> Group:
    """Return the group of label files of *kind*: by their names, else the archive's, else their contents."""
    speech_type = kind.speech_type or hints.speech_type or ELICITED.get(kind.label_speech_type or "")
    return Group(
        Region(kind.region or hints.region or kind.label_region or Region.UNKNOWN),
        SpeechType(speech_type or SpeechType.UNKNOWN),
    )


def disagreements_of(kind: Kind, hints: Hints) -> list[str]:
    """Return the things on which the names of label files of *kind*, their archive's name and their contents disagree."""
    things = []
    if len({kind.region, hints.region, kind.label_region} - {None}) > 1:
        things.append("region")
    by_name = kind.speech_type or hints.speech_type
    read_aloud = kind.label_speech_type == "read"
    if len({kind.speech_type, hints.speech_type} - {None}) > 1 or (
        kind.label_speech_type is not None and by_name is not None and read_aloud != (by_name == SpeechType.REPEAT)
    ):
        things.append("speech_type")
    if len({kind.split, hints.split} - {None}) > 1:
        things.append("split")
    return things


def section_of(group: Group, shard_by: Container[Dimension]) -> Section:
    """Return the section whose shards hold the utterances of *group*, where shards are apart by *shard_by*."""
    return Section(
        group.region.value if Dimension.REGION in shard_by else ALL,
        group.speech_type.value if Dimension.SPEECH_TYPE in shard_by else ALL,
    )
