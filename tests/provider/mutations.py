"""Answers of wrong form: seeded changes to good answers, each of a kind that servers, gateways or attackers make."""

import json
import random
from collections.abc import Callable
from typing import Any

from .answers import Answer

ESCAPES = "\x1b]52;c;aGFja2Vk\x07\x1b[2J\x9b31m\r\nsaturi: forged\u2028\u2029\u202e\u2066\u200f\x00\x7f"
"""What a terminal or a log would act on."""

DEEP = 100_000

_RAW = "@raw@"
_VALUES: tuple[Any, ...] = (
    None,
    True,
    "",
    "2026-11-27T03:18:01Z",
    "\ud800 half of a pair",
    ESCAPES,
    "x" * 100_000,
    -1,
    1.5,
    2**70,
    [],
    ["a", {"b": 1}],
    {},
    {"id": {"id": "x"}},
    {"message": ["a"], "code": {}, "param": 1},
    f"{_RAW}NaN",
    f"{_RAW}-Infinity",
    f"{_RAW}1e999",
    f"{_RAW}{'9' * 5_000}",
    f"{_RAW}{'[' * DEEP}{']' * DEEP}",
)


def mutate(answer: Answer, rng: random.Random) -> Answer:
    """Return *answer* with one thing wrong."""
    body = answer.body if isinstance(answer.body, dict) else {}
    content = rng.choice(_KINDS)(json.loads(json.dumps(body)), rng)
    return answer._replace(body=content)


def _encode(value: Any) -> bytes:
    text = json.dumps(value)
    start = text.find(f'"{_RAW}')
    while start >= 0:
        end = text.index('"', start + 1)
        text = text[:start] + text[start + 1 + len(_RAW) : end] + text[end + 1 :]
        start = text.find(f'"{_RAW}')
    return text.encode()


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every place in *value*, a container and a key of it."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in _places(value[key])]


def _replaced(body: Any, rng: random.Random) -> bytes:
    places = _places(body)
    if places:
        container, key = rng.choice(places)
        container[key] = rng.choice(_VALUES)
    return _encode(body)


def _dropped(body: Any, rng: random.Random) -> bytes:
    places = [(container, key) for container, key in _places(body) if isinstance(container, dict)]
    if places:
        container, key = rng.choice(places)
        del container[key]
    return _encode(body)


def _whole(body: Any, rng: random.Random) -> bytes:  # noqa: ARG001 - the signature of all kinds
    return _encode(rng.choice(_VALUES))


def _wrapped(body: Any, rng: random.Random) -> bytes:
    return _encode(rng.choice(([body], {"data": body}, {"result": [body, body]}, {"object": "error", "error": body})))


def _cut(body: Any, rng: random.Random) -> bytes:
    whole = _encode(body)
    return whole[: rng.randrange(len(whole))]


def _garbled(body: Any, rng: random.Random) -> bytes:
    whole = bytearray(_encode(body))
    for _ in range(3):
        whole[rng.randrange(len(whole))] = rng.randrange(256)
    return bytes(whole)


_KINDS: tuple[Callable[[Any, random.Random], bytes], ...] = (_replaced,) * 6 + (
    _dropped,
    _whole,
    _wrapped,
    _cut,
    _garbled,
)
