"""Render pairs as chat lines: compact JSON, Hangul as it is, and nothing in it that some reader takes for the end of a line."""

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from saturi.schemas.chat import Example, Message

# Unicode line separators, which `str.splitlines` and editors split at, as JSON escapes of the same characters. In UTF-8
# these byte sequences are never part of another character.
_SEPARATORS = {"\u2028".encode(): rb"\u2028", "\u2029".encode(): rb"\u2029", "\u0085".encode(): rb"\u0085"}

_ENCODER = msgspec.json.Encoder()


def render(sources: Iterable[str], targets: Iterable[str], system_prompt: str | Iterable[str]) -> list[bytes]:
    """
    Return one line for each source and its target, newline included.

    All lines are alike but for the instruction and the two texts, so the texts are encoded in one go and set into what
    is always the same: four times as fast as encoding an `Example` a pair.

    Args:
        sources, targets: Texts as they are, of the same number; nothing is trimmed or normalised.
        system_prompt: Instruction in front of every pair, or one for each pair; empty for none.
    """
    texts = zip(_encode(sources), _encode(targets), strict=True)
    _, middle, tail = _around("")
    if isinstance(system_prompt, str):
        head, _, _ = _around(system_prompt)
        return [head + source + middle + target + tail for source, target in texts]
    return [
        _around(prompt)[0] + source + middle + target + tail
        for prompt, (source, target) in zip(system_prompt, texts, strict=True)
    ]


@lru_cache(maxsize=256)
def _around(system_prompt: str) -> tuple[bytes, bytes, bytes]:
    """Return the constant parts of a line: before, between and after its two texts."""
    system = (Message("system", system_prompt),) if system_prompt else ()
    line = _escape(_ENCODER.encode(Example((*system, Message("user", ""), Message("assistant", "")))))
    rest, _, tail = line.rpartition(b'""')
    head, _, middle = rest.rpartition(b'""')
    return head, middle, tail + b"\n"


def _encode(texts: Iterable[str]) -> list[bytes]:
    return _escape(_ENCODER.encode_lines(texts)).split(b"\n")[:-1]


def _escape(lines: bytes) -> bytes:
    for separator, escape in _SEPARATORS.items():
        lines = lines.replace(separator, escape)
    return lines
