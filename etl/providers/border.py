"""
The border: values of a provider's answer as they may enter.

Each function takes any JSON value and returns one of its type that is safe to keep and to print, or None where it is not.
"""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from saturi.etl.output.printable import printable

Made = TypeVar("Made")

MOST_TEXT = 2_000
"""Characters of a message that are kept."""

HIDDEN = "(key)"

_MOST_NAME = 512  # an id, the name of a model or a file; OpenAI's are below 100
_MOST_COUNT = 2**63 - 1  # what a column of the ledger holds
_MOST_SECONDS = 253_402_300_799  # the end of the year 9999
_BLANKS = re.compile(r"[\t\n\r ]+")


class Border:
    """
    What enters from one account, whose secrets do not.

    Args:
        secrets: The key and what else is secret, which some providers repeat in their answers.
    """

    def __init__(self, *secrets: str) -> None:
        self._secrets = sorted(filter(None, secrets), key=len, reverse=True)

    def text(self, value: Any, most: int = MOST_TEXT) -> str | None:
        """Return a text for people, on one line, without secrets."""
        if not isinstance(value, str):
            return None
        return printable(_BLANKS.sub(" ", self.content(value)).strip(" "), most)

    def content(self, text: str) -> str:
        """Return *text*, which is data and not for people, without secrets; its lines and its other characters stay."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text

    def name(self, value: Any) -> str | None:
        """Return an id or a name, which goes into requests again, as it is; None where it could not be printed as it is."""
        if not isinstance(value, str) or not 0 < len(value) <= _MOST_NAME:
            return None
        return value if self.text(value) == value else None

    def texts(self, value: Any) -> dict[str, str]:
        """Return the entries of an object that are names of texts."""
        items = value.items() if isinstance(value, dict) else ()
        return {name: text for name, text in items if self.name(name) and self.name(text)}


def count(value: Any) -> int | None:
    """Return a whole number from 0 up."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= _MOST_COUNT else None


def finite(value: Any) -> float | None:
    """Return a number that is one: no NaN, no infinity."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def seconds(value: Any) -> float | None:
    """Return a time in seconds since 1970; some providers write it as ISO 8601."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            value = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return None
    number = finite(value)
    return number if number is not None and 0 <= number <= _MOST_SECONDS else None


def day(value: Any) -> date | None:
    """Return a day written as ISO 8601, or the day of a time."""
    try:
        return datetime.fromisoformat(value).date() if isinstance(value, str) else None
    except ValueError:
        return None


def decode(content: bytes) -> Any:
    """
    Return the JSON value in *content*, with null for NaN and infinity, and for what is nested too deeply.

    Raises:
        ValueError: It is no JSON.
    """
    try:
        return json.loads(content, parse_constant=_null)
    except RecursionError:
        return None


def rows_of(items: list[Any], make: Callable[[dict[str, Any]], Made | None]) -> tuple[Made, ...]:
    """Return what *make* makes of every object among *items*; what is none, or makes nothing, is left out."""
    rows = (make(item) for item in items if isinstance(item, dict))
    return tuple(row for row in rows if row is not None)


def _null(_: str) -> None:
    """Return null for a constant that is no JSON."""
