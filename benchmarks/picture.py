"""The picture of a race: JSON a second, a bar per contender and a panel per shape, and how many times as fast the build is."""

from pathlib import Path

import matplotlib as mpl

from benchmarks.goals import ratio
from benchmarks.race import Entry
from benchmarks.report import Report, ShapeReport, median_seconds
from saturi.etl.console.screens.words import size

mpl.use("agg")  # no window
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

_OURS, _OTHERS = "#0b6e4f", "#7f8c9b"
_SHOWN = ("saturi", "msgspec", "polars", "datasets", "naive")
_PANELS = {"f0": "most of a file is F0", "rich": "a third of a file is not F0"}


def draw(report: Report, folder: Path) -> list[Path]:
    """Write `speed.png` and `speed.svg` to *folder*, and return their paths."""
    with plt.rc_context({"font.size": 9, "svg.fonttype": "path", "svg.hashsalt": "saturi"}):
        figure, panels = plt.subplots(
            1, len(report.shapes), sharey=True, squeeze=False, figsize=(9.5, 2.6), layout="constrained"
        )
        for axes, shape in zip(panels[0], report.shapes, strict=True):
            _bars(axes, shape)
        figure.text(1, -0.01, _caption(report), ha="right", va="top", fontsize=7, color="#555555")
        paths = [folder / "speed.png", folder / "speed.svg"]
        for path, facts in zip(paths, ({"Software": None}, {"Date": None}), strict=True):
            figure.savefig(path, dpi=160, bbox_inches="tight", facecolor="white", metadata=facts)
        plt.close(figure)
    return paths


def _bars(axes: Axes, shape: ShapeReport) -> None:
    ran = {entry.key: entry for entry in shape.entries if entry.runs}
    shown = [ran[key] for key in reversed(_SHOWN) if key in ran]
    speeds = [shape.corpus.json_bytes / median_seconds(entry) / 1e6 for entry in shown]
    colours = [_OURS if entry.key == "saturi" else _OTHERS for entry in shown]
    bars = axes.barh([entry.title for entry in shown], speeds, color=colours, height=0.7)
    axes.bar_label(bars, labels=[_label(entry, ran, shape.corpus.json_bytes) for entry in shown], padding=3, fontsize=8)
    axes.set_title(f"JSON a second (MB): {_PANELS[shape.corpus.request.shape]}", fontsize=9, loc="left")
    axes.margins(x=0.35, y=0.02)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.tick_params(bottom=False, labelbottom=False, left=False)


def _label(entry: Entry, ran: dict[str, Entry], json_bytes: int) -> str:
    speed = f"{json_bytes / median_seconds(entry) / 1e6:,.0f}"
    if entry.key == "saturi" or "saturi" not in ran:
        return speed
    return f"{speed}; saturi {ratio(entry, ran['saturi']):.1f} × as fast"


def _caption(report: Report) -> str:
    where, corpora = report.circumstances, [shape.corpus for shape in report.shapes]
    sizes = " and ".join(f"{corpus.files:,} label files ({size(corpus.json_bytes)})" for corpus in corpora)
    return f"{sizes}, {report.workers} workers; {where.machine}; {where.date}, {where.commit}; python -m benchmarks"
