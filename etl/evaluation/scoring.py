"""Scoring: every row as every system answers it, counted once, in memory that does not grow with the rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, repeat
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple

import msgspec
import numpy as np

from saturi.etl.evaluation.journal import Journal, key_of
from saturi.etl.evaluation.metrics import Array, Case, Scorer
from saturi.etl.evaluation.systems import System, missing_prediction, read_predictions, request_of
from saturi.etl.evaluation.texts import normal, whole
from saturi.etl.output.files import storage_errors
from saturi.schemas.evaluation import Answer, PredictionRow, TestRow

CHANGED, IDENTICAL = "changed", "identical"
ROWS_AT_ONCE = 1_000
_NUMBER_BYTES = 8

Answerer = Callable[[TestRow], Answer | None]
"""Returns the answer of a system to a row; None where there is none."""


class Counted(NamedTuple):
    """
    What was counted.

    Args:
        statistics: A row each, by system, in a file of no name that goes with them.
        labels: Region, speech type, and whether a row is changed or identical, of each row.
        unanswered: Keys of rows that a system has no answer to; they are in none of the others.
    """

    statistics: dict[str, Array]
    labels: dict[str, list[str | None]]
    unanswered: list[str]


def answerers(systems: Sequence[System], journal: Journal, seed: int) -> dict[str, Answerer]:
    """
    Return what answers in the place of each system, by its name.

    Raises:
        InputError: A file of predictions cannot be read.
    """
    return {system.name: _answerer(system, journal, seed) for system in systems}


def count(
    rows: Iterator[TestRow],
    total: int,
    systems: Mapping[str, Answerer],
    scorer: Scorer,
    folder: Path,
    spool: BinaryIO,
) -> Counted:
    """
    Return what is counted of *rows*, and write each prediction to *spool*, a line of JSON.

    Args:
        rows: Of the test set.
        total: How many there are.
        systems: By their names; the first copies.
        scorer: Counts.
        folder: Has room for the counts.
        spool: Takes a `PredictionRow` a line.

    Raises:
        InputError: A prediction is missing.
        StorageError: The disk is full.
    """
    counted = _Counting(total, systems, scorer, folder)
    encoder = msgspec.json.Encoder()
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        lines = encoder.encode_lines(counted.add(batch))
        with storage_errors(folder, len(lines)):
            spool.write(lines)
    return counted.result()


class _Counting:
    """What was counted so far."""

    def __init__(self, total: int, systems: Mapping[str, Answerer], scorer: Scorer, folder: Path) -> None:
        self._systems, self._scorer = systems, scorer
        self._copy = next(iter(systems))
        self._done = 0
        self._labels: dict[str, list[str | None]] = {"region": [], "speech_type": [], "change": []}
        self._unanswered: list[str] = []
        with storage_errors(folder, total * scorer.columns * _NUMBER_BYTES * len(systems)):
            self._statistics = {name: _on_disk(folder, (total, scorer.columns)) for name in systems}

    def add(self, batch: Sequence[TestRow]) -> list[PredictionRow]:
        """Count *batch*, and return its predictions."""
        given = [{name: answer(row) for name, answer in self._systems.items()} for row in batch]
        whole_rows = [(row, answers) for row, answers in zip(batch, given, strict=True) if None not in answers.values()]
        self._unanswered += [row.key for row, answers in zip(batch, given, strict=True) if None in answers.values()]
        if not whole_rows:
            return []
        rows = [row for row, _ in whole_rows]
        texts = [(normal(row.source), normal(row.reference)) for row in rows]
        self._label(rows, texts)
        answers_of = {name: [answers[name] for _, answers in whole_rows] for name in self._systems}
        chrf = {name: self._count(name, texts, answers) for name, answers in answers_of.items()}
        self._done += len(rows)
        return [
            _prediction(row, name, answer, float(score), float(score - copied))
            for name, answers in answers_of.items()
            for row, answer, score, copied in zip(rows, answers, chrf[name], chrf[self._copy], strict=True)
            if answer is not None
        ]

    def result(self) -> Counted:
        """Return what was counted."""
        statistics = {name: counts[: self._done] for name, counts in self._statistics.items()}
        return Counted(statistics, self._labels, self._unanswered)

    def _count(self, name: str, texts: Sequence[tuple[str, str]], answers: Sequence[Answer | None]) -> Array:
        """Count the rows as the system *name* answers them, and return the chrF++ of each."""
        cases = [
            Case(source, reference, normal(answer.text), answer.refused, answer.cut_off)
            for (source, reference), answer in zip(texts, answers, strict=True)
            if answer is not None
        ]
        counts = self._scorer.statistics(cases)
        self._statistics[name][self._done : self._done + len(cases)] = counts
        return self._scorer.row_chrf(counts)

    def _label(self, rows: Sequence[TestRow], texts: Sequence[tuple[str, str]]) -> None:
        self._labels["region"] += [row.region for row in rows]
        self._labels["speech_type"] += [row.speech_type for row in rows]
        self._labels["change"] += [IDENTICAL if source == reference else CHANGED for source, reference in texts]


def _answerer(system: System, journal: Journal, seed: int) -> Answerer:
    if system.account is not None:
        account = system.account.id
        return lambda row: journal.find(key_of(account, request_of(row, system.name, seed)))
    if system.file is not None:
        predictions = read_predictions(system.file)

        def look_up(row: TestRow) -> Answer:
            if row.key not in predictions:
                raise missing_prediction(system, row.key, predictions)
            return Answer(text=predictions[row.key])

        return look_up
    return lambda row: Answer(text=row.source)


def _prediction(row: TestRow, system: str, answer: Answer, chrf: float, gain: float) -> PredictionRow:
    return PredictionRow(
        key=row.key,
        system=system,
        region=row.region,
        speech_type=row.speech_type,
        archive=row.archive,
        member=row.member,
        sentence=row.sentence,
        source=row.source,
        reference=row.reference,
        prediction=whole(answer.text),
        finish_reason=answer.finish_reason,
        refused=answer.refused,
        chrf=round(chrf, 4),
        gain=round(gain, 4),
    )


def _on_disk(folder: Path, shape: tuple[int, int]) -> Array:
    """
    Return room for numbers in a file of no name in *folder*, which the system takes back when nobody needs it.

    The room is written first: on a full disk, writing to what is only mapped would end the process.
    """
    with TemporaryFile(dir=folder) as file:
        row = bytes(shape[1] * _NUMBER_BYTES)
        file.writelines(repeat(row, shape[0]))
        file.flush()
        return np.memmap(file, dtype=np.float64, mode="r+", shape=shape)
