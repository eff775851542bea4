"""
How many utterances of each stratum may stay, so that regions are balanced and a sample has the size asked for.

Arithmetic on counts; which utterances stay is decided by their hashes elsewhere. A stratum is a split of a region and
speech type. Its quotas depend on what the other strata hold, the order of its utterances does not.
"""

from collections.abc import Hashable, Mapping
from typing import NamedTuple, TypeVar

from etl.corpus.groups import Group, section_of
from etl.settings.options import BuildOptions, parse_balance
from schemas.terms import Dimension, Region, SpeechType, Split

Name = TypeVar("Name", bound=Hashable)

_UNKNOWN = {Region.UNKNOWN, SpeechType.UNKNOWN}


class Stratum(NamedTuple):
    """The utterances of one split, region and speech type."""

    split: Split
    group: Group


class Quota(NamedTuple):
    """How many utterances of a stratum are left when it is balanced, and how many of these are sampled."""

    balanced: int
    sampled: int


def quotas(counts: Mapping[Stratum, int], options: BuildOptions) -> dict[Stratum, Quota]:
    """
    Return the quota of each stratum.

    Args:
        counts: How many utterances of each stratum are left by all rules before.
        options: `balance`, `sample_per_shard`, `sample` and `shard_by`.
    """
    balanced = _balanced(counts, options)
    sampled = dict(balanced)
    if options.sample_per_shard is not None:
        shards = {stratum: (stratum.split, section_of(stratum.group, options.shard_by)) for stratum in sampled}
        sampled = _at_most(sampled, shards, dict.fromkeys(shards.values(), options.sample_per_shard))
    if options.sample is not None:
        sampled = _at_most(sampled, dict.fromkeys(sampled, ""), {"": options.sample})
    return {stratum: Quota(balanced[stratum], sampled[stratum]) for stratum in counts}


def apportion(total: int, counts: Mapping[Name, int]) -> dict[Name, int]:
    """
    Return how *total* is shared out in proportion to *counts*, by largest remainder; equal ones in the order of *counts*.

    Args:
        total: Not over the sum of *counts*, so that no share is over its count.
    """
    whole = sum(counts.values())
    if whole == 0:
        return dict(counts)
    shares = {name: total * count // whole for name, count in counts.items()}
    by_remainder = sorted(counts, key=lambda name: -(total * counts[name] % whole))
    for name in by_remainder[: total - sum(shares.values())]:
        shares[name] += 1
    return shares


def _balanced(counts: Mapping[Stratum, int], options: BuildOptions) -> dict[Stratum, int]:
    """Return *counts* where in each split no region, or no speech type, has more than the smallest, or than the number given."""
    if options.balance is None:
        return dict(counts)
    dimension, most = parse_balance(options.balance)
    names = {stratum: (stratum.split, _name(stratum.group, dimension)) for stratum in counts}
    caps: dict[tuple[Split, str], int] = {}
    for split in Split:
        # What is unknown is no region of its own: a handful of files must not cut all others down.
        known = {name: n for name, n in _sums(counts, names).items() if name[0] == split}
        smallest = min((n for (_, name), n in known.items() if n and name not in _UNKNOWN), default=None)
        cap = most if most is not None else smallest
        caps |= {name: n if cap is None else cap for name, n in known.items()}
    return _at_most(counts, names, caps)


def _name(group: Group, dimension: Dimension) -> str:
    return group.region if dimension is Dimension.REGION else group.speech_type


def _at_most(
    counts: Mapping[Stratum, int], names: Mapping[Stratum, Name], caps: Mapping[Name, int]
) -> dict[Stratum, int]:
    """Return *counts* where those of one name sum up to no more than its cap; each loses its share."""
    left = dict(counts)
    for name, whole in _sums(counts, names).items():
        if whole > caps[name]:
            left |= apportion(caps[name], {stratum: n for stratum, n in counts.items() if names[stratum] == name})
    return left


def _sums(counts: Mapping[Stratum, int], names: Mapping[Stratum, Name]) -> dict[Name, int]:
    sums: dict[Name, int] = {}
    for stratum, number in counts.items():
        sums[names[stratum]] = sums.get(names[stratum], 0) + number
    return sums
