"""Write the shards of one section: cut the lines of its stretches, one after the other, into chunks."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress

import polars as pl

from saturi.etl.runtime.stopwatch import lap
from saturi.etl.select.decisions import read_held_out
from saturi.etl.select.sealed import is_sealed, read_facts, write_sealed
from saturi.etl.storage.location import Location, location_of
from saturi.etl.write.chunk import ChunkCaps
from saturi.etl.write.lineage import is_part
from saturi.etl.write.shard import ShardWriter
from saturi.etl.write.stretch import published_path, read_blocks, read_rendered
from saturi.etl.write.tasks import GroupResult, Rendered, RenderTask, SectionResult, ShardResult, WriteTask
from saturi.schemas.terms import Split


def write_section(task: WriteTask) -> SectionResult:
    """
    Write the chunks of one section, stretch after stretch, and return what is in them.

    Raises:
        StorageError: A file cannot be written; those that are finished stay for the next try.
    """
    work = location_of(task.work)
    done = work / f"{task.section}.json"
    finished = _read_finished(done, work)
    if finished is not None:
        return finished
    options = task.stretches[0].options
    caps = ChunkCaps(options.max_chunk_bytes, options.max_chunk_examples)
    writers = {split: ShardWriter(split, task.section, work, caps) for split in Split}
    rendered = [read_rendered(stretch) for stretch in task.stretches]
    try:
        for stretch, account in zip(task.stretches, rendered, strict=True):
            _write_stretch(stretch, account, writers)
        for writer in writers.values():
            writer.finish()
    finally:
        for writer in writers.values():
            writer.discard()
    result = SectionResult(
        section=task.section,
        groups=list(_groups(task.stretches, rendered)),
        shards=[ShardResult(split=split, chunks=w.chunks, lineage=w.lineage.parts) for split, w in writers.items()],
    )
    write_sealed(done, pl.DataFrame(), result)
    return result


def _read_finished(done: Location, work: Location) -> SectionResult | None:
    """Return the result that a build that was killed later left in *done*, where all its files are still there."""
    if not is_sealed(done):
        return None
    result = read_facts(done, SectionResult)
    chunks = (work / chunk.path for shard in result.shards for chunk in shard.chunks)
    lineage = (location_of(part) for shard in result.shards for part in shard.lineage)
    published = (location_of(part) for group in result.groups for part in group.decisions)
    whole = all(chunk.is_file() for chunk in chunks) and all(map(is_part, lineage)) and all(map(is_sealed, published))
    return result if whole else None


def _write_stretch(task: RenderTask, rendered: Rendered, writers: Mapping[Split, ShardWriter]) -> None:
    """Hand the lines of a stretch to the writers of their splits."""
    for block in read_blocks(task, rendered):
        for split, writer in writers.items():
            of_split = [name == split for name in block.splits]
            writer.add(list(compress(block.lines, of_split)), list(compress(block.origins, of_split)))
    lap("chunk write")


def _groups(tasks: Sequence[RenderTask], rendered: Sequence[Rendered]) -> Iterator[GroupResult]:
    """Yield the account of each group, the sum of its stretches."""
    for group in dict.fromkeys(task.stretch.group for task in tasks):
        stretches = [task for task in tasks if task.stretch.group == group]
        accounts = [account for task, account in zip(tasks, rendered, strict=True) if task.stretch.group == group]
        yield GroupResult(
            group=group,
            examples={split: sum(account.examples[split] for account in accounts) for split in Split},
            identical=sum(account.identical for account in accounts),
            dropped={split: _sum(account.dropped[split] for account in accounts) for split in Split},
            unsharded=_sum(account.unsharded for account in accounts),
            held_out=read_held_out(location_of(stretches[0].decisions), stretches[0].stretch),
            decisions=[str(published_path(task)) for task in stretches],
        )


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sum of *counts*, in the order of their names."""
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(sorted(total.items()))
