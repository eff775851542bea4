"""Groups that a build leaves out as a whole."""

from etl.corpus.groups import Group
from etl.settings.options import BuildOptions
from schemas.terms import DropReason


def exclusion_of(group: Group, options: BuildOptions) -> DropReason | None:
    """Return the reason why *group* is left out as a whole, or None where it is kept."""
    if group.region not in options.region:
        return DropReason.REGION_EXCLUDED
    if group.speech_type not in options.speech_type:
        return DropReason.SPEECH_TYPE_EXCLUDED
    return None
