"""
A terminal as an SVG: what a console of rich has recorded, each sign at the place of its cell, so that no font stretches a line.

Hangul takes two cells. Bars are drawn as rectangles, which have no gaps in any font.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple
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


class Theme(NamedTuple):
    """Colours of a terminal: background, edge, text, dim text, and those of rich's names."""

    background: str
    edge: str
    text: str
    dim: str
    named: dict[str, str]


DARK = Theme(
    "#0d1117",
    "#30363d",
    "#e6edf3",
    "#8b949e",
    {"red": "#ff7b72", "green": "#56d364", "yellow": "#e3b341", "cyan": "#39c5cf", "magenta": "#d2a8ff"},
)
LIGHT = Theme(
    "#ffffff",
    "#d0d7de",
    "#1f2328",
    "#656d76",
    {"red": "#cf222e", "green": "#1a7f37", "yellow": "#7d4e00", "cyan": "#0969da", "magenta": "#8250df"},
)


def draw(console: Console, theme: Theme, title: str) -> str:
    """Return what *console* has recorded as an SVG with *title*."""
    rows = [list(row) for row in Segment.split_lines(console._record_buffer)]
    while rows and not "".join(segment.text for segment in rows[-1]).strip():
        rows.pop()
    columns = max(sum(cell_len(segment.text) for segment in row) for row in rows)
    width, height = columns * CELL + 2 * MARGIN, len(rows) * ROW + 2 * MARGIN
    parts = [part for number, row in enumerate(rows) for part in _row(row, MARGIN + number * ROW, theme)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'role="img" aria-label="{escape(title)}">\n<title>{escape(title)}</title>\n'
        f'<rect x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="8" fill="{theme.background}" '
        f'stroke="{theme.edge}"/>\n<g font-family="{_FONTS}" font-size="{SIZE:g}" fill="{theme.text}" xml:space="preserve">\n'
    )
    return head + "\n".join(parts) + "\n</g>\n</svg>\n"


def _row(row: Sequence[Segment], top: float, theme: Theme) -> Iterator[str]:
    at = MARGIN
    for segment in row:
        for is_bar, signs in groupby(segment.text, lambda sign: sign == _BAR):
            text = "".join(signs)
            length = cell_len(text) * CELL
            if is_bar:
                colour = _colour(segment.style, theme)
                yield f'<rect x="{at:.1f}" y="{top + ROW / 2 - 2:g}" width="{length:.1f}" height="4" rx="2" fill="{colour}"/>'
            else:
                yield from _texts(text, at, top, segment.style, theme)
            at += length


def _texts(text: str, at: float, top: float, style: Style | None, theme: Theme) -> Iterator[str]:
    """Yield the signs of *text* that are not blank, those of one cell and those of two apart: two are filled by a larger font."""
    for cells in (1, 2):
        places, signs, left = [], [], at
        for sign in text:
            if cell_len(sign) == cells and not sign.isspace():
                places.append(f"{left:.1f}")
                signs.append(sign)
            left += cell_len(sign) * CELL
        if signs:
            yield _text("".join(signs), places, (top, SIZE if cells == 1 else WIDE_SIZE), style, theme)


def _text(signs: str, places: list[str], form: tuple[float, float], style: Style | None, theme: Theme) -> str:
    top, size = form
    look = f' fill="{_colour(style, theme)}"' if _colour(style, theme) != theme.text else ""
    look += ' font-weight="bold"' if style is not None and style.bold else ""
    look += f' font-size="{size:g}"' if size != SIZE else ""
    return f'<text y="{top + ROW * 0.72:g}" x="{" ".join(places)}"{look}>{escape(signs)}</text>'


def _colour(style: Style | None, theme: Theme) -> str:
    if style is None:
        return theme.text
    if style.color is not None and style.color.name in theme.named:
        return theme.named[style.color.name]
    return theme.dim if style.dim else theme.text
