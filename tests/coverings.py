"""Coverings: the part of what can be tried that is tried by default; `--thorough` tries all of it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import settings

T = TypeVar("T")

SHORT, THOROUGH = "short", "thorough"
"""Profiles of Hypothesis."""

Cases = dict[pytest.Item, set[tuple[object, ...]]]
"""The tests that are one function, each with the row that it has of each list of parameters."""


def covering(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """
    Return the tests among *items* that together have each row of each list of parameters, as far as there are such tests.

    Of a test with one list these are all; of one with several, about as many as the longest list has rows.
    """
    functions: dict[str, Cases] = defaultdict(dict)
    for item in items:
        functions[item.nodeid.partition("[")[0]][item] = _rows_of(item)
    return {item for cases in functions.values() for item in _covering(cases)}


def _rows_of(item: pytest.Item) -> set[tuple[object, ...]]:
    """Return the row that a test has of each of its lists of parameters: their names, and which values they are."""
    if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
        return set()
    values = item.callspec.params
    lists = [mark.args[0] for mark in item.iter_markers("parametrize")]
    lists = [re.split(r",\s*", names) if isinstance(names, str) else list(names) for names in lists]
    lists += [[name] for name in values if not any(name in names for names in lists)]  # parameters of fixtures
    return {(*names, *(id(values[name]) for name in names)) for names in lists}


def _covering(cases: Cases) -> Iterable[pytest.Item]:
    """Return the *cases* to run: each time the first of those that have the most rows that none before has."""
    if all(len(rows) <= 1 for rows in cases.values()):
        return cases
    missing, chosen = set().union(*cases.values()), []
    while missing:
        chosen.append(max(cases, key=lambda item: len(cases[item] & missing)))
        missing -= cases[chosen[-1]]
    return chosen


def mostly_thorough(few: Iterable[T], *more: T) -> list[Any]:
    """Return the parameters *few*, and *more* of them in the thorough run."""
    return [*few, *(pytest.param(one, marks=pytest.mark.thorough) for one in more)]


def some_of(things: Sequence[T], config: pytest.Config, *, every: int, first: int) -> Sequence[T]:
    """Return all *things* in the thorough run, and otherwise one in *every*, beginning with number *first* of those."""
    return things if config.getoption("--thorough") else things[first % every :: every]


def examples(number: int) -> settings:
    """Return settings of Hypothesis: *number* examples in the thorough run, and by default a tenth of them, but at least three."""
    thorough = settings.get_current_profile_name() == THOROUGH
    return settings(max_examples=number if thorough else max(3, number // 10))
