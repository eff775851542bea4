"""Render pairs as chat lines: compact JSON, Hangul as it is, and nothing in it that some reader takes for the end of a line."""

from collections.abc import Iterable

import msgspec

from schemas.chat import Example, Message

# Unicode line separators, which `str.splitlines` and editors split at, as JSON escapes of the same characters. In UTF-8 these byte
# sequences are never part of another character.
_SEPARATORS = {"\u2028".encode(): rb"\u2028", "\u2029".encode(): rb"\u2029", "\u0085".encode(): rb"\u0085"}

_ENCODER = msgspec.json.Encoder()


def render(pairs: Iterable[tuple[str, str]], system_prompt: str) -> list[bytes]:
    """
    Return one line for each (source, target) of *pairs*, newline included.

    Args:
        pairs: Texts as they are; nothing is trimmed or normalised.
        system_prompt: Instruction in front of each pair; empty for none.
    """
    system = (Message("system", system_prompt),) if system_prompt else ()
    examples = [Example((*system, Message("user", source), Message("assistant", target))) for source, target in pairs]
    lines = _ENCODER.encode_lines(examples)
    for separator, escape in _SEPARATORS.items():
        lines = lines.replace(separator, escape)
    return lines.splitlines(keepends=True)
