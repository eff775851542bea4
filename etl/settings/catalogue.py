"""Catalogues: TOML files in this package with a table a row, and a file of the user of the same form laid over them."""

from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from saturi.etl.errors import OptionError
from saturi.etl.settings.toml import read_toml

Row = TypeVar("Row", bound=Struct)


def read_catalogue(ours: Path, users: Path | None, kind: type[Row], template: str | None = None) -> dict[str, Row]:
    """
    Return the rows of *ours* by name, with the fields of the *users* file in place of theirs.

    Args:
        ours: The file in this package.
        users: A file of the user's own, or None. Its fields replace those of the row of the same name.
        kind: The struct of a row; its field `name` is the table's.
        template: The row that a new one of the user's begins as a copy of, or None for an empty one.

    Raises:
        OptionError: The user's file cannot be read, or has a field or a value that a row cannot have.
    """
    tables = _read_ours(ours)
    rows = {name: _convert(ours, name, table, kind) for name, table in tables.items()}
    for name, changes in (read_toml(users) if users is not None else {}).items():
        if not isinstance(changes, dict):
            raise OptionError(str(users), f"{name!r} is no table", f'write [{name}], or ["{name}"] if it has a dot')
        below = tables.get(name, tables[template] if template else {})
        rows[name] = _convert(users or ours, name, below | changes, kind)
    return rows


@cache
def _read_ours(path: Path) -> dict[str, Any]:
    """Return the tables of a file in this package, which does not change; nobody may change them."""
    return read_toml(path)


def _convert(path: Path, name: str, table: dict[str, Any], kind: type[Row]) -> Row:
    try:
        return msgspec.convert({**table, "name": name}, type=kind)
    except msgspec.ValidationError as error:
        known = ", ".join(field for field in kind.__struct_fields__ if field != "name")
        raise OptionError(str(path), f'["{name}"] {error}', f"its fields are {known}") from error
