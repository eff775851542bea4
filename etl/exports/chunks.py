"""The chunks of a build as files that a trainer loads: as they are, joined, or with the prompt apart from its completion."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from saturi.etl.output.files import write_whole
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.lines import whole_lines
from saturi.schemas.manifest import ChunkRow

Write = Callable[[FinishedBuild, Path], None]
"""Writes a file of data of a build to a path."""


class _Line(msgspec.Struct):
    """A line of a chunk, whose messages stay the bytes that they are."""

    messages: list[msgspec.Raw]


class _Prompted(msgspec.Struct):
    """The same with the answer apart."""

    prompt: list[msgspec.Raw]
    completion: list[msgspec.Raw]


def joined_chunks(chunks: Sequence[ChunkRow]) -> Write:
    """Return what writes *chunks*, one after the other, as one file."""

    def write(build: FinishedBuild, path: Path) -> None:
        write_whole(path, (block for chunk in chunks for block in build.read_chunk(chunk)))

    return write


def prompted(chunk: ChunkRow) -> Write:
    """Return what writes *chunk* with the messages before the answer as `prompt`, and the answer as `completion`."""

    def write(build: FinishedBuild, path: Path) -> None:
        write_whole(path, _prompted_lines(build.read_chunk(chunk)))

    return write


def _prompted_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    decode, encode = msgspec.json.Decoder(_Line).decode_lines, msgspec.json.Encoder().encode_lines
    for block in whole_lines(blocks):
        lines = decode(block.content)
        yield encode([_Prompted(line.messages[:-1], line.messages[-1:]) for line in lines])
