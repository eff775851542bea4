"""How fast this processor inflates a corpus, in one process and in memory: what every ratio to the floor depends on."""

import time
from pathlib import Path

from benchmarks.contenders.floor import inflate, packed_bytes, pieces_of

_MEMBERS, _TURNS = 500, 7


def inflated_bytes_a_second(corpus: Path) -> float:
    """Return the bytes of JSON that one process inflates in a second: 500 members of the largest zip, the best of 7 turns."""
    path = max(corpus.rglob("*.zip"), key=lambda path: path.stat().st_size)
    pieces = pieces_of(path)[:_MEMBERS]
    with path.open("rb") as file:
        members = [(packed_bytes(file, piece), piece.json_bytes) for piece in pieces]
    return sum(piece.json_bytes for piece in pieces) / min(_seconds(members) for _ in range(_TURNS))


def _seconds(members: list[tuple[bytes, int]]) -> float:
    began = time.perf_counter()
    for packed, json_bytes in members:
        inflate(packed, json_bytes)
    return time.perf_counter() - began
