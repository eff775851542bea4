"""A few of many, spread evenly and the same every time, without a list of all."""

from collections.abc import Iterator
from itertools import islice
from math import gcd

_GOLDEN = 0.6180339887498949  # fractional part of the golden ratio: multiples of it fill a circle most evenly


def spread(count: int, total: int) -> list[int]:
    """Return *count* different numbers from 0 to below *total*, in order; all of them where there are no more."""
    return sorted(islice(walk(total), count))


def walk(total: int) -> Iterator[int]:
    """Yield each number from 0 to below *total* once, any beginning of which is spread evenly."""
    step = max(int(total * _GOLDEN), 1)
    while gcd(step, total) > 1:
        step += 1
    yield from (number * step % total for number in range(total))
