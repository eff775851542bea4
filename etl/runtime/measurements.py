"""Measurements of a run: times, memory, machine, versions. They decide no byte of a build and are not in its manifest."""

import os
import platform
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from msgspec import Struct

from saturi.etl.runtime.executor import Measured, Result, name_of_process
from saturi.etl.runtime.memory import peak_bytes
from saturi.etl.storage.client import Traffic, traffic
from saturi.etl.version import __version__


class BuildFacts(Struct, frozen=True, kw_only=True):
    """
    `build.json`: what a build took, in seconds and bytes.

    `steps` are wall-clock seconds, `cpu_seconds` those of all workers; `stages` are seconds by the clock too, summed over
    the workers, and empty without a profile; `worker_peak_bytes` is the most any worker held,
    and both peaks include pages of archives that were mapped. `segments_made` were read from archives,
    `segments_reused` were in the stage. `requests` to object storage have read and written these bytes; all are 0 without it.
    """

    started: str
    seconds: float
    steps: dict[str, float]
    cpu_seconds: float
    stages: dict[str, float]
    workers: int
    parent_peak_bytes: int
    worker_peak_bytes: int
    packed_bytes: int
    json_bytes: int
    segments_made: int
    segments_reused: int
    requests: int = 0
    requested_read_bytes: int = 0
    requested_written_bytes: int = 0
    machine: str
    processors: int
    versions: dict[str, str]


class Meter:
    """
    Collect the measurements of a build while it runs.

    Args:
        workers: Number of processes.
        began: When it began, by `time.monotonic`.
        before: What this process had asked object storage for until then.
    """

    def __init__(self, workers: int, began: float, before: Traffic | None = None) -> None:
        self.workers = workers
        self.started = datetime.now(UTC)
        self.cpu_seconds = 0.0
        self.worker_peak_bytes = 0
        self.packed_bytes = self.json_bytes = self.segments_made = self.segments_reused = 0
        from importlib.metadata import version  # noqa: PLC0415 - 36 ms, spent here while the workers start

        self.versions = {
            "python": platform.python_version(),
            "saturi": __version__,
            "polars": version("polars"),
            "msgspec": version("msgspec"),
            "bpe-openai": version("bpe-openai"),
        }
        self._began = began
        self._traffic_before = before or traffic()
        self._traffic_elsewhere = Traffic()
        self._steps: dict[str, float] = {}
        self._stages: Counter[str] = Counter()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count the time spent here as step *name*."""
        began = time.monotonic()
        yield
        self._steps[name] = round(time.monotonic() - began, 3)

    def take(self, measured: Measured[Result]) -> Result:
        """Count what a task has used, and return its value."""
        self.cpu_seconds += measured.cpu_seconds
        self._stages.update(measured.stages)
        self.worker_peak_bytes = max(self.worker_peak_bytes, measured.peak_bytes)
        if measured.process != name_of_process():
            self._traffic_elsewhere = self._traffic_elsewhere.plus(measured.traffic)
        return measured.value

    def count_batch(self, packed_bytes: int, json_bytes: int, *, reused: bool) -> None:
        """Count a batch whose segment was made, or was on disk."""
        self.packed_bytes += packed_bytes
        self.json_bytes += json_bytes
        self.segments_reused += reused
        self.segments_made += not reused

    def facts(self) -> BuildFacts:
        """Return the measurements up to now."""
        asked = traffic().since(self._traffic_before).plus(self._traffic_elsewhere)
        return BuildFacts(
            started=self.started.isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - self._began, 3),
            steps=self._steps,
            cpu_seconds=round(self.cpu_seconds, 3),
            stages={stage: round(seconds, 3) for stage, seconds in self._stages.items()},
            workers=self.workers,
            parent_peak_bytes=peak_bytes(),
            worker_peak_bytes=self.worker_peak_bytes,
            packed_bytes=self.packed_bytes,
            json_bytes=self.json_bytes,
            segments_made=self.segments_made,
            segments_reused=self.segments_reused,
            requests=asked.requests,
            requested_read_bytes=asked.read_bytes,
            requested_written_bytes=asked.written_bytes,
            machine=f"{platform.system()} {platform.machine()}",
            processors=os.cpu_count() or 1,
            versions=self.versions,
        )
