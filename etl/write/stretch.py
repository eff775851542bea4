"""Render one stretch: take the texts of the utterances kept, make lines of them, and count their tokens."""

from collections.abc import Iterator
from operator import eq
from typing import NamedTuple

import polars as pl

from saturi.etl.example.prompts import fill_prompts, pick
from saturi.etl.example.render import render
from saturi.etl.example.tokens import load_counter
from saturi.etl.output.files import make_folder
from saturi.etl.runtime.stopwatch import lap
from saturi.etl.select.decisions import read_decisions
from saturi.etl.select.markup import CleanSettings
from saturi.etl.select.sealed import is_sealed, read_facts, read_table, write_sealed
from saturi.etl.select.split import SPLIT
from saturi.etl.select.utterances import as_pairs, merge_small, read_utterances
from saturi.etl.storage.location import Location, location_of
from saturi.etl.write.decisions import published
from saturi.etl.write.lineage import LineOrigin
from saturi.etl.write.tasks import Rendered, RenderTask
from saturi.schemas.terms import Split

_FOLDER = "rendered"
_COLUMNS = ["segment", "row", "split", "reason", "choice"]

_BLOCK = pl.Schema(
    {
        "line": pl.Binary(),
        "split": SPLIT,
        "archive": pl.String(),
        "member": pl.String(),
        "sentence": pl.UInt32(),
        "tokens": pl.UInt32(),
    }
)


class Block(NamedTuple):
    """Lines in their order, with the split of each and where it came from."""

    lines: list[bytes]
    splits: list[str]
    origins: list[LineOrigin]


def render_stretch(task: RenderTask) -> None:
    """
    Write the lines of one stretch in blocks and, last, the published decisions on it with the account of it.

    Raises:
        StorageError: A file cannot be written.
    """
    if _is_there(task):
        return
    make_folder(location_of(task.work) / _FOLDER)
    decisions = read_decisions(location_of(task.decisions), task.stretch, _COLUMNS, task.step)
    blocks = identical = 0
    for utterances in merge_small(_kept(decisions, task)):
        # As they were when they were judged: texts are read twice, since a shard may be larger than memory.
        pairs = as_pairs(utterances, CleanSettings.of(task.options), task.options.direction)
        sources, targets = pairs["source"].to_list(), pairs["target"].to_list()
        lap("take")
        block = _block(pairs, sources, targets, task)
        write_sealed(_block_path(task, blocks), block)
        lap("block write")
        blocks += 1
        identical += sum(map(eq, sources, targets))
    account = _account(decisions, identical, blocks)
    write_sealed(published_path(task), published(decisions, task.stretch.group, task.sources), account)


def _is_there(task: RenderTask) -> bool:
    """Whether the stretch is rendered: all was written, whole, by this build or by one that was killed later."""
    if not is_sealed(published_path(task)):
        return False
    return all(is_sealed(_block_path(task, number)) for number in range(read_rendered(task).blocks))


def read_rendered(task: RenderTask) -> Rendered:
    """Return the account of the stretch that *task* has rendered."""
    return read_facts(published_path(task), Rendered)


def read_blocks(task: RenderTask, rendered: Rendered) -> Iterator[Block]:
    """Yield the lines of the stretch that *task* has rendered."""
    for number in range(rendered.blocks):
        lines, splits, *origins = (column.to_list() for column in read_table(_block_path(task, number)))
        yield Block(lines, splits, list(map(LineOrigin._make, zip(*origins, strict=True))))


def published_path(task: RenderTask) -> Location:
    """Return the file with the published decisions on the stretch, and with its account."""
    return location_of(task.work) / _FOLDER / f"{task.stretch}.ipc"


def _block_path(task: RenderTask, number: int) -> Location:
    return location_of(task.work) / _FOLDER / f"{task.stretch}-{number:05d}.ipc"


def _kept(decisions: pl.DataFrame, task: RenderTask) -> Iterator[pl.DataFrame]:
    """Yield the utterances kept, segment by segment, with the decisions on them and their `archive`."""
    kept = decisions.filter(pl.col("reason").is_null())
    for chosen in kept.partition_by("segment", maintain_order=True):
        source = task.sources[chosen["segment"][0]]
        utterances = read_utterances(source, task.options.unit, task.options.source, ["member"])
        if chosen.height < utterances.height:
            utterances = utterances[chosen["row"]]
        archive = pl.Series("archive", [source.archive]).new_from_index(0, chosen.height)
        yield utterances.hstack([chosen["split"], chosen["choice"], archive])


def _block(pairs: pl.DataFrame, sources: list[str], targets: list[str], task: RenderTask) -> pl.DataFrame:
    """Return `_BLOCK` for *pairs*, whose texts are *sources* and *targets*."""
    picked = pick(fill_prompts(task.options.prompts, task.stretch.group), pairs["choice"].to_list())
    lines = render(sources, targets, picked)
    lap("render")
    tokens = load_counter().count(picked, sources, targets) if task.options.tokens else [None] * pairs.height
    lap("tokens")
    new = pl.DataFrame({"line": lines, "tokens": tokens}, schema={name: _BLOCK[name] for name in ("line", "tokens")})
    return pl.DataFrame([new["line"], *(pairs[name] for name in _BLOCK if name in pairs.columns), new["tokens"]])


def _account(decisions: pl.DataFrame, identical: int, blocks: int) -> Rendered:
    """Return the account of a stretch: its *decisions* by split and reason."""
    counts: dict[Split | None, dict[str, int]] = {split: {} for split in (*Split, None)}
    for split, reason, number in decisions.group_by("split", "reason").len().rows():
        counts[Split(split) if split else None][reason or ""] = number
    examples = {split: counts[split].pop("", 0) for split in Split}
    return Rendered(
        examples=examples,
        identical=identical,
        dropped={split: counts[split] for split in Split},
        unsharded=counts[None],
        blocks=blocks,
    )
