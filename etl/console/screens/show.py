"""Screen of `show`: pairs, source over target, with what differs in colour, or between signs where there is none."""

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from saturi.etl.console.lines import plain, print_line
from saturi.etl.console.screens.words import short_origin
from saturi.schemas.pairs import ShownPair

_SOURCE, _TARGET = "bold red", "bold green"
_EQUAL = "= source and target are equal"


def show_pairs(console: Console, pairs: Sequence[ShownPair]) -> None:
    """Print each pair, those that differ first: where it belongs and came from, then its two texts."""
    for pair in sorted(pairs, key=_is_equal):
        print_line(console, _place(pair), "bold")
        print_line(console, f"  {_origin(pair)}", "dim")
        if pair.source is not None:
            _print_text(console, _marked(console, pair, side=0))
            _print_text(console, Text(_EQUAL, "dim") if _is_equal(pair) else _marked(console, pair, side=1))


def _is_equal(pair: ShownPair) -> bool:
    return pair.source is not None and pair.source == pair.target


def _print_text(console: Console, text: Text) -> None:
    """Print a text with an indent, which its later lines have, too, where a terminal folds it."""
    if console.is_terminal:
        console.print(Padding(plain(text), (0, 0, 0, 2), expand=False))
    else:
        print_line(console, Text("  ").append_text(text))


def _place(pair: ShownPair) -> str:
    split = f"{pair.split} " if pair.split else ""
    why = f", dropped: {pair.dropped}" if pair.dropped else ""
    return f"{split}{pair.region} {pair.speech_type}{why}"


def _origin(pair: ShownPair) -> str:
    if pair.archive is None:
        return f"{pair.chunk}, line {pair.line}"
    return short_origin(pair.archive, pair.member, pair.sentence)


def _marked(console: Console, pair: ShownPair, *, side: int) -> Text:
    """Return one of the texts; without colour, changed words of the source are in [-…-], and those of the target in {+…+}."""
    coloured = console.color_system is not None and not console.no_color
    style = (_SOURCE, _TARGET)[side] if coloured else ""
    before, after = ("", "") if coloured else (("[-", "-]"), ("{+", "+}"))[side]
    text = Text().append("-+"[side], style)
    for run in pair.runs:
        words = (run.source, run.target)[side]
        if words:
            text.append(" ").append(*((f"{before}{words}{after}", style) if run.changed else (words,)))
    return text
