"""A first `etl.toml`: every key with its help, its default and its range, commented out."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import structs

from saturi.etl.errors import OptionError
from saturi.etl.formats.tables import declared_tables
from saturi.etl.output.files import write_whole
from saturi.etl.settings.config import DEFAULT_NAME
from saturi.etl.settings.declaration import Declaration, Kind
from saturi.etl.settings.paths import path_of
from saturi.schemas.cleaning import CleanRules

_HEAD = """\
# etl.toml: options of saturi, in the place of its defaults; what the command line gives goes over them.
# Take the # off a line to set it. Paths are relative to this file, and ~ is your home folder.
"""
_ABOUT = {
    "build": "Options of `build`: see docs/build.md.",
    "fetch": "Options of `fetch`: see docs/fetch.md.",
    "submit": "Options of `submit`: see docs/training.md.",
    "evaluate": "Options of `evaluate`: see docs/evaluation.md.",
}
_PLACEHOLDER = "…"


def init(path: str | Path = DEFAULT_NAME) -> Path:
    """
    Write a commented `etl.toml` to *path*, and return it.

    Raises:
        OptionError: There is something already.
        StorageError: It cannot be written.
    """
    file = path_of(path, "FILE")
    if file.exists() or file.is_symlink():
        raise OptionError(str(file), "is there already", "give another name, or remove it")
    write_whole(file, [template().encode()])
    return file


def template() -> str:
    """Return the text of an `etl.toml` that sets nothing."""
    tables = declared_tables()
    parts = [_HEAD, _corpus(), _table("build", tables.pop("build")), _clean()]
    return "\n".join([*parts, *(_table(name, rows) for name, rows in tables.items())])


def _corpus() -> str:
    about = "# What `build` and `inspect` read when the command line names nothing: folders, zips, split zips."
    return "\n".join(["[corpus]", about, '# paths = ["data"]', ""])


def _clean() -> str:
    rows = [f'# {field.name} = "{field.default}"' for field in structs.fields(CleanRules)]
    about = "# What `build` does about each mark of the transcribers: rewrite, drop or keep; see docs/build.md."
    return "\n".join(["[clean]", about, *rows, ""])


def _table(name: str, rows: Iterable[Declaration]) -> str:
    return "\n".join([f"[{name}]", f"# {_ABOUT[name]}", "", *(line for row in rows for line in _lines(row))])


def _lines(declared: Declaration) -> Iterator[str]:
    facts = [*_range(declared), *_default(declared)]
    yield f"# {declared.option.help}" + (f" ({'; '.join(facts)})" if facts else "")
    yield f"# {declared.name} = {_value(declared)}"
    yield ""


def _range(declared: Declaration) -> Iterator[str]:
    option = declared.option
    if declared.kind in (Kind.TERM, Kind.TERMS):
        yield "one of: " * (declared.kind is Kind.TERM) + ", ".join(declared.terms)
    elif declared.kind in (Kind.INTEGER, Kind.SIZE, Kind.FLOAT, Kind.SHARE) and option.low is not None:
        upper = "up" if option.high is None else f"to {'below ' if option.below else ''}{option.high:,g}"
        yield " or ".join([f"{option.low:g} {upper}", *declared.terms])
    elif option.metavar is not None:
        yield option.metavar


def _default(declared: Declaration) -> Iterator[str]:
    if declared.option.unset is not None:
        yield f"default: {declared.option.unset}"
    elif declared.default in (None, ()):
        yield "default: none"


def _value(declared: Declaration) -> str:
    """Return the default as TOML, or, where it is no value, one that shows the form."""
    if declared.default not in (None, ()):
        # A JSON value of these kinds is a TOML value.
        return json.dumps(declared.default, ensure_ascii=False, default=str)
    match declared.kind:
        case Kind.INTEGER | Kind.SIZE | Kind.FLOAT | Kind.SHARE:
            return f"{declared.option.low or 0:g}"
        case Kind.TERM | Kind.TERMS:
            return json.dumps(declared.terms[0])
        case Kind.PATH | Kind.LOCATION:
            return json.dumps(f"{declared.name}.toml" if declared.name in ("providers", "models") else declared.name)
        case _:
            word = (declared.option.metavar or _PLACEHOLDER).partition("|")[0]
            return json.dumps(word if declared.kind is Kind.TEXT else [word], ensure_ascii=False)
