"""The last step of a build: chunks section by section, and the tables beside them."""

from collections.abc import Iterator, Sequence

from saturi.etl.corpus.groups import SegmentSource
from saturi.etl.output.folder import DECISIONS_FILE, LINEAGE_FILE, REJECTS
from saturi.etl.pipeline.sums import check_sum
from saturi.etl.runtime.steps import Run
from saturi.etl.select.selection import Selection
from saturi.etl.settings.options import BuildOptions
from saturi.etl.storage.location import Location
from saturi.etl.write.calls import render_stretch, write_section, write_table
from saturi.etl.write.tasks import (
    DecisionsTask,
    LineageTask,
    RejectsTask,
    RenderTask,
    SectionResult,
    TableTask,
    WriteTask,
)
from saturi.schemas.manifest import Counts
from saturi.schemas.segment import SegmentHeader
from saturi.schemas.terms import DropReason, Split


def write_chunks(run: Run, selection: Selection, options: BuildOptions, work: Location) -> list[SectionResult]:
    """Write the chunks of all sections into *work*, and return what is in them, in the order of the sections."""
    renderings = {
        stretch: RenderTask(stretch, sources, options, selection.step, selection.decisions, str(work))
        for stretch, sources in selection.sources.items()
    }
    run.map("render", render_stretch, list(renderings.values()))
    tasks = [
        WriteTask(section, tuple(renderings[stretch] for stretch in stretches), str(work))
        for section, stretches in selection.sections.items()
    ]
    tasks.sort(key=lambda task: -len(task.stretches))  # the large ones first
    return sorted(run.map("write", write_section, tasks), key=lambda result: result.section)


def write_tables(
    run: Run,
    segments: Sequence[tuple[SegmentSource, SegmentHeader]],
    results: Sequence[SectionResult],
    counts: Counts,
    work: Location,
) -> None:
    """
    Write lineage, decisions and rejects into *work*.

    Args:
        segments: All segments, in canonical order.
        results: What was written, in the order of the sections.
        counts: The account of the build.

    Raises:
        PromiseError: A table has not as many rows as the account says.
    """
    decisions = tuple(part for result in results for group in result.groups for part in group.decisions)
    rejecting = tuple(source for source, header in segments if header.rejected)
    tables: list[TableTask] = [
        LineageTask(tuple(_lineage_parts(results)), str(work / LINEAGE_FILE)),
        DecisionsTask(decisions, tuple(source for source, _ in segments), str(work / DECISIONS_FILE)),
        RejectsTask(rejecting, str(work / REJECTS)),
    ]
    lines, decided, rejects = run.map("tables", write_table, tables)
    excluded = sum(
        counts.dropped.get(reason, 0) for reason in (DropReason.REGION_EXCLUDED, DropReason.SPEECH_TYPE_EXCLUDED)
    )
    check_sum("rows of the lineage", lines, {"examples": counts.examples})
    check_sum("utterances", counts.utterances, {"decided on": decided, "excluded": excluded})
    check_sum("lines of the rejects", rejects, {"rejected": sum(counts.rejected.values())})


def _lineage_parts(results: Sequence[SectionResult]) -> Iterator[str]:
    """Yield the parts of the lineage in the order of the shards."""
    for split in Split:
        for result in results:
            for shard in result.shards:
                if shard.split == split:
                    yield from shard.lineage
