"""JSON Schema of `etl.toml`, from the declarations of its options."""

from typing import Any

import msgspec

from saturi.etl.formats.tables import declared_tables
from saturi.etl.settings.declaration import Declaration, Kind
from saturi.schemas.cleaning import CleanRules

_TEXT, _INTEGER, _NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}


def settings_schema() -> dict[str, Any]:
    """Return the schema of an `etl.toml`; that it holds unknown keys, or values out of their range, is against it."""
    tables = {name: _object({row.name: _property(row) for row in rows}) for name, rows in declared_tables().items()}
    clean = msgspec.json.schema(CleanRules)
    paths = {"description": "What to read when the command line names nothing.", **_list(_TEXT)}
    properties = {"corpus": _object({"paths": paths}), **tables, "clean": {"$ref": "#/$defs/CleanRules"}}
    return {**_object(properties), "$defs": clean["$defs"]}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _property(declared: Declaration) -> dict[str, Any]:
    schema: dict[str, Any] = {"description": declared.option.help, **_values(declared)}
    if declared.default is not None:
        schema["default"] = msgspec.to_builtins(declared.default, enc_hook=str)
    return schema


def _values(declared: Declaration) -> dict[str, Any]:
    option = declared.option
    term = {"anyOf": [{"enum": list(declared.terms)}, _TEXT]}  # also in Korean, and in any case
    number = _bounds(declared)
    forms: dict[Kind, dict[str, Any]] = {
        Kind.SWITCH: {"type": "boolean"},
        Kind.TERM: term,
        Kind.TERMS: _list(term),
        Kind.TEXT: {**_TEXT, "minLength": int(option.low or 0)},
        Kind.TEXTS: _list(_TEXT),
        Kind.INTEGER: {**_INTEGER, **number},
        Kind.SIZE: {"anyOf": [{**_INTEGER, **number}, _TEXT]},
        Kind.FLOAT: {**_NUMBER, **number},
        Kind.SHARE: {"anyOf": [{**_NUMBER, **number}, {"enum": list(declared.terms)}]},
        Kind.PATH: _TEXT,
        Kind.LOCATION: _TEXT,
    }
    return forms[declared.kind]


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"type": "array", "items": item}, item]}


def _bounds(declared: Declaration) -> dict[str, Any]:
    option = declared.option
    low = {} if option.low is None else {"minimum": option.low}
    if option.high is None:
        return low
    return low | {"exclusiveMaximum" if option.below else "maximum": option.high}
