"""One line as JSON, with the keys that are in an object twice, of which readers differ on which one counts."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

from saturi.etl.checking.finding import Finding
from saturi.etl.checking.report import Kind


class JsonObject(dict[str, Any]):
    """An object of a line; `repeated` are its keys that are there more than once."""

    repeated: tuple[str, ...] = ()


def parse_line(line: bytes) -> tuple[str, Any] | Finding:
    """Return *line* as text and as a JSON value, or why it is none."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        return Finding(Kind.INVALID_UTF8, None, f"byte {error.start + 1} of the line is no UTF-8")
    try:
        return text, json.loads(text, parse_constant=_refuse, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        return Finding(Kind.INVALID_JSON, None, f"{_reason(error)} at letter {error.pos + 1}")
    except RecursionError:
        return Finding(Kind.INVALID_JSON, None, "brackets in brackets, too deep to be read")
    except ValueError:  # NaN, and what else Python's parser takes; a number of thousands of digits
        return Finding(Kind.INVALID_JSON, None, "a number that JSON does not have, or of too many digits")


def repeated_keys(value: Any) -> Iterator[str]:
    """Yield the keys that are in *value*, or in an object within it, more than once."""
    if isinstance(value, JsonObject):
        yield from value.repeated
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from repeated_keys(below)


def _object(pairs: list[tuple[str, Any]]) -> JsonObject:
    value = JsonObject(pairs)
    if len(value) < len(pairs):
        value.repeated = tuple(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
    return value


def _reason(error: json.JSONDecodeError) -> str:
    """Return why *error* was raised; where it names no letter, and no remedy of its own."""
    if error.msg.startswith("Unexpected UTF-8 BOM"):
        return "Another byte order mark, as where files were joined,"
    return error.msg.removesuffix(" at")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
