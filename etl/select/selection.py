"""
What is worth training on, in the order of the rules: each utterance by itself, beside the others of its shard, beside all.

The decisions lie in files; what goes from step to step here are counts.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from etl.corpus.batches import segment_path
from etl.corpus.groups import Group, Section, SegmentSource, group_of, section_of
from etl.output.files import make_folder
from etl.read.archives import ReadArchive, utterances_by_group
from etl.runtime.steps import Run
from etl.select.calls import compare, find_shared, judge, limit
from etl.select.exclusion import exclusion_of
from etl.select.quotas import Quota, Stratum, quotas
from etl.select.tasks import CompareTask, JudgeTask, LimitTask, ShareTask
from etl.settings.options import BuildOptions
from schemas.segment import SegmentHeader


class Selection(NamedTuple):
    """What was selected from, the folder of what was decided on it, and how much of each stratum may be written."""

    sources: dict[Group, tuple[SegmentSource, ...]]
    decisions: str
    quotas: dict[Stratum, Quota]

    def sections(self, options: BuildOptions) -> dict[Section, tuple[Group, ...]]:
        """Return the groups of each section."""
        sections: dict[Section, tuple[Group, ...]] = {}
        for group in self.sources:
            section = section_of(group, options.shard_by)
            sections[section] = (*sections.get(section, ()), group)
        return dict(sorted(sections.items()))


def select(run: Run, reads: Sequence[ReadArchive], options: BuildOptions, stage: Path, work: Path) -> Selection:
    """Decide on every utterance of the regions and speech types wanted, but for the quotas, which are reckoned here."""
    folder = work / "decisions"
    make_folder(folder)
    counted = utterances_by_group(reads, options.unit)
    groups = sorted(group for group in counted if exclusion_of(group, options) is None)
    sources = {group: tuple(_sources(reads, group, stage)) for group in groups}
    selection = Selection(sources, str(folder), {})
    largest_first = sorted(groups, key=lambda group: -counted[group])
    run.map("select", judge, [JudgeTask(group, sources[group], options, str(folder)) for group in largest_first])
    sections = selection.sections(options).values()
    run.map("compare", compare, [CompareTask(section, options, str(folder)) for section in sections])
    run.map("share", find_shared, [ShareTask(tuple(groups), str(folder))])
    limits = [LimitTask(section, options, str(folder)) for section in sections]
    counts = {stratum: n for counted in run.map("limit", limit, limits) for stratum, n in counted.items()}
    return selection._replace(quotas=quotas(counts, options))


def _sources(reads: Iterable[ReadArchive], group: Group, stage: Path) -> Iterator[SegmentSource]:
    """Yield, in canonical order, the segments that hold utterances of *group*."""
    for source, header in segments_of(reads, stage):
        if any(group_of(row.kind, source.hints) == group for row in header.kinds):
            yield source


def segments_of(reads: Iterable[ReadArchive], stage: Path) -> Iterator[tuple[SegmentSource, SegmentHeader]]:
    """Yield all segments in canonical order."""
    for read in reads:
        archive = read.scan.archive
        for header in read.segments:
            yield SegmentSource(str(segment_path(stage, header.key)), archive.name, archive.hints), header
