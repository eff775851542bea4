"""The manifest of a build, put together from what was read and what was written."""

from collections.abc import Iterator, Mapping, Sequence

from saturi.etl.corpus.discover import Corpus
from saturi.etl.corpus.groups import Group
from saturi.etl.errors import PromiseError
from saturi.etl.example.limits import FEWEST_EXAMPLES
from saturi.etl.pipeline.account import Outcome, archive_row, check_groups, make_counts, sorted_counts, sum_counts
from saturi.etl.read.archives import ReadArchive, utterances_by_group
from saturi.etl.select.exclusion import exclusion_of
from saturi.etl.select.tasks import Shared
from saturi.etl.settings.options import BuildOptions
from saturi.etl.write.tasks import GroupResult, SectionResult
from saturi.schemas.manifest import MANIFEST_VERSION, GroupRow, Manifest, ShardRow, UnshardedRow
from saturi.schemas.terms import DropReason, Split, SplitKey


def make_manifest(
    options: BuildOptions,
    reads: Sequence[ReadArchive],
    corpus: Corpus,
    results: Sequence[SectionResult],
    shared: Shared,
) -> Manifest:
    """
    Return the manifest of a build.

    Args:
        reads: Every archive, in canonical order.
        corpus: What lies beside the archives.
        results: What was written, in the order of the sections.
        shared: What both splits have in common.

    Raises:
        PromiseError: A sum does not balance, or a split of ours leaks.
    """
    _refuse_leaks(shared, options)
    rows = [archive_row(read) for read in reads]
    utterances = utterances_by_group(reads, options.unit)
    check_groups(utterances, results)
    shards = [row for result in results for row in _shard_rows(result, tokens=options.tokens)]
    unsharded = _unsharded(utterances, results, options)
    dropped = sum_counts([*unsharded.values(), *(shard.dropped for shard in shards)])
    groups = frozenset(group.group for result in results for group in result.groups)
    outcome = Outcome(utterances.total(), dropped, sum(shard.examples for shard in shards), groups)
    counts = make_counts(reads, corpus, outcome, shared)
    return Manifest(
        version=MANIFEST_VERSION,
        options=options.as_json(),
        corpus=rows,
        counts=counts,
        shards=sorted(shards, key=lambda shard: (shard.split, shard.region, shard.speech_type)),
        groups=sorted(
            (_group_row(group) for result in results for group in result.groups),
            key=lambda row: (row.region, row.speech_type),
        ),
        unsharded=[
            UnshardedRow(region=group.region, speech_type=group.speech_type, dropped=dropped)
            for group, dropped in sorted(unsharded.items())
        ],
        chunks=sorted(
            (chunk for result in results for shard in result.shards for chunk in shard.chunks),
            key=lambda chunk: chunk.path,
        ),
    )


def _refuse_leaks(shared: Shared, options: BuildOptions) -> None:
    """Check that nothing is in both splits that they are apart by."""
    if options.validation == "official":
        return
    apart = {"scripts", "texts", "validation_in_training"} if options.texts_apart else set()
    if SplitKey.SPEAKER in options.split_by:
        apart.add("speakers")
    leaks = {name: number for name, number in shared._asdict().items() if number and name in apart}
    if leaks:
        facts = ", ".join(f"{number:,} {name}" for name, number in leaks.items())
        raise PromiseError("train and validation have something in common", facts)


def _group_row(group: GroupResult) -> GroupRow:
    """Return the row of a group: how it was split, and what that left out."""
    train, validation = (group.examples[split] for split in (Split.TRAIN, Split.VALIDATION))
    return GroupRow(
        region=group.group.region,
        speech_type=group.group.speech_type,
        train=train,
        validation=validation,
        identical=group.identical,
        validation_share=round(validation / max(train + validation, 1), 6),
        held_out=group.held_out,
        split_conflict=group.unsharded.get(DropReason.SPLIT_CONFLICT, 0),
        in_training=group.dropped[Split.VALIDATION].get(DropReason.IN_TRAINING, 0),
    )


def _unsharded(
    utterances: Mapping[Group, int], results: Sequence[SectionResult], options: BuildOptions
) -> dict[Group, dict[str, int]]:
    """Return by group, and by reason, how many utterances were dropped before they had a split."""
    unsharded = {
        group: {str(reason): n}
        for group, n in utterances.items()
        if n and (reason := exclusion_of(group, options.region, options.speech_type)) is not None
    }
    return unsharded | {
        group.group: group.unsharded for result in results for group in result.groups if group.unsharded
    }


def _shard_rows(result: SectionResult, *, tokens: bool) -> Iterator[ShardRow]:
    """Yield the rows of the shards of a section, without those that never held an utterance."""
    for shard in result.shards:
        dropped = sorted_counts(sum_counts(group.dropped[shard.split] for group in result.groups))
        examples = sum(chunk.examples for chunk in shard.chunks)
        if examples or dropped:
            yield ShardRow(
                split=shard.split,
                region=result.section.region,
                speech_type=result.section.speech_type,
                utterances=examples + sum(dropped.values()),
                dropped=dropped,
                examples=examples,
                bytes=sum(chunk.bytes for chunk in shard.chunks),
                chunks=len(shard.chunks),
                too_few=any(chunk.examples < FEWEST_EXAMPLES for chunk in shard.chunks),
                tokens=sum(chunk.tokens or 0 for chunk in shard.chunks) if tokens else None,
            )
