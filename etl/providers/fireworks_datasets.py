"""Datasets of Fireworks: a file under an id of at most 63 letters, cut into shards that end with lines."""

import base64
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from saturi.etl.errors import ProviderError
from saturi.etl.providers.port import RequestError

SHARD_BYTES = 1_000_000_000
"""Most bytes of a shard: what a store takes in one request is 5 GB, and a broken one begins again."""

_BLOCK_BYTES = 1 << 20
_FILE = re.compile(r"saturi-([0-9a-f]{64})\.jsonl")
_DATASET = re.compile(r"saturi-([a-z2-7]{52})")


class Shard(NamedTuple):
    """A part of a file, from the end of a line to the end of another."""

    name: str
    bytes: int
    lines: int


def dataset_of(name: str) -> str:
    """
    Return the id of the dataset of the file *name*, which is the hash in it in fewer letters: an id has 63 at most.

    Raises:
        RequestError: The file is none of ours.
    """
    match = _FILE.fullmatch(name)
    if match is None:
        raise RequestError(ProviderError, f"{name} is no file of ours", "leave it out")
    return "saturi-" + base64.b32encode(bytes.fromhex(match[1])).decode().rstrip("=").lower()


def file_of(dataset_id: str) -> str:
    """Return the name of the file of a dataset; of one that is none of ours, its id."""
    match = _DATASET.fullmatch(dataset_id)
    return dataset_id if match is None else f"saturi-{base64.b32decode(match[1].upper() + '====').hex()}.jsonl"


def shards_of(content: BinaryIO, most_bytes: int = 0) -> Iterator[Shard]:
    """Yield the shards of *content*, which is read once; each ends with a line, and is not over the limit by more than a block."""
    most, size, lines, number = most_bytes or SHARD_BYTES, 0, 0, 0
    while block := content.read(_BLOCK_BYTES):
        cut = block.rfind(b"\n") + 1
        if cut and size + cut >= most:
            yield Shard(f"{number:05d}.jsonl", size + cut, lines + block.count(b"\n"))
            number, size, lines = number + 1, len(block) - cut, 0
        else:
            size, lines = size + len(block), lines + block.count(b"\n")
    if size:
        yield Shard(f"{number:05d}.jsonl", size, lines)
