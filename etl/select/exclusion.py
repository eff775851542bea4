"""Groups that a build leaves out as a whole."""

from collections.abc import Container

from saturi.etl.corpus.groups import Group
from saturi.schemas.terms import DropReason, Region, SpeechType


def exclusion_of(group: Group, regions: Container[Region], speech_types: Container[SpeechType]) -> DropReason | None:
    """Return the reason why *group* is left out where only *regions* and *speech_types* are kept, or None where it is kept."""
    if group.region not in regions:
        return DropReason.REGION_EXCLUDED
    if group.speech_type not in speech_types:
        return DropReason.SPEECH_TYPE_EXCLUDED
    return None
