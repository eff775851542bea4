"""
The rooms of Saturi, from label archives to a tuned model; what is public in them is imported from `saturi`.

In a checkout `from etl import build` is `from saturi import build`. Modules have one name: `saturi.etl.…`.
"""

from typing import Any


def __getattr__(name: str) -> Any:  # as in `saturi`
    import saturi  # noqa: PLC0415 - which imports this package

    return getattr(saturi, name)
