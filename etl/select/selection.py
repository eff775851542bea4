"""
Selection, in the order of the rules: each utterance by itself, beside the others of its shard, beside all.

The decisions lie in files; what goes from step to step here are counts.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from saturi.etl.corpus.batches import segment_path
from saturi.etl.corpus.groups import Group, Section, SegmentSource, group_of, section_of
from saturi.etl.output.files import make_folder
from saturi.etl.read.archives import ReadArchive, utterances_of
from saturi.etl.runtime.steps import Run
from saturi.etl.select.calls import compare, find_shared, judge, limit, sample
from saturi.etl.select.exclusion import exclusion_of
from saturi.etl.select.quotas import Quota, SampleSizes, Stratum, quotas
from saturi.etl.select.tasks import CompareTask, JudgeTask, LimitTask, SampleTask, ShareTask, Step, Stretch
from saturi.etl.settings.options import BuildOptions
from saturi.etl.storage.location import Location
from saturi.schemas.segment import SegmentHeader

STRETCH_UTTERANCES = 10_000
"""Utterances that a task judges, or renders, in 0.1 to 0.3 s; they depend on the corpus alone, so that the work of any build can be
taken up by any other."""


class Selection(NamedTuple):
    """
    The decisions on every utterance of a build, complete.

    Args:
        sources: The segments of each stretch, in canonical order.
        sections: The stretches of each section.
        quotas: How many utterances of each stratum are kept at most.
        step: The last one of the decisions.
        decisions: Their folder.
    """

    sources: dict[Stretch, tuple[SegmentSource, ...]]
    sections: dict[Section, tuple[Stretch, ...]]
    quotas: dict[Stratum, Quota]
    step: Step
    decisions: str


def select(run: Run, reads: Sequence[ReadArchive], options: BuildOptions, stage: Location, work: Location) -> Selection:
    """Decide on every utterance of the regions and speech types that are kept, and return where the decisions are."""
    folder = work / "decisions"
    make_folder(folder)
    decisions = str(folder)
    sources = dict(_stretches(reads, options, stage))
    sections = _sections(sources, options)
    run.map("select", judge, [JudgeTask(stretch, sources[stretch], options, decisions) for stretch in sources])
    run.map("compare", compare, [CompareTask(section, options, decisions) for section in sections.values()])
    run.map("share", find_shared, [ShareTask(tuple(sources), Step.COMPARED, decisions)])
    left: dict[Stratum, int] = {}
    for left_of_section in run.map("limit", limit, _limits(sections.values(), options, decisions)):
        left |= left_of_section
    quota = quotas(left, SampleSizes.of(options))
    if all(quota[stratum].sampled >= number for stratum, number in left.items()):
        return Selection(sources, sections, quota, Step.LIMITED, decisions)
    run.map("sample", sample, [_sample(section, quota, decisions) for section in sections.values()])
    return Selection(sources, sections, quota, Step.SAMPLED, decisions)


def _sections(stretches: Iterable[Stretch], options: BuildOptions) -> dict[Section, tuple[Stretch, ...]]:
    """Return the stretches of each section."""
    sections: dict[Section, list[Stretch]] = {}
    for stretch in stretches:
        sections.setdefault(section_of(stretch.group, options.shard_by), []).append(stretch)
    return {section: tuple(sections[section]) for section in sorted(sections)}


def _limits(sections: Iterable[tuple[Stretch, ...]], options: BuildOptions, decisions: str) -> list[LimitTask]:
    return [
        LimitTask(
            stretches=stretches,
            apart=options.texts_apart,
            max_per_script=options.max_per_script,
            max_per_speaker=options.speaker_max,
            decisions=decisions,
        )
        for stretches in sections
    ]


def _sample(stretches: tuple[Stretch, ...], quota: dict[Stratum, Quota], decisions: str) -> SampleTask:
    groups = {stretch.group for stretch in stretches}
    return SampleTask(stretches, {stratum: n for stratum, n in quota.items() if stratum.group in groups}, decisions)


def _stretches(
    reads: Iterable[ReadArchive], options: BuildOptions, stage: Location
) -> Iterator[tuple[Stretch, tuple[SegmentSource, ...]]]:
    """Yield the stretches of the groups that are kept, in order, each with its segments in canonical order."""
    groups: dict[Group, list[tuple[SegmentSource, int]]] = {}
    for source, header in segments_of(reads, stage):
        counts: Counter[Group] = Counter()
        for row in header.kinds:
            counts[group_of(row.kind, source.hints)] += utterances_of(row, options.unit)
        for group, utterances in counts.items():
            if exclusion_of(group, options.region, options.speech_type) is None:
                groups.setdefault(group, []).append((source, utterances))
    for group in sorted(groups):
        for number, sources in enumerate(_cut(groups[group])):
            yield Stretch(group, number), sources


def _cut(sources: Iterable[tuple[SegmentSource, int]]) -> Iterator[tuple[SegmentSource, ...]]:
    """Yield *sources*, each with its number of utterances, as many together as have `STRETCH_UTTERANCES`."""
    pending: list[SegmentSource] = []
    pending_utterances = 0
    for source, utterances in sources:
        pending.append(source)
        pending_utterances += utterances
        if pending_utterances >= STRETCH_UTTERANCES:
            yield tuple(pending)
            pending, pending_utterances = [], 0
    if pending:
        yield tuple(pending)


def segments_of(reads: Iterable[ReadArchive], stage: Location) -> Iterator[tuple[SegmentSource, SegmentHeader]]:
    """Yield all segments in canonical order."""
    for read in reads:
        archive = read.scan.archive
        for header in read.segments:
            yield SegmentSource(str(segment_path(stage, header.key)), archive.name, archive.hints), header
