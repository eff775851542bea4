"""A finding: one thing wrong with a line, in words that quote nothing that may be text of a corpus."""

import re
from typing import Any, NamedTuple

from saturi.etl.checking.report import Kind

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_KINDS = ((dict, "an object"), (list, "a list"), (str, "a string"), (bool, "a boolean"), (int | float, "a number"))


class Finding(NamedTuple):
    """A kind of problem, the message it is in (from 0) or None for the line as a whole, and the facts in words."""

    kind: Kind
    message: int | None
    detail: str


def name_of(text: str) -> str:
    """Return *text* where it is a plain name, and its length where it may as well be text of the corpus."""
    return repr(text) if _PLAIN_KEY.fullmatch(text) else f"a text of {len(text)} letters"


def kind_of(value: Any) -> str:
    """Return the kind of a JSON value in words, and never the value."""
    return next((words for kind, words in _KINDS if isinstance(value, kind)), "null")


def times(count: int) -> str:
    """Return how often something occurs, in words."""
    return "once" if count == 1 else f"{count:,} times"
