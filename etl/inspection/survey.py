"""The survey of a corpus, or of the stage of a finished build: what is there; nothing is written."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from saturi.etl.corpus.batches import segment_path
from saturi.etl.corpus.discover import Form, discover
from saturi.etl.corpus.groups import SegmentSource
from saturi.etl.corpus.names import Hints
from saturi.etl.corpus.scan import Scan, scan
from saturi.etl.errors import OptionError, WorkerKilledError
from saturi.etl.inspection.archives import ArchiveCounts, scanned_row, staged_row
from saturi.etl.inspection.calls import inspect_batch, inspect_segment
from saturi.etl.inspection.sketch import BatchSketch
from saturi.etl.inspection.tasks import InspectTask, SketchTask
from saturi.etl.inspection.warnings import warnings_of
from saturi.etl.output.files import MARKER, is_there
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.folder import MANIFEST, STAGE
from saturi.etl.pipeline.reading import scan_rules
from saturi.etl.read.copies import SUM_MODULUS, Holding, copies_among
from saturi.etl.runtime.executor import ExecutorMaker, Workers
from saturi.etl.runtime.processes import checked_workers, process_pool
from saturi.etl.runtime.progress import Progress, Watcher
from saturi.etl.settings.checks import whole_number
from saturi.etl.settings.options import BuildOptions
from saturi.etl.settings.paths import locations_of, output_of
from saturi.etl.storage.location import Location, ObjectPath
from saturi.schemas.inspection import INSPECTION_VERSION, InspectedArchive, Inspection

Task = TypeVar("Task", InspectTask, SketchTask)

_FEWEST_SAMPLED = 10  # label files of an archive, give or take some, if it has so many: fewer tell nothing of it


def inspect(
    corpus: str | Location | Iterable[str | Location],
    *,
    sample: int | None = None,
    stage: str | Location | None = None,
    workers: int | None = None,
    watcher: Watcher | None = None,
    make_executor: ExecutorMaker | None = None,
) -> Inspection:
    """
    Return what is in *corpus*, archive by archive, and by region and speech type; nothing is written anywhere.

    Args:
        corpus: Folders, zips, or parts of split zips; or the folder of a finished build, or its URL, of which the stage is
            looked at and no archive.
        sample: Look at about so many label files, of every archive its share, and some 10 at least; None for all.
        stage: Folder of the build's segments, where that is not `stage` in its folder.
        workers: Number of processes; None for one a processor.
        watcher: Called with the progress, in this process.
        make_executor: Returns the executor to use instead of a process pool.

    Raises:
        OptionError: An option does not fit.
        InputError: There is nothing to look at, or a build has no stage any more.
        WorkerKilledError: A worker is killed again and again.
    """
    places = locations_of(corpus, "CORPUS")
    workers = checked_workers(workers)
    if sample is not None:
        whole_number("sample", sample)
    survey = _Survey(partial(_open_pool, make_executor, workers), watcher)
    if not any(map(_is_output, places)):
        if stage is not None:
            raise OptionError("--stage", "a corpus has none", "give the folder of a build, or leave it out")
        return _inspect_corpus(survey, places, sample)
    if len(places) > 1 or sample is not None:
        option = "OUT" if len(places) > 1 else "--sample"
        raise OptionError(option, "a build is looked at by itself, and as a whole", "give one folder and no sample")
    build = FinishedBuild.open(places[0])
    return _inspect_build(survey, build, build.given / STAGE if stage is None else output_of(stage, "--stage"))


def _is_output(place: Location) -> bool:
    """Return whether *place* is an output folder, which on a disk has a marker before there is a build in it."""
    return is_there(place / (MANIFEST if isinstance(place, ObjectPath) else MARKER))


def _inspect_corpus(survey: "_Survey", paths: Sequence[Location], sample: int | None) -> Inspection:
    corpus = discover(paths)
    survey.shared = corpus.landmarks
    rules = scan_rules(BuildOptions(allow_bad_archives=True))
    scans = [scan(archive, rules) for archive in corpus.archives]
    tasks = {
        InspectTask(batch, share): _Part(
            batch.archive.name, batch.extent.packed_bytes, round(share * batch.extent.json_bytes)
        )
        for one, share in zip(scans, _shares(scans, sample), strict=True)
        for batch in one.batches
    }
    survey.look("inspect", inspect_batch, tasks)
    archives = [scanned_row(one, survey.counted(one.archive.name)) for one in scans]
    holdings = [] if sample is not None else [survey.holding(one) for one in scans]
    survey.notes += [*corpus.notes, *(note for one in scans for note in one.notes), *copies_among(holdings)]
    return survey.report(archives, sample=sample, ignored=(corpus.ignored_archives, corpus.ignored_files))


def _shares(scans: Sequence[Scan], sample: int | None) -> Iterator[float]:
    """Yield for each archive which share of its label files is looked at."""
    whole = sum(one.label_files for one in scans)
    for one in scans:
        if sample is None or not one.label_files:
            yield 1.0
        else:
            yield min(max(sample / whole, _FEWEST_SAMPLED / one.label_files), 1.0)


def _inspect_build(survey: "_Survey", build: FinishedBuild, stage: Location) -> Inspection:
    build.refuse_damage()
    manifest = build.manifest
    hints = {row.archive: msgspec.convert((row.region, row.speech_type, row.split), Hints) for row in manifest.corpus}
    tasks = {
        SketchTask(SegmentSource(str(segment_path(stage, segment)), archive, hints[archive])): _Part(archive, 1)
        for archive, segment in _segments(build)
    }
    survey.look("stage", inspect_segment, tasks)
    archives = [staged_row(row, survey.counted(row.archive)) for row in manifest.corpus]
    return survey.report(archives, sample=None, ignored=(manifest.counts.ignored_archives, None))


def _segments(build: FinishedBuild) -> list[tuple[str, str]]:
    """Return archive and name of each segment that the decisions of *build* are about."""
    segments = build.decisions().select("archive", "segment").unique(maintain_order=True)
    return build.collect(segments).rows()


def _open_pool(make_executor: ExecutorMaker | None, workers: int, tasks: int, shared: tuple[str, ...]) -> Workers:
    """Return the workers for *tasks*, never more of them than tasks, which see what is *shared*."""
    useful = max(1, min(workers, tasks))
    return Workers(make_executor or partial(process_pool, useful), useful, shared=shared)


class _Part(NamedTuple):
    """A part of an archive, how much of the progress it is, and its bytes as JSON, as far as they are read."""

    archive: str
    weight: int
    json_bytes: int = 0


class _Survey:
    """
    What is known so far, part by part.

    Args:
        open_pool: Returns the workers for a number of tasks, which see what is named then.
        watcher: Called with the progress.
    """

    def __init__(self, open_pool: Callable[[int, tuple[str, ...]], Workers], watcher: Watcher | None) -> None:
        from saturi.etl.inspection.totals import Totals  # noqa: PLC0415 - loads Polars; `import saturi` stays quick

        self._open_pool = open_pool
        self._watcher = watcher
        self._totals = Totals()
        self._archives: dict[str, ArchiveCounts] = {}
        self.notes: list[str] = []
        self.shared: tuple[str, ...] = ()

    def look(self, step: str, function: Callable[[Task], BatchSketch], tasks: Mapping[Task, _Part]) -> None:
        """
        Take in what *function* returns for each of *tasks*, which are parts of archives.

        Raises:
            WorkerKilledError: Every process given one of them was killed.
        """
        # The large ones first, so that no worker is left alone with one at the end.
        ordered = sorted(tasks, key=lambda task: -tasks[task].weight)
        progress = Progress(step, 0, sum(part.weight for part in tasks.values()))
        with self._open_pool(len(tasks), self.shared) as pool:
            for task, measured in pool.map(function, ordered):
                part = tasks[task]
                if measured is None:
                    raise WorkerKilledError(f"looking at {part.archive}")
                self._add(part.archive, measured.value)
                progress = progress.after(part.weight, part.json_bytes, measured.value.header, reused=False)
                if self._watcher:
                    self._watcher(progress)

    def _add(self, archive: str, batch: BatchSketch) -> None:
        header, counted = batch.header, self.counted(archive)
        counted.numbers.update(
            inspected=header.label_files, decoded=header.decoded, repaired=header.repaired, ignored=header.ignored
        )
        counted.numbers["content_sum"] += header.content_sum
        counted.rejected.update(header.rejected)
        for row in header.kinds:
            counted.generations[str(row.kind.generation)] += row.files
        self._totals.add(batch.sketches)

    def counted(self, archive: str) -> ArchiveCounts:
        """Return what was counted of *archive*."""
        return self._archives.setdefault(archive, ArchiveCounts(Counter(), Counter(), Counter()))

    def holding(self, one: Scan) -> Holding:
        """Return what was counted of the contents of an archive that was scanned."""
        numbers = self.counted(one.archive.name).numbers
        is_folder = one.archive.form is Form.FOLDER
        return Holding(one.archive.name, is_folder, numbers["inspected"], numbers["content_sum"] % SUM_MODULUS)

    def report(
        self, archives: list[InspectedArchive], *, sample: int | None, ignored: tuple[int, int | None]
    ) -> Inspection:
        """Return all of it."""
        groups, total = self._totals.groups(), self._totals.total()
        return Inspection(
            version=INSPECTION_VERSION,
            sample=sample,
            archives=archives,
            ignored_archives=ignored[0],
            ignored_files=ignored[1],
            groups=groups,
            total=total,
            warnings=[*self.notes, *warnings_of(archives, groups, total)],
        )
