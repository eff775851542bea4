"""
The floor: inflate every label file and check its CRC-32, and no more; nothing of Saturi runs in it.

The directory by `zipfile`, inflation and CRC by ISA-L, a process pool over runs of members of about 32 MiB, the largest first.
"""

import os
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import IO, NamedTuple

from isal import isal_zlib

_RUN_BYTES = 32 << 20
_LOCAL_HEADER = struct.Struct("<26xHH")


class Piece(NamedTuple):
    """A member of a zip: where its local header begins, its sizes packed and inflated, its CRC-32."""

    offset: int
    packed_size: int
    json_bytes: int
    crc32: int


def pieces_of(path: Path) -> list[Piece]:
    """Return the members of the zip at *path*."""
    with zipfile.ZipFile(path) as archive:
        return [Piece(one.header_offset, one.compress_size, one.file_size, one.CRC) for one in archive.infolist()]


def packed_bytes(file: IO[bytes], piece: Piece) -> bytes:
    """Return the deflated bytes of a member of the open zip *file*."""
    file.seek(piece.offset)
    name_length, extra_length = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    file.seek(name_length + extra_length, os.SEEK_CUR)
    return file.read(piece.packed_size)


def inflate(packed: bytes, json_bytes: int) -> bytes:
    """Return *packed* inflated; *json_bytes* long, if it is whole."""
    return isal_zlib.decompress(packed, -zlib.MAX_WBITS, json_bytes)


def inflate_run(run: tuple[Path, list[Piece]]) -> None:
    """
    Inflate a run of members, one after the other.

    Raises:
        ValueError: One has another size or CRC-32 than its directory says.
    """
    path, pieces = run
    with path.open("rb") as file:
        for piece in pieces:
            content = inflate(packed_bytes(file, piece), piece.json_bytes)
            if (len(content), isal_zlib.crc32(content)) != (piece.json_bytes, piece.crc32):
                msg = f"{path}: the member at byte {piece.offset} is damaged"
                raise ValueError(msg)


def runs_of(path: Path) -> Iterator[tuple[Path, list[Piece]]]:
    """Yield the members of the zip at *path* in runs."""
    run: list[Piece] = []
    run_bytes = 0
    for piece in pieces_of(path):
        run.append(piece)
        run_bytes += piece.json_bytes
        if run_bytes >= _RUN_BYTES:
            yield path, run
            run, run_bytes = [], 0
    if run:
        yield path, run


def inflate_all(corpus: Path, workers: int) -> None:
    """Inflate all zips below *corpus*."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        runs = [run for path in corpus.rglob("*.zip") for run in runs_of(path)]
        runs.sort(key=lambda run: -sum(piece.json_bytes for piece in run[1]))
        for _ in pool.map(inflate_run, runs):
            pass


if __name__ == "__main__":
    inflate_all(Path(sys.argv[1]), int(sys.argv[3]))
