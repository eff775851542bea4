"""The examples of a finished build as a lazy frame, chunk by chunk, so that none of it is held but what is asked for."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING

import msgspec

from saturi.etl.errors import BuildError
from saturi.etl.output.lines import whole_lines
from saturi.etl.settings.regular import open_regular
from saturi.etl.storage.location import Location
from saturi.schemas.chat import Example
from saturi.schemas.manifest import ChunkRow

if TYPE_CHECKING:
    import polars as pl

COLUMNS = ("chunk", "line", "split", "region", "speech_type", "system", "source", "target")
_FIRST_BYTES = 1 << 17
_ROLES = ("user", "assistant")
_DECODE = msgspec.json.Decoder(Example).decode_lines

ReadChunk = Callable[[ChunkRow], Iterator[bytes]]


def scan_examples(folder: Location, chunks: Sequence[ChunkRow], read_chunk: ReadChunk) -> "pl.LazyFrame":
    """
    Return `COLUMNS` of the examples of *chunks*, in their order; see `FinishedBuild.examples`.

    Args:
        folder: Of the build, for errors.
        chunks: Rows of the manifest.
        read_chunk: Yields the bytes of a chunk, and raises where they are not those of the manifest.
    """
    import polars as pl  # noqa: PLC0415 - the parent of a build never loads it
    from polars.io.plugins import register_io_source  # noqa: PLC0415 - as above

    schema = pl.Schema(dict.fromkeys(COLUMNS, pl.String) | {"line": pl.UInt32})

    def batches(
        columns: list[str] | None, predicate: pl.Expr | None, most: int | None, _batch_rows: int | None
    ) -> Iterator[pl.DataFrame]:
        for rows in _batches(folder, chunks, read_chunk):
            frame = pl.DataFrame(rows, schema=schema)
            frame = frame if predicate is None else frame.filter(predicate)
            frame = frame if columns is None else frame.select(columns)
            yield frame if most is None else frame.head(most)
            if most is not None and (most := most - frame.height) <= 0:
                return

    return register_io_source(batches, schema=schema)


def first_pairs(path: Location) -> list[tuple[str, str]]:
    """
    Return source and target of the first examples of the chunk at *path*, some hundred of them.

    Raises:
        BuildError: It cannot be read, or its lines are no examples of a build.
    """
    try:
        with open_regular(path) as file:
            content = file.read(_FIRST_BYTES)
        whole = content[: content.rfind(b"\n") + 1]
        return [_texts(example)[1:] for example in _DECODE(whole)] if whole else []
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise BuildError(str(path), f"damaged ({error})", "run `saturi verify`, and build again") from error


def _batches(folder: Location, chunks: Sequence[ChunkRow], read_chunk: ReadChunk) -> Iterator[dict[str, object]]:
    """Yield the columns of some thousand examples at a time."""
    for chunk in chunks:
        numbers = count(1)
        for block in whole_lines(read_chunk(chunk)):
            try:
                texts = [_texts(example) for example in _DECODE(block.content)]
            except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
                path = str(folder / chunk.path)
                raise BuildError(path, f"damaged ({error})", "run `saturi verify`, and build again") from error
            systems, sources, targets = zip(*texts, strict=True)
            yield {
                "chunk": chunk.path,
                "line": [next(numbers) for _ in texts],
                "split": chunk.split,
                "region": chunk.region,
                "speech_type": chunk.speech_type,
                "system": systems,
                "source": sources,
                "target": targets,
            }


def _texts(example: Example) -> tuple[str | None, str, str]:
    """
    Return instruction (or None), source and target of an example.

    Raises:
        ValueError: It is none of a build's.
    """
    *before, user, assistant = example.messages
    if [message.role for message in before] not in ([], ["system"]) or (user.role, assistant.role) != _ROLES:
        raise ValueError("no pair")
    return before[0].content if before else None, user.content, assistant.content
