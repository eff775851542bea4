"""What pairs to show have in common."""

from collections.abc import Collection, Iterable

from msgspec import Struct

from saturi.etl.corpus.groups import ALL
from saturi.schemas.manifest import ChunkRow
from saturi.schemas.terms import Region, SpeechType


class Wanted(Struct, frozen=True, kw_only=True):
    """
    Regions, speech types and splits of pairs.

    Args:
        regions, speech_types, splits: Values of which a pair has to have one each.
    """

    regions: Collection[str]
    speech_types: Collection[str]
    splits: Collection[str]

    def may_have(self, chunk: ChunkRow) -> bool:
        """Whether pairs of *chunk* may be wanted."""
        return (
            chunk.split in self.splits
            and chunk.region in (*self.regions, ALL)
            and chunk.speech_type in (*self.speech_types, ALL)
        )

    def is_narrower(self, chunks: Iterable[ChunkRow]) -> bool:
        """Whether *chunks* also hold pairs that are not wanted, since they are not apart by region, or by speech type."""
        every_region, every_type = len(self.regions) == len(Region), len(self.speech_types) == len(SpeechType)
        return any(
            (row.region == ALL and not every_region) or (row.speech_type == ALL and not every_type) for row in chunks
        )
