"""TOML files of the user's and of this package: regular files of UTF-8, a byte order mark allowed, and of bounded size."""

import math
import tomllib
from pathlib import Path
from typing import Any

from saturi.etl.errors import OptionError
from saturi.etl.settings.regular import NotRegularError, open_regular

MOST_BYTES = 1 << 20
"""Of a file; one with every option in it has 5 kB."""

MOST_DEPTH = 50
"""Of tables and arrays within each other; ours have three."""


def read_toml(path: Path) -> dict[str, Any]:
    """Return the tables of the file at *path*; errors are those of `read_toml_text`."""
    return read_toml_text(path)[0]


def read_toml_text(path: Path) -> tuple[dict[str, Any], str]:
    """
    Return the tables of the file at *path*, and its text.

    Raises:
        OptionError: It cannot be read, is too large or no regular file, is not UTF-8, is no TOML, is nested too deeply,
            or has an infinite number.
    """
    try:
        content = _read(path)
    except NotRegularError as error:
        raise OptionError(str(path), "is no regular file", "name a file of TOML") from error
    except OSError as error:
        raise OptionError(str(path), f"cannot be read ({error.strerror})", "check the path") from error
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        tables = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise OptionError(
            str(path), f"is not in UTF-8 ({error.reason} at byte {error.start:,})", "save it as UTF-8"
        ) from error
    except RecursionError as error:
        raise OptionError(str(path), "no valid TOML (nested too deeply)", "mend it there") from error
    except tomllib.TOMLDecodeError as error:
        raise OptionError(str(path), f"no valid TOML ({error})", "mend it there") from error
    except ValueError as error:
        raise OptionError(str(path), "a number has more digits than Python reads", "mend it there") from error
    _refuse_excess(path, tables)
    return tables, text


def _read(path: Path) -> bytes:
    with open_regular(path) as file:
        content = b""
        while len(content) <= MOST_BYTES and (block := file.read(MOST_BYTES + 1 - len(content))):
            content += block
    if len(content) > MOST_BYTES:
        raise OptionError(str(path), f"has more than {MOST_BYTES:,} bytes", "name a file of TOML with options alone")
    return content


def _refuse_excess(path: Path, tables: dict[str, Any]) -> None:
    """Refuse values nested too deeply, NaN, infinity and what is rounded to it, wherever in *tables*."""
    rest: list[tuple[str, Any, int]] = [(name, value, 1) for name, value in tables.items()]
    while rest:
        name, value, depth = rest.pop()
        if depth > MOST_DEPTH:
            raise OptionError(str(path), "no valid TOML (nested too deeply)", "mend it there")
        if isinstance(value, dict):
            rest += [(f"{name}.{key}", below, depth + 1) for key, below in value.items()]
        elif isinstance(value, list):
            rest += [(name, below, depth + 1) for below in value]
        elif isinstance(value, float) and not math.isfinite(value):
            raise OptionError(str(path), f"{name} is {value}, which is no finite number", "mend it there")
