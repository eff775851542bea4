"""Tokens of every example of a build: as the build counted them, or counted anew from its chunks."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import polars as pl

from etl.errors import BuildError
from etl.example.lines import read_blocks
from etl.example.tokens import O200K, Tokenizer, count_example
from etl.output.folder import LINEAGE_FILE
from schemas.chat import Example
from schemas.manifest import ChunkRow, Manifest, ShardRow

_EXAMPLES = msgspec.json.Decoder(Example)


def example_tokens(out: Path, manifest: Manifest, tokenizer: Tokenizer) -> pl.DataFrame:
    """
    Return the tokens of every example of the build in *out*, a row an example.

    Args:
        out: Its folder.
        manifest: Its manifest.
        tokenizer: What they are counted with, unless the build did so already.

    Returns:
        A frame with `shard` (number of its row in the manifest) and `tokens`.

    Raises:
        BuildError: Lineage or chunks are not as the manifest says.
    """
    numbers = {_shard(shard): number for number, shard in enumerate(manifest.shards)}
    chunks = pl.LazyFrame(
        [(chunk.path, numbers[_shard(chunk)]) for chunk in manifest.chunks],
        schema={"chunk": pl.String, "shard": pl.UInt16},
        orient="row",
    )
    lineage = out / LINEAGE_FILE
    if tokenizer.name == O200K and manifest.options.get("tokens") and lineage.exists():
        counted = pl.scan_parquet(lineage, glob=False).select("chunk", "tokens")
        where = lineage
    else:
        counted = pl.concat([_NONE, *(_count(out, chunk, tokenizer) for chunk in manifest.chunks)]).lazy()
        where = out / "chunks"
    try:
        tokens = counted.join(chunks, on="chunk").select("shard", "tokens").collect()
    except pl.exceptions.PolarsError as error:
        raise BuildError(str(where), f"damaged ({error})", "build again") from error
    if tokens.height != manifest.counts.examples:
        problem = f"{tokens.height:,} examples, where the manifest has {manifest.counts.examples:,}"
        raise BuildError(str(where), problem, "build again")
    return tokens


_NONE = pl.DataFrame(schema={"chunk": pl.String, "tokens": pl.UInt32})


def _shard(row: ShardRow | ChunkRow) -> tuple[str, str, str]:
    return row.split, row.region, row.speech_type


def _count(out: Path, chunk: ChunkRow, tokenizer: Tokenizer) -> pl.DataFrame:
    path = out / chunk.path
    try:
        tokens = [
            count_example(((message.role, message.content) for message in example.messages), tokenizer.count)
            for example in _read_examples(path)
        ]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BuildError(str(path), f"damaged ({error})", "run `saturi verify`, and build again") from error
    return pl.DataFrame({"chunk": [chunk.path] * len(tokens), "tokens": tokens}, schema=_NONE.schema)


def _read_examples(path: Path) -> Iterator[Example]:
    for block in read_blocks(path):
        yield from _EXAMPLES.decode_lines(block.content)
