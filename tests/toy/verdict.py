"""Say whether the tune of an evaluation is better than copying and than its base: `python -m tests.toy.verdict FOLDER`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from saturi.etl.evaluation.results import read_evaluation
from saturi.schemas.evaluation import Evaluation, MetricRow, Score, SystemScores

_LIKELY = 0.05
"""Differences that chance makes more often than this are none."""

_FAR = 20.0
"""Percent of a scale of 100 by which the tune is at least above the base model, in every metric that is the better the higher."""

_MOST_HARM = 5.0
"""Percent of rows altered in vain, refused, empty or cut off, where copying has none; room, for the tune had none either."""


def complaints(found: Evaluation) -> Iterator[str]:
    """Yield a sentence for each metric in which a candidate is not better than copying and the base model."""
    by_role = {
        role: [system for system in found.systems if system.role == role] for role in ("copy", "base", "candidate")
    }
    [copying], [base] = by_role["copy"], by_role["base"]
    if not by_role["candidate"]:
        yield "no tune was evaluated"
    for tune in by_role["candidate"]:
        for metric in found.metrics:
            yield from _complaints(metric, tune, copying, base)


def _complaints(metric: MetricRow, tune: SystemScores, copying: SystemScores, base: SystemScores) -> Iterator[str]:
    score, least, random = (_score(system, metric) for system in (tune, copying, base))
    if metric.better == "neither":
        return
    if score.score is None or least.score is None or random.score is None:
        yield f"{metric.title}: not measured for each of {tune.name}, copying and the base"
        return
    if metric.better == "higher" and score.score - random.score < _FAR:
        yield f"{metric.title}: {tune.name} has {score.score:.1f}, the base {random.score:.1f}, which is not far below"
    if metric.better == "lower" and least.score == 0:
        if score.score > _MOST_HARM:
            yield f"{metric.title}: {tune.name} has {score.score:.1f}, copying none"
        return
    sign = -1 if metric.better == "lower" else 1
    for other, its, p_value in (("copying", least.score, score.p_copy), ("the base", random.score, score.p_base)):
        if sign * (score.score - its) <= 0 or p_value is None or p_value >= _LIKELY:
            yield f"{metric.title}: {tune.name} has {score.score:.1f}, {other} {its:.1f}"


def _score(system: SystemScores, metric: MetricRow) -> Score:
    return system.strata[0].scores[metric.name]


def main(folder: str) -> int:
    """Print what is to be complained of, or that nothing is, and return an exit code."""
    found = list(complaints(read_evaluation(Path(folder)).evaluation))
    for line in found:
        sys.stdout.write(f"Not better: {line}\n")
    if not found:
        sys.stdout.write(
            "The tune is better than copying and than the base in every metric in which copying has a fault.\n"
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
