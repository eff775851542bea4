"""How fast this processor inflates a corpus, in one process and in memory: what every ratio to the floor depends on."""

import time
from itertools import islice
from pathlib import Path

from benchmarks.contenders.floor import inflate, packed_members

_MEMBERS, _TURNS = 500, 7


def inflated_bytes_a_second(corpus: Path) -> float:
    """Return the bytes of JSON that one process inflates in a second: 500 members of the largest zip, the best of 7 turns."""
    path = max(corpus.rglob("*.zip"), key=lambda path: path.stat().st_size)
    members = [(bytes(packed), member.file_size) for member, packed in islice(packed_members(path), _MEMBERS)]
    return sum(json_bytes for _, json_bytes in members) / min(_seconds(members) for _ in range(_TURNS))


def _seconds(members: list[tuple[bytes, int]]) -> float:
    began = time.perf_counter()
    for packed, json_bytes in members:
        inflate(packed, json_bytes)
    return time.perf_counter() - began
