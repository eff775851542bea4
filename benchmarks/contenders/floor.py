"""
The floor: inflate every label file and check its CRC-32, and no more; nothing of Saturi runs in it.

The directory by `zipfile`, inflation and CRC by ISA-L, a process pool over the zips, the largest first.
"""

import mmap
import sys
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from isal import isal_zlib

_HEADER_BYTES = 30
"""A local header, before its name and its extra field, whose lengths are the last four bytes (APPNOTE 4.3.7)."""


def packed_members(path: Path) -> Iterator[tuple[zipfile.ZipInfo, memoryview]]:
    """Yield the members of the zip at *path*, each with its deflated bytes."""
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        for member in archive.infolist():
            names = member.header_offset + _HEADER_BYTES
            start = names + mapped[names - 4] + (mapped[names - 3] << 8) + mapped[names - 2] + (mapped[names - 1] << 8)
            yield member, mapped[start : start + member.compress_size]


def inflate(packed: bytes | memoryview, json_bytes: int) -> bytes:
    """Return *packed* inflated; *json_bytes* long, if it is whole."""
    return isal_zlib.decompress(packed, -zlib.MAX_WBITS, json_bytes)


def inflate_zip(path: Path) -> None:
    """
    Inflate the members of the zip at *path*, one after the other.

    Raises:
        ValueError: One has another size or CRC-32 than the directory says.
    """
    for member, packed in packed_members(path):
        content = inflate(packed, member.file_size)
        if (len(content), isal_zlib.crc32(content)) != (member.file_size, member.CRC):
            msg = f"{path}!{member.filename} is damaged"
            raise ValueError(msg)


def inflate_all(corpus: Path, workers: int) -> None:
    """Inflate all zips below *corpus*."""
    paths = sorted(corpus.rglob("*.zip"), key=lambda path: -path.stat().st_size)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for _ in pool.map(inflate_zip, paths):
            pass


if __name__ == "__main__":
    inflate_all(Path(sys.argv[1]), int(sys.argv[3]))
