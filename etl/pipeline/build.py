"""The way of the data, top to bottom: corpus → archives → batches → segments → decisions → chunks → manifest."""

import hashlib
import time
from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from saturi.etl.corpus.discover import Corpus, discover
from saturi.etl.corpus.scan import Scan, scan
from saturi.etl.errors import BuildError, OptionError
from saturi.etl.output.claim import Hold
from saturi.etl.output.files import write_whole
from saturi.etl.output.folder import BUILD_FACTS, CHUNKS, CLAIMS, MANIFEST, STAGE, WORK, encode_manifest
from saturi.etl.output.holding import claimed, landmarks
from saturi.etl.output.manifest import decode_manifest
from saturi.etl.output.printable import counted
from saturi.etl.output.publication import open_work, publish_build
from saturi.etl.pipeline.manifest import make_manifest
from saturi.etl.pipeline.reading import read_archives, scan_archives, scan_rules, useful_workers
from saturi.etl.pipeline.verdict import failures_of, warnings_of
from saturi.etl.pipeline.writing import write_chunks, write_tables
from saturi.etl.read.archives import ReadArchive, notes_on_archives
from saturi.etl.runtime.executor import ExecutorMaker, Workers
from saturi.etl.runtime.measurements import BuildFacts, Meter
from saturi.etl.runtime.processes import checked_workers, process_pool
from saturi.etl.runtime.progress import Progress, Watcher
from saturi.etl.runtime.steps import Run
from saturi.etl.select.calls import count_shared
from saturi.etl.select.selection import segments_of, select
from saturi.etl.select.tasks import ShareTask
from saturi.etl.settings.options import BuildOptions
from saturi.etl.settings.paths import output_of
from saturi.etl.storage.client import traffic
from saturi.etl.storage.location import Location
from saturi.schemas.brief import brief
from saturi.schemas.manifest import Manifest


class BuildResult(Struct, frozen=True, kw_only=True):
    """
    A finished build.

    Args:
        out: Its folder.
        manifest: What it holds.
        facts: How it went.
        warnings: What its owner should know, a sentence each.
        failures: Why it is no success although it is complete, a sentence each; empty if it is one.
    """

    out: str
    manifest: Manifest
    facts: BuildFacts
    warnings: list[str]
    failures: list[str]

    def __repr__(self) -> str:
        return brief(
            self,
            out=self.out,
            examples=self.manifest.counts.examples,
            warnings=len(self.warnings),
            failures=len(self.failures),
        )


def build(  # noqa: PLR0913 - the six behind the star are how, not what
    corpus: str | Location | Iterable[str | Location],
    out: str | Location,
    options: BuildOptions | None = None,
    *,
    workers: int | None = None,
    stage: str | Location | None = None,
    watcher: Watcher | None = None,
    make_executor: ExecutorMaker | None = None,
    profile: bool = False,
) -> BuildResult:
    """
    Turn *corpus* into chunks, a manifest, rejects and lineage in *out*.

    Same corpus and options, same bytes, whatever the rest. A build that was killed goes on where it stopped when it is
    run again.

    Args:
        corpus: Folders, zips, or parts of split zips; one path or URL, or several.
        out: Folder for the result, or its URL: new, empty, or of an earlier build.
        options: What decides the result; the defaults are the original recipe's, without duplicates and leaks.
        workers: Number of processes at most, and never more than there is work for; None for one a processor.
        stage: Folder for decoded segments, or its URL, to be shared between builds; None for `stage` in *out*.
        watcher: Called with the progress, in this process.
        make_executor: Returns the executor to use instead of a process pool.
        profile: Also measure where the time of the workers goes, lap by lap, for `build.json`.

    Raises:
        EtlError: One of its branches; see `saturi.etl.errors`.
    """
    options = options or BuildOptions()
    workers = checked_workers(workers)
    given = output_of(out, "--out")
    out = given.absolute()
    stage = _stage_of(out, stage)
    began, asked_before = time.monotonic(), traffic()
    archives = discover(corpus)
    workers = useful_workers(archives, workers)
    make_executor = make_executor or partial(process_pool, workers)
    with (
        claimed(out, stage) as hold,
        landmarks(out, stage) as marks,
        Workers(make_executor, workers, profile=profile, shared=(*archives.landmarks, *marks)) as pool,
    ):
        run = Run(pool, Meter(pool.count, began, asked_before), watcher or _ignore)
        before = _options_there(out)
        manifest, notes = _run(run, archives, options, _Places(stage, out, hold))
    facts = run.meter.facts()
    warnings, failures = (
        [*notes, *_notes_on_replaced(before, manifest, given), *warnings_of(manifest)],
        failures_of(manifest, options.max_rejects, options.max_unknown),
    )
    return BuildResult(out=str(out), manifest=manifest, facts=facts, warnings=warnings, failures=failures)


class _Places(NamedTuple):
    """The folders that a build writes to, and its hold on them."""

    stage: Location
    out: Location
    hold: Hold


def _run(run: Run, archives: Corpus, options: BuildOptions, places: _Places) -> tuple[Manifest, list[str]]:
    """Run the steps of a build, and return its manifest and notes on its corpus."""
    stage, out, hold = places
    scans = scan_archives(run, archives, scan_rules(options), stage)
    reads = read_archives(run, scans, stage, allow_bad_archives=options.allow_bad_archives)
    work = open_work(out, _build_key(run, reads, options), hold)
    selection = select(run, reads, options, stage, work)
    results = write_chunks(run, selection, options, work)
    [shared] = run.map(
        "prove", count_shared, [ShareTask(tuple(selection.sources), selection.step, selection.decisions)]
    )
    manifest = make_manifest(options, reads, archives, results, shared)
    write_tables(run, list(segments_of(reads, stage)), results, manifest.counts, work)
    write_whole(work / BUILD_FACTS, [msgspec.json.format(msgspec.json.encode(run.meter.facts())), b"\n"])
    write_whole(work / MANIFEST, [encode_manifest(manifest)])
    publish_build(out, work, manifest, hold)
    return manifest, [*archives.notes, *notes_on_archives(reads)]


def _options_there(out: Location) -> tuple[int, dict[str, Any]] | None:
    """Return examples and options of the build that is in *out*; None where there is none that can be read."""
    try:
        manifest = decode_manifest(out / MANIFEST, (out / MANIFEST).read_bytes())
    except (OSError, BuildError):
        return None
    return manifest.counts.examples, manifest.options


def _notes_on_replaced(before: tuple[int, dict[str, Any]] | None, manifest: Manifest, given: Location) -> list[str]:
    """Return what to know of the build that was *before* in the folder *given*, where it was of other options."""
    if before is None:
        return []
    examples, options = before
    now = msgspec.json.decode(msgspec.json.encode(manifest.options))  # as it is read from disk
    other = [name for name in now if options.get(name) != now[name]]
    if not other:
        return []
    facts = f"{counted(examples, 'example')}; other options: {', '.join(other)}"
    return [f"this replaced the build that was in {given} ({facts})"]


def dry_run(corpus: str | Location | Iterable[str | Location], options: BuildOptions | None = None) -> list[Scan]:
    """
    Return a scan of each archive of *corpus*, by its directory; no label file is read and nothing is written.

    Raises:
        InputError: The corpus, or one of its archives, cannot be read.
    """
    rules = scan_rules(options or BuildOptions())
    return [scan(archive, rules) for archive in discover(corpus).archives]


def _ignore(_: Progress) -> None:
    """Watch nothing."""


def _stage_of(out: Location, stage: str | Location | None) -> Location:
    """
    Return the folder of the segments.

    Raises:
        OptionError: The build uses it for other things.
    """
    folder = out / STAGE if stage is None else output_of(stage, "--stage").absolute()
    if not {out / WORK, out / CHUNKS, out / CLAIMS}.isdisjoint((folder, *folder.parents)):
        raise OptionError("--stage", f"{folder} is for other things", "give a folder of its own")
    return folder


def _build_key(run: Run, reads: Iterable[ReadArchive], options: BuildOptions) -> str:
    """Return the name of all that decides the bytes of a build, the versions of what hashes and packs included."""
    digest = hashlib.sha256(msgspec.json.encode([options, run.meter.versions]))
    for read in reads:
        facts = [read.scan.archive.name, read.scan.archive.hints, [header.crc32 for header in read.segments]]
        digest.update(msgspec.json.encode(facts))
    return digest.hexdigest()
