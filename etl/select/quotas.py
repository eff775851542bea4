"""
Quotas: how many utterances of each stratum may stay, so that regions are balanced and a sample has the size asked for.

Arithmetic on counts; which utterances stay is decided by their hashes elsewhere. A stratum is the part of a group that is
in one split. Its quotas depend on what the other strata hold, the order of its utterances does not.
"""

from collections.abc import Hashable, Mapping
from typing import NamedTuple, TypeVar

from saturi.etl.corpus.groups import Group, section_of
from saturi.etl.settings.options import Balance, BuildOptions, parse_balance
from saturi.schemas.terms import Dimension, Region, SpeechType, Split

Name = TypeVar("Name", bound=Hashable)

_UNKNOWN = {Region.UNKNOWN, SpeechType.UNKNOWN}


class SampleSizes(NamedTuple):
    """
    Sizes to which a build is reduced.

    Args:
        balance: What is cut down to the same size in each split, or None.
        per_shard: Most examples of a shard, or None.
        whole: Most examples of the build, or None.
        shard_by: What shards are apart by beside the split.
    """

    balance: Balance | None
    per_shard: int | None
    whole: int | None
    shard_by: tuple[Dimension, ...]

    @classmethod
    def of(cls, options: BuildOptions) -> "SampleSizes":
        """Return the sizes in *options*."""
        balance = None if options.balance is None else parse_balance(options.balance)
        return cls(balance, options.sample_per_shard, options.sample, options.shard_by)


class Stratum(NamedTuple):
    """The utterances of a group that are in one split."""

    split: Split
    group: Group


class Quota(NamedTuple):
    """Numbers of utterances of a stratum after balancing, and after sampling of these."""

    balanced: int
    sampled: int


def quotas(counts: Mapping[Stratum, int], sizes: SampleSizes) -> dict[Stratum, Quota]:
    """
    Return the quota of each stratum.

    Args:
        counts: How many utterances of each stratum are left by all rules before.
        sizes: How much may stay.
    """
    balanced = _balanced(counts, sizes.balance) if sizes.balance is not None else dict(counts)
    sampled = dict(balanced)
    if sizes.per_shard is not None:
        shards = {stratum: (stratum.split, section_of(stratum.group, sizes.shard_by)) for stratum in sampled}
        sampled = _at_most(sampled, shards, dict.fromkeys(shards.values(), sizes.per_shard))
    if sizes.whole is not None:
        sampled = _at_most(sampled, dict.fromkeys(sampled, ""), {"": sizes.whole})
    return {stratum: Quota(balanced[stratum], sampled[stratum]) for stratum in counts}


def apportion(total: int, counts: Mapping[Name, int]) -> dict[Name, int]:
    """
    Return *total* apportioned to *counts*, by largest remainder; equal remainders in the order of *counts*.

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


def _balanced(counts: Mapping[Stratum, int], balance: Balance) -> dict[Stratum, int]:
    """Return *counts* where in each split no region, or no speech type, has more than the smallest, or than the number given."""
    dimension, most = balance
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
