"""Check the value of one option; what cannot be is an `OptionError` that names the option as it is typed."""

from collections.abc import Iterable
from enum import StrEnum
from types import NoneType
from typing import TypeVar

from etl.errors import OptionError

Term = TypeVar("Term", bound=StrEnum)


def flag(name: str) -> str:
    """Return the command-line spelling of the option *name*."""
    return "--" + name.replace("_", "-")


def check_kind(name: str, value: object, kinds: tuple[type, ...]) -> None:
    """Refuse a *value* that is of none of *kinds*; truth is no number."""
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        expected = " or ".join(kind.__name__ for kind in kinds if kind is not NoneType)
        raise OptionError(flag(name), f"{value!r} is no {expected}", f"give one as {expected}")


def check_unicode(name: str, text: str) -> None:
    """Refuse a *text* with halves of surrogate pairs, which cannot be written as UTF-8."""
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise OptionError(flag(name), "it is no valid Unicode", "check the terminal's encoding (UTF-8)")


def check_between(name: str, value: float, low: float, high: float, *, below: bool = False) -> None:
    """Refuse a *value* that is not from *low* to *high*, or *below* that."""
    if not (low <= value < high or (value == high and not below)):
        upper = f"below {high:g}" if below else f"{high:g}"
        raise OptionError(flag(name), f"{value} is out of range", f"give a number from {low:g} to {upper}")


def check_at_least_one(name: str, value: int) -> None:
    """Refuse a *value* below one."""
    if value < 1:
        raise OptionError(flag(name), f"{value} is out of range", "give a whole number from 1 up")


def check_ordered(name: str, low: int | None, high: int | None) -> None:
    """Refuse a least value *low*, that of the option *name*, that is over the most, *high*."""
    if low is not None and high is not None and low > high:
        raise OptionError(flag(name), f"{low} is more than the most, {high}", "give a smaller one, or no other")


def one_of(name: str, value: str, terms: type[Term]) -> Term:
    """Return *value* as one of *terms*."""
    try:
        return terms(value)
    except ValueError:
        raise OptionError(flag(name), f"{value!r} is unknown", f"choose from {', '.join(terms)}") from None


def in_order(name: str, values: Iterable[str], terms: type[Term], *, empty: bool = False) -> tuple[Term, ...]:
    """Return *values* in the order of *terms*, so that the order given does not matter; none at all only if *empty*."""
    if isinstance(values, str):
        values = (values,)
    wanted = {one_of(name, value, terms) for value in values}
    if not wanted and not empty:
        raise OptionError(flag(name), "none given", f"choose from {', '.join(terms)}")
    return tuple(term for term in terms if term in wanted)


def texts(name: str, values: Iterable[str]) -> tuple[str, ...]:
    """Return *values*, each a text, in their order."""
    values = (values,) if isinstance(values, str) else tuple(values)
    for value in values:
        check_kind(name, value, (str,))
        check_unicode(name, value)
    return values


def share_or_word(name: str, value: float | str, words: tuple[str, ...], *, below: bool = False) -> float | str:
    """Return *value*: one of *words*, or a share from 0 to 1, or *below* 1, as a float."""
    if isinstance(value, str):
        if value not in words:
            raise OptionError(flag(name), f"{value!r} is unknown", f"give a share like 0.05, or {' or '.join(words)}")
        return value
    check_between(name, value, 0, 1, below=below)
    return float(value)
