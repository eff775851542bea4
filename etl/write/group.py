"""Write the shards of one region and speech type: take the texts of the utterances kept, render them, cut them into chunks."""

from collections import Counter
from itertools import repeat
from pathlib import Path

import msgspec
import polars as pl

from etl.files import write_whole
from etl.select.rules import count_by_split, mark_in_training, read_decisions
from etl.select.utterances import read_utterances
from etl.stopwatch import lap
from etl.tasks import GroupResult, ShardResult, WriteTask
from etl.write.render import render
from etl.write.shard import ShardWriter
from schemas.terms import DropReason, Split, Unit


def write_group(task: WriteTask) -> GroupResult:
    """
    Write the chunks of one group, and return what is in them.

    Raises:
        StorageError: A file cannot be written; those that are finished stay for the next try.
    """
    work = Path(task.work)
    done = work / f"{task.group}.json"
    finished = _finished_before(done, work)
    if finished is not None:
        return finished
    decisions, shared = _final_decisions(task)
    writers = {split: ShardWriter(split, task.group, work, task.options) for split in Split}
    try:
        over_cap = _write_lines(task, decisions, writers)
        for writer in writers.values():
            writer.finish()
    finally:
        for writer in writers.values():
            writer.discard()
    dropped = count_by_split(decisions)
    result = GroupResult(
        group=task.group,
        shards=[
            _shard_result(writer, dropped.get(split, Counter()), over_cap[split]) for split, writer in writers.items()
        ],
        unsharded=dict(sorted(dropped.get(None, Counter()).items())),
        validation_in_training=shared,
    )
    write_whole(done, [msgspec.json.encode(result)])
    return result


def _finished_before(done: Path, work: Path) -> GroupResult | None:
    """Return what a build that was killed later left of this group, where all of it is still there."""
    if not done.exists():
        return None
    result = msgspec.json.decode(done.read_bytes(), type=GroupResult)
    files = [work / chunk.path for shard in result.shards for chunk in shard.chunks]
    files += [Path(part) for shard in result.shards for part in shard.lineage]
    return result if all(file.exists() for file in files) else None


def _final_decisions(task: WriteTask) -> tuple[pl.DataFrame, int]:
    """Return the decisions of the group, and how many of its validation examples have a text that is also in train."""
    decisions = read_decisions(Path(task.decisions))
    held_out = decisions["reason"].is_null() & (decisions["split"] == Split.VALIDATION.value)
    if not held_out.any():
        return decisions, 0
    in_training = mark_in_training(decisions, map(Path, task.all_decisions))
    if task.options.validation == "official":  # AI-Hub's own folders, as published: the leak is counted and not mended
        return decisions, int(in_training.sum())
    reason = (
        pl.when(in_training).then(pl.lit(DropReason.IN_TRAINING.value, decisions["reason"].dtype)).otherwise("reason")
    )
    return decisions.with_columns(reason=reason), 0


def _write_lines(task: WriteTask, decisions: pl.DataFrame, writers: dict[Split, ShardWriter]) -> Counter[Split]:
    """Hand every utterance kept to the writer of its split; return how many were over the cap."""
    over_cap: Counter[Split] = Counter()
    kept = decisions.lazy().filter(pl.col("reason").is_null()).select("segment", "row", "split").collect()
    for (number,), chosen in kept.partition_by("segment", maintain_order=True, as_dict=True, include_key=False).items():
        source = task.sources[number]
        utterances = read_utterances(source, task.options, ["member"]).join(
            chosen.lazy(), on="row", how="inner", maintain_order="left"
        )
        for (split,), frame in utterances.collect().partition_by("split", maintain_order=True, as_dict=True).items():
            lap("take")
            lines = render(frame["source"], frame["target"], task.options.system_prompt)
            lap("render")
            sentences = frame["sentence"] if task.options.unit is Unit.SENTENCE else repeat(None, frame.height)
            origins = list(zip(repeat(source.archive, frame.height), frame["member"], sentences, strict=True))
            over_cap[Split(split)] += writers[Split(split)].add(lines, origins)
            lap("chunk write")
    return over_cap


def _shard_result(writer: ShardWriter, dropped: Counter[str], over_cap: int) -> ShardResult:
    if over_cap:
        dropped = dropped + Counter({DropReason.OVER_CAP.value: over_cap})
    return ShardResult(
        split=writer.split, dropped=dict(sorted(dropped.items())), chunks=writer.chunks, lineage=writer.lineage
    )
