"""
A label file of 2022 without what is not read, found by its brackets and not parsed.

Nine tenths of it are `segments`, `intonations` (the fundamental frequency, F0, one number a line), `annotation` and `stt`. Arrays
of the first two are emptied, and the document ends before `annotation`. Looking for brackets takes a tenth of the time of parsing;
it is no validation, and what is stepped over may be anything.

In valid JSON nothing else changes. The key of an array is followed by a colon, so that its bracket opens an array. The bracket that
closes it is followed by a comma and a key, so that it is no part of a text: the quote before the key would end that text, and leave
the key outside of quotes. No bracket is in between, so that it closes this array. And where the end of a document is left out, one
brace closes what is left only if `annotation` was a key of the whole.
"""

import re

from msgspec import Struct


def _keys(*names: bytes) -> tuple[bytes, ...]:
    return tuple(b'"%s":%s' % (name, blank) for name in names for blank in (b" ", b""))


_F0 = _keys(b"intonations")
_UNREAD = _keys(b"intonations", b"segments")
_ANNOTATION = b'"annotation"'
_KEY_FOLLOWS = re.compile(rb'\]\s*,\s*"\w+"\s*:')
_WHITE_SPACE = b" \t\r\n"
_END_BYTES = 64  # more than the brackets and the white space at an end of a real document


class Glance(Struct, frozen=True, gc=False):
    """What is left of a document, and whether its end was left out, from `annotation` on."""

    document: bytes
    cut: bool


def glance_at(document: bytes) -> Glance:
    """
    Return what is left of *document* without what is not read.

    Where its end is left out, the caller looks whether what is left is JSON, and has all fields that may as well stand behind.
    """
    end = document.rfind(_ANNOTATION)
    pieces, done = _step_over(document, _UNREAD, end if end >= 0 else len(document))
    last = document[done:end].rstrip() if end >= 0 else b""
    cut = last.endswith(b",") and _is_last_object(document, end + len(_ANNOTATION))
    pieces += (last[:-1], b"}") if cut else (document[done:],)
    return Glance(b"".join(pieces), cut)


def without_f0(document: bytes) -> bytes:
    """Return *document* with its `intonations` arrays emptied, where nothing but another key follows them."""
    pieces, done = _step_over(document, _F0, len(document))
    return b"".join([*pieces, document[done:]])


def _is_last_object(document: bytes, behind_key: int) -> bool:
    """Whether a value follows the key that ends at *behind_key*, and *document* ends as one whose last value is an object."""
    colon = document[behind_key : behind_key + _END_BYTES].lstrip().startswith(b":")
    return colon and document[-_END_BYTES:].translate(None, _WHITE_SPACE).endswith(b"}}")


def _step_over(document: bytes, keys: tuple[bytes, ...], end: int) -> tuple[list[bytes], int]:
    """Return the pieces of *document* between the contents of arrays that follow one of *keys*, up to *end*, and where they end."""
    pieces: list[bytes] = []
    done = 0
    start = document.find(b"[", 0, end)
    while start >= 0:
        following = document.find(b"[", start + 1, end)
        if document.endswith(keys, 0, start):
            close = document.find(b"]", start, following if following >= 0 else end)
            if close >= 0 and _KEY_FOLLOWS.match(document, close):
                pieces.append(document[done : start + 1])
                done = close
        start = following
    return pieces, done
