"""Origins of the lines that a provider complains of: their chunks, and by the lineage archive and member."""

import re
from pathlib import Path

from msgspec import structs

from saturi.etl.errors import BuildError
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.providers.wires import HEADERS
from saturi.etl.storage.location import Location
from saturi.etl.submission.content import locate
from saturi.etl.submission.ledger import Ledger
from saturi.etl.submission.news import Flaw
from saturi.schemas.ledger import FileRow, JobRow

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


def flaws_of(out: Location, ledger: Ledger, row: JobRow) -> tuple[Flaw, ...]:
    """
    Return the lines that the error of *row* names, with where they came from as far as that is known.

    Both OpenAI and this count lines and examples from 1; in a CSV the names of the columns are a line, too.
    """
    named = lines_in(row.error_message or "", row.error_code)
    name = row.validation if row.error_param == "validation_file" else row.training
    file = ledger.file(row.account, name or "")
    if not named or file is None:
        return ()
    before = HEADERS[Path(file.name).suffix]
    lines = [line - before for line in named]
    return tuple(_with_origins(out, file, [_flaw(file, line) for line in lines]))


def _flaw(file: FileRow, line: int) -> Flaw:
    chunk, chunk_line = locate(file.pieces, line) or (None, None)
    return Flaw(line=line, chunk=chunk, chunk_line=chunk_line)


def _with_origins(out: Location, file: FileRow, flaws: list[Flaw]) -> list[Flaw]:
    """Return *flaws* with archive, member and sentence, where the chunks are still those that were sent."""
    sent = {piece.path: piece.sha256 for piece in file.pieces}
    try:
        build = FinishedBuild.open(out)
        unchanged = {chunk.path for chunk in build.manifest.chunks if sent.get(chunk.path) == chunk.sha256}
        origins = build.origins(_place(flaw) for flaw in flaws if flaw.chunk in unchanged)
    except BuildError:  # the error of the job matters more than where its lines came from
        return flaws
    return [
        structs.replace(flaw, **structs.asdict(origin)) if (origin := origins.get(_place(flaw))) else flaw
        for flaw in flaws
    ]


def _place(flaw: Flaw) -> tuple[str, int]:
    return flaw.chunk or "", flaw.chunk_line or 0
