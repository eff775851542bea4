"""The border to a provider: what of its values enters, and how long it may ask to wait."""

from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from provider.mutations import DEEP, ESCAPES

from saturi.etl.output.printable import printable
from saturi.etl.providers.border import MOST_TEXT, Border, count, day, decode, finite, seconds
from saturi.etl.providers.retry_after import wait_seconds

KEY = "sk-canary-1234"
BORDER = Border(KEY)
NOW = datetime(2026, 11, 27, 3, 18, 1, tzinfo=UTC)


@given(st.text(st.characters(), max_size=200))
def test_a_printable_text(text: str) -> None:
    """No control, no line end, no mark of direction and no half of a pair is left of any text; all else is."""
    shown = printable(text)
    assert not [sign for sign in shown if ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0]
    assert not set(shown) & set(
        "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\ufeff"
    )
    shown.encode()
    if shown.isascii() and "\\" not in shown:
        assert shown == text


def test_what_is_shown_as_an_escape() -> None:
    """Escapes name the character; Hangul and signs stay, and a long text is cut before escapes are made of it."""
    assert printable("사투리 ₩1 – ok") == "사투리 ₩1 – ok"
    assert printable(ESCAPES).startswith(
        r"\x1b]52;c;aGFja2Vk\x07\x1b[2J\x9b31m\x0d\x0asaturi: forged\u2028\u2029\u202e"
    )
    assert BORDER.text("가" * 3_000) == "가" * MOST_TEXT + "…"
    assert printable("\ud800") == r"\ud800"


TEXTS: dict[str, tuple[Any, str | None]] = {
    "lines": ("one\r\n  two\tthree", "one two three"),
    "key": (f"Incorrect key {KEY}.", "Incorrect key (key)."),
    "object": ({"a": 1}, None),
    "number": (5, None),
    "null": (None, None),
    "empty": ("", ""),
}


@pytest.mark.parametrize(("value", "text"), TEXTS.values(), ids=TEXTS)
def test_a_text(value: Any, text: str | None) -> None:
    """A text enters on one line and without the key; what is none is null."""
    assert BORDER.text(value) == text


NAMES: dict[str, tuple[Any, str | None]] = {
    "id": ("file-abc", "file-abc"),
    "model": ("ft:gpt-4.1-mini-2025-04-14:org:사투리:x", "ft:gpt-4.1-mini-2025-04-14:org:사투리:x"),
    "control": ("file-\x1b[2J", None),
    "line": ("file\nx", None),
    "key": (f"file-{KEY}", None),
    "empty": ("", None),
    "long": ("x" * 513, None),
    "number": (7, None),
}


@pytest.mark.parametrize(("value", "name"), NAMES.values(), ids=NAMES)
def test_a_name(value: Any, name: str | None) -> None:
    """An id or a name, which goes into requests again, enters as it is or not at all."""
    assert BORDER.name(value) == name


def test_numbers_and_times() -> None:
    """Numbers, times and days enter where they are such; NaN, infinity, objects and what no column holds do not."""
    assert [count(value) for value in (0, 7, 7.0, 2**63 - 1)] == [0, 7, 7, 2**63 - 1]
    no_counts: tuple[Any, ...] = (-1, 7.5, 2**63, True, "7", None, [], float("nan"), float("inf"))
    assert [count(value) for value in no_counts] == [None] * 9
    assert [finite(value) for value in (1, 1.5, -2)] == [1.0, 1.5, -2.0]
    assert [finite(value) for value in (float("nan"), float("inf"), 10**400, True, "1", None)] == [None] * 6
    assert seconds(5) == 5.0
    assert seconds("2026-11-27T03:18:01Z") == seconds("2026-11-27T03:18:01") == NOW.timestamp()
    odd: tuple[Any, ...] = (-1, 1e300, "soon", {}, None, True)
    assert [seconds(value) for value in odd] == [None] * 6
    assert day("2027-01-14") == day("2027-01-14T05:00:00Z") == date(2027, 1, 14)
    assert [day(value) for value in ("never", 5, None, "2027-13-01")] == [None] * 4


def test_json() -> None:
    """NaN and infinity are null; what is nested without end is null as a whole; what is no JSON is an error."""
    assert decode(b'{"a": NaN, "b": [Infinity, -Infinity]}') == {"a": None, "b": [None, None]}
    assert decode(b"[" * DEEP + b"]" * DEEP) is None
    for content in (b"", b"{", b'{"a": \xff}', b"9" * 5_000):
        with pytest.raises(ValueError, match=r"."):
            decode(content)


def _http(delta: timedelta) -> str:
    return format_datetime(NOW + delta, usegmt=True)


HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
WAITS: dict[str, tuple[dict[str, str], float | None]] = {
    "none": ({}, None),
    "seconds": ({"retry-after": "7"}, 7.0),
    "zero": ({"retry-after": "0"}, None),
    "negative": ({"retry-after": "-5"}, None),
    "nan": ({"retry-after": "nan"}, None),
    "infinite": ({"retry-after": "1e999"}, None),
    "nonsense": ({"retry-after": "soon"}, None),
    "date": ({"retry-after": _http(MINUTE)}, 60.0),
    "date-past": ({"retry-after": _http(-MINUTE)}, None),
    "clock-an-hour-ahead": ({"retry-after": _http(HOUR + MINUTE), "date": _http(HOUR)}, 60.0),
    "clock-an-hour-behind": ({"retry-after": _http(MINUTE - HOUR), "date": _http(-HOUR)}, 60.0),
    "date-nonsense": ({"retry-after": _http(MINUTE), "date": "yesterday"}, 60.0),
    "date-impossible": ({"retry-after": "Fri, 99 Nov 99999 00:00:00 GMT"}, None),
}


@pytest.mark.parametrize(("headers", "wait"), WAITS.values(), ids=WAITS)
def test_how_long_to_wait(headers: dict[str, str], wait: float | None) -> None:
    """A wait is a number of seconds above zero, or the time up to a date by the provider's own clock; else there is none."""
    assert wait_seconds(headers, NOW) == wait
