"""The sums that a build promises, checked while it runs."""

from collections.abc import Mapping

from saturi.etl.errors import PromiseError


def check_sum(what: str, whole: int, parts: Mapping[str, int]) -> None:
    """
    Check that *parts* sum up to *whole*.

    Raises:
        PromiseError: They do not.
    """
    if whole != sum(parts.values()):
        facts = " + ".join(f"{number:,} {name}" for name, number in parts.items())
        raise PromiseError(f"{what} do not add up", f"{whole:,} is not {facts}")
