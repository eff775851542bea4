"""Notes on a corpus for its owner before a build, one sentence each."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from saturi.etl.output.printable import counted
from saturi.schemas.inspection import InspectedArchive, InspectedGroup
from saturi.schemas.terms import Region, SpeechType

_VINTAGE = re.compile(r"\(?비식별화(?:완료)?\)?|[\s_]+")


def warnings_of(
    archives: Sequence[InspectedArchive], groups: Sequence[InspectedGroup], total: InspectedGroup
) -> list[str]:
    """Return the warnings, archives first."""
    return [*_archives(archives), *_vintages(archives), *_contents(groups, total)]


def _archives(archives: Sequence[InspectedArchive]) -> Iterator[str]:
    for archive in archives:
        if archive.problem:
            yield f"{archive.archive}: nothing of it was looked at, {archive.problem}"
        if len(archive.generations) > 1:
            generations = " and ".join(f"{number:,} of {year}" for year, number in archive.generations.items())
            yield f"{archive.archive}: label files of both generations, {generations}"
        rejected = sum(archive.rejected.values())
        if rejected * 20 > archive.inspected:  # the share at which a build complains by default
            yield f"{archive.archive}: {rejected:,} of {counted(archive.inspected, 'label file')} cannot be read"


def _vintages(archives: Sequence[InspectedArchive]) -> Iterator[str]:
    """Yield a warning where deliveries from before and after de-identification are mixed."""
    alike: dict[str, list[InspectedArchive]] = defaultdict(list)
    for archive in archives:
        alike[_VINTAGE.sub("", archive.archive.rpartition("/")[2])].append(archive)
    for twins in alike.values():
        if len({twin.deidentified for twin in twins}) > 1:
            names = " and ".join(twin.archive for twin in twins)
            yield f"{names}: one delivery before and one after names were taken out; remove the earlier one"
    for region in Region:
        vintages = {archive.deidentified for archive in archives if archive.region == region and not archive.problem}
        generations = {year for archive in archives if archive.region == region for year in archive.generations}
        if len(vintages) > 1 and len(generations) == 1:
            yield f"{region}: mixed vintages, some archives say that they are de-identified and others do not"


def _contents(groups: Sequence[InspectedGroup], total: InspectedGroup) -> Iterator[str]:
    unknown = sum(
        sum(group.files.values())
        for group in groups
        if group.region == Region.UNKNOWN or group.speech_type == SpeechType.UNKNOWN
    )
    if unknown:
        yield f"{counted(unknown, 'label file')} without a region or a speech type"
    if total.speakers_on_both_sides:
        yield (
            f"{counted(total.speakers_on_both_sides, 'speaker')} both in AI-Hub's training and in its validation archives: "
            "--validation official would leak"
        )
