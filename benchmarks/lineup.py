"""The lineup: every contender, its input, and its command."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

from msgspec import Struct

from saturi.schemas.terms import SpeechType

ROOT = Path(__file__).resolve().parent.parent

ALL_PAIRS = ("--no-dedup", "--validation=0", *(f"--speech-type={kind}" for kind in SpeechType))
"""Options with which the build makes the examples of the naive recipe: every pair, a line per file."""

AS_NAIVE = ("--no-tokens", *ALL_PAIRS)
"""The same, without further work."""

OTHER_OPTIONS = ("--no-tokens", "--source=dialect", "--validation=0.1")
"""Options of the second build: other texts, other splits, duplicates dropped."""


class Corpora(NamedTuple):
    """The same label files as zips and as loose files, and a hundred others as zips."""

    zips: Path
    loose: Path
    hundred: Path


class Contender(Struct, frozen=True, kw_only=True):
    """
    One way to make the examples.

    Args:
        key: Name in reports and in code.
        title: Name in tables and pictures.
        reads: The corpus it reads.
        module: Module in `benchmarks.contenders`, or None for the command line of Saturi.
        options: Options of `build`.
        library: The package it depends on, or None.
        workers: Fixed number of processes, or None for the number of the race.
        after: The contender whose output folder it continues, instead of an empty one.
        compared: Its examples are compared with those of the naive recipe.
        small: It measures the start and not the corpus, so it is in the goals and not in the table.
        on_disk: Its corpus is on the disk and not in memory when it starts.
        slow: It is counted in one round, since it takes many times as long as the build.
    """

    key: str
    title: str
    reads: Literal["zips", "loose", "hundred"] = "zips"
    module: str | None = None
    options: tuple[str, ...] = AS_NAIVE
    library: str | None = None
    workers: int | None = None
    after: str | None = None
    compared: bool = True
    small: bool = False
    on_disk: bool = False
    slow: bool = False

    @property
    def missing(self) -> str | None:
        """The reason why it cannot run here, or None."""
        absent = self.library is not None and find_spec(self.library) is None
        return f"{self.library} is not installed" if absent else None

    def command(self, corpora: Corpora, out: Path, workers: int) -> list[str]:
        """Return the command that reads one of *corpora* and writes to *out*."""
        corpus: Path = getattr(corpora, self.reads)
        processes = str(self.workers or workers)
        if self.module is not None:
            return [sys.executable, "-m", f"benchmarks.contenders.{self.module}", str(corpus), str(out), processes]
        saturi = [sys.executable, str(ROOT / "cli.py")]
        if self.key == "help":
            return [*saturi, "--help"]
        return [*saturi, "build", str(corpus), "--out", str(out), "--workers", processes, *self.options]


LINEUP = (
    Contender(key="floor", title="bare floor: inflate, check CRCs", module="floor", library="isal", compared=False),
    Contender(key="saturi", title="saturi build"),
    Contender(key="tokens", title="saturi build, tokens counted", options=ALL_PAIRS),
    Contender(key="disk", title="saturi build, zips not in memory", on_disk=True),
    Contender(
        key="second", title="saturi build again, other options", options=OTHER_OPTIONS, after="saturi", compared=False
    ),
    Contender(key="alone", title="saturi build, 1 worker", workers=1),
    Contender(key="loose", title="saturi build, files unpacked before", reads="loose"),
    Contender(key="msgspec", title="zipfile + msgspec, a pool", module="zipfile_msgspec"),
    Contender(key="orjson", title="zipfile + orjson, a pool", module="zipfile_orjson", library="orjson"),
    Contender(key="json", title="zipfile + json", module="zipfile_json", slow=True),
    Contender(
        key="duckdb",
        title="DuckDB, files unpacked before",
        module="duckdb_json",
        reads="loose",
        library="duckdb",
        slow=True,
    ),
    Contender(key="polars", title="Polars, files unpacked before", module="polars_json", reads="loose", slow=True),
    Contender(
        key="datasets",
        title="HF datasets, files unpacked before",
        module="hf_datasets",
        reads="loose",
        library="datasets",
        slow=True,
    ),
    Contender(key="naive", title="naive recipe, files unpacked before", module="naive", reads="loose", slow=True),
    Contender(key="unpack", title="naive recipe, unpacking counted", module="unpack_naive", slow=True),
    Contender(key="help", title="saturi --help", compared=False, small=True),
    Contender(key="hundred", title="saturi build of 100 label files", reads="hundred", compared=False, small=True),
)
"""All contenders, in the order in which they run."""
