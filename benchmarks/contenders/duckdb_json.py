"""DuckDB's `read_json` on label files already unpacked: one statement, its own threads, only the fields that are used."""

from pathlib import Path

import duckdb

from benchmarks.contenders.recipe import run
from saturi.etl.settings.options import SYSTEM_PROMPT

_STATEMENT = """
    COPY (
        SELECT [{{'role': 'system', 'content': $prompt}},
                {{'role': 'user', 'content': transcription.pronunciation}},
                {{'role': 'assistant', 'content': transcription.standard}}] AS messages
        FROM read_json('{corpus}/**/*.json', format = 'unstructured',
                       columns = {{transcription: 'STRUCT(pronunciation VARCHAR, standard VARCHAR)'}})
        WHERE transcription.pronunciation <> '' AND transcription.standard <> ''
    ) TO '{out}/duckdb.jsonl' (FORMAT json)
"""


def convert(corpus: Path, out: Path, workers: int) -> None:
    """Write the pair of every label file below the folder *corpus*."""
    with duckdb.connect(config={"threads": workers}) as connection:
        connection.execute(_STATEMENT.format(corpus=corpus, out=out), {"prompt": SYSTEM_PROMPT})


if __name__ == "__main__":
    run(convert)
