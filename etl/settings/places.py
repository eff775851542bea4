"""Lines of keys in TOML, which its parsers do not keep: found by parsing what stands before."""

import re
import tomllib
from typing import Any

_MOST_CANDIDATES = 50
"""Lines with the name that are tried: each costs a parse of all before it."""


def line_of(text: str, path: tuple[str, ...]) -> int | None:
    """
    Return the number, from 1, of the line of *text* on which the key *path* begins; None where that is not clear.

    A line is it if the text before has no such key, and the text with it, a number in the place of its value, does.

    Args:
        text: Valid TOML.
        path: Names of tables, and of the key in them.
    """
    name = re.escape(path[-1])
    header = re.compile(rf"\s*\[\[?[^\]]*(?<![\w-])['\"]?{name}['\"]?\s*[.\]]")
    assignment = re.compile(rf"\s*([\w'\". -]*(?<![\w-])['\"]?{name}['\"]?\s*(?:\.[^=]*)?)=")
    lines = text.split("\n")
    tried = 0
    for number, line in enumerate(lines, 1):
        match = assignment.match(line)
        if match is None and header.match(line) is None:
            continue
        tried += 1
        if tried > _MOST_CANDIDATES:
            return None
        before = "".join(f"{one}\n" for one in lines[: number - 1])
        with_it = f"{before}{match[1]} = 0\n" if match else f"{before}{line}\n"
        if not _has(before, path) and _has(with_it, path):
            return number
    return None


def _has(text: str, path: tuple[str, ...]) -> bool:
    """Whether *text* is TOML that has the key *path*."""
    try:
        value: Any = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return False
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
