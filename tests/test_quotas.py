"""How many may stay: exact, fair, and never more than there are."""

from typing import Any

import pytest
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st

from saturi.etl.corpus.groups import Group
from saturi.etl.select.quotas import SampleSizes, Stratum, apportion, quotas
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import Region, SpeechType, Split


def _strata(**counts: int) -> dict[Stratum, int]:
    """Return counts by stratum; the names are a split's first letter, a region and a speech type, joined by underscores."""
    strata = {}
    for name, count in counts.items():
        split, region, speech_type = name.split("_")
        side = Split.TRAIN if split == "t" else Split.VALIDATION
        strata[Stratum(side, Group(Region(region), SpeechType(speech_type)))] = count
    return strata


COUNTS = _strata(
    t_jeju_repeat=100,
    t_jeju_answer=300,
    t_jeolla_repeat=50,
    t_jeolla_answer=0,
    t_unknown_answer=3,
    v_jeju_repeat=10,
    v_jeolla_answer=7,
)


@pytest.mark.parametrize(
    ("options", "balanced", "sampled"),
    [
        pytest.param({}, [100, 300, 50, 0, 3, 10, 7], [100, 300, 50, 0, 3, 10, 7], id="nothing-asked"),
        pytest.param({"balance": "region"}, [13, 37, 50, 0, 3, 7, 7], [13, 37, 50, 0, 3, 7, 7], id="smallest-region"),
        pytest.param(
            {"balance": "speech_type"}, [100, 149, 50, 0, 1, 7, 7], [100, 149, 50, 0, 1, 7, 7], id="smallest-type"
        ),
        pytest.param({"balance": "region:60"}, [15, 45, 50, 0, 3, 10, 7], [15, 45, 50, 0, 3, 10, 7], id="to-a-number"),
        pytest.param({"balance": "region:9999"}, [100, 300, 50, 0, 3, 10, 7], [100, 300, 50, 0, 3, 10, 7], id="to-more"),
        pytest.param({"sample": 47}, [100, 300, 50, 0, 3, 10, 7], [10, 30, 5, 0, 0, 1, 1], id="sample"),
        pytest.param({"sample": 1}, [100, 300, 50, 0, 3, 10, 7], [0, 1, 0, 0, 0, 0, 0], id="sample-of-one"),
        pytest.param({"sample": 470}, [100, 300, 50, 0, 3, 10, 7], [100, 300, 50, 0, 3, 10, 7], id="sample-of-all"),
        pytest.param(
            {"sample_per_shard": 60}, [100, 300, 50, 0, 3, 10, 7], [60, 60, 50, 0, 3, 10, 7], id="sample-of-shards"
        ),
        pytest.param(
            {"sample_per_shard": 40, "shard_by": "region"},
            [100, 300, 50, 0, 3, 10, 7],
            [10, 30, 40, 0, 3, 10, 7],
            id="sample-of-merged-shards",
        ),
        pytest.param(
            {"balance": "region", "sample": 13}, [13, 37, 50, 0, 3, 7, 7], [1, 4, 6, 0, 0, 1, 1], id="both"
        ),
    ],
)  # fmt: skip
def test_quotas(options: dict[str, Any], balanced: list[int], sampled: list[int]) -> None:
    """Each stratum loses its share; regions are balanced in each split by itself, and what is unknown holds nobody down."""
    quota_of = quotas(COUNTS, SampleSizes.of(BuildOptions(**options)))
    assert list(quota_of) == list(COUNTS)
    assert [quota.balanced for quota in quota_of.values()] == balanced
    assert [quota.sampled for quota in quota_of.values()] == sampled


def test_only_unknown_regions_stay_as_they_are() -> None:
    """Where no region is known there is nothing to balance."""
    counts = _strata(t_unknown_answer=5, t_unknown_repeat=9)
    assert [quota.balanced for quota in quotas(counts, SampleSizes.of(BuildOptions(balance="region"))).values()] == [
        5,
        9,
    ]


def test_no_strata_have_no_quotas() -> None:
    """A build without any utterance has no quota, whatever is asked for."""
    assert quotas({}, SampleSizes.of(BuildOptions(balance="region", sample=5, sample_per_shard=5))) == {}


@given(st.dictionaries(st.integers(), st.integers(0, 10**7), max_size=12), st.data())
@examples(200)
def test_shares_are_fair(counts: dict[int, int], data: st.DataObject) -> None:
    """Shares sum up to the total, none is over its count, and each is its exact part rounded up or down."""
    whole = sum(counts.values())
    total = data.draw(st.integers(0, whole))
    shares = apportion(total, counts)
    assert list(shares) == list(counts)
    assert sum(shares.values()) == total
    for name, share in shares.items():
        assert 0 <= share <= counts[name]
        assert whole == 0 or abs(share - total * counts[name] / whole) < 1


strata = st.dictionaries(
    st.builds(
        Stratum,
        st.sampled_from(list(Split)),
        st.builds(Group, st.sampled_from(list(Region)), st.sampled_from(list(SpeechType))),
    ),
    st.integers(0, 1_000),
    max_size=20,
)


@given(
    strata,
    st.sampled_from([None, "region", "speech_type", "region:50", "speech_type:1"]),
    st.none() | st.integers(1, 2_000),
    st.none() | st.integers(1, 300),
    st.sampled_from(["region,speech_type", "region", "split"]),
)
@examples(200)
def test_quotas_are_nested_and_exact(
    counts: dict[Stratum, int], balance: str | None, sample: int | None, per_shard: int | None, shard_by: str
) -> None:
    """A sample is a part of what is balanced, and has exactly the size asked for where there is enough."""
    options = BuildOptions(balance=balance, sample=sample, sample_per_shard=per_shard, shard_by=shard_by)  # type: ignore[arg-type]  # plain text, as from outside
    quota_of = quotas(counts, SampleSizes.of(options))
    assert quota_of.keys() == counts.keys()
    assert all(0 <= quota.sampled <= quota.balanced <= counts[stratum] for stratum, quota in quota_of.items())
    if sample is not None and per_shard is None:
        left = sum(quota.balanced for quota in quota_of.values())
        assert sum(quota.sampled for quota in quota_of.values()) == min(sample, left)
