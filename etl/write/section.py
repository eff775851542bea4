"""Write the shards of one section: take the texts of the utterances kept, render them, cut them into chunks."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import repeat

import msgspec
import polars as pl

from saturi.etl.corpus.groups import Group, SegmentSource
from saturi.etl.example.prompts import fill_prompts, pick
from saturi.etl.example.render import render
from saturi.etl.example.tokens import PairCounter
from saturi.etl.output.files import make_folder, write_whole
from saturi.etl.read.segments import to_ipc
from saturi.etl.runtime.stopwatch import lap
from saturi.etl.select.decisions import Step, kept_for, read_decisions, read_keys
from saturi.etl.select.markup import CleanSettings
from saturi.etl.select.utterances import as_pairs, merge_small, read_utterances
from saturi.etl.settings.options import BuildOptions
from saturi.etl.storage.location import Location, location_of
from saturi.etl.write.chunk import ChunkCaps
from saturi.etl.write.decisions import published
from saturi.etl.write.lineage import LineOrigin
from saturi.etl.write.shard import ShardWriter
from saturi.etl.write.tasks import GroupResult, SectionResult, ShardResult, WriteTask
from saturi.schemas.terms import Split

_COLUMNS = ["segment", "row", "split", "reason", "choice"]


def write_section(task: WriteTask) -> SectionResult:
    """
    Write the chunks of one section, group after group, and return what is in them.

    Raises:
        StorageError: A file cannot be written; those that are finished stay for the next try.
    """
    work = location_of(task.work)
    done = work / f"{task.section}.json"
    finished = _read_finished(done, work)
    if finished is not None:
        return finished
    caps = ChunkCaps(task.options.max_chunk_bytes, task.options.max_chunk_examples)
    writers = {split: ShardWriter(split, task.section, work, caps) for split in Split}
    try:
        groups = [_write_group(task, group, sources, writers) for group, sources in task.groups]
        for writer in writers.values():
            writer.finish()
    finally:
        for writer in writers.values():
            writer.discard()
    result = SectionResult(
        section=task.section,
        groups=groups,
        shards=[ShardResult(split=split, chunks=w.chunks, lineage=w.lineage.parts) for split, w in writers.items()],
    )
    write_whole(done, [msgspec.json.encode(result)])
    return result


def _read_finished(done: Location, work: Location) -> SectionResult | None:
    """Return the result that a build that was killed later left in *done*, where all its files are still there."""
    if not done.is_file():
        return None
    result = msgspec.json.decode(done.read_bytes(), type=SectionResult)
    files = [work / chunk.path for shard in result.shards for chunk in shard.chunks]
    files += [location_of(part) for shard in result.shards for part in shard.lineage]
    files += [location_of(group.decisions) for group in result.groups]
    return result if all(file.is_file() for file in files) else None


def _write_group(
    task: WriteTask, group: Group, sources: tuple[SegmentSource, ...], writers: dict[Split, ShardWriter]
) -> GroupResult:
    """Hand the utterances of a group that are kept to the writers of their splits, and account for all."""
    decisions = read_decisions(location_of(task.decisions), group, _COLUMNS, Step.FINAL)
    identical = _write_lines(task.options, group, _kept(decisions, sources, task.options), writers)
    path = location_of(task.work) / "published" / f"{group}.ipc"
    make_folder(path.parent)
    write_whole(path, [to_ipc(published(decisions, group, sources))])
    dropped = _dropped_by_split(decisions)
    return GroupResult(
        group=group,
        examples={split: decisions.select(kept_for(split).sum()).item() for split in Split},
        identical=identical,
        dropped={split: dict(sorted(dropped[split].items())) for split in Split},
        unsharded=dict(sorted(dropped[None].items())),
        held_out=read_keys(location_of(task.decisions), group).held_out,
        decisions=str(path),
    )


def _write_lines(
    options: BuildOptions, group: Group, kept: Iterator[pl.DataFrame], writers: dict[Split, ShardWriter]
) -> int:
    """Hand the utterances *kept* to the writers of their splits, and return how many have a source that equals their target."""
    identical = 0
    prompts = fill_prompts(options.prompts, group)
    counter = PairCounter() if options.tokens else None
    lap("tokens")  # loading the vocabulary
    for utterances in merge_small(kept):
        # As they were when they were judged: texts are read twice, since a shard may be larger than memory.
        pairs = as_pairs(utterances, CleanSettings.of(options), options.direction)
        for (split,), frame in pairs.partition_by("split", maintain_order=True, as_dict=True).items():
            lap("take")
            identical += frame.select((pl.col("source") == pl.col("target")).sum()).item()
            picked = pick(prompts, frame["choice"])
            lines = render(frame["source"], frame["target"], picked)
            lap("render")
            tokens = counter.count(picked, frame["source"], frame["target"]) if counter else repeat(None, frame.height)
            lap("tokens")
            rows = zip(frame["archive"], frame["member"], frame["sentence"], tokens, strict=True)
            writers[Split(split)].add(lines, list(map(LineOrigin._make, rows)))
            lap("chunk write")
    return identical


def _kept(decisions: pl.DataFrame, sources: Sequence[SegmentSource], options: BuildOptions) -> Iterator[pl.DataFrame]:
    """Yield the utterances kept, segment by segment, with the decisions on them and their `archive`."""
    kept = decisions.filter(pl.col("reason").is_null()).drop("reason")
    for chosen in kept.partition_by("segment", maintain_order=True):
        source = sources[chosen["segment"][0]]
        utterances = read_utterances(source, options.unit, options.source, ["member"])[chosen["row"]]
        yield utterances.with_columns(chosen["split"], chosen["choice"], archive=pl.lit(source.archive))


def _dropped_by_split(decisions: pl.DataFrame) -> dict[Split | None, Counter[str]]:
    """Return the numbers of drops among *decisions*, by split (None where they have none) and reason."""
    counts: dict[Split | None, Counter[str]] = {split: Counter() for split in (*Split, None)}
    dropped = decisions.filter(pl.col("reason").is_not_null()).group_by("split", "reason").len()
    for split, reason, number in dropped.iter_rows():
        counts[Split(split) if split else None][reason] += number
    return counts
