"""AI-Hub's details of a data set: exact sizes of its files, and whatever it tells of the user's approval."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from saturi.etl.output.printable import printable

_FILES = "파일 목록"  # the section is called "파일 목록(API 다운로드)"
_APPROVAL = re.compile(r"유효 ?기간|승인.*(?:만료|종료)|이용.*(?:만료|종료)")
_MOST_BYTES = 1 << 50
_MOST_DEPTH = 8
_MOST_TEXT = 200


class Inventory(NamedTuple):
    """Sizes in bytes by number of file, and the end of the user's approval in AI-Hub's words, or None."""

    sizes: dict[int, int]
    approval_ends: str | None


def read_inventory(content: bytes) -> Inventory:
    """Return what the answer *content* tells; nothing where it has another form than the one known."""
    try:
        answer = msgspec.json.decode(content)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return Inventory({}, None)
    pairs = list(_pairs(answer))
    sizes: dict[int, int] = {}
    for name, value in pairs:
        if name.startswith(_FILES):
            for inner, rows in _pairs(value):
                if inner == "fileList":
                    sizes |= dict(_sizes(_plain(rows)))
    approvals = (value for name, value in pairs if _APPROVAL.search(name) and isinstance(_plain(value), str | int))
    approval = next((printable(str(_plain(value)), _MOST_TEXT) for value in approvals), None)
    return Inventory(sizes, approval)


def _pairs(value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:  # any JSON
    """Yield the names and values of all objects in *value*."""
    if isinstance(value, dict) and depth < _MOST_DEPTH:
        for name, inner in value.items():
            yield name, inner
            yield from _pairs(inner, depth + 1)


def _sizes(rows: Any) -> Iterator[tuple[int, int]]:  # any JSON
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict):
            number, size = (_count(row.get(name)) for name in ("fileSn", "fileSize"))
            if number is not None and size is not None:
                yield number, size


def _count(value: Any) -> int | None:  # any JSON
    value = _plain(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 17:  # noqa: PLR2004 - fits a float
        value = int(value)
    return value if type(value) is int and 0 <= value <= _MOST_BYTES else None


def _plain(value: Any) -> Any:  # any JSON
    """Return *value*, or what is in it where it is an object of one `value`, as some answers have it."""
    return value.get("value") if isinstance(value, dict) and "value" in value else value
