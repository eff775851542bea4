"""What follows from scores: the original claim beside what it leaves out, and whether a threshold is missed."""

from collections.abc import Iterator, Mapping, Sequence

from saturi.etl.errors import OptionError
from saturi.etl.evaluation.options import COPY
from saturi.schemas.evaluation import ClaimRow, MetricRow, Score, SystemScores

CLAIMED = ("bleu", "meteor", "rouge_l")
"""The metrics of the original claim: "BLEU seven times that of the base model, METEOR and ROUGE twice"."""


def claim_of(systems: Sequence[SystemScores]) -> list[ClaimRow]:
    """Return, for each candidate and metric of the original claim, its ratio to its own base and its gain over copying."""
    named = {system.name: system for system in systems}
    return [
        ClaimRow(
            system=system.name,
            metric=metric,
            base=system.base,
            over_base=None if system.base is None else _ratio(_of(system, metric), _of(named[system.base], metric)),
            gain_over_copy=_gain(_of(system, metric), _of(named[COPY], metric)),
        )
        for system in systems
        if system.role == "candidate"
        for metric in CLAIMED
    ]


def check_thresholds(least: Mapping[str, float], metrics: Sequence[MetricRow]) -> None:
    """
    Return if each threshold is for a metric of which more is better.

    Raises:
        OptionError: One is not.
    """
    names = [metric.name for metric in metrics if metric.better == "higher"]
    for name in least:
        if name not in names:
            problem = f"{name!r} is no metric of which more is better"
            raise OptionError("--fail-below", problem, f"choose from {', '.join(names)}")


def failures_of(least: Mapping[str, float], systems: Sequence[SystemScores]) -> Iterator[str]:
    """Yield a sentence for each candidate that is below one of the thresholds *least*, has no such score, or is not there."""
    if least and all(system.role != "candidate" for system in systems):
        yield f"no model was evaluated that could reach {', '.join(least)}"
    for system in systems:
        if system.role != "candidate":
            continue
        for metric, threshold in least.items():
            score = _of(system, metric).score
            if score is None or score < threshold:
                measured = "has none" if score is None else f"is {score:.2f}"
                yield f"{metric} of {system.name} {measured}, below {threshold:g}"


def _of(system: SystemScores, metric: str) -> Score:
    """Return the score on all rows."""
    return system.strata[0].scores[metric]


def _ratio(over: Score, under: Score) -> float | None:
    return over.score / under.score if over.score is not None and under.score else None


def _gain(over: Score, under: Score) -> float | None:
    return over.score - under.score if over.score is not None and under.score is not None else None
