"""Tokens of every example of a build: as the build counted them, or counted anew from its chunks."""

from array import array

import msgspec
import polars as pl

from saturi.etl.errors import BuildError
from saturi.etl.example.tokens import O200K, Tokenizer, count_example
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.folder import LINEAGE_FILE
from saturi.schemas.chat import Example
from saturi.schemas.manifest import ChunkRow, ShardRow

_EXAMPLES = msgspec.json.Decoder(Example)


class TokenCounter:
    """
    Count the tokens of examples while the chunks of a build are read for something else: an observer of `check_build`.

    Args:
        tokenizer: The tokenizer to count with.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.tokens: dict[str, array[int]] = {}
        self.undecodable: dict[str, str] = {}
        self._rest = b""

    def __call__(self, chunk: str, block: bytes) -> None:
        """Count the lines that *block*, the next bytes of *chunk*, completes; a line that is no example makes it `undecodable`."""
        if chunk not in self.tokens:
            self.tokens[chunk] = array("I")
            self._rest = b""
        lines, newline, self._rest = (self._rest + block).rpartition(b"\n")
        try:
            self.tokens[chunk].extend(map(self._count, _EXAMPLES.decode_lines(lines + newline)))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.undecodable[chunk] = str(error)

    def _count(self, example: Example) -> int:
        texts = ((message.role, message.content) for message in example.messages)
        return count_example(texts, self.tokenizer.count)


def counter_for(build: FinishedBuild, tokenizer: Tokenizer) -> TokenCounter | None:
    """Return a counter of the tokens of *build*, or None where its lineage has those of *tokenizer*."""
    counted = tokenizer.name == O200K and build.manifest.options.get("tokens")
    return None if counted and build.has_lineage else TokenCounter(tokenizer)


def example_tokens(build: FinishedBuild, counter: TokenCounter | None) -> pl.DataFrame:
    """
    Verify *build*, and return the tokens of every example, a row an example.

    Args:
        build: The build.
        counter: None for what the lineage has; else chunks that it has not seen are read.

    Returns:
        A frame with `shard` (number of its row in the manifest) and `tokens`.

    Raises:
        BuildError: The build is damaged.
    """
    if counter is not None:
        _read_rest(build, counter)
    build.refuse_damage()
    numbers = {_shard(shard): number for number, shard in enumerate(build.manifest.shards)}
    chunks = pl.LazyFrame(
        [(chunk.path, numbers[_shard(chunk)]) for chunk in build.manifest.chunks],
        schema={"chunk": pl.String, "shard": pl.UInt16},
        orient="row",
    )
    counted = build.lineage().select("chunk", "tokens") if counter is None else _counted(build, counter)
    tokens = build.collect(counted.join(chunks, on="chunk").select("shard", "tokens"))
    if tokens.height != build.manifest.counts.examples:
        problem = f"{tokens.height:,} examples, where the manifest has {build.manifest.counts.examples:,}"
        where = LINEAGE_FILE if counter is None else "chunks"
        raise BuildError(str(build.given / where), problem, "build again")
    return tokens


_COUNTED = pl.Schema({"chunk": pl.String, "tokens": pl.UInt32})


def _read_rest(build: FinishedBuild, counter: TokenCounter) -> None:
    """Let *counter* see the chunks of *build* that it has not seen."""
    for chunk in build.manifest.chunks:
        if chunk.path not in counter.tokens:
            for block in build.read_chunk(chunk):
                counter(chunk.path, block)


def _counted(build: FinishedBuild, counter: TokenCounter) -> pl.LazyFrame:
    """Return chunk and tokens of every example."""
    for path, reason in counter.undecodable.items():
        raise BuildError(str(build.given / path), f"damaged ({reason})", "build again")
    parts = (
        pl.DataFrame({"chunk": [path] * len(tokens), "tokens": tokens}, schema=_COUNTED)
        for path, tokens in counter.tokens.items()
    )
    return pl.concat([_COUNTED.to_frame(), *parts]).lazy()


def _shard(row: ShardRow | ChunkRow) -> tuple[str, str, str]:
    return row.split, row.region, row.speech_type
