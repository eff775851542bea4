"""JSON Schema of every file and output, by name."""

from typing import Any

import msgspec

from saturi.etl.errors import OptionError
from saturi.etl.formats.settings import settings_schema
from saturi.etl.formats.types import FILES, OUTPUT_TYPES, File
from saturi.schemas.outputs import OUTPUTS

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SETTINGS = "etl.toml"


def schema_names() -> dict[str, str]:
    """Return what each schema is of, by its name: files first, then outputs of commands."""
    files = {name: file.about for name, file in FILES.items()}
    outputs = {name: f"{_command(name)} --json" for name in OUTPUTS}
    return {_SETTINGS: "options in a file", **files, **outputs}


def schema(name: str) -> dict[str, Any]:
    """
    Return the JSON Schema (draft 2020-12) of the file or output *name*.

    Raises:
        OptionError: Nothing is called so.
    """
    known = schema_names()
    if name not in known:
        raise OptionError("NAME", f"{name!r} is unknown", f"choose from {', '.join(known)}")
    if name == _SETTINGS:
        described = settings_schema()
    elif name in FILES:
        described = _file_schema(FILES[name])
    else:
        described = _output_schema(name)
    return {"$schema": _DIALECT, "title": name, "description": known[name], **_resolved(described)}


def _command(name: str) -> str:
    """Return the command and option behind the name of an output."""
    command, _, option = name.partition("-")
    return f"saturi {command}" + (f" --{option}" if option else "")


def _file_schema(file: File) -> dict[str, Any]:
    """Return the schema of a file; a table of a user's catalogue has the fields that it changes, and its name above it."""
    schema = msgspec.json.schema(file.type)
    if not file.tables:
        return schema
    definitions = schema.pop("$defs")
    row = definitions[file.type.__name__]
    del row["required"], row["properties"]["name"]
    return {"type": "object", "additionalProperties": schema, "$defs": definitions}


def _output_schema(name: str) -> dict[str, Any]:
    """Return the schema of an output: an object with `version`, and with rows or the keys of a struct."""
    output = OUTPUTS[name]
    schema = msgspec.json.schema(OUTPUT_TYPES[name])
    version = {"const": output.version}
    definitions = {"$defs": schema.pop("$defs", {})}
    if output.rows is not None:
        properties = {"version": version, output.rows: {"type": "array", "items": schema}}
        return {"type": "object", "properties": properties, "required": list(properties), **definitions}
    extended = {key: {"type": "array", "items": {"type": "string"}} for key in output.notes}
    more = {"properties": {"version": version, **extended}, "required": ["version", *extended]}
    return {"allOf": [schema, more], **definitions}


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without the title that msgspec gives it, since it has the name it is asked for by."""
    return {key: value for key, value in schema.items() if key != "title"}
