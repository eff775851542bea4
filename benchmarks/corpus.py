"""
A seeded corpus of any size in the real layout, for measurements: `python -m benchmarks.corpus OUT --json-bytes 1GB`.

Thirty clean archives, one task each. Zip records are written by hand, since zipfile keeps an object per member and
cannot use libdeflate; layout and field lengths are those of PKWARE's APPNOTE 6.3.9, sections 4.3 and 4.5.3.
"""

import argparse
import os
import random
import re
import struct
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path, PurePosixPath
from typing import IO, Literal, get_args

import msgspec
from deflate import crc32, deflate_compress

from benchmarks.rich import ThinPool, rich_document
from saturi.etl.errors import OptionError
from saturi.etl.synthetic.documents import F0Pool, label_document, tiny_document
from saturi.etl.synthetic.series import FIRST_DATA_SET, LabelName, Series, series_counts

Shape = Literal["f0", "rich"]
SHAPES: tuple[Shape, ...] = get_args(Shape)

VERSION = 2
"""Raised with every change that gives other bytes for the same arguments."""

FACTS = "corpus.facts"

# Measured over 20,000 documents; a little less, so that a corpus has at least the bytes asked for.
_MEAN_BYTES: dict[Shape, int] = {"f0": 44_200, "rich": 41_500}
_MEAN_TINY_BYTES = 347
_FEWEST_FILES = 60
_LEVEL = 6
_DEFLATED = 8
_MAX_16, _MAX_32 = 0xFFFF, 0xFFFFFFFF
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


class Request(msgspec.Struct, frozen=True):
    """The arguments that determine the bytes of a corpus."""

    version: int
    seed: int
    json_bytes: int | None
    files: int | None
    tiny: bool
    shape: Shape
    unpack: str | None


class CorpusFacts(msgspec.Struct, frozen=True):
    """Contents of a corpus: archives, label files, bytes of JSON, and bytes of the zips."""

    request: Request
    archives: int
    files: int
    json_bytes: int
    zip_bytes: int


class ZipWriter:
    """
    Append deflated members to a zip file, from beginning to end.

    Args:
        file: Open for writing, at its beginning.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._central: list[bytes] = []
        self._offset = 0

    def add(self, name: bytes, content: bytes) -> None:
        """Append one member; *name* is ASCII, which needs no flag for its encoding."""
        packed = deflate_compress(content, _LEVEL)
        facts = struct.pack("<HIIIIH", _DEFLATED, _DATE, crc32(content), len(packed), len(content), len(name))
        self._file.write(b"PK\3\4" + struct.pack("<HH", 20, 0) + facts + b"\0\0" + name)
        self._file.write(packed)
        far = struct.pack("<HHQ", 1, 8, self._offset) if self._offset >= _MAX_32 else b""
        tail = struct.pack("<HHHHII", len(far), 0, 0, 0, 0, min(self._offset, _MAX_32))
        self._central.append(b"PK\1\2" + struct.pack("<HHH", 20, 45 if far else 20, 0) + facts + tail + name + far)
        self._offset += 30 + len(name) + len(packed)

    def close(self) -> None:
        """Write the central directory, with ZIP64 records where counts or offsets need more than 16 or 32 bits."""
        count, start = len(self._central), self._offset
        size = sum(map(len, self._central))
        self._file.writelines(self._central)
        if count >= _MAX_16 or start + size >= _MAX_32:
            self._file.write(b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, start))
            self._file.write(b"PK\6\7" + struct.pack("<IQI", 0, start + size, 1))
        few, size, start = min(count, _MAX_16), min(size, _MAX_32), min(start, _MAX_32)
        self._file.write(b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, few, few, size, start, 0))


# 1 December 2022, midnight, as MS-DOS writes it: time in the low half, date in the high.
_DATE = ((2022 - 1980) << 9 | 12 << 5 | 1) << 16


def make_corpus(  # noqa: PLR0913 - one argument an option of the command
    folder: Path,
    *,
    json_bytes: int | None = None,
    files: int | None = None,
    tiny: bool = False,
    shape: Shape = "f0",
    unpack: Path | None = None,
    seed: int = 1,
    workers: int = 2,
) -> CorpusFacts:
    """
    Write a corpus to *folder*, unless it holds it already, and return its contents; same bytes for any *workers*.

    Args:
        folder: Created if it does not exist.
        json_bytes: Approximate bytes of JSON; either this or *files*.
        files: Number of label files, at least 60.
        tiny: Make label files of some 350 bytes, without pitch values.
        shape: Of the others: mostly pitch values (F0), or a third of other things; see `benchmarks.rich`.
        unpack: Folder for loose copies of all label files, a folder per archive.
        seed: Seed of names and texts.
        workers: Number of processes; one is this process itself.

    Raises:
        FileExistsError: The folder holds a corpus made with other arguments.
        OptionError: Not exactly one of *json_bytes* and *files* is given, or too few files.
    """
    if (json_bytes is None) == (files is None):
        raise OptionError("json_bytes", "give either bytes or files", "give one of the two")
    request = Request(VERSION, seed, json_bytes, files, tiny, shape, str(unpack.resolve()) if unpack else None)
    if (facts := _made_before(folder, request)) is not None:
        return facts
    count = files if files is not None else (json_bytes or 0) // (_MEAN_TINY_BYTES if tiny else _MEAN_BYTES[shape])
    counts = series_counts(max(count, _FEWEST_FILES) if files is None else count)
    # The longest tasks first, so that no worker is left alone with one at the end.
    order = sorted(counts, key=lambda series: (-counts[series], series.path))
    with ProcessPoolExecutor(workers, get_context("spawn")) if workers > 1 else ThreadPoolExecutor(1) as pool:
        tasks = [pool.submit(_write_archive, series, counts[series], request, folder) for series in order]
        sizes = [task.result() for task in tasks]
    totals = [sum(column) for column in zip(*sizes, strict=True)]
    facts = CorpusFacts(request, len(counts), sum(counts.values()), *totals)
    (folder / FACTS).write_bytes(msgspec.json.format(msgspec.json.encode(facts)) + b"\n")
    return facts


def _made_before(folder: Path, request: Request) -> CorpusFacts | None:
    if not (folder / FACTS).is_file():
        return None
    facts = msgspec.json.decode((folder / FACTS).read_bytes(), type=CorpusFacts)
    if facts.request != request:
        msg = f"{folder}: holds a corpus made with other arguments; give another folder, or delete this one"
        raise FileExistsError(msg)
    return facts


def _write_archive(series: Series, count: int, request: Request, folder: Path) -> tuple[int, int]:
    """Write one archive, and return its bytes of JSON and of the zip."""
    rng = random.Random(f"{request.seed}/{series.path}")
    path = folder / series.path
    path.parent.mkdir(parents=True, exist_ok=True)
    loose = Path(request.unpack) / PurePosixPath(series.path).stem if request.unpack else None
    if loose:
        loose.mkdir(parents=True, exist_ok=True)
    prefix = "/" if series.region in FIRST_DATA_SET else ""
    json_bytes = 0
    with path.open("wb") as file:
        archive = ZipWriter(file)
        for index in range(count):
            name = series.name(index, rng)
            document = _document(request, name, rng)
            archive.add(f"{prefix}{name.stem}.json".encode(), document)
            json_bytes += len(document)
            if loose:
                (loose / f"{name.stem}.json").write_bytes(document)
        archive.close()
    return json_bytes, path.stat().st_size


def _document(request: Request, name: LabelName, rng: random.Random) -> bytes:
    if request.tiny:
        return tiny_document(name, rng)
    return (rich_document if request.shape == "rich" else label_document)(name, _pool(request.shape), rng)


@lru_cache(maxsize=2)
def _pool(shape: Shape) -> F0Pool:
    return ThinPool() if shape == "rich" else F0Pool()


def _size(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?)b?", text.strip().lower())
    if match is None:
        msg = f"{text!r} is no size; write 500MB or 1.2GB"
        raise argparse.ArgumentTypeError(msg)
    return int(float(match[1]) * _UNITS[match[2]])


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corpus", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("out", type=Path)
    amount = parser.add_mutually_exclusive_group(required=True)
    amount.add_argument("--json-bytes", type=_size, metavar="SIZE", help="about this much JSON, as in 1.2GB")
    amount.add_argument("--files", type=int, help="exactly this many label files")
    parser.add_argument("--tiny", action="store_true", help="label files of some 350 bytes")
    parser.add_argument("--shape", choices=SHAPES, default="f0", help="mostly F0, or a third of other things")
    parser.add_argument("--unpack", type=Path, metavar="DIR", help="also write every label file loose")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=1)
    options = vars(parser.parse_args())
    started = time.perf_counter()
    facts = make_corpus(options.pop("out"), **options)
    seconds = time.perf_counter() - started
    print(f"{facts.files:,} label files, {facts.json_bytes:,} bytes of JSON")
    print(f"{facts.archives} zips, {facts.zip_bytes:,} bytes, {seconds:.1f} s")


if __name__ == "__main__":
    main()
