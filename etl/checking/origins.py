"""Lead the lines of our own builds back to where they came from, by the lineage that lies beside the chunks."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from msgspec import structs

from etl.checking.report import Origin, Problem
from etl.errors import BuildError
from etl.output.folder import LINEAGE_FILE


def with_origins(problems: Sequence[Problem], out: Path, chunks: Mapping[str, str]) -> list[Problem]:
    """
    Return *problems*, those of lines of *chunks* with their origin.

    Args:
        out: Folder of a build; without a lineage nothing is known of its lines.
        chunks: Paths in its manifest, by the files that problems are of.

    Raises:
        BuildError: The lineage is damaged.
    """
    wanted = [(chunks[problem.file], problem.line) for problem in problems if problem.line and problem.file in chunks]
    path = out / LINEAGE_FILE
    if not wanted or not path.exists():
        return list(problems)
    keys = pl.LazyFrame(list(dict.fromkeys(wanted)), schema={"chunk": pl.String, "line": pl.UInt32}, orient="row")
    lineage = pl.scan_parquet(path, glob=False).select("chunk", "line", "archive", "member", "sentence")
    try:
        rows = lineage.join(keys, on=["chunk", "line"]).collect()
    except pl.exceptions.PolarsError as error:
        raise BuildError(str(path), f"damaged ({error})", "build again") from error
    found = {
        (chunk, line): Origin(archive=archive, member=member, sentence=sentence)
        for chunk, line, archive, member, sentence in rows.iter_rows()
    }
    return [
        structs.replace(problem, origin=found.get((chunks.get(problem.file), problem.line), problem.origin))
        for problem in problems
    ]
