"""Where label files belong: region and speech type, settled from all that tells something of them."""

from msgspec import Struct

from etl.read.names import Hints
from schemas.segment import Kind
from schemas.terms import Region, SpeechType


class Group(Struct, frozen=True, order=True):
    """One region and speech type: the shards of both splits, which are made together."""

    region: Region
    speech_type: SpeechType

    def __str__(self) -> str:
        return f"{self.region}-{self.speech_type}"


class SegmentSource(Struct, frozen=True):
    """A segment of the stage, the archive it is from, and what that archive's name tells."""

    path: str
    archive: str
    hints: Hints


def group_of(kind: Kind, hints: Hints) -> Group:
    """Return where label files of *kind* belong: their names decide, then the archive's, then their contents."""
    told = kind.speech_type or hints.speech_type or (SpeechType.REPEAT if kind.label_speech_type == "read" else None)
    return Group(
        Region(kind.region or hints.region or kind.label_region or Region.UNKNOWN),
        SpeechType(told or SpeechType.UNKNOWN),
    )
