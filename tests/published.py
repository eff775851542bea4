"""
Requests and answers held against the models that an SDK publishes: run by the Python that the SDK is installed for.

`python published.py` reads JSON from stdin, a list of [model, value], and prints what is wrong, a line each. A model is the name of
a class after that of its module; a field that the model does not have is wrong, too.
"""

import importlib
import json
import sys
from typing import Annotated, Any, NotRequired, Required, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import is_typeddict


def problems(rows: list[list[Any]]) -> list[str]:
    """Return what is wrong with each of *rows*, a model and a value."""
    return [problem for model, value in rows for problem in _problems(model, value)]


def _problems(name: str, value: Any) -> list[str]:
    module, _, kind = name.rpartition(".")
    model = getattr(importlib.import_module(module), kind)
    try:
        if isinstance(model, type) and issubclass(model, BaseModel):
            return [f"{name}: no field {field}" for field in _unknown(model, value)] + _checked(model, value)
        return _checked(model, _plain(model, value))
    except (ValidationError, KeyError) as error:
        return [f"{name}: {error} in {json.dumps(value)[:2_000]}"]


def _checked(model: Any, value: Any) -> list[str]:
    TypeAdapter(model).validate_json(json.dumps(value), strict=True)
    return []


def _unknown(model: type[BaseModel], value: dict[str, Any]) -> list[str]:
    """Return the fields of *value* that *model* has not, by their names on the wire."""
    known = {field.alias or name for name, field in model.model_fields.items()}
    return sorted(value.keys() - known)


def _plain(kind: Any, value: Any) -> Any:
    """Return *value* with the names of a `TypedDict` in the place of those on the wire, which stand beside them."""
    kind = _bare(kind)
    if is_typeddict(kind) and isinstance(value, dict):
        hints = get_type_hints(kind, include_extras=True)
        names = {_alias(hint) or name: name for name, hint in hints.items()}
        return {names[key]: _plain(hints[names[key]], one) for key, one in value.items()}
    for one in get_args(kind):
        if is_typeddict(_bare(one)) and isinstance(value, dict):
            return _plain(one, value)
    return value


def _bare(kind: Any) -> Any:
    while get_origin(kind) in (Annotated, Required, NotRequired):
        kind = get_args(kind)[0]
    return kind


def _alias(hint: Any) -> str | None:
    """Return the name on the wire that stands beside *hint*, or None."""
    if get_origin(hint) in (Required, NotRequired):
        return _alias(get_args(hint)[0])
    aliases = [getattr(one, "alias", None) for one in get_args(hint)[1:]] if get_origin(hint) is Annotated else []
    return next(filter(None, aliases), None)


if __name__ == "__main__":
    sys.stdout.write("\n".join(problems(json.load(sys.stdin))))
