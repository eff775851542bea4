"""Scores: sums over all rows and over each stratum, intervals by resampling them, p-values against copying and the base model."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from saturi.etl.evaluation.metrics import Array, Metric
from saturi.etl.evaluation.resampling import RESAMPLES, interval, p_value, weights_of
from saturi.schemas.evaluation import Score, StratumScores

ALL = "all"
_FEWEST_ROWS = 2
"""One row resampled is that row."""

_ROWS_AT_ONCE = 4_096


class Stratum(NamedTuple):
    """Rows that are scored together; *places* are theirs among all rows, or None for all."""

    by: str
    value: str
    places: npt.NDArray[np.int64] | None


class Compared(NamedTuple):
    """What systems are held against: the name of the system that copies, and by name of a system that of its base model."""

    copy: str
    bases: Mapping[str, str]


def strata_of(labels: Mapping[str, Sequence[str | None]]) -> list[Stratum]:
    """
    Return all rows, and the strata by each of *labels*.

    Args:
        labels: By the name of a dimension, the value of each row; None where it has none.
    """
    strata = [Stratum(ALL, ALL, None)]
    for by, values in labels.items():
        column = np.array(values, dtype=object)
        known = sorted({value for value in values if value is not None})
        strata += [Stratum(by, value, np.flatnonzero(column == value)) for value in known]
    return strata


def score_systems(
    statistics: Mapping[str, Array],
    strata: Sequence[Stratum],
    metrics: Sequence[Metric],
    compared: Compared,
    resamples: int = RESAMPLES,
) -> dict[str, list[StratumScores]]:
    """
    Return the scores of each system on each stratum that has rows.

    Args:
        statistics: What was counted of each row, by the name of the system; the same rows in the same order.
        strata: The rows that are scored together.
        metrics: How the counts become scores.
        compared: The systems that the others are held against.
        resamples: How often the rows are drawn anew; 0 for scores without intervals.
    """
    scored: dict[str, list[StratumScores]] = {name: [] for name in statistics}
    for stratum in strata:
        rows = len(next(iter(statistics.values()))) if stratum.places is None else len(stratum.places)
        if rows == 0:
            continue
        sums = _sums(statistics, stratum, [np.ones((1, rows))])
        drawn = _sums(statistics, stratum, weights_of(rows, resamples)) if rows >= _FEWEST_ROWS and resamples else {}
        by_metric = {metric.name: _score_all(metric, sums, drawn, compared) for metric in metrics}
        for name, by_stratum in scored.items():
            scores = {metric: by_system[name] for metric, by_system in by_metric.items()}
            by_stratum.append(StratumScores(by=stratum.by, value=stratum.value, rows=rows, scores=scores))
    return scored


def _sums(statistics: Mapping[str, Array], stratum: Stratum, weights: Iterable[Array]) -> dict[str, Array]:
    """Return the weighted sums of the rows of *stratum*, by system; every system is weighted alike."""
    parts: dict[str, list[Array]] = {name: [] for name in statistics}
    for some in weights:
        for name, counts in statistics.items():
            parts[name].append(_product(some, counts, stratum.places))
    return {name: np.concatenate(sums) for name, sums in parts.items()}


def _product(weights: Array, counts: Array, places: npt.NDArray[np.int64] | None) -> Array:
    """Return the product of *weights* and the rows of *counts* at *places*, of which only some are copied at a time."""
    total = np.zeros((len(weights), counts.shape[1]))
    for start in range(0, weights.shape[1], _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        total += weights[:, some] @ counts[some if places is None else places[some]]
    return total


def _score_all(
    metric: Metric, sums: Mapping[str, Array], drawn: Mapping[str, Array], compared: Compared
) -> dict[str, Score]:
    """Return the score of every system by *metric*."""
    values = {name: float(metric.scores(total)[0]) for name, total in sums.items()}
    resampled = {name: metric.scores(totals) for name, totals in drawn.items()}
    return {name: _score(name, values, resampled, compared) for name in sums}


def _score(name: str, values: Mapping[str, float], resampled: Mapping[str, Array], compared: Compared) -> Score:
    value = values[name]
    if np.isnan(value):
        return Score(score=None)
    drawn = resampled.get(name, np.empty(0))
    known = drawn[~np.isnan(drawn)]  # a resample may hold no row that a metric is about
    if not known.size:
        return Score(score=value)
    low, high = interval(known)
    return Score(
        score=value,
        low=low,
        high=high,
        p_copy=_p_value(name, compared.copy, values, resampled),
        p_base=_p_value(name, compared.bases.get(name), values, resampled),
    )


def _p_value(name: str, other: str | None, values: Mapping[str, float], resampled: Mapping[str, Array]) -> float | None:
    """Return the p-value of the difference to the system *other*; None where there is no such, or it has no score."""
    if other is None or other == name or np.isnan(values[other]) or other not in resampled:
        return None
    both = ~(np.isnan(resampled[name]) | np.isnan(resampled[other]))
    return p_value(resampled[name][both], resampled[other][both], values[name] - values[other])
