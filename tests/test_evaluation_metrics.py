"""Metrics, held against the implementations that others use; on invented Korean with all that is odd in it."""

import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import jiwer
import numpy as np
import pytest
from nltk.translate.meteor_score import single_meteor_score
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.significance import PairedTest

from saturi.etl.evaluation.bleu import bleu_scores
from saturi.etl.evaluation.metrics import Array, Case, Scorer
from saturi.etl.evaluation.resampling import RESAMPLES, interval, p_value, weights_of
from saturi.etl.evaluation.texts import bare, normal, whole

_ODD = [
    ("밥 묵었나?", "밥 먹었니?", "밥 먹었나?"),
    ("ᄒᆞᆫ저 옵서예", "어서 오세요", "ᄒᆞᆫ저 오세요"),  # old Hangul, of jamo
    ("12시 30분에, 3.5kg!", "12시 30분에, 3.5kg!", "12시 삼십분에 3.5kg"),
    ("마", "그만", "그만"),
    ("뭐라카노", "뭐라고 하니", ""),
    ("가가 가가", "그 아이가 그 아이니", "가가 가가"),
    ("…", "…", "… …"),
    ("하마 갔다 (웃음) .", "벌써 갔다 (웃음) .", "벌써 갔다 ."),
    ("A/S 센터 갔다가 B로", "A/S 센터 갔다가 B로", "a/s 센터 갔다가 B로 갔다"),
]
"""Source, reference, prediction."""


def _case(*texts: str) -> Case:
    source, reference, prediction = map(normal, texts)
    return Case(source, reference, prediction)


def _cases(count: int, seed: int = 0) -> list[Case]:
    """Return *count* cases: the odd ones first, then such of random eojeol."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("가나다라마바사아자차", k=rng.randint(1, 4))) for _ in range(60)]

    def altered(text: str, share: float) -> str:
        return " ".join(rng.choice(words) if rng.random() < share else word for word in text.split())

    rows = list(_ODD)
    while len(rows) < count:
        reference = " ".join(rng.choices(words, k=rng.randint(1, 12))) + rng.choice((".", "", "?", " ,"))
        rows.append((altered(reference, 0.3), reference, altered(reference, 0.1)))
    return [_case(*row) for row in rows[:count]]


CASES = _cases(300)
PREDICTIONS = [case.prediction for case in CASES]
REFERENCES = [case.reference for case in CASES]


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    """All metrics."""
    return Scorer()


def _scores(scorer: Scorer, cases: Sequence[Case]) -> dict[str, float]:
    sums = scorer.statistics(cases).sum(axis=0, keepdims=True)
    return {metric.name: metric.scores(sums)[0] for metric in scorer.metrics}


def test_sacrebleu_on_the_command_line(scorer: Scorer, tmp_path: Path) -> None:
    """BLEU by both tokenizers and chrF++ are what sacrebleu prints for the same files, with the same signatures."""
    found, signatures = _scores(scorer, CASES), {metric.name: metric.signature for metric in scorer.metrics}
    hypotheses, references = tmp_path / "hyp", tmp_path / "ref"
    hypotheses.write_text("".join(f"{text}\n" for text in PREDICTIONS), encoding="utf-8")
    references.write_text("".join(f"{text}\n" for text in REFERENCES), encoding="utf-8")
    options = {"bleu": ("bleu", "--tokenize", "13a"), "bleu_ko": ("bleu", "--tokenize", "ko-mecab")}
    for name, metric in {**options, "chrf": ("chrf", "--chrf-word-order", "2")}.items():
        command = [
            sys.executable,
            "-m",
            "sacrebleu",
            str(references),
            "-i",
            str(hypotheses),
            "-w",
            "8",
            "-f",
            "text",
            "-m",
        ]
        printed = subprocess.run([*command, *metric], check=True, capture_output=True, encoding="utf-8").stdout
        shown, _, rest = printed.partition(" = ")
        assert float(rest.split()[0]) == pytest.approx(found[name], abs=1e-7)
        assert shown.split("|", 1)[1] == signatures[name]


def test_bleu_of_sums() -> None:
    """BLEU of sums is sacrebleu's to the last bit, with orders that have no match or no n-gram, and texts of any length."""
    rng, metric = random.Random(5), BLEU(tokenize="13a")
    rows = [[0] * 10, [0, 5, *[0] * 8], [1, 1, 1, 0, 0, 0, 1, 0, 0, 0], [9, 4, 0, 0, 0, 0, 9, 8, 7, 6]]
    for _ in range(500):
        tokens = rng.randrange(1, 30)
        totals = [max(0, tokens - order) * rng.randrange(1, 4) for order in range(4)]
        matches = [rng.randrange(total + 1) if rng.random() < 0.8 else 0 for total in totals]
        rows.append([tokens, rng.randrange(1, 30), *matches, *totals])
    expected = [metric._compute_score_from_stats(list(row)).score for row in rows]
    assert bleu_scores(np.array(rows, dtype=np.float64)).tolist() == expected


def test_rouge_l(scorer: Scorer) -> None:
    """ROUGE-L is the mean of rouge-score's f-measures on eojeol, whose default gives 0 on identical Korean."""

    class Eojeol:
        def tokenize(self, text: str) -> list[str]:
            return text.split()

    reference = RougeScorer(["rougeL"], tokenizer=Eojeol())
    expected = [reference.score(case.reference, case.prediction)["rougeL"].fmeasure for case in CASES]
    assert _scores(scorer, CASES)["rouge_l"] == pytest.approx(100 * np.mean(expected))
    same = Case("밥 묵었나", "밥 먹었니", "밥 먹었니")
    assert _scores(scorer, [same])["rouge_l"] == 100
    assert RougeScorer(["rougeL"]).score(same.reference, same.prediction)["rougeL"].fmeasure == 0


def test_meteor(scorer: Scorer) -> None:
    """METEOR is the mean of nltk's, with exact matches of eojeol and nothing else."""

    class Words:
        def stem(self, word: str) -> str:
            return word

        def synsets(self, _word: str) -> list[str]:
            return []

    expected = [
        single_meteor_score(case.reference.split(), case.prediction.split(), str, Words(), Words()) for case in CASES
    ]
    assert _scores(scorer, CASES)["meteor"] == pytest.approx(100 * np.mean(expected))


def test_character_error_rate(scorer: Scorer) -> None:
    """The character error rate is jiwer's."""
    assert _scores(scorer, CASES)["cer"] == pytest.approx(100 * jiwer.cer(REFERENCES, PREDICTIONS))


def test_chrf_of_a_row(scorer: Scorer) -> None:
    """The chrF++ of a row by itself is sacrebleu's of that sentence."""
    chrf = CHRF(word_order=2)
    expected = [chrf.sentence_score(case.prediction, [case.reference]).score for case in CASES]
    assert scorer.row_chrf(scorer.statistics(CASES)).tolist() == pytest.approx(expected)


EDITS = {
    "copy": ("하마 밥 묵었나", "벌써 밥 먹었니", "하마 밥 묵었나", (0, 0, 0)),
    "all": ("하마 밥 묵었나", "벌써 밥 먹었니", "벌써 밥 먹었니", (100, 100, 100)),
    "one-of-two": ("하마 밥 묵었나", "벌써 밥 먹었니", "벌써 밥 묵었나", (100, 50, 100 * 1.25 / 1.5)),
    "one-right-one-wrong": ("하마 밥 묵었나", "벌써 밥 먹었니", "벌써 떡 묵었나", (50, 50, 50)),
    "word-put-in": ("밥 묵었나", "너 밥 묵었나", "너 밥 묵었나", (100, 100, 100)),
    "word-taken-out": ("마 밥 묵었나", "밥 묵었나", "밥 먹었나", (50, 100, 100 * 1.25 / 2.25)),
}


@pytest.mark.parametrize(("source", "reference", "prediction", "expected"), EDITS.values(), ids=EDITS)
def test_changed_eojeol(
    scorer: Scorer, source: str, reference: str, prediction: str, expected: tuple[float, float, float]
) -> None:
    """An edit is right if the reference has it at the same place of the source; copying makes none and scores 0."""
    found = _scores(scorer, [Case(source, reference, prediction)])
    assert (found["edit_precision"], found["edit_recall"], found["edit_f05"]) == pytest.approx(expected)


def test_nothing_to_edit(scorer: Scorer) -> None:
    """Rows whose source is the reference have no edits to get right, and tell how often they were altered all the same."""
    same = [Case("밥 먹었니", "밥 먹었니", "밥 먹었니")] * 3
    found = _scores(scorer, [*same, Case("밥 먹었니", "밥 먹었니", "밥 묵었나")])
    assert np.isnan(found["edit_f05"])
    assert found["over_edit"] == 25
    assert np.isnan(_scores(scorer, [Case("묵었나", "먹었니", "먹었니")])["over_edit"])


def test_exact_matches(scorer: Scorer) -> None:
    """A match is exact as the text stands, or without punctuation and spaces."""
    found = _scores(
        scorer, [Case("", "밥, 먹었니?", answer) for answer in ("밥, 먹었니?", "밥먹었니", "밥 먹었나?", "")]
    )
    assert (found["exact"], found["exact_bare"], found["empty"]) == (25, 50, 25)


def test_outcomes(scorer: Scorer) -> None:
    """Refused, empty and cut off are shares of all rows, and are scored as they are; the length is a mean of ratios."""
    rows = [
        Case("가", "가나", "", refused=True),
        Case("가", "가나", "가나가나", cut_off=True),
        *[Case("가", "가나", "가나")] * 2,
    ]
    found = _scores(scorer, rows)
    assert (found["refused"], found["empty"], found["cut_off"]) == (25, 25, 25)
    assert found["length_ratio"] == 1
    assert found["exact"] == 50


def test_texts() -> None:
    """Before scoring texts are composed and their white space is folded; nothing else, and no half character stays."""
    assert normal("  밥\u3000 먹었\n니 ") == "밥 먹었 니"
    assert normal("\u1112\u1161\u11ab") == "한"
    assert normal("ᄒᆞᆫ") == "ᄒᆞᆫ"
    assert normal("ＡBc!") == "ＡBc!"
    assert whole("가\ud800나\0") == "가\ufffd나\ufffd"
    assert whole("\ud83d\ude00") == "😀"
    assert bare("밥, 「먹었니」? 1+1") == "밥먹었니1+1"


def test_an_empty_test_set_of_texts(scorer: Scorer) -> None:
    """Empty references and predictions have scores or none, and no error."""
    found = _scores(scorer, [Case("", "", ""), Case("", "", "가")])
    assert np.isnan(found["cer"])
    assert found["exact"] == 50


def _resampled(statistics: Array) -> Array:
    return np.concatenate([weights @ statistics for weights in weights_of(len(statistics))])


@pytest.mark.parametrize("rows", [2, 7, 300])
def test_the_paired_bootstrap_is_sacrebleus(scorer: Scorer, rows: int) -> None:
    """Intervals and p-values are those of sacrebleu's paired bootstrap, draw by draw."""
    cases = CASES[-rows:]
    copies = [case._replace(prediction=case.source) for case in cases]
    systems: list[tuple[str, Sequence[str]]] = [
        ("copy", [case.source for case in cases]),
        ("tuned", [case.prediction for case in cases]),
    ]
    metrics = {"bleu": BLEU(tokenize="13a"), "chrf": CHRF(word_order=2)}
    _, expected = PairedTest(systems, metrics, [[case.reference for case in cases]], "bs", RESAMPLES)()
    copied, tuned = scorer.statistics(copies), scorer.statistics(cases)
    for name, title in (("bleu", "BLEU"), ("chrf", "chrF2++")):
        [metric] = [metric for metric in scorer.metrics if metric.name == name]
        scores, baseline = metric.scores(_resampled(tuned)), metric.scores(_resampled(copied))
        whole_score, whole_baseline = (metric.scores(of.sum(axis=0, keepdims=True))[0] for of in (tuned, copied))
        result = expected[title][1]
        low, high = interval(scores)
        assert (high - low) / 2 == pytest.approx(result.ci, abs=1e-4)  # type: ignore[union-attr]  # a Result
        assert scores.mean() == pytest.approx(result.mean, abs=1e-4)  # type: ignore[union-attr]  # likewise
        wanted = None if (scores == baseline).all() else result.p_value  # type: ignore[union-attr]  # likewise
        assert p_value(scores, baseline, whole_score - whole_baseline) == wanted


def test_no_difference_is_no_test() -> None:
    """Where no resample differs, there is no p-value."""
    assert p_value(np.array([1.0, 2.0]), np.array([1.0, 2.0]), 0.0) is None


def test_draws_in_pieces_are_the_draws_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many resamples are drawn at once decides nothing."""
    at_once = np.concatenate(list(weights_of(50, 40)))
    monkeypatch.setattr("saturi.etl.evaluation.resampling._DRAWS_AT_ONCE", 120)
    assert (np.concatenate(list(weights_of(50, 40))) == at_once).all()


def test_intervals_cover(scorer: Scorer) -> None:
    """On simulated rows whose true share of matches is known, 95 % intervals hold it in about 95 of 100 cases."""
    generator = np.random.default_rng(7)
    [exact] = [metric for metric in scorer.metrics if metric.name == "exact"]
    covered, weights = 0, np.concatenate(list(weights_of(200)))
    for _ in range(300):
        statistics = np.zeros((200, scorer.columns))
        statistics[:, 0], statistics[:, 1] = 1, generator.random(200) < 0.4
        low, high = interval(exact.scores(weights @ statistics))
        covered += low <= 40 <= high
    assert 0.92 <= covered / 300 <= 0.98
