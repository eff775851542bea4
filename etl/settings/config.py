"""
`etl.toml`: options kept in a file; the command line goes over it, and it over the defaults.

Its tables hold what the options declare; an unknown name is refused, with a known one that is near, and a value
that its option cannot have with its line.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct, ValidationError, convert, defstruct, structs

from saturi.etl.errors import OptionError
from saturi.etl.settings.checks import check_value
from saturi.etl.settings.declaration import Declaration, Kind, declarations
from saturi.etl.settings.options import BuildOptions, RunOptions
from saturi.etl.settings.paths import location_of, locations_of
from saturi.etl.settings.places import line_of
from saturi.etl.settings.sizes import parse_bytes
from saturi.etl.settings.toml import read_toml_text
from saturi.etl.storage.location import Location
from saturi.schemas.cleaning import CleanRules

DEFAULT_NAME = "etl.toml"
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*?)`(?: - at `\$\.?(?P<table>.*)`)?")
_PLACE = re.compile(r" - at `\$\.(?P<place>[^`]*)`$")
_EXPECTED = re.compile(r"Expected `(?P<kinds>[^`]*)`, got ")
_WORDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "array": "a list",
    "object": "a table",
}
_INDEX = re.compile(r"\[.*")
_MOST_NAME = 100  # letters of an unknown name that are compared and shown
_TYPES: dict[Kind, Any] = {
    Kind.SWITCH: bool,
    Kind.TERM: str,
    Kind.TERMS: list[str] | str,
    Kind.TEXT: str,
    Kind.TEXTS: list[str] | str,
    Kind.INTEGER: int,
    Kind.SIZE: int | str,
    Kind.FLOAT: float,
    Kind.SHARE: float | str,
    Kind.PATH: str,
    Kind.LOCATION: str,
}
"""What a value of each kind is in TOML; its range is for the options to check."""


class CorpusTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[corpus]`: what to read when the command line names nothing."""

    paths: tuple[str, ...] | str = ()


class Text(NamedTuple):
    """The text of a file, to find a line in."""

    path: Path
    content: str

    def place(self, *key: str) -> str:
        """Return path, line and name of *key*, or of the table it is in, as far as the line is clear."""
        name = ".".join(key)
        numbers = (line_of(self.content, key[:length]) for length in range(len(key), 0, -1))
        number = next((one for one in numbers if one is not None), None)
        return f"{self.path}: {name}" if number is None else f"{self.path}:{number}: {name}"


class Config(Struct, frozen=True):
    """
    The whole file.

    Args:
        paths: Absolute paths, and URLs, of the corpus.
        options: By table and name, the options that the file gives; its paths are absolute.
        text: The text it was read from, or None where there is no file.
    """

    paths: tuple[Location, ...] = ()
    clean: CleanRules = CleanRules()
    options: dict[str, dict[str, Any]] = {}
    text: Text | None = None

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
    raw, written = read_toml_text(path)
    text = Text(path, written)
    try:
        content = convert(raw, type=file)
    except ValidationError as error:
        raise _refusal(text, str(error), tables, raw) from error
    with _placed(text, "corpus", "paths"):
        paths = tuple(_from_file(path, one) for one in locations_of(content.corpus.paths, "paths"))
    options = {table: dict(_given(getattr(content, table), rows, text)) for table, rows in in_file.items()}
    return Config(paths, content.clean, options, text)


def _table_of(name: str, declared: list[Declaration]) -> type[Struct]:
    """Return the type of the table *name*; the value of what it does not give is None."""
    fields = [(one.name, _type_of(one) | None, None) for one in declared]
    return defstruct(name, fields, frozen=True, forbid_unknown_fields=True)


def _type_of(declared: Declaration) -> Any:
    return _TYPES[declared.kind]


def _given(table: Struct, declared: list[Declaration], text: Text) -> Iterator[tuple[str, Any]]:
    """Yield name and value of the options that *table* gives, each checked, paths relative to the folder of the file."""
    for one in declared:
        value = getattr(table, one.name)
        if value is None:
            continue
        with _placed(text, type(table).__name__, one.name):
            check_value(one, _number_of(one, value))
        if one.kind in (Kind.PATH, Kind.LOCATION):
            value = str(_from_file(text.path, location_of(value, one.flag)))
        one_of_many = one.kind in (Kind.TERMS, Kind.TEXTS) and not one.option.commas
        yield one.name, [value] if one_of_many and isinstance(value, str) else value


def _from_file(file: Path, location: Location) -> Location:
    """Return *location*, a path relative to the folder of *file*."""
    return file.absolute().parent / location if isinstance(location, Path) else location


def _number_of(declared: Declaration, value: Any) -> Any:
    """Return *value*, a size that is written with a unit as its number of bytes."""
    if declared.kind is not Kind.SIZE or not isinstance(value, str):
        return value
    try:
        return parse_bytes(value)
    except ValueError as error:
        raise OptionError(declared.flag, str(error), "mend it there") from error


@contextmanager
def _placed(text: Text, *key: str) -> Iterator[None]:
    """Put the place of *key* into an error about its value."""
    try:
        yield
    except OptionError as error:
        _, problem, advice = error.args
        raise OptionError(text.place(*key), problem, advice) from error


def _refusal(text: Text, complaint: str, tables: Mapping[str, type[Struct]], raw: Mapping[str, Any]) -> OptionError:
    """Return the error for a *complaint* of msgspec about *raw*, with its place."""
    match = _UNKNOWN.fullmatch(complaint)
    if match is None:
        place = _PLACE.search(complaint)
        if place is None:
            return OptionError(str(text.path), complaint, "mend it there")
        key = _INDEX.sub("", place["place"]).split(".")
        return OptionError(text.place(*key), _plainly(complaint[: place.start()], place["place"], raw), "mend it there")
    table = match["table"] or ""
    names = [field.name for field in structs.fields(tables[table])] if table in tables else list(tables)
    name = match["name"][:_MOST_NAME]
    nearest = get_close_matches(name.replace("-", "_"), names, n=1)
    guess = f"did you mean {nearest[0]}? Known are" if nearest else "known are"
    outside = "table" if isinstance(raw.get(match["name"]), dict) else "option outside of any table"
    kind = "option" if table else outside
    where = text.place(*filter(None, (table, match["name"])))[: len(str(text.path)) + 2 * _MOST_NAME]
    return OptionError(where, f"an unknown {kind}", f"{guess} {', '.join(names)}")


def _plainly(complaint: str, place: str, raw: Mapping[str, Any]) -> str:
    """Return *complaint*, one of msgspec about the value at *place*, in the words of TOML where it is about a kind of value."""
    match = _EXPECTED.match(complaint)
    if match is None:
        return complaint
    kinds = " or ".join(_WORDS[kind] for kind in match["kinds"].split(" | ") if kind in _WORDS)
    if "[" in place:
        return f"a value in it is not {kinds}"
    value: Any = raw
    for name in place.split("."):
        value = value[name]
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return f"{shown if len(shown) <= _MOST_NAME else 'its value'} is not {kinds}"
