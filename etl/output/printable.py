"""Text as people may see it, from wherever it comes: nothing in it moves a terminal or forges a line."""

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


def _escape(sign: str) -> str:
    code = ord(sign)
    if code <= 0xFF:  # noqa: PLR2004 - two digits are enough
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - four digits are enough
