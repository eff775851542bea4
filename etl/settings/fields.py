"""Base of the structs of options: a field that there is not is an `OptionError`, as in a file or on the command line."""

from difflib import get_close_matches
from typing import Any

from msgspec import Struct, StructMeta

from saturi.etl.errors import OptionError

_MOST_NAME = 100  # letters of an unknown name that are compared and shown


class _Fields(StructMeta):
    """The type of structs whose fields are given by name."""

    def __call__(cls, *args: Any, **given: Any) -> Any:  # noqa: N805 - of a type of types; any struct, with its fields
        """Return a struct with the fields *given*, or refuse the first that it does not have."""
        for name in given:
            if name not in cls.__struct_fields__:
                raise _unknown(cls, name[:_MOST_NAME])
        return super().__call__(*args, **given)


class Options(Struct, frozen=True, kw_only=True, metaclass=_Fields):
    """
    Options by name.

    Raises:
        OptionError: There is no such option.
    """


def _unknown(cls: StructMeta, name: str) -> OptionError:
    nearest = get_close_matches(name, cls.__struct_fields__, n=1)
    advice = f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(cls.__struct_fields__)}"
    return OptionError(f"{cls.__name__}: {name}", "an unknown option", advice)
