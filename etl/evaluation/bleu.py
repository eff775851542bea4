"""BLEU of sums of counts: to the last bit sacrebleu's score, without the texts that it writes beside each one."""

import math

import numpy as np
import numpy.typing as npt

_ORDERS = 4
"""N-grams of one to four tokens."""


def bleu_scores(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """
    Return the BLEU of each row of *sums*, with exponential smoothing.

    sacrebleu's own takes 15 microseconds a row, most of them for texts, and a thousand resamples of each stratum are scored.

    Args:
        sums: What sacrebleu counts: tokens of the predictions and of the references, n-grams that match, n-grams in all.
    """
    matches, ngrams = sums[:, 2 : 2 + _ORDERS], sums[:, 2 + _ORDERS :]
    halvings = np.exp2(
        np.cumsum(matches == 0, axis=1)
    )  # a half for the first order without a match, a quarter for the next
    with np.errstate(divide="ignore", invalid="ignore"):  # rows without n-grams, which are left out below
        precisions = np.where(matches == 0, 100.0 / (halvings * ngrams), 100.0 * matches / ngrams)
    scored = np.flatnonzero((matches > 0).any(axis=1) & (ngrams > 0).all(axis=1))
    scores = np.zeros(len(sums))
    scores[scored] = [
        _brevity(*lengths) * math.exp(sum(map(math.log, row)) / _ORDERS)
        for lengths, row in zip(sums[scored, :2].tolist(), precisions[scored].tolist(), strict=True)
    ]
    return scores


def _brevity(tokens: float, reference_tokens: float) -> float:
    """Return the factor for predictions that are shorter than the references."""
    return math.exp(1 - reference_tokens / tokens) if tokens < reference_tokens else 1.0
