"""The first step of a build: directories to batches, batches to segments."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from saturi.etl.corpus.batches import BATCH_BYTES, Limits
from saturi.etl.corpus.discover import Archive, Corpus, Form
from saturi.etl.corpus.scan import Scan, ScanRules, unreadable
from saturi.etl.errors import EmptyCorpusError, InputError
from saturi.etl.pipeline.sums import check_sum
from saturi.etl.read.archives import ReadArchive
from saturi.etl.read.calls import read_batch, scan_archive
from saturi.etl.read.suspects import Isolation
from saturi.etl.read.tasks import ReadTask, ScanTask, UnreadBatch
from saturi.etl.runtime.progress import Progress
from saturi.etl.runtime.steps import Run
from saturi.etl.settings.options import BuildOptions
from saturi.etl.storage.location import Location
from saturi.schemas.segment import SegmentHeader

_PACKED_BATCH_BYTES = BATCH_BYTES // 8
"""Of an archive: fewer than any batch of it takes, as label files of 2022 deflate to a quarter."""


def scan_rules(options: BuildOptions) -> ScanRules:
    """Return the part of *options* that is about archives."""
    limits = Limits(options.max_member_bytes, options.max_ratio)
    return ScanRules(limits, options.max_entries, options.allow_bad_archives)


def useful_workers(corpus: Corpus, workers: int) -> int:
    """
    Return how many of *workers* have something to do in a build of *corpus*, by the sizes of its files.

    A process takes a third of a second to start. What a folder of loose files holds is not known before it is listed.
    """
    batches = 0
    for archive in corpus.archives:
        if archive.form is Form.FOLDER:
            return workers
        with suppress(OSError):  # the scan has a sentence for it
            batches += 1 + _size_of(archive) // _PACKED_BATCH_BYTES
    return max(1, min(workers, batches))


def _size_of(archive: Archive) -> int:
    if archive.facts:
        return sum(facts.size for facts in archive.facts)
    return sum(Path(path).stat().st_size for path in archive.paths)


def scan_archives(run: Run, corpus: Corpus, rules: ScanRules, stage: Location) -> list[Scan]:
    """
    Return the scans of all archives; so a damaged one is met before any work.

    Raises:
        InputError: An archive cannot be read.
        EmptyCorpusError: None holds a label file.
    """
    scans = []
    for result in run.map("scan", scan_archive, [ScanTask(archive, rules, str(stage)) for archive in corpus.archives]):
        if isinstance(result, InputError):
            raise result
        scans.append(result)
    if not any(scan.label_files for scan in scans):
        raise EmptyCorpusError(
            "corpus", "no label file in any archive", "give the folder that holds the downloaded label zips"
        )
    return scans


def read_archives(run: Run, scans: Sequence[Scan], stage: Location, *, allow_bad_archives: bool) -> list[ReadArchive]:
    """
    Make every segment that is not in *stage* yet, and return the headers of all.

    Raises:
        InputError: An archive cannot be read any more, and that is not allowed.
        PromiseError: A segment does not hold the label files of its batch.
        WorkerKilledError: Workers are killed again and again, whatever they read.
    """
    # As they lie in their files, which disks like best; the last is 0.1 s of work, like all, and no worker is long alone with it.
    tasks = {batch.key: ReadTask(batch, str(stage)) for scan in scans for batch in scan.batches}
    segments: dict[str, SegmentHeader] = {}
    unread: dict[str, InputError] = {}
    progress = Progress("read", 0, sum(task.batch.extent.packed_bytes for task in tasks.values()))
    run.watcher(progress)
    isolation = Isolation(run.pool)
    with run.meter.step("read"):
        for task, measured in run.pool.map(read_batch, tasks.values()):
            if measured is not None:
                isolation.note_survivor()
            batch, result = task.batch, run.meter.take(measured or isolation.read(task))
            if isinstance(result, UnreadBatch):
                unread[batch.key] = InputError(*result)
                if not allow_bad_archives:
                    raise unread[batch.key]
                continue
            header, reused = result
            check_sum(
                f"label files of a batch of {batch.archive.name}",
                batch.extent.label_files,
                {"rows of its segment": header.label_files},
            )
            segments[batch.key] = header
            run.meter.count_batch(batch.extent.packed_bytes, batch.extent.json_bytes, reused=reused)
            progress = progress.after(batch.extent.packed_bytes, batch.extent.json_bytes, header, reused=reused)
            run.watcher(progress)
    if not segments:
        [first, *_] = unread.values()
        raise first
    return [_read_archive(scan, segments, unread) for scan in scans]


def _read_archive(scan: Scan, segments: Mapping[str, SegmentHeader], unread: Mapping[str, InputError]) -> ReadArchive:
    """Return an archive with the headers of its segments, or without any where one of its batches is *unread*."""
    for batch in scan.batches:
        if batch.key in unread:
            return ReadArchive(unreadable(scan.archive, unread[batch.key]), [])
    return ReadArchive(scan, [segments[batch.key] for batch in scan.batches])
