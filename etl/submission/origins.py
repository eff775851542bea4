"""Origins of the lines that a provider complains of: their chunks, and by the lineage archive and member."""

import re
from collections.abc import Sequence
from pathlib import Path

from msgspec import structs

from etl.errors import BuildError
from etl.output.folder import LINEAGE_FILE
from etl.output.verification import read_manifest
from etl.submission.content import locate
from etl.submission.ledger import Ledger
from etl.submission.news import Flaw
from schemas.ledger import FileRow, JobRow

_LINES = re.compile(r"\b(?:flagged lines|lines?|examples?)\b:?\s*((?:\d+(?:\s*,\s*|\s+and\s+)?)+)", re.IGNORECASE)
_MOST_LINES = 100  # of one error, those that are led back
_MOST_DIGITS = 18
_ABOUT_COUNTS = frozenset({"invalid_n_examples"})  # a number in such an error is how many there are


def lines_in(message: str, code: str | None = None) -> list[int]:
    """Return the line numbers that an error names: "Example 100, message 2 …", "Flagged lines: 4, 13"."""
    if code in _ABOUT_COUNTS:
        return []
    texts = [number for match in _LINES.finditer(message) for number in re.findall(r"\d+", match[1])]
    numbers = [int(text) for text in texts if len(text) <= _MOST_DIGITS]
    return list(dict.fromkeys(numbers))[:_MOST_LINES]


def flaws_of(out: Path, ledger: Ledger, row: JobRow) -> tuple[Flaw, ...]:
    """
    Return the lines that the error of *row* names, with where they came from as far as that is known.

    Both OpenAI and this count lines and examples from 1.
    """
    lines = lines_in(row.error_message or "", row.error_code)
    name = row.validation if row.error_param == "validation_file" else row.training
    file = ledger.file(row.account, name or "")
    if not lines or file is None:
        return ()
    return tuple(_with_origins(out, file, [_flaw(file, line) for line in lines]))


def _flaw(file: FileRow, line: int) -> Flaw:
    chunk, chunk_line = locate(file.pieces, line) or (None, None)
    return Flaw(line=line, chunk=chunk, chunk_line=chunk_line)


def _with_origins(out: Path, file: FileRow, flaws: list[Flaw]) -> list[Flaw]:
    """Return *flaws* with archive, member and sentence, where the chunks are still those that were sent."""
    sent = {piece.path: piece.sha256 for piece in file.pieces}
    try:
        unchanged = {chunk.path for chunk in read_manifest(out).chunks if sent.get(chunk.path) == chunk.sha256}
        lines = [(flaw.chunk, flaw.chunk_line) for flaw in flaws if flaw.chunk in unchanged]
        origins = _origins(out / LINEAGE_FILE, lines)
    except BuildError:  # the error of the job matters more than where its lines came from
        return flaws
    return [structs.replace(flaw, **origins.get((flaw.chunk, flaw.chunk_line), {})) for flaw in flaws]


def _origins(
    lineage: Path, lines: Sequence[tuple[str | None, int | None]]
) -> dict[tuple[str | None, int | None], dict[str, str | int | None]]:
    """
    Return archive, member and sentence of *lines*, each a chunk and a line in it.

    Raises:
        BuildError: The lineage is damaged.
    """
    if not lines or not lineage.exists():
        return {}
    import polars as pl  # noqa: PLC0415 - only for a job that failed

    keys = pl.LazyFrame(lines, schema={"chunk": pl.String, "line": pl.UInt32}, orient="row")
    try:
        rows = pl.scan_parquet(lineage, glob=False).join(keys, on=["chunk", "line"], how="semi")
        table = rows.select("chunk", "line", "archive", "member", "sentence").collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BuildError(str(lineage), f"damaged ({error})", "build again") from error
    names = ("archive", "member", "sentence")
    return {(chunk, line): dict(zip(names, origin, strict=True)) for chunk, line, *origin in table.iter_rows()}
