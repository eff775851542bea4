"""The flow of a build as a river: label files at the spring, examples at the mouth, each reason a branch with its number."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from saturi.etl.reports.charts import INKS, WIDTH, Chart

_BED = 130  # pixels of the whole width of the river
_LEFT = 8
_REACH = 190  # where branches end
_LEAST = 1.0  # pixels of a branch, however small
_SLOT = 22  # height of a branch, at least, so that names do not lie on each other
_LAKE = 26  # height of a name within the river


class Reach(NamedTuple):
    """A part of the river: what flows in, with its number, and the branches that leave it, in their order."""

    name: str
    number: int
    branches: Sequence[tuple[str, int]]


def river(reaches: Sequence[Reach], mouth: Sequence[tuple[str, int]]) -> Chart:
    """
    Return the picture of *reaches*, one below the other, each as wide as the other at its beginning.

    Args:
        reaches: Parts of the river, each with a unit of its own.
        mouth: What the last of them divides into.
    """
    drawing = _Drawing()
    for reach in reaches:
        drawing.reach(reach)
    drawing.mouth(mouth, reaches[-1])
    return drawing.chart()


class _Drawing:
    """Shapes and signs, from the top to the bottom."""

    def __init__(self) -> None:
        self._shapes: list[dict[str, Any]] = []
        self._signs: list[dict[str, Any]] = []
        self._y = 0.0

    def reach(self, reach: Reach) -> None:
        """Draw a reach with its branches, and what is left of it below them."""
        scale = _BED / max(reach.number, 1)
        self._sign(reach.name, reach.number, _LEFT, self._y + 12, bold=True)
        self._y += 20
        width = float(_BED)
        self._shape(_block(_LEFT, self._y, width, _LAKE / 2), INKS[0], reach.name, reach.number)
        self._y += _LAKE / 2
        for name, number in reach.branches:
            thick = max(number * scale, _LEAST)
            below = max(width - number * scale, 0.0)
            height = max(_SLOT, thick + 6)
            self._shape(_branch(_LEFT + below, thick, self._y, height), INKS[1], name, number)
            self._shape(_block(_LEFT, self._y, below, height), INKS[0])
            self._sign(name, number, _REACH + 8, self._y + height / 2 + 4)
            self._y += height
            width = below
        self._shape(_block(_LEFT, self._y, width, _LAKE / 2), INKS[0])
        self._y += _LAKE

    def mouth(self, parts: Sequence[tuple[str, int]], last: Reach) -> None:
        """Draw what the river ends in."""
        scale, x = _BED / max(last.number, 1), float(_LEFT)
        for place, (name, number) in enumerate(parts):
            self._shape(
                _block(x, self._y - _LAKE / 2, number * scale, _LAKE / 2), INKS[0 if place == 0 else 2], name, number
            )
            x += number * scale
        for name, number in parts:
            self._sign(name, number, _LEFT, self._y + 14, bold=True)
            self._y += 18

    def chart(self) -> Chart:
        """Return all of it as a Vega specification."""
        path = {
            "path": {"field": "path"},
            "fill": {"field": "fill"},
        }
        sign: dict[str, Any] = {name: {"field": name} for name in ("x", "y", "text", "fontWeight")}
        sign |= {"fontSize": {"value": 12}, "limit": {"value": WIDTH - _LEFT}}
        return {
            "$schema": "https://vega.github.io/schema/vega/v6.json",
            "width": WIDTH,
            "height": self._y + 8,
            "background": None,
            "data": [{"name": "shapes", "values": self._shapes}, {"name": "signs", "values": self._signs}],
            "marks": [
                {
                    "type": "path",
                    "from": {"data": "shapes"},
                    "encode": {"enter": path | {"description": {"field": "label"}}},
                },
                {"type": "text", "from": {"data": "signs"}, "aria": False, "encode": {"enter": sign}},
            ],
        }

    def _shape(self, path: str, fill: str, name: str = "", number: int = 0) -> None:
        self._shapes.append({"path": path, "fill": fill, "label": f"{name}: {number:,}" if name else ""})

    def _sign(self, name: str, number: int, x: float, y: float, *, bold: bool = False) -> None:
        weight = "bold" if bold else "normal"
        self._signs.append({"x": x, "y": y, "text": f"{name}  {number:,}", "fontWeight": weight})


def _block(x: float, y: float, width: float, height: float) -> str:
    # Half a pixel into the next, so that no seam is seen.
    return f"M{x:.1f},{y:.1f}h{width:.1f}v{height + 0.5:.1f}h{-width:.1f}Z"


def _branch(x: float, thick: float, y: float, height: float) -> str:
    """Return the way of a branch of this thickness from the top of its slot at *x* to the middle of the slot, and out."""
    top, bottom = y + (height - thick) / 2, y + (height + thick) / 2
    outer, inner = x + thick, x
    return (
        f"M{inner:.1f},{y:.1f}H{outer:.1f}C{outer:.1f},{top:.1f} {outer:.1f},{top:.1f} {_REACH},{top:.1f}"
        f"V{bottom:.1f}C{inner:.1f},{bottom:.1f} {inner:.1f},{bottom:.1f} {inner:.1f},{y:.1f}Z"
    )
