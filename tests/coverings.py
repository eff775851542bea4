"""Coverings: the part of what can be tried that is tried by default; `--thorough` tries all of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

import pytest
from hypothesis import settings

T = TypeVar("T")

SHORT, THOROUGH = "short", "thorough"
"""Profiles of Hypothesis."""

Cases = dict[pytest.Item, set[tuple[str, int]]]
"""The tests that are one function, with the parameters of each and their places in the lists of values."""


def covering(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """
    Return the tests among *items* that together have each value of each parameter, as far as there are such tests.

    Of a test with one parameter these are all; of one with several, about as many as the longest list of values has.
    """
    functions: dict[str, Cases] = defaultdict(dict)
    for item in items:
        indices = item.callspec.indices if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        functions[item.nodeid.partition("[")[0]][item] = set(indices.items())
    return {item for cases in functions.values() for item in _covering(cases)}


def _covering(cases: Cases) -> Iterable[pytest.Item]:
    """Return the *cases* to run: each time the first of those that have the most values that none before has."""
    missing = set().union(*cases.values())
    if len(cases) == 1 + max((index for _, index in missing), default=0):
        return cases
    chosen = []
    while missing:
        chosen.append(max(cases, key=lambda item: len(cases[item] & missing)))
        missing -= cases[chosen[-1]]
    return chosen


def some_of(things: Sequence[T], config: pytest.Config, *, every: int, first: int) -> Sequence[T]:
    """Return all *things* in the thorough run, and otherwise one in *every*, beginning with number *first* of those."""
    return things if config.getoption("--thorough") else things[first % every :: every]


def examples(number: int) -> settings:
    """Return settings of Hypothesis: *number* examples in the thorough run, and by default a tenth of them, but at least three."""
    thorough = settings.get_current_profile_name() == THOROUGH
    return settings(max_examples=number if thorough else max(3, number // 10))
