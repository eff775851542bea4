"""The report of a race, as JSON or markdown, with machine, date, versions and commit."""

import os
import platform
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from msgspec import Struct

from benchmarks.corpus import CorpusFacts
from benchmarks.goals import Goal, goals, ratio
from benchmarks.lineup import LINEUP, ROOT
from benchmarks.race import Entry
from saturi.etl.console.screens.words import size

_SHOWN = ("isal", "polars", "msgspec", "orjson", "duckdb", "datasets")


class Circumstances(Struct, frozen=True, kw_only=True):
    """Machine, date, commit and versions of a measurement."""

    machine: str
    processors: int
    date: str
    commit: str
    versions: dict[str, str]


class Memory(Struct, frozen=True):
    """Peak memory of a build of a corpus of another shape, in bytes."""

    files: int
    json_bytes: int
    parent_peak_bytes: int
    worker_peak_bytes: int


class ShapeReport(Struct, frozen=True, kw_only=True):
    """All measurements on a corpus of one shape; `inflated_bytes_a_second` is how fast one process inflates it, by ISA-L."""

    corpus: CorpusFacts
    inflated_bytes_a_second: float
    entries: list[Entry]
    goals: list[Goal]


class Report(Struct, frozen=True, kw_only=True):
    """All measurements of one call."""

    circumstances: Circumstances
    rounds: int
    workers: int
    shapes: list[ShapeReport]
    memory: list[Memory]


def make_shape_report(corpus: CorpusFacts, entries: Sequence[Entry], inflated_bytes_a_second: float) -> ShapeReport:
    """Return the report of a race on one corpus."""
    return ShapeReport(
        corpus=corpus,
        inflated_bytes_a_second=inflated_bytes_a_second,
        entries=list(entries),
        goals=goals(entries, corpus.request.shape),
    )


def make_report(shapes: Sequence[ShapeReport], memory: Sequence[Memory], *, rounds: int, workers: int) -> Report:
    """Return the report of all races, dated now."""
    return Report(
        circumstances=_circumstances(), rounds=rounds, workers=workers, shapes=list(shapes), memory=list(memory)
    )


def _circumstances() -> Circumstances:
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    return Circumstances(
        machine=f"{_processor()}, {platform.system()} {platform.machine()}",
        processors=os.cpu_count() or 1,
        date=datetime.now(UTC).date().isoformat(),
        commit=commit or "unknown",
        versions={"Python": platform.python_version(), **dict(_versions())},
    )


def _processor() -> str:
    try:
        facts = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown processor"
    models = [line.partition(":")[2].strip() for line in facts.splitlines() if line.startswith("model name")]
    return models[0] if models else "unknown processor"


def _versions() -> Iterable[tuple[str, str]]:
    for name in _SHOWN:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


def markdown(report: Report) -> str:
    """Return the report as markdown."""
    where = report.circumstances
    versions = ", ".join(f"{name} {number}" for name, number in where.versions.items())
    about = (
        f"{where.machine}, {where.processors} processors; {versions}; {where.date}, commit {where.commit}. {report.workers} "
        f"workers, warm cache, median of {_times(report.rounds, 'round')} after one to warm up; the slow ones ran once."
    )
    lines = [about]
    for shape in report.shapes:
        lines += ["", *_section(shape)]
    if report.memory:
        lines += ["", "| label files | JSON | peak memory of the parent | of a worker |", "|--:|--:|--:|--:|"]
        lines += [
            f"| {row.files:,} | {size(row.json_bytes)} | {size(row.parent_peak_bytes)} | {size(row.worker_peak_bytes)} |"
            for row in report.memory
        ]
    return "\n".join(lines) + "\n"


def _section(shape: ShapeReport) -> list[str]:
    corpus = shape.corpus
    about = (
        f"**Shape `{corpus.request.shape}`**: {corpus.files:,} synthetic label files, {size(corpus.json_bytes)} of JSON in "
        f"{size(corpus.zip_bytes)} of zips; one process inflates {size(shape.inflated_bytes_a_second)} of it a second."
    )
    return [
        about,
        "",
        "| | wall | spread | CPU | JSON a second | peak memory, all processes | × saturi | × floor |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
        *_rows(shape),
        "",
        "| goal | wanted | measured | |",
        "|---|--:|--:|---|",
        *(_goal_row(goal) for goal in shape.goals),
    ]


def in_table(shape: ShapeReport) -> list[Entry]:
    """Return the entries of contenders that ran on the whole corpus."""
    small = {contender.key for contender in LINEUP if contender.small}
    return [entry for entry in shape.entries if entry.runs and entry.key not in small]


def median_seconds(entry: Entry) -> float:
    """Return the median wall time of a contender."""
    return statistics.median(run.seconds for run in entry.runs)


def peak_bytes(entry: Entry) -> int:
    """Return the peak memory of a contender over all runs."""
    return max(run.peak_bytes for run in entry.runs)


def _rows(shape: ShapeReport) -> Iterable[str]:
    ran = {entry.key: entry for entry in shape.entries if entry.runs}
    for entry in in_table(shape):
        walls = [run.seconds for run in entry.runs]
        cpu = statistics.median(run.cpu_seconds for run in entry.runs)
        cells = [
            entry.title,
            f"{median_seconds(entry):.2f} s",
            f"{min(walls):.2f} to {max(walls):.2f} s",
            f"{cpu:.2f} s",
            size(shape.corpus.json_bytes / median_seconds(entry)),
            size(peak_bytes(entry)),
            *(f"{ratio(entry, ran[under]):.2f}" if under in ran else "" for under in ("saturi", "floor")),
        ]
        yield f"| {' | '.join(cells)} |"
    yield from (f"| {entry.title} | {entry.missing} | | | | | | |" for entry in shape.entries if entry.missing)


def _goal_row(goal: Goal) -> str:
    digits = 0 if goal.unit == " MiB" else 2
    wanted = f"{goal.bound} {goal.wanted:g}{goal.unit}"
    return f"| {goal.title} | {wanted} | {goal.measured:.{digits}f}{goal.unit} | {'✓' if goal.reached else 'not reached'} |"


def _times(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count != 1 else ''}"


def into_document(document: str, text: str, part: str = "speed") -> str:
    """Return *document* with *text* between the marks of *part*."""
    begin, end = (f"<!-- {part}: {place} -->\n" for place in ("begin", "end"))
    head, _, rest = document.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}{text}{end}{tail}"
