"""Tables of `etl.toml`, each with the options that it holds."""

from collections.abc import Mapping

from msgspec import Struct

from saturi.etl.download.options import FetchOptions
from saturi.etl.evaluation.options import EvaluateOptions
from saturi.etl.settings.declaration import Declaration, declarations
from saturi.etl.settings.options import BuildOptions, RunOptions
from saturi.etl.submission.options import SubmitOptions

OTHERS: Mapping[str, type[Struct]] = {"fetch": FetchOptions, "submit": SubmitOptions, "evaluate": EvaluateOptions}
"""Structs of options by their table, beside `[build]`, `[corpus]` and `[clean]`."""


def declared_tables() -> dict[str, tuple[Declaration, ...]]:
    """Return the options that may stand in each table of declared options."""
    rows = {"build": (*declarations(RunOptions), *declarations(BuildOptions))}
    rows |= {table: declarations(struct) for table, struct in OTHERS.items()}
    return {table: tuple(one for one in row if one.option.only != "command line") for table, row in rows.items()}
