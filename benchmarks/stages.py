"""
Micro-benchmarks of the stages of a build, in this process: `python -m benchmarks.stages`.

One number per stage, in CPU nanoseconds per label file and in JSON per second, the minimum of several turns. The time of
`read` beyond the stages above it is for finding members, making rows, and writing the segment. The times of a whole build
are shown by `build --profile`.
"""

import argparse
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl
from deflate import deflate_compress
from msgspec import Struct

from benchmarks.corpus import SHAPES, Shape, make_corpus
from benchmarks.lineup import ROOT
from saturi.etl.corpus.archive import crc32, inflate, read_members
from saturi.etl.corpus.batches import Batch, segment_path
from saturi.etl.corpus.discover import discover
from saturi.etl.corpus.groups import Section
from saturi.etl.corpus.scan import scan
from saturi.etl.example.render import render
from saturi.etl.pipeline.reading import scan_rules
from saturi.etl.read.batch import read_batch
from saturi.etl.read.decode import decode
from saturi.etl.read.glance import glance_at
from saturi.etl.read.segments import FILES, read_files, to_ipc
from saturi.etl.read.tasks import ReadTask
from saturi.etl.settings.options import SYSTEM_PROMPT, BuildOptions
from saturi.etl.write.chunk import ChunkCaps
from saturi.etl.write.lineage import LineOrigin
from saturi.etl.write.shard import ShardWriter
from saturi.schemas.terms import Region, SpeechType, Split

_FOLDER = ROOT / "build" / "bench" / "stages"


class Stage(Struct, frozen=True):
    """The cost of a stage: CPU nanoseconds per label file, and bytes of JSON per second."""

    name: str
    nanoseconds_a_file: int
    json_bytes_a_second: int


class _Material(NamedTuple):
    """The same label files in the input form of every stage."""

    batches: list[Batch]
    packed: list[tuple[bytes, int]]
    documents: list[bytes]
    columns: dict[str, list[object]]
    pairs: tuple[list[str], list[str]]
    lines: list[bytes]


def measure_stages(folder: Path, *, files: int, shape: Shape, turns: int) -> list[Stage]:
    """Return the cost of every stage on about *files* label files of a seeded corpus in *folder*; the minimum of *turns*."""
    material = _material(folder, files, shape)
    json_bytes = sum(map(len, material.documents))
    rows = []
    for name, work in _stages(material, folder).items():
        seconds = min(_cpu_seconds(work) for _ in range(turns))
        rows.append(Stage(name, round(seconds / len(material.documents) * 1e9), round(json_bytes / seconds)))
    return rows


def _cpu_seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _material(folder: Path, files: int, shape: Shape) -> _Material:
    corpus, stage = folder / f"corpus-{shape}-{files}", folder / "stage"
    make_corpus(corpus, files=files, shape=shape)
    rules = scan_rules(BuildOptions())
    batches = [batch for archive in discover([corpus]).archives for batch in scan(archive, rules).batches]
    members = [member for batch in batches for member in read_members(batch) if member is not None]
    documents = [member.content for member in members if isinstance(member.content, bytes)]
    for batch in batches:
        read_batch(ReadTask(batch, str(stage)))
    frame = pl.concat([read_files(segment_path(stage, batch.key), list(FILES)) for batch in batches])
    pairs = frame["pronunciation"].to_list(), frame["standard"].to_list()
    return _Material(
        batches=batches,
        packed=[(bytes(deflate_compress(document, 6)), len(document)) for document in documents],
        documents=documents,
        columns=frame.to_dict(as_series=False),
        pairs=pairs,
        lines=render(*pairs, SYSTEM_PROMPT),
    )


def _stages(material: _Material, folder: Path) -> dict[str, Callable[[], object]]:
    """Return the work of each stage, in the order of the build."""
    origins = [LineOrigin("archive", "member", None, None)] * len(material.lines)

    def read() -> None:
        stage = folder / "stage"
        shutil.rmtree(stage)
        for batch in material.batches:
            read_batch(ReadTask(batch, str(stage)))

    def chunk() -> None:
        shutil.rmtree(folder / "out", ignore_errors=True)
        section = Section(Region.JEJU, SpeechType.REPEAT)
        writer = ShardWriter(Split.TRAIN, section, folder / "out", ChunkCaps(BuildOptions().max_chunk_bytes))
        writer.add(material.lines, origins)
        writer.finish()

    return {
        "inflate": lambda: [inflate(packed, size, 0) for packed, size in material.packed],
        "crc": lambda: [crc32(document) for document in material.documents],
        "glance (part of decode)": lambda: [glance_at(document) for document in material.documents],
        "decode": lambda: [decode(document) for document in material.documents],
        "frame": lambda: to_ipc(pl.DataFrame(material.columns, schema=FILES)),
        "read": read,
        "render": lambda: render(*material.pairs, SYSTEM_PROMPT),
        "chunk": chunk,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table of the stages."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stages", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--shape", choices=SHAPES, default="f0")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="folder for the corpus")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    given = parser.parse_args(arguments)
    stages = measure_stages(given.folder, files=given.files, shape=given.shape, turns=given.turns)
    if given.json:
        print(msgspec.json.encode(stages).decode())
        return
    print("| stage | CPU a label file | JSON a second |\n|---|--:|--:|")
    for stage in stages:
        print(f"| {stage.name} | {stage.nanoseconds_a_file:,} ns | {stage.json_bytes_a_second / 1e6:,.0f} MB |")


if __name__ == "__main__":
    main()
