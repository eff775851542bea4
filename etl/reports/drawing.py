"""Drawings: charts as static, accessible SVG, by vl-convert, within a page."""

import json
import re
from functools import lru_cache
from typing import Any

import vl_convert
from markupsafe import Markup

from saturi.etl.output.printable import printable
from saturi.etl.reports.charts import Chart

_MOST_KEPT = 32
"""Drawings: a page that is too long is made again with shorter names, and with the same charts."""

_LARGE = re.compile("[\ufffe-\U0010ffff]")

# What draws nothing, or what is so anyway.
_EMPTY = (
    ' opacity="1"',
    ' pointer-events="none"',
    ' xmlns="http://www.w3.org/2000/svg"',
    ' xmlns:xlink="http://www.w3.org/1999/xlink"',
    ' version="1.1"',
    ' class="marks"',
    '<path class="background" aria-hidden="true" d="M0,0h0v0h0Z"/>',
    '<path class="foreground" aria-hidden="true" d="" display="none"/>',
    ' font-family="sans-serif"',
)


def svg(chart: Chart, key: str, title: str, description: str) -> Markup:
    """Return *chart* as an element of a page, named by *title* and *description*; *key* is different for each of a page."""
    head, _, body = _drawn(json.dumps(_drawable(chart))).partition(">")
    box = head.partition('viewBox="')[2].partition('"')[0]
    opening = Markup(
        '<svg viewBox="{box}" role="graphics-document" aria-labelledby="{key}-t {key}-d">'
        '<title id="{key}-t">{title}</title><desc id="{key}-d">{description}</desc>'
    ).format(box=box, key=key, title=printable(title), description=printable(description))
    return opening + Markup(body)  # noqa: S704 - drawn by the library, which escapes names


@lru_cache(maxsize=_MOST_KEPT)
def _drawn(chart: str) -> str:
    """Return the drawing of a *chart* in JSON, which takes a twentieth of a second."""
    given = json.loads(chart)
    convert = vl_convert.vega_to_svg if "marks" in given else vl_convert.vegalite_to_svg
    drawn: str = convert(given)
    for nothing in _EMPTY:
        drawn = drawn.replace(nothing, "")
    return drawn


def _drawable(value: Any) -> Any:  # any JSON
    """
    Return *value* with only signs in its texts that the library can draw.

    It ends the process where a control or a sign outside of XML (U+FFFE) is in one, and fails where it cuts a text off in
    the middle of a sign above U+FFFF, which it takes for two.
    """
    if isinstance(value, str):
        return _LARGE.sub(lambda match: f"\\U{ord(match.group()):08x}", printable(value))
    if isinstance(value, dict):
        return {name: _drawable(part) for name, part in value.items()}
    return [_drawable(part) for part in value] if isinstance(value, list) else value
