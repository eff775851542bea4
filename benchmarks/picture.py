"""The picture of a race: JSON per second and memory, one bar per contender."""

from pathlib import Path

import matplotlib as mpl

from benchmarks.report import Report, in_table, median_seconds, peak_bytes
from saturi.etl.console.screens.words import size

mpl.use("agg")  # no window
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

_OURS, _FLOOR, _OTHERS = "#0b6e4f", "#b8c4bb", "#7f8c9b"


def draw(report: Report, folder: Path) -> list[Path]:
    """Write `speed.png` and `speed.svg` to *folder*, and return their paths."""
    entries = sorted(in_table(report), key=median_seconds, reverse=True)
    titles = [entry.title for entry in entries]
    colours = [_colour(entry.title, entry.key) for entry in entries]
    speeds = [report.corpus.json_bytes / median_seconds(entry) / 1e6 for entry in entries]
    memory = [peak_bytes(entry) / 1e6 for entry in entries]
    with plt.rc_context({"font.size": 9, "svg.fonttype": "path", "svg.hashsalt": "saturi"}):
        figure, (left, right) = plt.subplots(
            1, 2, sharey=True, figsize=(9.5, 0.32 * len(entries) + 1.4), layout="constrained"
        )
        _bars(left, titles, speeds, colours, "JSON a second (MB), more is better")
        _bars(right, titles, memory, colours, "peak memory of all processes (MB), less is better")
        figure.text(1, -0.01, _caption(report), ha="right", va="top", fontsize=7, color="#555555")
        paths = [folder / "speed.png", folder / "speed.svg"]
        for path, facts in zip(paths, ({"Software": None}, {"Date": None}), strict=True):
            figure.savefig(path, dpi=160, bbox_inches="tight", facecolor="white", metadata=facts)
        plt.close(figure)
    return paths


def _bars(axes: Axes, titles: list[str], values: list[float], colours: list[str], label: str) -> None:
    bars = axes.barh(titles, values, color=colours, height=0.7)
    axes.bar_label(bars, fmt=lambda value: f"{value:,.0f}", padding=3, fontsize=8)
    axes.set_title(label, fontsize=9, loc="left")
    axes.margins(x=0.15, y=0.02)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.tick_params(bottom=False, labelbottom=False, left=False)


def _colour(title: str, key: str) -> str:
    if key == "floor":
        return _FLOOR
    return _OURS if title.startswith("saturi") else _OTHERS


def _caption(report: Report) -> str:
    where = report.circumstances
    return (
        f"{report.corpus.files:,} label files, {size(report.corpus.json_bytes)} of JSON, {report.workers} workers, "
        f"median of {report.rounds}; {where.machine}; {where.date}, {where.commit}"
    )
