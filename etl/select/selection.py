"""
Selection, in the order of the rules: each utterance by itself, beside the others of its shard, beside all.

The decisions lie in files; what goes from step to step here are counts.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from saturi.etl.corpus.batches import segment_path
from saturi.etl.corpus.groups import Group, Section, SegmentSource, group_of, section_of
from saturi.etl.output.files import make_folder
from saturi.etl.read.archives import ReadArchive, utterances_by_group
from saturi.etl.runtime.steps import Run
from saturi.etl.select.calls import compare, find_shared, judge, limit, sample
from saturi.etl.select.exclusion import exclusion_of
from saturi.etl.select.quotas import Quota, SampleSizes, Stratum, quotas
from saturi.etl.select.tasks import CompareTask, JudgeTask, LimitTask, SampleTask, ShareTask
from saturi.etl.settings.options import BuildOptions
from saturi.etl.storage.location import Location
from saturi.schemas.segment import SegmentHeader


class Selection(NamedTuple):
    """
    The decisions on every utterance of a build, complete.

    Args:
        sources: The segments of each group, in canonical order.
        sections: The groups of each section.
        quotas: How many utterances of each stratum are kept at most.
        decisions: The folder of the decisions.
    """

    sources: dict[Group, tuple[SegmentSource, ...]]
    sections: dict[Section, tuple[Group, ...]]
    quotas: dict[Stratum, Quota]
    decisions: str


def select(run: Run, reads: Sequence[ReadArchive], options: BuildOptions, stage: Location, work: Location) -> Selection:
    """Decide on every utterance of the regions and speech types that are kept, and return where the decisions are."""
    folder = work / "decisions"
    make_folder(folder)
    decisions = str(folder)
    counts = utterances_by_group(reads, options.unit)
    groups = [group for group in counts if exclusion_of(group, options.region, options.speech_type) is None]
    sources = {group: tuple(_sources(reads, group, stage)) for group in sorted(groups)}
    sections = _sections(sources, options)
    largest_first = sorted(sources, key=lambda group: -counts[group])
    run.map("select", judge, [JudgeTask(group, sources[group], options, decisions) for group in largest_first])
    comparisons = [CompareTask(section, options.conflicts, options.dedup, decisions) for section in sections.values()]
    run.map("compare", compare, comparisons)
    run.map("share", find_shared, [ShareTask(tuple(sources), decisions)])
    left: dict[Stratum, int] = {}
    for left_of_section in run.map("limit", limit, _limits(sections.values(), options, decisions)):
        left |= left_of_section
    quota = quotas(left, SampleSizes.of(options))
    run.map("sample", sample, [_sample(section, quota, decisions) for section in sections.values()])
    return Selection(sources, sections, quota, decisions)


def _sections(groups: Iterable[Group], options: BuildOptions) -> dict[Section, tuple[Group, ...]]:
    """Return the groups of each section."""
    sections: dict[Section, tuple[Group, ...]] = {}
    for group in groups:
        section = section_of(group, options.shard_by)
        sections[section] = (*sections.get(section, ()), group)
    return dict(sorted(sections.items()))


def _limits(sections: Iterable[tuple[Group, ...]], options: BuildOptions, decisions: str) -> list[LimitTask]:
    return [
        LimitTask(
            groups=groups,
            apart=options.texts_apart,
            max_per_script=options.max_per_script,
            max_per_speaker=options.speaker_max,
            decisions=decisions,
        )
        for groups in sections
    ]


def _sample(groups: tuple[Group, ...], quota: dict[Stratum, Quota], decisions: str) -> SampleTask:
    return SampleTask(groups, {stratum: n for stratum, n in quota.items() if stratum.group in groups}, decisions)


def _sources(reads: Iterable[ReadArchive], group: Group, stage: Location) -> Iterator[SegmentSource]:
    """Yield, in canonical order, the segments that hold utterances of *group*."""
    for source, header in segments_of(reads, stage):
        if any(group_of(row.kind, source.hints) == group for row in header.kinds):
            yield source


def segments_of(reads: Iterable[ReadArchive], stage: Location) -> Iterator[tuple[SegmentSource, SegmentHeader]]:
    """Yield all segments in canonical order."""
    for read in reads:
        archive = read.scan.archive
        for header in read.segments:
            yield SegmentSource(str(segment_path(stage, header.key)), archive.name, archive.hints), header
