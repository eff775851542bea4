"""Charts of a report as specifications of Vega-Lite: JSON that says what is drawn, and nothing of how."""

from collections.abc import Sequence
from typing import Any, NamedTuple

Chart = dict[str, Any]  # a specification: any JSON

WIDTH = 440
"""Width in pixels: as wide as a telephone, so that signs stay readable there, and two fit side by side on a desk."""

INKS = ("#1f4e79", "#7fb3d5", "#d3e5f1", "#8a8a8a")
"""Colours of series, from dark to light, so that they differ in grey; the style sheet has others for a dark screen."""

RED, FAINT, EDGE = "#b03a2e", "#e4e4e4", "#555555"
_DASHES = ([1, 0], [5, 3], [1, 2], [8, 2, 1, 2])
_MOST_NAME = 150  # pixels of a name beside a bar
_SHORT_NAME = 16  # signs of a name of which three fit side by side
_ROW = 24
_PLAIN = {
    "background": None,
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "gridColor": FAINT,
        "labelLimit": _MOST_NAME,
    },
    "legend": {
        "labelFontSize": 11,
        "orient": "top",
        "title": None,
        "symbolType": "square",
        "labelLimit": 400,
    },
    "rule": {"color": EDGE},
}


class Bar(NamedTuple):
    """A number of one series at one name."""

    name: str
    series: str
    number: float


class Range(NamedTuple):
    """A number of one series at one name, and the range it lies in."""

    name: str
    series: str
    low: float
    number: float
    high: float


def bars(rows: Sequence[Bar], axis: str) -> Chart:
    """Return horizontal bars, those of a name one after the other; *axis* says what they count."""
    names = list(dict.fromkeys(row.name for row in rows))
    series = list(dict.fromkeys(row.series for row in rows))
    return _chart(
        [row._asdict() | {"order": series.index(row.series)} for row in rows],
        height=_ROW * len(names),
        mark={"type": "bar", "stroke": EDGE, "strokeWidth": 0.5},
        encoding={
            "y": _names(names),
            "x": _numbers("number", axis),
            "order": {"field": "order"},
            "color": _series(series),
        },
    )


def columns(rows: Sequence[tuple[str, float]], axis: str, limit: str | None = None) -> Chart:
    """Return the columns of a histogram, with a line at the bin *limit*; *axis* says what the bins are."""
    labels = [label for label, _ in rows]
    every = -(-len(labels) // 12)
    spec = _chart([], height=150)
    del spec["data"]
    x: dict[str, Any] = {"field": "name", "type": "ordinal", "sort": labels, "title": axis}
    x["axis"] = {"labelAngle": 0, "values": labels[::every], "ticks": False}
    spec["layer"] = [
        {
            "data": {"values": [{"name": label, "number": number} for label, number in rows]},
            "mark": {"type": "bar", "color": INKS[0]},
            "encoding": {"x": x, "y": _numbers("number", None)},
        }
    ]
    if limit is not None:
        spec["layer"].append(
            {
                "data": {"values": [{"name": limit}]},
                "mark": {"type": "rule", "color": RED, "strokeWidth": 2, "strokeDash": [4, 2]},
                "encoding": {"x": x},
            }
        )
    return spec


def ranges(rows: Sequence[Range], axis: str, *, zero: bool = True) -> Chart:
    """Return points with the range that each lies in; *axis* says what they measure."""
    names = list(dict.fromkeys(row.name for row in rows))
    series = list(dict.fromkeys(row.series for row in rows))
    spec = _chart([row._asdict() for row in rows], height=max(_ROW, 15 * len(series)) * len(names))
    x = _numbers("number", axis) | {"scale": {"zero": zero}}
    shared = {"y": _names(names), "yOffset": {"field": "series", "sort": series}}
    spec["layer"] = [
        {
            "mark": {"type": "rule", "strokeWidth": 2, "aria": False},
            "encoding": shared | {"x": x | {"field": "low"}, "x2": {"field": "high"}},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1, "stroke": EDGE, "strokeWidth": 1},
            "encoding": shared
            | {"x": x, "color": _series(series), "shape": {"field": "series", "sort": series, "legend": None}},
        },
    ]
    return spec


def lines(rows: Sequence[tuple[int, str, float]], across: str, axis: str) -> Chart:
    """Return a line of each series over whole numbers."""
    series = list(dict.fromkeys(name for _, name, _ in rows))
    values = [{"step": step, "series": name, "number": number} for step, name, number in rows]
    dash = {
        "field": "series",
        "sort": series,
        "scale": {"domain": series, "range": [_DASHES[n % 4] for n in range(len(series))]},
    }
    return _chart(
        values,
        height=170,
        mark={"type": "line", "strokeWidth": 2},
        encoding={
            "x": {"field": "step", "type": "quantitative", "title": across, "axis": {"grid": False, "tickMinStep": 1}},
            "y": _numbers("number", axis),
            "color": _series(series) | {"legend": {"symbolType": "stroke", "columns": 3}},
            "strokeDash": dash,
        },
    )


def _chart(values: list[dict[str, Any]], **more: Any) -> Chart:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": WIDTH,
        "padding": {
            "left": 16,
            "right": 14,
            "top": 4,
            "bottom": 4,
        },  # where the browser's font is wider than the one measured
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": _PLAIN,
        "data": {"values": values},
        **more,
    }


def _names(names: Sequence[str]) -> dict[str, Any]:
    return {
        "field": "name",
        "type": "nominal",
        "sort": list(names),
        "title": None,
        "axis": {"ticks": False, "domain": False},
    }


def _numbers(field: str, title: str | None) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "title": title, "axis": {"tickCount": 4, "domain": False}}


def _series(series: Sequence[str]) -> dict[str, Any]:
    inks = [INKS[number % len(INKS)] for number in range(len(series))]
    colour: dict[str, Any] = {"field": "series", "type": "nominal", "sort": list(series)}
    colour["scale"] = {"domain": list(series), "range": inks}
    if len(series) == 1:
        return colour | {"legend": None}
    return colour | {"legend": {"columns": 1 if max(map(len, series)) > _SHORT_NAME else 3}}
