"""The differences between two finished builds: options, archives, counts, and pairs by label file and sentence."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from saturi.etl.output.finished import FinishedBuild
from saturi.etl.settings.checks import whole_number
from saturi.etl.storage.location import Location
from saturi.schemas.pairs import BuildDiff, ChangedValue

_MOST_LISTED = 1_000


def diff(first: str | Location, second: str | Location, count: int = 5) -> BuildDiff:
    """
    Return the differences between the builds in *first* and *second*.

    Pairs are compared a part at a time; what is held of all of them is 12 bytes an example and the packed lineage. Chunks are
    read, and so verified.

    Args:
        first, second: Folders of finished builds, or their URLs.
        count: Most pairs of each kind to list.

    Raises:
        OptionError: *count* is out of its range.
        BuildError: There is no finished build, or it is damaged.
    """
    whole_number("count", count, 0, _MOST_LISTED)
    builds = FinishedBuild.open(first), FinishedBuild.open(second)
    one, other = (build.manifest for build in builds)
    if builds[0].manifest_sha256 == builds[1].manifest_sha256:
        return BuildDiff(equal=True)
    pairs = None
    if all(build.has_lineage for build in builds):
        from saturi.etl.pairs.changes import pair_changes  # noqa: PLC0415 - loads Polars, which equal builds need not

        pairs = pair_changes(*builds, count)
    fingerprints = ({row.archive: row.fingerprint for row in manifest.corpus} for manifest in (one, other))
    return BuildDiff(
        equal=False,
        options=_changed(one.options, other.options),
        archives=_changed(*fingerprints),
        counts=_changed(msgspec.to_builtins(one.counts), msgspec.to_builtins(other.counts), missing=0),
        pairs=pairs,
    )


def _changed(first: Mapping[str, Any], second: Mapping[str, Any], missing: object = None) -> list[ChangedValue]:
    """Return the leaves that differ, by their path with dots between its names."""
    old, new = dict(_leaves(first)), dict(_leaves(second))
    return [
        ChangedValue(name=name, first=old.get(name, missing), second=new.get(name, missing))
        for name in dict.fromkeys((*old, *new))
        if old.get(name, missing) != new.get(name, missing)
    ]


def _leaves(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
