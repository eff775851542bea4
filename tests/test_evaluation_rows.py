"""Rows of a test set: which are in a sample, and scores by stratum."""

import numpy as np
import pytest

from saturi.etl.evaluation.metrics import Case, Scorer
from saturi.etl.evaluation.sampling import choose
from saturi.etl.evaluation.scores import Compared, score_systems, strata_of


def _material(sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    strata = np.repeat(np.arange(len(sizes)), sizes)
    hashes = np.random.default_rng(1).integers(0, 2**63, size=len(strata), dtype=np.uint64)
    order = np.random.default_rng(2).permutation(len(strata))
    return hashes[order], strata[order]


@pytest.mark.parametrize("sizes", [(100,), (100, 1), (70, 20, 10), (1, 1, 1), (500, 3, 40)])
def test_every_stratum_has_its_share(sizes: tuple[int, ...]) -> None:
    """A sample has of every stratum its share, to one row, and of each at least one before any has two."""
    hashes, strata = _material(sizes)
    for sample in range(1, sum(sizes) + 2):
        chosen = choose(hashes, strata, sample)
        taken = np.bincount(strata[chosen], minlength=len(sizes))
        assert taken.sum() == min(sample, sum(sizes))
        if sample >= len(sizes):
            assert taken.min() >= 1
        for size, number in zip(sizes, taken, strict=True):
            assert abs(number - size * min(sample, sum(sizes)) / sum(sizes)) <= len(sizes)


def test_a_smaller_sample_is_a_part_of_a_larger_one() -> None:
    """Whatever was asked for a smaller sample is known for a larger one."""
    hashes, strata = _material((70, 20, 10))
    before = np.zeros(100, dtype=bool)
    for sample in range(1, 101):
        chosen = choose(hashes, strata, sample)
        assert chosen[before].all()
        before = chosen
    assert before.all()


def test_a_sample_goes_by_texts_and_not_by_places() -> None:
    """The rows that are chosen are the same ones in whatever order they come."""
    hashes, strata = _material((70, 20, 10))
    order = np.random.default_rng(3).permutation(100)
    assert set(hashes[choose(hashes, strata, 30)]) == set(hashes[order][choose(hashes[order], strata[order], 30)])


def test_scores_by_stratum() -> None:
    """The scores of a stratum are those of its rows alone; one row has no interval, and none at all has no scores."""
    scorer = Scorer(korean=False)
    cases = [Case("가", "나", answer) for answer in ("나", "나", "다", "나")]
    copies = [case._replace(prediction=case.source) for case in cases]
    statistics = {"copy": scorer.statistics(copies), "tuned": scorer.statistics(cases)}
    strata = strata_of({"region": ["jeju", "jeju", "jeolla", None]})
    scored = score_systems(statistics, strata, scorer.metrics, Compared("copy", {}))
    found = {one.value: (one.rows, one.scores["exact"]) for one in scored["tuned"]}
    assert {value: (rows, score.score) for value, (rows, score) in found.items()} == {
        "all": (4, 75),
        "jeju": (2, 100),
        "jeolla": (1, 0),
    }
    assert found["jeju"][1].low == 100
    assert found["jeju"][1].p_copy is not None
    assert found["jeolla"][1].low is None
    assert found["jeolla"][1].p_copy is None
    assert all(one.scores["exact"].p_base is None for one in scored["tuned"])


def test_scores_without_resamples() -> None:
    """Without resamples there are scores, and neither intervals nor p-values."""
    scorer = Scorer(korean=False)
    statistics = {name: scorer.statistics([Case("가", "나", "나")] * 3) for name in ("copy", "tuned")}
    [found] = score_systems(statistics, strata_of({}), scorer.metrics, Compared("copy", {}), resamples=0)["tuned"]
    assert found.scores["exact"].score == 100
    assert (found.scores["exact"].low, found.scores["exact"].p_copy) == (None, None)
