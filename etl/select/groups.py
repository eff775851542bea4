"""Where label files belong: region and speech type, settled from all that tells something of them."""

from msgspec import Struct

from etl.read.names import Hints
from schemas.segment import Kind
from schemas.terms import Region, SpeechType

ELICITED = {"read": SpeechType.REPEAT, "dialogue": SpeechType.DIALOGUE}
"""The speech type by what the contents of a label file say of it; `speak` may be an answer or a dialogue."""


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
    told = kind.speech_type or hints.speech_type or ELICITED.get(kind.label_speech_type or "")
    return Group(
        Region(kind.region or hints.region or kind.label_region or Region.UNKNOWN),
        SpeechType(told or SpeechType.UNKNOWN),
    )
