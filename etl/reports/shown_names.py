"""Names as a report shows them: short, on one line, and different where they are."""

from collections import Counter
from collections.abc import Iterable

from saturi.etl.output.printable import printable

MOST_NAME = 40
"""Signs of a name, at most: of a model, a system, a job, which is in a label of each mark of a chart."""


def short(name: str, most: int = MOST_NAME) -> str:
    """Return *name* as it is shown, the middle left out of one with more than *most* signs: names of tunes differ at their ends."""
    name = printable(name)
    return name if len(name) <= most else f"{name[: most - most // 2 - 1]}…{name[-(most // 2) :]}"


def shorts(names: Iterable[str], most: int = MOST_NAME) -> list[str]:
    """Return *names* as `short` has them, with a number behind one that looks like another before it."""
    seen: Counter[str] = Counter()
    shown = []
    for name in (short(name, most) for name in names):
        seen[name] += 1
        shown.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return shown
