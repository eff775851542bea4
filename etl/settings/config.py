"""
`etl.toml`: options kept in a file; the command line goes over it, and it over the defaults.

Its tables hold what the options declare; an unknown name is refused with the nearest known one.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from msgspec import Struct, ValidationError, convert, defstruct, structs

from saturi.etl.errors import OptionError
from saturi.etl.settings.declaration import Declaration, Kind, declarations
from saturi.etl.settings.options import BuildOptions, RunOptions
from saturi.etl.settings.paths import path_of, paths_of
from saturi.etl.settings.toml import read_toml
from saturi.schemas.cleaning import CleanRules

DEFAULT_NAME = "etl.toml"
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*?)`(?: - at `\$\.?(?P<table>.*)`)?")
_MOST_NAME = 100  # letters of an unknown name that are compared and shown
_TYPES: dict[Kind, Any] = {
    Kind.SWITCH: bool,
    Kind.TERM: str,
    Kind.TERMS: list[str],
    Kind.TEXT: str,
    Kind.TEXTS: list[str],
    Kind.INTEGER: int,
    Kind.SIZE: int | str,
    Kind.FLOAT: float,
    Kind.SHARE: float | str,
    Kind.PATH: str,
}
"""What a value of each kind is in TOML; its range is for the options to check."""


class CorpusTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[corpus]`: what to read when the command line names nothing."""

    paths: tuple[str, ...] = ()


class Config(Struct, frozen=True):
    """
    The whole file.

    Args:
        options: By table and name, the options that the file gives; its paths are absolute.
    """

    corpus: CorpusTable = CorpusTable()
    clean: CleanRules = CleanRules()
    options: dict[str, dict[str, Any]] = {}

    def table(self, name: str) -> dict[str, Any]:
        """Return the options in the table *name*, by name."""
        return self.options.get(name, {})


def read_config(path: Path, others: Mapping[str, type[Struct]] | None = None) -> Config:
    """
    Return the contents of the file at *path*; paths in it are relative to its folder.

    Args:
        path: The file.
        others: The structs whose options the tables beside `[build]` hold, by table.

    Raises:
        OptionError: It cannot be read, is no TOML, or holds a name or a value it cannot hold.
    """
    declared = {"build": (*declarations(RunOptions), *declarations(BuildOptions))}
    declared |= {table: declarations(struct) for table, struct in (others or {}).items()}
    in_file = {table: [one for one in rows if one.option.only != "command line"] for table, rows in declared.items()}
    tables: dict[str, type[Struct]] = {"corpus": CorpusTable, "build": _table_of("build", in_file["build"])}
    tables |= {"clean": CleanRules} | {table: _table_of(table, in_file[table]) for table in others or {}}
    file: Any = defstruct("File", [(*row, row[1]()) for row in tables.items()], frozen=True, forbid_unknown_fields=True)
    try:
        content = convert(read_toml(path), type=file)
    except ValidationError as error:
        raise OptionError(str(path), *_explain(str(error), tables)) from error
    here = path.absolute().parent
    corpus = CorpusTable(tuple(str(here / one) for one in paths_of(content.corpus.paths, f"{path}: corpus.paths")))
    options = {table: dict(_given(getattr(content, table), rows, path)) for table, rows in in_file.items()}
    return Config(corpus, content.clean, options)


def _table_of(name: str, declared: list[Declaration]) -> type[Struct]:
    """Return the type of the table *name*; the value of what it does not give is None."""
    fields = [(one.name, _type_of(one) | None, None) for one in declared]
    return defstruct(name, fields, frozen=True, forbid_unknown_fields=True)


def _type_of(declared: Declaration) -> Any:
    return list[str] | str if declared.option.commas else _TYPES[declared.kind]


def _given(table: Struct, declared: list[Declaration], file: Path) -> Iterator[tuple[str, Any]]:
    """Yield name and value of the options that *table* gives, paths relative to the folder of the *file*."""
    for one in declared:
        value = getattr(table, one.name)
        if value is not None and one.kind is Kind.PATH:
            value = str(file.absolute().parent / path_of(value, f"{file}: {type(table).__name__}.{one.name}"))
        if value is not None:
            yield one.name, value


def _explain(complaint: str, tables: Mapping[str, type[Struct]]) -> tuple[str, str]:
    """Return problem and advice for the *complaint* of msgspec."""
    match = _UNKNOWN.fullmatch(complaint)
    if match is None:
        return complaint.replace(" - at `$.", " at `"), "mend it there"
    table = match["table"] or ""
    names = [field.name for field in structs.fields(tables[table])] if table in tables else list(tables)
    name = match["name"][:_MOST_NAME]
    [nearest] = get_close_matches(name.replace("-", "_"), names, n=1, cutoff=0) or [names[0]]
    where = f"[{table}] " if table else ""
    return f"unknown option {where}{name}", f"did you mean {nearest}? Known are {', '.join(names)}"
