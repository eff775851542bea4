"""The rows on which a system gains most over copying, and those on which it loses most."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from saturi.etl.errors import InputError
from saturi.etl.evaluation.options import COPY
from saturi.etl.evaluation.results import read_evaluation
from saturi.etl.settings.checks import whole_number
from saturi.schemas.evaluation import PredictionRow


class Extremes(NamedTuple):
    """Of one system: the rows with the largest gain over copying, and those with the largest loss, each the largest first."""

    system: str
    gains: list[PredictionRow]
    losses: list[PredictionRow]


def extremes(folder: Path, count: int) -> list[Extremes]:
    """
    Return the *count* rows of largest gain and of largest loss of each system of the finished evaluation in *folder*.

    A row without a gain is no gain, and one without a loss no loss.

    Raises:
        OptionError: *count* is no number of rows.
        InputError: There is no finished evaluation, or its predictions cannot be read.
    """
    import polars as pl  # noqa: PLC0415 - only who looks at predictions

    count = whole_number("show", count)
    result = read_evaluation(folder)
    table = result.predictions()
    by_system = []
    for system in result.evaluation.systems:
        if system.name == COPY:
            continue
        rows = table.filter(pl.col("system") == system.name)
        gain = pl.col("gain")
        try:
            gains = rows.filter(gain > 0).sort([gain, "key"], descending=[True, False]).head(count).collect()
            losses = rows.filter(gain < 0).sort([gain, "key"]).head(count).collect()
        except pl.exceptions.PolarsError as error:
            raise InputError(str(folder), f"predictions are damaged ({error})", "evaluate again") from error
        by_system.append(Extremes(system.name, _rows(gains.to_dicts()), _rows(losses.to_dicts())))
    return by_system


def _rows(dicts: list[dict[str, object]]) -> list[PredictionRow]:
    return msgspec.convert(dicts, type=list[PredictionRow])
