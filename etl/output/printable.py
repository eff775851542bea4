"""Text as people may see it, from wherever it comes: nothing in it moves a terminal or forges a line."""

import json
import unicodedata

# Controls, format characters (directions, zero width), halves of surrogate pairs, line and paragraph separators:
# The Unicode Standard, section 4.5, General Category.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def printable(text: str, most: int | None = None) -> str:
    """
    Return *text* on one line, with escapes in the place of what is no sign.

    Args:
        text: Any text.
        most: Characters of it to keep; None for all.
    """
    if most is not None and len(text) > most:
        text = text[:most] + "…"
    if text.isprintable():
        return text
    return "".join(_escape(sign) if unicodedata.category(sign) in _UNPRINTABLE else sign for sign in text)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return *number* of what *noun* names, in its form for that number: `1 job`, `2 jobs`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def escaped_json(content: bytes) -> bytes:
    """Return the JSON in *content* with escapes in its texts in the place of what is no sign; it is the same value."""
    if content.isascii() and b"\x7f" not in content:
        return content
    text = content.decode()
    signs = {sign for sign in set(text) if unicodedata.category(sign) in _UNPRINTABLE and sign != "\n"}
    return text.translate(
        {ord(sign): json.dumps(sign)[1:-1] if sign != "\x7f" else "\\u007f" for sign in signs}
    ).encode()


def _escape(sign: str) -> str:
    code = ord(sign)
    if code <= 0xFF:  # noqa: PLR2004 - two digits are enough
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - four digits are enough
