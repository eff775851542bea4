"""The way of the data, top to bottom: corpus → archives → batches → segments → decisions → chunks → manifest."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from etl.account import Read, balance, make_manifest, utterances_by_group, wanted
from etl.errors import EmptyCorpusError, OptionError, WorkerKilledError
from etl.facts import BuildFacts, Meter, Progress, Watcher
from etl.files import make_folder, write_whole
from etl.folder import (
    BUILD_FACTS,
    CHUNKS,
    LINEAGE_FILE,
    MANIFEST,
    REJECTS,
    STAGE,
    TRACE_FILE,
    WORK,
    claimed,
    encode_manifest,
    open_work,
    publish_build,
)
from etl.options import BuildOptions
from etl.read.batches import segment_path
from etl.read.discover import Corpus, discover
from etl.read.scan import Scan, scan
from etl.read.suspects import read_without_killers
from etl.select.groups import Group, Section, SegmentSource, group_of, section_of
from etl.select.quotas import Quota, Stratum, quotas
from etl.tasks import (
    CompareTask,
    JudgeTask,
    LimitTask,
    LineageTask,
    ReadTask,
    RejectsTask,
    SectionResult,
    ShareTask,
    TraceTask,
    WriteTask,
    compare,
    count_shared,
    judge,
    limit,
    read_batch,
    write_lineage,
    write_rejects,
    write_section,
    write_trace,
)
from etl.verdict import failures_of, warnings_of
from etl.workers import ExecutorMaker, Workers, default_workers, process_pool
from schemas.manifest import Manifest
from schemas.segment import SegmentHeader
from schemas.terms import DropReason, Split

Task = TypeVar("Task")
Result = TypeVar("Result")


class BuildResult(Struct, frozen=True, kw_only=True):
    """A finished build: its manifest, how it went, what to know of it, and why it is no success all the same (empty if it is)."""

    out: str
    manifest: Manifest
    facts: BuildFacts
    warnings: list[str]
    failures: list[str]


def build(  # noqa: PLR0913 - the five behind the star are how, not what
    corpus: Iterable[str | Path],
    out: str | Path,
    options: BuildOptions | None = None,
    *,
    workers: int | None = None,
    stage: str | Path | None = None,
    watcher: Watcher | None = None,
    make_executor: ExecutorMaker | None = None,
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
    with claimed(out, stage), Workers(make_executor or partial(process_pool, workers), 2 * workers) as pool:
        meter = Meter(workers, began)
        run = _Run(pool, meter, watcher or _ignore)
        scans = _scan_archives(run, found, options)
        reads = _read_archives(run, scans, stage)
        work = open_work(out, _build_key(run, reads, options))
        selection = _select(run, reads, options, stage, work)
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
    return [scan(archive, options or BuildOptions()) for archive in discover(corpus).archives]


def checked_workers(workers: int | None) -> int:
    """
    Return *workers*, or one a processor.

    Raises:
        OptionError: Fewer than one.
    """
    if workers is not None and workers < 1:
        raise OptionError("--workers", f"{workers} is out of range", "give a whole number from 1 up")
    return workers or default_workers()


def _ignore(_: Progress) -> None:
    """Watch nothing."""


class _Run(NamedTuple):
    """What every step of one build needs: who works, who measures, who watches."""

    pool: Workers
    meter: Meter
    watcher: Watcher

    def map(self, step: str, function: Callable[[Task], Result], tasks: Sequence[Task]) -> list[Result]:
        """Return the results of *function* for *tasks*, in their order."""
        results: dict[int, Result] = {}
        places = {id(task): place for place, task in enumerate(tasks)}
        with self.meter.step(step):
            for task, measured in self.pool.map(function, tasks):
                if measured is None:
                    raise WorkerKilledError(step)
                results[places[id(task)]] = self.meter.take(measured)
                self.watcher(Progress(step, len(results), len(tasks)))
        return [results[place] for place in range(len(tasks))]


def _scan_archives(run: _Run, found: Corpus, options: BuildOptions) -> list[Scan]:
    """Read the directories of all archives, in this process, while the workers start; so a damaged one is met before any work."""
    with run.meter.step("scan"):
        scans = [scan(archive, options) for archive in found.archives]
    if not any(scan.label_files for scan in scans):
        raise EmptyCorpusError(
            "corpus", "no label file in any archive", "give the folder that holds the downloaded label zips"
        )
    return scans


def _read_archives(run: _Run, scans: Sequence[Scan], stage: Path) -> list[Read]:
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
            run.meter.count_batch(batch, reused=reused)
            progress = progress.after(batch.extent.packed_bytes, header, reused=reused)
            run.watcher(progress)
    return [Read(scan, [segments[batch.key] for batch in scan.batches]) for scan in scans]


def _build_key(run: _Run, reads: Iterable[Read], options: BuildOptions) -> str:
    """Return the name of all that decides the bytes of a build, the versions of what hashes and packs included."""
    digest = hashlib.sha256(msgspec.json.encode([options, run.meter.versions]))
    for read in reads:
        digest.update(
            msgspec.json.encode(
                [read.scan.archive.name, read.scan.archive.hints, [header.crc32 for header in read.segments]]
            )
        )
    return digest.hexdigest()


class _Selection(NamedTuple):
    """What was selected from, the folder of what was decided on it, and how much of each stratum may be written."""

    sources: dict[Group, tuple[SegmentSource, ...]]
    decisions: str
    quotas: dict[Stratum, Quota]

    def sections(self, options: BuildOptions) -> dict[Section, tuple[Group, ...]]:
        """Return the groups of each section."""
        sections: dict[Section, tuple[Group, ...]] = {}
        for group in self.sources:
            section = section_of(group, options)
            sections[section] = (*sections.get(section, ()), group)
        return dict(sorted(sections.items()))


def _select(run: _Run, reads: Sequence[Read], options: BuildOptions, stage: Path, work: Path) -> _Selection:
    """Decide on every utterance of the regions and speech types wanted, but for the quotas, which are reckoned here."""
    folder = work / "decisions"
    make_folder(folder)
    groups = sorted(group for group in utterances_by_group(reads, options) if wanted(group, options) is None)
    sources = {group: tuple(_sources(reads, group, stage)) for group in groups}
    selection = _Selection(sources, str(folder), {})
    run.map("select", judge, [JudgeTask(group, sources[group], options, str(folder)) for group in groups])
    sections = selection.sections(options).values()
    run.map("compare", compare, [CompareTask(section, options, str(folder)) for section in sections])
    limits = [LimitTask(section, tuple(groups), options, str(folder)) for section in sections]
    counts = {stratum: n for counted in run.map("limit", limit, limits) for stratum, n in counted.items()}
    return selection._replace(quotas=quotas(counts, options))


def _sources(reads: Iterable[Read], group: Group, stage: Path) -> Iterator[SegmentSource]:
    """Yield, in canonical order, the segments that hold utterances of *group*."""
    for source, header in _segments(reads, stage):
        if any(group_of(row.kind, source.hints) == group for row in header.kinds):
            yield source


def _segments(reads: Iterable[Read], stage: Path) -> Iterator[tuple[SegmentSource, SegmentHeader]]:
    """Yield all segments in canonical order."""
    for read in reads:
        archive = read.scan.archive
        for header in read.segments:
            yield SegmentSource(str(segment_path(stage, header.key)), archive.name, archive.hints), header


def _write_chunks(run: _Run, selection: _Selection, options: BuildOptions, work: Path) -> list[SectionResult]:
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
    return run.map("write", write_section, tasks)


def _write_tables(
    run: _Run, reads: Sequence[Read], results: Sequence[SectionResult], manifest: Manifest, stage: Path, work: Path
) -> None:
    parts = [
        part
        for split in Split
        for result in results
        for shard in result.shards
        if shard.split == split
        for part in shard.lineage
    ]
    [lines] = run.map("lineage", write_lineage, [LineageTask(tuple(parts), str(work / LINEAGE_FILE))])
    balance("rows of the lineage", lines, {"examples": manifest.counts.examples})
    segments = list(_segments(reads, stage))
    traces = tuple(group.trace for result in results for group in result.groups)
    all_sources = tuple(source for source, _ in segments)
    [traced] = run.map("trace", write_trace, [TraceTask(traces, all_sources, str(work / TRACE_FILE))])
    excluded = sum(
        n
        for row in manifest.unsharded
        for reason, n in row.dropped.items()
        if reason in (DropReason.REGION_EXCLUDED, DropReason.SPEECH_TYPE_EXCLUDED)
    )
    balance("utterances", manifest.counts.utterances, {"decided on": traced, "excluded": excluded})
    rejecting = tuple(source for source, header in segments if header.rejected)
    [rejects] = run.map("rejects", write_rejects, [RejectsTask(rejecting, str(work / REJECTS))])
    balance("lines of the rejects", rejects, {"rejected": sum(manifest.counts.rejected.values())})
