"""Placeholders in instructions: names in braces, which are filled in; a brace that is meant is doubled, as in `str.format`."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from string import Formatter

from saturi.etl.errors import OptionError

_PARSE = Formatter().parse


def check_placeholders(flag: str, text: str, names: Sequence[str]) -> None:
    """
    Refuse *text* if its braces hold anything but one of *names*, or are not in pairs.

    Raises:
        OptionError: They do, or are not; it names the option *flag*.
    """
    known = " or ".join(f"{{{name}}}" for name in names)
    advice = f"write {known}, and double a brace that is meant: {{{{ and }}}}"
    try:
        fields = list(_PARSE(text))
    except ValueError as error:
        raise OptionError(flag, f"a brace is alone in it ({error})", advice) from error
    for _, name, form, conversion in fields:
        if name is None:
            continue
        if name not in names or form or conversion:
            shown = "{" + name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "") + "}"
            near = get_close_matches(name, names, n=1)
            guess = f"did you mean {{{near[0]}}}? " if near and near[0] != name else ""
            raise OptionError(flag, f"{shown} is no placeholder", guess + advice)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return *text*, which was checked, with *values* in the place of their names in braces."""
    parts = [literal + ("" if name is None else values[name]) for literal, name, _, _ in _PARSE(text)]
    return "".join(parts)
