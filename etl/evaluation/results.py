"""What an evaluation leaves behind, each file whole or not there; and how it is read again."""

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec
from msgspec import Struct

from saturi.etl.errors import InputError, OptionError
from saturi.etl.evaluation.options import EvaluateOptions
from saturi.etl.output.files import PendingFile, storage_errors, sync_folder, write_whole
from saturi.etl.output.side import local_side
from saturi.etl.storage.location import Location
from saturi.schemas.brief import brief
from saturi.schemas.evaluation import EVALUATION_VERSION, Evaluation

if TYPE_CHECKING:
    import polars as pl

FOLDER = "evaluation"
ROWS, SCORES, PREDICTIONS = "rows.jsonl", "scores.json", "predictions.parquet"
_DRAFTS = ".drafts"
_ROW_GROUP_ROWS = 16_384


class EvaluationResult(Struct, frozen=True, kw_only=True):
    """
    A finished evaluation.

    Args:
        folder: Where it lies.
        evaluation: All that was measured.
        failures: What is below a threshold that was asked for, a sentence each.
    """

    folder: Path
    evaluation: Evaluation
    failures: tuple[str, ...] = ()

    def scores(self) -> "pl.DataFrame":
        """
        Return all scores.

        Returns:
            A row a system, stratum and metric: `system`, `by`, `value`, `rows`, `metric`, `score`, `low`, `high`, `p_copy`,
            `p_base`.
        """
        import polars as pl  # noqa: PLC0415 - only who asks for it

        rows = [
            {
                "system": system.name,
                "by": stratum.by,
                "value": stratum.value,
                "rows": stratum.rows,
                "metric": metric,
                **msgspec.to_builtins(score),
            }
            for system in self.evaluation.systems
            for stratum in system.strata
            for metric, score in stratum.scores.items()
        ]
        numbers = dict.fromkeys(("score", "low", "high", "p_copy", "p_base"), pl.Float64)
        names = dict.fromkeys(("system", "by", "value"), pl.String)
        return pl.DataFrame(rows, schema={**names, "rows": pl.Int64, "metric": pl.String, **numbers})

    def predictions(self) -> "pl.LazyFrame":
        """
        Return all predictions, a row a row of the test set and system; the columns are those of `PredictionRow`.

        Raises:
            InputError: They cannot be read.
        """
        return read_predictions_table(self.folder)

    def __repr__(self) -> str:
        return brief(
            self,
            folder=str(self.folder),
            systems=[system.name for system in self.evaluation.systems],
            failures=len(self.failures),
        )


@contextmanager
def drafts_in(folder: Path) -> Iterator[Path]:
    """
    Give a folder in *folder* for what an evaluation writes before it is complete; what a killed one left there is removed.

    Raises:
        StorageError: It cannot be made.
    """
    drafts = folder / _DRAFTS
    with storage_errors(drafts, 0):
        _remove(drafts)
        drafts.mkdir()
    try:
        yield drafts
    finally:
        with suppress(OSError):  # the next evaluation removes it
            _remove(drafts)


def replace_results(drafts: Path, folder: Path) -> None:
    """
    Put what lies in *drafts* in the place of the evaluation before in *folder*.

    The scores go first and come last: with them all is of one evaluation, and without them there is none.

    Raises:
        StorageError: Something cannot be replaced.
    """
    with storage_errors(folder, 0):
        (folder / SCORES).unlink(missing_ok=True)
        sync_folder(folder)
        for name in (ROWS, PREDICTIONS, SCORES):
            (drafts / name).replace(folder / name)
    sync_folder(folder)


def _remove(drafts: Path) -> None:
    if drafts.is_symlink():
        drafts.unlink()
    elif drafts.exists():
        shutil.rmtree(drafts)


def write_scores(folder: Path, evaluation: Evaluation) -> None:
    """
    Write *evaluation* into *folder*.

    Raises:
        StorageError: It cannot be written.
    """
    content = msgspec.json.format(msgspec.json.encode(evaluation, order="sorted"), indent=2)
    write_whole(folder / SCORES, [content, b"\n"])


def write_predictions(folder: Path, spool: BinaryIO) -> None:
    """
    Write the lines of *spool*, a `PredictionRow` each, as the table of predictions in *folder*.

    Raises:
        StorageError: It cannot be written.
    """
    import polars as pl  # noqa: PLC0415 - only who evaluates

    names = ("key", "system", "region", "speech_type", "archive", "member", "source", "reference", "prediction")
    schema = dict.fromkeys(names, pl.String) | {"finish_reason": pl.String, "refused": pl.Boolean}
    schema |= {"sentence": pl.UInt32, "chrf": pl.Float64, "gain": pl.Float64}
    file = PendingFile(folder / PREDICTIONS)
    try:
        with storage_errors(folder / PREDICTIONS, 0):
            spool.seek(0)
            with io.BufferedWriter(_Raw(file)) as sink:
                pl.scan_ndjson(spool, schema=schema).sink_parquet(sink, row_group_size=_ROW_GROUP_ROWS)
        file.finish()
    finally:
        file.discard()


def read_evaluation(folder: Path) -> EvaluationResult:
    """
    Return the finished evaluation in *folder*.

    Raises:
        InputError: There is none, or it is damaged, or of another version.
    """
    path = folder / SCORES
    try:
        evaluation = msgspec.json.decode(path.read_bytes(), type=Evaluation)
    except FileNotFoundError as error:
        raise InputError(str(folder), "there is no finished evaluation", "evaluate first") from error
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"cannot be read ({error})", "evaluate again") from error
    if evaluation.version != EVALUATION_VERSION:
        problem = f"of version {evaluation.version}, this is for {EVALUATION_VERSION}"
        raise InputError(str(path), problem, "evaluate again, which asks nothing anew")
    return EvaluationResult(folder=folder, evaluation=evaluation)


def read_predictions_table(folder: Path) -> "pl.LazyFrame":
    """
    Return the table of predictions in *folder*.

    Raises:
        InputError: It is missing, or damaged.
    """
    import polars as pl  # noqa: PLC0415 - only who looks at them

    path = folder / PREDICTIONS
    try:
        table = pl.scan_parquet(path.absolute(), glob=False)
        table.collect_schema()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(str(path), f"cannot be read ({error})", "evaluate again, which asks nothing anew") from error
    return table


def place_of(out: str | Location | None, options: EvaluateOptions) -> Path:
    """
    Return the folder beside which evaluations are kept: the local side of the build, else that of the file.

    Raises:
        OptionError: There is neither.
    """
    if out is not None:
        return local_side(out).absolute()
    if options.file is None:
        raise OptionError("OUT", "no build and no file", "give the folder of a build, or a test set by --file")
    return options.file.absolute().parent


def folder_of(base: Path, name: str) -> Path:
    """Return where the evaluation *name* lies, of the build or beside the file in *base*."""
    return base / FOLDER / name


class _Raw(io.RawIOBase):
    """A pending file as Polars writes to one: what goes wrong is met by our own write, and not inside Polars."""

    def __init__(self, file: PendingFile) -> None:
        self._file = file

    def writable(self) -> bool:
        """Return that it is."""
        return True

    def write(self, data: Any) -> int:  # any buffer
        """Append *data*, and return how many bytes that was."""
        view = memoryview(data)
        self._file.write(view.tobytes())
        return view.nbytes
