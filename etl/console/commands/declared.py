"""Options of the command line as structs declare them; see `saturi.etl.settings.declaration`."""

from collections.abc import Callable, Mapping
from typing import Any

import click
from msgspec import Struct

from saturi.etl.console.commands.parameters import Bytes, Names, Share, Term
from saturi.etl.console.paths import LOCATION, PATH
from saturi.etl.settings.declaration import Declaration, Kind, declarations
from saturi.etl.settings.sizes import spell_bytes

_MOST_CHARACTERS = 24  # of a default in the help

Decorator = Callable[..., Any]

_TYPES: dict[Kind, Any] = {
    Kind.TEXT: str,
    Kind.TEXTS: str,
    Kind.INTEGER: int,
    Kind.SIZE: Bytes(),
    Kind.FLOAT: float,
    Kind.PATH: PATH,
    Kind.LOCATION: LOCATION,
}


def declared_options(struct: type[Struct], beside: Mapping[str, Decorator] | None = None) -> Decorator:
    """
    Return a decorator that gives a command the options that *struct* declares, in the order of its fields.

    Args:
        struct: A struct of options.
        beside: Further options, by the name of the declared one that each follows.
    """

    def decorate(function: Decorator) -> Decorator:
        for declared in reversed(declarations(struct)):  # as a pile of decorators is applied
            if beside and declared.name in beside:
                function = beside[declared.name](function)
            if declared.option.only != "file":
                function = _option(declared)(function)
        return function

    return decorate


def _option(declared: Declaration) -> Decorator:
    option, spelling, shown = declared.option, declared.flag, _shown(declared)
    one_way = declared.kind is Kind.SWITCH and not option.negatable
    if declared.kind is Kind.SWITCH and option.negatable:
        spelling += "/--no-" + spelling.removeprefix("--")
    return click.option(
        spelling,
        *([] if option.short is None else [f"-{option.short}"]),
        declared.name,
        default=_plain(declared.default),
        show_default=declared.default is not None and not one_way and shown is None,
        help=option.help + ("" if shown is None else f"  [default: {shown}]"),
        metavar=option.metavar,
        **_values(declared),
    )


def _shown(declared: Declaration) -> str | None:
    """Return the default in other words than its own: what none means, sizes with a unit, a long text cut; else None."""
    default = declared.default
    if declared.kind is Kind.SIZE and default is not None:
        return spell_bytes(default)
    if declared.kind is Kind.TEXT and len(default or "") > _MOST_CHARACTERS:
        return f"{default[:_MOST_CHARACTERS]}…"
    return declared.option.unset


def _values(declared: Declaration) -> dict[str, Any]:
    """Return the arguments of click for the values of the option."""
    match declared.kind:
        case Kind.SWITCH:
            return {"is_flag": True}
        case Kind.TERMS if declared.option.commas:
            return {"type": Names()}
        case Kind.TERM | Kind.TERMS:
            return {"type": Term(declared.terms), "multiple": declared.kind is Kind.TERMS}
        case Kind.SHARE:
            return {"type": Share(*declared.terms)}
        case _:
            return {"type": _TYPES[declared.kind], "multiple": declared.kind is Kind.TEXTS}


def _plain(default: Any) -> Any:
    """Return *default* with terms as plain texts, which click shows as they are typed."""
    if isinstance(default, tuple):
        return [str(value) for value in default]
    return str(default) if isinstance(default, str) else default
