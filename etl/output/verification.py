"""Verification: what is wrong with a finished build, file by file."""

import hashlib

from msgspec import Struct

from saturi.schemas.brief import brief
from saturi.schemas.manifest import ChunkRow


class Damage(Struct, frozen=True):
    """A file that is not as the manifest says: `changed`, `missing`, `extra` or `unreadable`, with the facts in words."""

    path: str
    problem: str
    detail: str


class Verification(Struct, frozen=True):
    """
    What was checked, and everything that is wrong (empty if nothing is).

    `unchecked` names the tables beside the chunks that are not there, or whose hashes are not.
    """

    chunks: int
    examples: int
    bytes: int
    damage: list[Damage]
    unchecked: list[str] = []

    def __repr__(self) -> str:
        return brief(self, chunks=self.chunks, examples=self.examples, damage=len(self.damage))


class Measure:
    """Size, lines and hash of a file, block by block."""

    def __init__(self) -> None:
        self.bytes = self.lines = 0
        self._digest = hashlib.sha256()

    def add(self, block: bytes) -> None:
        """Append *block*."""
        self._digest.update(block)
        self.bytes += len(block)
        self.lines += block.count(b"\n")

    def damage_of(self, chunk: ChunkRow) -> Damage | None:
        """Return how this differs from the row of *chunk* in the manifest, or None."""
        if (self.bytes, self.lines) != (chunk.bytes, chunk.examples):
            has = f"{self.lines:,} lines in {self.bytes:,} bytes, not {chunk.examples:,} in {chunk.bytes:,}"
            return Damage(chunk.path, "changed", has)
        if self._digest.hexdigest() != chunk.sha256:
            return Damage(chunk.path, "changed", "its SHA-256 differs")
        return None
