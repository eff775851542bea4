"""Checks of the values of options; a value that cannot be is an `OptionError` that names the option as it is typed."""

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct, structs

from saturi.etl.errors import OptionError
from saturi.etl.settings.declaration import Declaration, Kind, declarations, flag
from saturi.etl.settings.paths import location_of, path_of
from saturi.etl.settings.prompts import check_placeholders
from saturi.etl.storage.location import Location
from saturi.schemas.terms import KOREAN

Term = TypeVar("Term", bound=str)

MOST_NUMBER = 2**53 - 1
"""Largest whole number: beyond, JSON's readers round (RFC 8259, section 6)."""

MOST_CHARACTERS = 100_000
"""Of a text that has no narrower limit, which is far more than an instruction has."""

_BETWEEN_WORDS = re.compile(r"[\s_-]+")
_NO_LETTERS = {"Cc", "Cs", "Zl", "Zp"}
_MOST_BITS = 1_024  # of a number that a message shows


def check_options(options: Struct) -> None:
    """
    Check every declared option of *options*, and put its value in its one form, so that equal options are equal values.

    Raises:
        OptionError: A value is of another kind, or out of its range.
    """
    for declared in declarations(type(options)):
        value = getattr(options, declared.name)
        if value is not None or not declared.optional:
            structs.force_setattr(options, declared.name, _FORMS[declared.kind](declared, value))


def check_value(declared: Declaration, value: Any) -> None:
    """
    Check one value of a declared option by itself.

    Raises:
        OptionError: It is of another kind, or out of its range.
    """
    _FORMS[declared.kind](declared, value)


def check_ordered(name: str, low: int | None, high: int | None) -> None:
    """Refuse a least value *low*, that of the option *name*, that is over the most, *high*."""
    if low is not None and high is not None and low > high:
        raise OptionError(flag(name), f"{low} is more than the most, {high}", "give a smaller one, or no other")


def check_name(flag: str, name: str) -> None:
    """Refuse a *name* that is blank, or holds a character that controls a terminal or ends a line."""
    if not name.strip():
        raise OptionError(flag, "the name is empty", "give a name, or leave it out")
    if any(unicodedata.category(letter) in _NO_LETTERS for letter in name):
        raise OptionError(flag, f"{name!r} has a control character", "give a name of one line")


def whole_number(name: str, value: object, low: int = 1, high: int | None = None) -> int:
    """
    Return *value*, a whole number from *low* to *high*, or to what every format on disk holds exactly.

    Raises:
        OptionError: It is none, or out of that range.
    """
    number: int = _of_kind(flag(name), value, int)
    if low <= number <= (MOST_NUMBER if high is None else high):
        return number
    upper = "up" if high is None and number < low else f"to {MOST_NUMBER if high is None else high}"
    raise OptionError(flag(name), f"{_shown(number)} is out of range", f"give a whole number from {low} {upper}")


def find_term(value: object, terms: Iterable[Term]) -> Term | None:
    """Return the one of *terms* that *value* is, in any case, or in Korean where it is a region or speech type; None for none."""
    if not isinstance(value, str):
        return None
    word = _squeezed(value)
    word = _squeezed(KOREAN.get(word, word))
    return next((term for term in terms if _squeezed(term) == word), None)


def listed(terms: Iterable[str]) -> str:
    """Return *terms* for a message, each with the Korean word for it where it has one."""
    korean = {str(term): word for word, term in reversed(KOREAN.items())}
    return ", ".join(f"{term} {korean[term]}" if term in korean else term for term in map(str, terms))


def _squeezed(word: str) -> str:
    """Return *word* without case, blanks and signs between its parts, composed."""
    return _BETWEEN_WORDS.sub("", unicodedata.normalize("NFC", word).casefold())


def terms_of(name: str, values: str | Iterable[str], terms: Iterable[Term]) -> tuple[Term, ...]:
    """
    Return *values*, one or several, as those of *terms* that they are, in the order of the terms.

    Raises:
        OptionError: One is none of them.
    """
    terms = tuple(terms)
    given = {one_of(name, value, terms) for value in ((values,) if isinstance(values, str) else values)}
    return tuple(term for term in terms if term in given)


def one_of(name: str, value: object, terms: Iterable[Term]) -> Term:
    """Return *value* as one of *terms*; see `find_term`."""
    terms = tuple(terms)
    term = find_term(value, terms)
    if term is not None:
        return term
    raise OptionError(flag(name), f"{value!r} is unknown", f"choose from {listed(terms)}")


def _switch(declared: Declaration, value: Any) -> bool:
    return bool(_of_kind(declared.flag, value, bool))


def _term(declared: Declaration, value: Any) -> str:
    return one_of(declared.name, value, declared.terms)


def _terms(declared: Declaration, values: Any) -> tuple[str, ...]:
    """Return *values* in the order of the terms, so that the order given does not matter."""
    if isinstance(values, str):
        values = map(str.strip, values.split(",")) if declared.option.commas else (values,)
    nothing = declared.option.nothing
    given = terms_of(declared.name, [value for value in values if nothing is None or value != nothing], declared.terms)
    if not given and nothing is None:
        raise OptionError(declared.flag, "none given", f"choose from {listed(declared.terms)}")
    return given


def _text(declared: Declaration, value: Any) -> str:
    text = str(_of_kind(declared.flag, value, str))
    if any("\ud800" <= letter <= "\udfff" for letter in text):  # halves of surrogate pairs, which UTF-8 does not have
        raise OptionError(declared.flag, "it is no valid Unicode", "check the terminal's encoding (UTF-8)")
    low, high = declared.option.low or 0, declared.option.high or MOST_CHARACTERS
    if not low <= len(text) <= high:
        raise OptionError(declared.flag, f"{len(text):,} characters", f"give {low:,} to {high:,}")
    if declared.option.named:
        check_name(declared.flag, text)
    if declared.option.placeholders:
        check_placeholders(declared.flag, text, declared.option.placeholders)
    return text


def _texts(declared: Declaration, values: Any) -> tuple[str, ...]:
    return tuple(_text(declared, value) for value in ((values,) if isinstance(values, str) else values))


def _integer(declared: Declaration, value: Any) -> int:
    option = declared.option
    high = None if option.high is None else int(option.high)
    return whole_number(declared.name, value, int(option.low or 0), high)


def _float(declared: Declaration, value: Any) -> float:
    return float(_in_range(declared, _of_kind(declared.flag, value, float, int)))


def _share(declared: Declaration, value: Any) -> float | str:
    """Return one of the words, or a share as a float."""
    value = _of_kind(declared.flag, value, float, int, str)
    if not isinstance(value, str):
        return float(_in_range(declared, value))
    if value not in declared.terms:
        advice = f"give a share like 0.05, or {' or '.join(declared.terms)}"
        raise OptionError(declared.flag, f"{value!r} is unknown", advice)
    return value


def _path(declared: Declaration, value: Any) -> Path:
    return path_of(value, declared.flag)


def _location(declared: Declaration, value: Any) -> Location:
    return location_of(value, declared.flag)


def _of_kind(flag: str, value: Any, *kinds: type) -> Any:
    """Refuse a *value* that is of none of *kinds*; truth is no number."""
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise OptionError(flag, f"{value!r} is no {expected}", f"give one as {expected}")
    return value


def _in_range(declared: Declaration, value: float) -> float:
    """Refuse a *value* below the least or above the greatest, infinity and NaN."""
    option = declared.option
    low = 0 if option.low is None else option.low
    high = sys.float_info.max if option.high is None else option.high
    if low <= value < high or (value == high and not option.below):
        return value
    upper = "up" if option.high is None else f"to {'below ' if option.below else ''}{high:g}"
    advice = f"give {option.unit or 'a number'} from {low:g} {upper}"
    raise OptionError(declared.flag, f"{_shown(value)} is out of range", advice)


def _shown(number: float) -> str:
    """Return *number* for a message; Python refuses to write one of some thousand digits."""
    if isinstance(number, int) and number.bit_length() > _MOST_BITS:
        return f"a number of {number.bit_length():,} bits"
    return f"{number}"


_FORMS: dict[Kind, Callable[[Declaration, Any], object]] = {
    Kind.SWITCH: _switch,
    Kind.TERM: _term,
    Kind.TERMS: _terms,
    Kind.TEXT: _text,
    Kind.TEXTS: _texts,
    Kind.INTEGER: _integer,
    Kind.SIZE: _integer,
    Kind.FLOAT: _float,
    Kind.SHARE: _share,
    Kind.PATH: _path,
    Kind.LOCATION: _location,
}
