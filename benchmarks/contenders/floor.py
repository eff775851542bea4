"""The floor: inflate every label file and check its CRC, with the library and the workers of the build, and no more."""

from collections import deque
from functools import partial
from pathlib import Path

from benchmarks.contenders.recipe import run
from saturi.etl.corpus.archive import read_members
from saturi.etl.corpus.batches import Batch
from saturi.etl.corpus.discover import discover
from saturi.etl.corpus.scan import scan
from saturi.etl.pipeline.reading import scan_rules
from saturi.etl.runtime.executor import Workers
from saturi.etl.runtime.processes import process_pool
from saturi.etl.settings.options import BuildOptions


def inflate_all(batch: Batch) -> None:
    """Inflate the members of *batch*, holding one at a time."""
    deque(read_members(batch), maxlen=0)


def inflate(corpus: Path, _: Path, workers: int) -> None:
    """Inflate all zips below *corpus*."""
    with Workers(partial(process_pool, workers), 2 * workers) as pool:
        scans = [scan(archive, scan_rules(BuildOptions())) for archive in discover([corpus]).archives]
        batches = sorted((batch for one in scans for batch in one.batches), key=lambda batch: -batch.extent.json_bytes)
        deque(pool.map(inflate_all, batches), maxlen=0)


if __name__ == "__main__":
    run(inflate)
