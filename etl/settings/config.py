"""Read `etl.toml`; an unknown name is refused with the nearest known one."""

import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, structs

from etl.errors import OptionError
from schemas.cleaning import CleanRules
from schemas.config import BuildTable, Config, CorpusTable, SubmitTable

Table = TypeVar("Table", bound=Struct)

DEFAULT_NAME = "etl.toml"
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*?)`(?: - at `\$\.?(?P<table>.*)`)?")
_TABLES: dict[str, type[Struct]] = {
    "": Config,
    "corpus": CorpusTable,
    "build": BuildTable,
    "clean": CleanRules,
    "submit": SubmitTable,
}


def read_config(path: Path) -> Config:
    """
    Return what the file at *path* says; paths in it are relative to its folder.

    Raises:
        OptionError: It cannot be read, is no TOML, or holds a name or a value it cannot hold.
    """
    try:
        config = msgspec.convert(read_toml(path), type=Config)
    except msgspec.ValidationError as error:
        raise OptionError(str(path), *_explain(str(error))) from error
    here = path.absolute().parent
    return structs.replace(
        config,
        corpus=CorpusTable(tuple(str(here / name) for name in config.corpus.paths)),
        build=_below(here, config.build, "out", "stage"),
        submit=_below(here, config.submit, "providers", "models", "key_file"),
    )


def _below(here: Path, table: Table, *names: str) -> Table:
    """Return *table* with the paths under *names* relative to *here*."""
    said = {name: getattr(table, name) for name in names}
    return structs.replace(table, **{name: str(here / path) for name, path in said.items() if path is not None})


def read_toml(path: Path) -> dict[str, Any]:
    """
    Return the tables of the file at *path*.

    Raises:
        OptionError: It cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(str(path), f"cannot be read ({error.strerror})", "check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(str(path), f"no valid TOML ({error})", "mend it there") from error


def _explain(complaint: str) -> tuple[str, str]:
    """Return (problem, advice) for what msgspec says of the file."""
    match = _UNKNOWN.fullmatch(complaint)
    if match is None:
        return complaint.replace(" - at `$.", " at `"), "mend it there"
    table = match["table"] or ""
    known = structs.fields(_TABLES.get(table, Config))
    names = [field.name for field in known]
    [nearest] = get_close_matches(match["name"].replace("-", "_"), names, n=1, cutoff=0) or [names[0]]
    where = f"[{table}] " if table else ""
    return f"unknown option {where}{match['name']}", f"did you mean {nearest}? Known are {', '.join(names)}"
