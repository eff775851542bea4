"""
A terminal as an SVG: what a console of rich has recorded, each sign at the place of its cell, so that no font stretches a line.

Hangul takes two cells. Bars are drawn as rectangles, which have no gaps in any font.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from xml.sax.saxutils import escape

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style

CELL, ROW, MARGIN, SIZE, WIDE_SIZE = 8.4, 20.0, 16.0, 14.0, 16.5
"""Width of a cell, height of a row, margin around all, sizes of the font for signs of one cell and of two, in pixels."""

_BAR = "━"
_FONTS = (
    "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Noto Sans Mono CJK KR','Noto Sans CJK KR',"
    "D2Coding,'Apple SD Gothic Neo','Malgun Gothic',monospace"
)


_LIGHT = {
    "background": "#ffffff",
    "edge": "#d0d7de",
    "text": "#1f2328",
    "dim": "#656d76",
    "red": "#cf222e",
    "green": "#1a7f37",
    "yellow": "#7d4e00",
    "cyan": "#0969da",
    "magenta": "#8250df",
}
_DARK = {
    "background": "#0d1117",
    "edge": "#30363d",
    "text": "#e6edf3",
    "dim": "#8b949e",
    "red": "#ff7b72",
    "green": "#56d364",
    "yellow": "#e3b341",
    "cyan": "#39c5cf",
    "magenta": "#d2a8ff",
}
"""Colours in a light and in a dark surrounding, by what they are for and by their names in rich."""


def draw(console: Console, title: str) -> str:
    """Return what *console* has recorded as an SVG with *title*, light or dark as the reader's browser is."""
    rows = [list(row) for row in Segment.split_lines(console._record_buffer)]
    while rows and not "".join(segment.text for segment in rows[-1]).strip():
        rows.pop()
    columns = max(cell_len("".join(segment.text for segment in row).rstrip()) for row in rows)
    width, height = columns * CELL + 2 * MARGIN, len(rows) * ROW + 2 * MARGIN
    parts = [part for number, row in enumerate(rows) for part in _row(row, MARGIN + number * ROW)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'role="img" aria-label="{escape(title)}">\n<title>{escape(title)}</title>\n<style>\n'
        f"{_rules(_LIGHT)}\n@media (prefers-color-scheme: dark) {{ {_rules(_DARK)} }}\n</style>\n"
        f'<rect class="background" x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="8"/>\n'
        f'<g class="text" font-family="{_FONTS}" font-size="{SIZE:g}">\n'
    )
    return head + "\n".join(parts) + "\n</g>\n</svg>\n"


def _rules(colours: dict[str, str]) -> str:
    fills = " ".join(f".{name} {{ fill: {colour} }}" for name, colour in colours.items() if name != "edge")
    return f"{fills} .background {{ stroke: {colours['edge']} }}"


def _row(row: Sequence[Segment], top: float) -> Iterator[str]:
    at = MARGIN
    for segment in row:
        for is_bar, signs in groupby(segment.text, lambda sign: sign == _BAR):
            text = "".join(signs)
            length = cell_len(text) * CELL
            if is_bar:
                place = f'x="{at:.1f}" y="{top + ROW / 2 - 2:g}" width="{length:.1f}" height="4" rx="2"'
                yield f'<rect class="{_colour(segment.style)}" {place}/>'
            else:
                yield from _texts(text, at, top, segment.style)
            at += length


def _texts(text: str, at: float, top: float, style: Style | None) -> Iterator[str]:
    """Yield the signs of *text* that are not blank, those of one cell and those of two apart: two are filled by a larger font."""
    for cells in (1, 2):
        places, signs, left = [], [], at
        for sign in text:
            if cell_len(sign) == cells and not sign.isspace():
                places.append(f"{left:.1f}")
                signs.append(sign)
            left += cell_len(sign) * CELL
        if signs:
            yield _text("".join(signs), places, (top, SIZE if cells == 1 else WIDE_SIZE), style)


def _text(signs: str, places: list[str], form: tuple[float, float], style: Style | None) -> str:
    top, size = form
    colour = _colour(style)
    look = f' class="{colour}"' if colour != "text" else ""
    look += ' font-weight="bold"' if style is not None and style.bold else ""
    look += f' font-size="{size:g}"' if size != SIZE else ""
    return f'<text y="{top + ROW * 0.72:g}" x="{" ".join(places)}"{look}>{escape(signs)}</text>'


def _colour(style: Style | None) -> str:
    """Return the name of the colour of *style*."""
    if style is None:
        return "text"
    if style.color is not None and style.color.name in _LIGHT:
        return style.color.name
    return "dim" if style.dim else "text"
