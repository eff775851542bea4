"""The way of the data, top to bottom: corpus → archives → batches → segments → decisions → chunks → manifest."""

import hashlib
import time
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct

from etl.corpus.batches import Limits
from etl.corpus.discover import Corpus, discover
from etl.corpus.scan import Scan, ScanRules, scan
from etl.errors import EmptyCorpusError, OptionError
from etl.output.files import write_whole
from etl.output.folder import (
    BUILD_FACTS,
    CHUNKS,
    DECISIONS_FILE,
    LINEAGE_FILE,
    MANIFEST,
    REJECTS,
    STAGE,
    WORK,
    claimed,
    encode_manifest,
    open_work,
    publish_build,
)
from etl.pipeline.account import balance, make_manifest
from etl.pipeline.verdict import failures_of, warnings_of
from etl.read.archives import ReadArchive
from etl.read.calls import read_batch
from etl.read.suspects import read_without_killers
from etl.read.tasks import ReadTask
from etl.runtime.executor import ExecutorMaker, Workers
from etl.runtime.measurements import BuildFacts, Meter
from etl.runtime.processes import checked_workers, process_pool
from etl.runtime.progress import Progress, Watcher
from etl.runtime.steps import Run
from etl.select.calls import count_shared
from etl.select.selection import Selection, segments_of, select
from etl.select.tasks import ShareTask
from etl.settings.options import BuildOptions
from etl.write.calls import write_section, write_table
from etl.write.tasks import LineageTask, RejectsTask, SectionResult, TableTask, TraceTask, WriteTask
from schemas.manifest import Manifest
from schemas.segment import SegmentHeader
from schemas.terms import DropReason, Split


class BuildResult(Struct, frozen=True, kw_only=True):
    """A finished build: its manifest, how it went, what to know of it, and why it is no success all the same (empty if it is)."""

    out: str
    manifest: Manifest
    facts: BuildFacts
    warnings: list[str]
    failures: list[str]


def build(  # noqa: PLR0913 - the six behind the star are how, not what
    corpus: Iterable[str | Path],
    out: str | Path,
    options: BuildOptions | None = None,
    *,
    workers: int | None = None,
    stage: str | Path | None = None,
    watcher: Watcher | None = None,
    make_executor: ExecutorMaker | None = None,
    profile: bool = False,
) -> BuildResult:
    """
    Turn *corpus* into chunks, a manifest, rejects and lineage in *out*.

    Same corpus and options, same bytes, whatever the rest. A build that was killed goes on where it stopped when it is
    run again.

    Args:
        corpus: Folders, zips, or parts of split zips.
        out: Folder for the result: new, empty, or of an earlier build.
        options: What decides the result; the defaults are the original recipe's, without duplicates and leaks.
        workers: Number of processes; None for one a processor.
        stage: Folder for decoded segments, to be shared between builds; None for `stage` in *out*.
        watcher: Called with the progress, in this process.
        make_executor: Returns the executor to use instead of a process pool.
        profile: Also measure where the time of the workers goes, stage by stage, for `build.json`.

    Raises:
        EtlError: One of its branches; see `etl.errors`.
    """
    options = options or BuildOptions()
    workers = checked_workers(workers)
    out = Path(out).absolute()
    stage = out / STAGE if stage is None else Path(stage).absolute()
    if not {out / WORK, out / CHUNKS}.isdisjoint((stage, *stage.parents)):
        raise OptionError("--stage", f"{stage} is for other things", "give a folder of its own")
    began = time.monotonic()
    found = discover(corpus)
    make_executor = make_executor or partial(process_pool, workers)
    with claimed(out, stage), Workers(make_executor, 2 * workers, profile=profile) as pool:
        meter = Meter(workers, began)
        run = Run(pool, meter, watcher or _ignore)
        scans = _scan_archives(run, found, options, stage)
        reads = _read_archives(run, scans, stage)
        work = open_work(out, _build_key(run, reads, options))
        selection = select(run, reads, options, stage, work)
        results = _write_chunks(run, selection, options, work)
        [shared] = run.map("prove", count_shared, [ShareTask(tuple(selection.sources), selection.decisions)])
        manifest = make_manifest(options, reads, found, results, shared)
        _write_tables(run, reads, results, manifest, stage, work)
        write_whole(work / BUILD_FACTS, [msgspec.json.format(msgspec.json.encode(meter.facts())), b"\n"])
        write_whole(work / MANIFEST, [encode_manifest(manifest)])
        publish_build(out, manifest)
    return BuildResult(
        out=str(out),
        manifest=manifest,
        facts=meter.facts(),
        warnings=warnings_of(manifest),
        failures=failures_of(manifest, options),
    )


def dry_run(corpus: Iterable[str | Path], options: BuildOptions | None = None) -> list[Scan]:
    """
    Return what the directories of *corpus* tell, archive by archive; no label file is read and nothing is written.

    Raises:
        InputError: The corpus, or one of its archives, cannot be read.
    """
    rules = scan_rules(options or BuildOptions())
    return [scan(archive, rules) for archive in discover(corpus).archives]


def scan_rules(options: BuildOptions) -> ScanRules:
    """Return the part of *options* that is about archives."""
    limits = Limits(options.max_member_bytes, options.max_ratio)
    return ScanRules(limits, options.max_entries, options.allow_bad_archives)


def _ignore(_: Progress) -> None:
    """Watch nothing."""


def _scan_archives(run: Run, found: Corpus, options: BuildOptions, stage: Path) -> list[Scan]:
    """Read the directories of all archives, in this process, while the workers start; so a damaged one is met before any work."""
    with run.meter.step("scan"):
        scans = [scan(archive, scan_rules(options), stage) for archive in found.archives]
    if not any(scan.label_files for scan in scans):
        raise EmptyCorpusError(
            "corpus", "no label file in any archive", "give the folder that holds the downloaded label zips"
        )
    return scans


def _read_archives(run: Run, scans: Sequence[Scan], stage: Path) -> list[ReadArchive]:
    """Make every segment that is not there yet."""
    # The large ones first, so that no worker is left alone with one at the end.
    batches = sorted((batch for scan in scans for batch in scan.batches), key=lambda batch: -batch.extent.json_bytes)
    tasks = {batch.key: ReadTask(batch, str(stage)) for batch in batches}
    segments: dict[str, SegmentHeader] = {}
    progress = Progress("read", 0, sum(task.batch.extent.packed_bytes for task in tasks.values()))
    run.watcher(progress)
    with run.meter.step("read"):
        for task, measured in run.pool.map(read_batch, tasks.values()):
            batch, (header, reused) = task.batch, run.meter.take(measured or read_without_killers(run.pool, task))
            balance(
                f"label files of a batch of {batch.archive.name}",
                batch.extent.label_files,
                {"rows of its segment": header.label_files},
            )
            segments[batch.key] = header
            run.meter.count_batch(batch.extent.packed_bytes, batch.extent.json_bytes, reused=reused)
            progress = progress.after(batch.extent.packed_bytes, header, reused=reused)
            run.watcher(progress)
    return [ReadArchive(scan, [segments[batch.key] for batch in scan.batches]) for scan in scans]


def _build_key(run: Run, reads: Iterable[ReadArchive], options: BuildOptions) -> str:
    """Return the name of all that decides the bytes of a build, the versions of what hashes and packs included."""
    digest = hashlib.sha256(msgspec.json.encode([options, run.meter.versions]))
    for read in reads:
        digest.update(
            msgspec.json.encode(
                [read.scan.archive.name, read.scan.archive.hints, [header.crc32 for header in read.segments]]
            )
        )
    return digest.hexdigest()


def _write_chunks(run: Run, selection: Selection, options: BuildOptions, work: Path) -> list[SectionResult]:
    tasks = [
        WriteTask(
            section,
            tuple((group, selection.sources[group]) for group in groups),
            {stratum: quota for stratum, quota in selection.quotas.items() if stratum.group in groups},
            options,
            selection.decisions,
            str(work),
        )
        for section, groups in selection.sections(options).items()
    ]
    tasks.sort(key=lambda task: -sum(len(sources) for _, sources in task.groups))  # the large ones first
    return sorted(run.map("write", write_section, tasks), key=lambda result: result.section)


def _write_tables(
    run: Run,
    reads: Sequence[ReadArchive],
    results: Sequence[SectionResult],
    manifest: Manifest,
    stage: Path,
    work: Path,
) -> None:
    parts = [
        part
        for split in Split
        for result in results
        for shard in result.shards
        if shard.split == split
        for part in shard.lineage
    ]
    segments = list(segments_of(reads, stage))
    traces = tuple(group.trace for result in results for group in result.groups)
    rejecting = tuple(source for source, header in segments if header.rejected)
    tables: list[TableTask] = [
        LineageTask(tuple(parts), str(work / LINEAGE_FILE)),
        TraceTask(traces, tuple(source for source, _ in segments), str(work / DECISIONS_FILE)),
        RejectsTask(rejecting, str(work / REJECTS)),
    ]
    lines, traced, rejects = run.map("tables", write_table, tables)
    balance("rows of the lineage", lines, {"examples": manifest.counts.examples})
    excluded = sum(
        n
        for row in manifest.unsharded
        for reason, n in row.dropped.items()
        if reason in (DropReason.REGION_EXCLUDED, DropReason.SPEECH_TYPE_EXCLUDED)
    )
    balance("utterances", manifest.counts.utterances, {"decided on": traced, "excluded": excluded})
    balance("lines of the rejects", rejects, {"rejected": sum(manifest.counts.rejected.values())})
