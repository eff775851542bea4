"""Pairs as a person reads them: a dialect text beside its standard one, with what differs marked."""

from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from itertools import chain

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from saturi.etl.console.lines import folded, plain, print_line

CHANGED = "bold magenta"
"""Style of the words that one text of a pair has and the other has not."""

_ARROW = " → "


def marked(source: str, target: str) -> tuple[Text, Text]:
    """Return both texts of a pair, with the words marked in which they differ."""
    words = source.split(), target.split()
    left, right = Text(), Text()
    for kind, a, b, c, d in SequenceMatcher(None, *words, autojunk=False).get_opcodes():
        style = None if kind == "equal" else CHANGED
        for text, part in ((left, words[0][a:b]), (right, words[1][c:d])):
            if part:
                text.append(" " if text else "").append_text(plain(" ".join(part), style))
    return left, right


def show_pairs(console: Console, pairs: Mapping[str, tuple[str, str]]) -> None:
    """Print a pair for each name: on one line where all fit on one, else on two."""
    names = max(map(cell_len, pairs), default=0) + 2
    rows = {name: marked(*pair) for name, pair in pairs.items()}
    columns = console.width - names
    on_one = all(left.cell_len + len(_ARROW) + right.cell_len <= columns for left, right in rows.values())
    for name, (left, right) in rows.items():
        beside = plain(name)
        beside.pad_right(names - cell_len(name))
        if on_one:
            print_line(console, beside.append_text(left).append(_ARROW, "dim").append_text(right))
            continue
        _print_beside(console, beside, left)
        _print_beside(console, Text(" " * (names - 2)).append("→ ", "dim"), right)


def _print_beside(console: Console, beside: Text, text: Text) -> None:
    """Print *text* behind *beside*, folded between words, all its rows in the same columns."""
    indent = " " * beside.cell_len
    first, *rest = folded(text, console.width - len(indent))
    print_line(console, beside + first)
    for row in rest:
        print_line(console, Text(indent) + row)


def good_pair(pairs: Iterable[tuple[str, str]], columns: int) -> tuple[str, str] | None:
    """
    Return the pair to show of *pairs*: the first whose texts differ and fit on one line of *columns*, else on one each.

    Without one: the shortest that differs, else the shortest; None where there is no pair.
    """
    candidates = list(pairs)
    differing = [pair for pair in candidates if pair[0] != pair[1]]
    together = (pair for pair in differing if sum(map(cell_len, pair)) + len(_ARROW) <= columns)
    each = (pair for pair in differing if max(map(cell_len, pair)) <= columns)
    return next(chain(together, each, sorted(differing or candidates, key=_length)), None)


def _length(pair: tuple[str, str]) -> int:
    return sum(map(len, pair))
