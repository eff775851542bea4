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
from benchmarks.goals import Goal, goals
from benchmarks.lineup import LINEUP, ROOT
from benchmarks.race import Entry
from saturi.etl.console.screens.words import size

_SHOWN = ("isal", "polars", "msgspec", "orjson", "duckdb", "datasets")
_MARKS = ("<!-- speed: begin -->\n", "<!-- speed: end -->\n")


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


class Report(Struct, frozen=True, kw_only=True):
    """All measurements of one call."""

    circumstances: Circumstances
    corpus: CorpusFacts
    rounds: int
    workers: int
    entries: list[Entry]
    goals: list[Goal]
    memory: list[Memory]


def make_report(
    corpus: CorpusFacts, entries: Sequence[Entry], memory: Sequence[Memory], *, rounds: int, workers: int
) -> Report:
    """Return the report of a race, dated now."""
    return Report(
        circumstances=_circumstances(),
        corpus=corpus,
        rounds=rounds,
        workers=workers,
        entries=list(entries),
        goals=goals(entries),
        memory=list(memory),
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
    corpus, where = report.corpus, report.circumstances
    versions = ", ".join(f"{name} {number}" for name, number in where.versions.items())
    about = (
        f"{corpus.files:,} synthetic label files, {size(corpus.json_bytes)} of JSON in {size(corpus.zip_bytes)} of zips, warm "
        f"cache, {report.workers} workers, {_times(report.rounds, 'round')} after one to warm up. {where.machine}, "
        f"{where.processors} processors; {versions}; {where.date}, commit {where.commit}."
    )
    lines = [
        about,
        "",
        "| | wall | spread | CPU | JSON a second | peak memory, all processes | × saturi |",
        "|---|--:|--:|--:|--:|--:|--:|",
        *_rows(report),
        "",
        "| goal | wanted | measured | |",
        "|---|--:|--:|---|",
        *(_goal_row(goal) for goal in report.goals),
    ]
    if report.memory:
        lines += ["", "| label files | JSON | peak memory of the parent | of a worker |", "|--:|--:|--:|--:|"]
        lines += [
            f"| {row.files:,} | {size(row.json_bytes)} | {size(row.parent_peak_bytes)} | {size(row.worker_peak_bytes)} |"
            for row in report.memory
        ]
    return "\n".join(lines) + "\n"


def in_table(report: Report) -> list[Entry]:
    """Return the entries of contenders that ran on the whole corpus."""
    small = {contender.key for contender in LINEUP if contender.small}
    return [entry for entry in report.entries if entry.runs and entry.key not in small]


def median_seconds(entry: Entry) -> float:
    """Return the median wall time of a contender."""
    return statistics.median(run.seconds for run in entry.runs)


def peak_bytes(entry: Entry) -> int:
    """Return the peak memory of a contender over all runs."""
    return max(run.peak_bytes for run in entry.runs)


def _rows(report: Report) -> Iterable[str]:
    ours = next((median_seconds(entry) for entry in report.entries if entry.key == "saturi" and entry.runs), None)
    for entry in in_table(report):
        walls = [run.seconds for run in entry.runs]
        cpu = statistics.median(run.cpu_seconds for run in entry.runs)
        times = f"{median_seconds(entry) / ours:.2f}" if ours else ""
        cells = [
            entry.title,
            f"{median_seconds(entry):.2f} s",
            f"{min(walls):.2f} to {max(walls):.2f} s",
            f"{cpu:.2f} s",
            size(report.corpus.json_bytes / median_seconds(entry)),
            size(peak_bytes(entry)),
            times,
        ]
        yield f"| {' | '.join(cells)} |"
    yield from (f"| {entry.title} | {entry.missing} | | | | | |" for entry in report.entries if entry.missing)


def _goal_row(goal: Goal) -> str:
    digits = 0 if goal.unit == " MiB" else 2
    wanted = f"{goal.bound} {goal.wanted:g}{goal.unit}"
    return f"| {goal.title} | {wanted} | {goal.measured:.{digits}f}{goal.unit} | {'✓' if goal.reached else 'not reached'} |"


def _times(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count != 1 else ''}"


def into_document(document: str, text: str) -> str:
    """Return *document* with *text* between the marks of the speed section."""
    head, _, rest = document.partition(_MARKS[0])
    _, _, tail = rest.partition(_MARKS[1])
    return f"{head}{_MARKS[0]}{text}{_MARKS[1]}{tail}"
