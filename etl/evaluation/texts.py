"""Texts as they are compared: composed, with single spaces, of whole characters; nothing else is done to them."""

import unicodedata

_NO_CHARACTER = "\ufffd"


def whole(text: str) -> str:
    """Return *text* with the sign for no character in the place of NULs, at which C libraries stop, and of half surrogate pairs."""
    text = text.replace("\0", _NO_CHARACTER)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def normal(text: str) -> str:
    """Return *text* in NFC, each run of white space one space, none at its ends; jamo of old Hangul stay what they are."""
    return " ".join(unicodedata.normalize("NFC", whole(text)).split())


def letters(text: str) -> str:
    """Return the letters and digits of *text*, composed, in lower case, as the split of a build compares them; else *text*."""
    composed = unicodedata.normalize("NFC", whole(text))
    return composed.translate(_LETTERS).lower() or composed


def bare(text: str) -> str:
    """Return *text* without its punctuation and white space."""
    return text.translate(_BARE)


def eojeol(text: str) -> list[str]:
    """Return the eojeol of *text*, the words that white space parts."""
    return text.split()


class _Bare(dict[int, str | None]):
    """What `str.translate` makes of each character, looked up once."""

    def __missing__(self, code: int) -> str | None:
        letter = chr(code)
        self[code] = None if letter.isspace() or unicodedata.category(letter).startswith(("P", "Z")) else letter
        return self[code]


class _Letters(dict[int, str | None]):
    """What `str.translate` makes of each character, looked up once."""

    def __missing__(self, code: int) -> str | None:
        letter = chr(code)
        self[code] = letter if unicodedata.category(letter).startswith(("L", "N")) else None
        return self[code]


_BARE = _Bare()
_LETTERS = _Letters()
