"""Region and speech type of a pair, also where shards are not apart by them."""

from saturi.etl.corpus.groups import ALL
from saturi.etl.corpus.names import parse_member
from saturi.etl.output.finished import FinishedBuild
from saturi.schemas.manifest import ArchiveRow
from saturi.schemas.terms import Region, SpeechType


class Places:
    """
    Facts of pairs by the names of their label files and archives.

    Args:
        build: The build they are of.
    """

    def __init__(self, build: FinishedBuild) -> None:
        self._archives: dict[str, ArchiveRow] = {row.archive: row for row in build.manifest.corpus}

    def region(self, shard: str, archive: str, member: str) -> str:
        """Return *shard*, the region of the shard, or what the names say where that is all regions; `unknown` if nothing."""
        if shard != ALL:
            return shard
        known = parse_member(member).region or self._archives[archive].region
        return known or Region.UNKNOWN.value

    def speech_type(self, shard: str, archive: str, member: str) -> str:
        """Return *shard*, the speech type of the shard, or what the names say where that is all of them, as for `region`."""
        if shard != ALL:
            return shard
        known = parse_member(member).speech_type or self._archives[archive].speech_type
        return known or SpeechType.UNKNOWN.value


def script_of(member: str) -> str | None:
    """Return set and prompt of the script, question or topic in the name of a label file, as `1:25`; None where it has none."""
    name = parse_member(member)
    return None if name.script_set is None or name.prompt is None else f"{name.script_set}:{name.prompt}"
