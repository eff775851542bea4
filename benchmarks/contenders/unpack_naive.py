"""The naive recipe with unpacking: every zip to disk, then `json.load` one file after the other."""

import shutil
import zipfile
from pathlib import Path

from benchmarks.contenders import naive
from benchmarks.contenders.recipe import run


def convert(corpus: Path, out: Path, _: int) -> None:
    """Write the pair of every label file in the zips below *corpus*, which are unpacked below *out* and removed again."""
    unpacked = out / "unpacked"
    for number, path in enumerate(sorted(corpus.rglob("*.zip"))):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(unpacked / str(number))  # zipfile drops the slash that some members begin with
    naive.convert(unpacked, out)
    shutil.rmtree(unpacked)


if __name__ == "__main__":
    run(convert)
