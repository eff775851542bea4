"""
Declaration of options: one `Option` beside the field of a struct.

Name, kind, range, help, key of `etl.toml` and option of the command line follow from the field and its `Option`; nothing
of them is written a second time.
"""

from enum import StrEnum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from msgspec import NODEFAULT, Struct, structs

from saturi.etl.storage.location import ObjectPath


class Kind(StrEnum):
    """Kind of the values of an option: the type of its field, and facts beyond the type."""

    SWITCH = "switch"
    TERM = "term"
    TERMS = "terms"
    TEXT = "text"
    TEXTS = "texts"
    INTEGER = "integer"
    SIZE = "size"
    FLOAT = "float"
    SHARE = "share"
    PATH = "path"
    LOCATION = "location"


class Option(Struct, frozen=True, kw_only=True):
    """
    Declaration of an option beside its field: facts that name, type and default do not give.

    Args:
        help: One sentence for the command line.
        short: The letter of its short form there.
        unset: What no value means, in words.
        low, high: Least and greatest number, or number of characters of a text.
        below: The number is below *high*, and not *high* itself.
        unit: What the number counts.
        size: The number is one of bytes, and may be written with a unit.
        named: The text is a name: one line, and no character that controls a terminal.
        commas: The terms may be one text with commas between them.
        nothing: The word for no term at all, where there may be none.
        negatable: The switch has a `--no-` form.
        metavar: Form of a value, for the help.
        placeholders: Names that braces in the text may hold; without any, braces are text.
        only: The one place where the option can be given, or None for both.
    """

    help: str
    short: str | None = None
    unset: str | None = None
    low: float | None = None
    high: float | None = None
    below: bool = False
    unit: str | None = None
    size: bool = False
    named: bool = False
    commas: bool = False
    nothing: str | None = None
    negatable: bool = True
    metavar: str | None = None
    placeholders: tuple[str, ...] = ()
    only: Literal["file", "command line"] | None = None


class Declaration(NamedTuple):
    """
    An option as its field and its `Option` declare it.

    `terms` are the values of a term, the words that stand for a share; `optional` says that None is a value.
    """

    name: str
    kind: Kind
    option: Option
    terms: tuple[str, ...]
    optional: bool
    default: Any  # a value of the field, whose type is not known here

    @property
    def flag(self) -> str:
        """The spelling on the command line."""
        return flag(self.name)


def flag(name: str) -> str:
    """Return the command-line spelling of the option *name*."""
    return "--" + name.replace("_", "-")


@cache
def declarations(struct: type[Struct]) -> tuple[Declaration, ...]:
    """Return the options that the fields of *struct* declare, in their order; a field without an `Option` is none."""
    hints = get_type_hints(struct, include_extras=True)
    declared = ((field, hints[field.name]) for field in structs.fields(struct))
    return tuple(
        _declaration(field.name, hint, None if field.default is NODEFAULT else field.default)
        for field, hint in declared
        if isinstance(getattr(hint, "__metadata__", (None,))[0], Option)
    )


def _declaration(name: str, hint: Any, default: object) -> Declaration:
    option: Option = hint.__metadata__[0]
    union = hint.__origin__
    kinds = get_args(union) if get_origin(union) in (Union, UnionType) else (union,)
    # A literal beside another type is a word that stands for a value of that type, in whatever order they are written.
    first = min((kind for kind in kinds if kind is not NoneType), key=_is_words)
    if get_origin(first) is tuple:
        first = get_args(first)[0]
        kind = Kind.TEXTS if first is str else Kind.TERMS
    else:
        kind = _kind(first, kinds, option)
    words = tuple(word for part in kinds if _is_words(part) for word in get_args(part))
    terms = tuple(first) if isinstance(first, type) and issubclass(first, StrEnum) else words
    return Declaration(name, kind, option, terms, NoneType in kinds, default)


def _kind(first: Any, kinds: tuple[Any, ...], option: Option) -> Kind:
    if option.size:
        return Kind.SIZE
    if first is float and any(map(_is_words, kinds)):
        return Kind.SHARE
    if ObjectPath in kinds:
        return Kind.LOCATION
    named = {bool: Kind.SWITCH, int: Kind.INTEGER, float: Kind.FLOAT, str: Kind.TEXT, Path: Kind.PATH}
    return named.get(first, Kind.TERM)


def _is_words(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is Literal
