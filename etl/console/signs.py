"""
Substitutes for signs that an encoding lacks; the only module that handles encodings.

Consoles of Korean Windows are in CP949, which has Hangul and some signs, but no `₩`, no `–` and no blocks.
"""

import codecs

ERRORS = "saturi-signs"
"""Name of the error handler, for streams on which people read."""

_FALLBACKS = {
    "₩": "W",
    "–": "-",
    "—": "-",
    "·": "|",
    "×": "x",
    "…": "...",
    "→": "->",
    "○": "o",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    # Bars and lines of rich, where it does not know better.
    "━": "-",
    "╸": "-",
    "╺": "-",
    "─": "-",
    "│": "|",
    "•": "*",
}

_BLOCKS = "▁▂▃▄▅▆▇█"
_LETTERS = "_.-=+*#@"


def blocks(encoding: str) -> str:
    """Return eight signs for pictures of numbers, the lowest first: blocks, or letters where *encoding* has not all of them."""
    try:
        _BLOCKS.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return _LETTERS
    return _BLOCKS


def _fall_back(error: UnicodeError) -> tuple[str, int]:
    """Return the substitute for the first sign that cannot be encoded, and the place after it."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign = error.object[error.start]
    return _FALLBACKS.get(sign) or _escape(sign), error.start + 1


def _escape(sign: str) -> str:
    return sign.encode("ascii", "backslashreplace").decode("ascii")


codecs.register_error(ERRORS, _fall_back)
