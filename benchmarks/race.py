"""The race: contenders take turns, so that a machine that slows down slows all of them, and make the same examples."""

import hashlib
import os
import shutil
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.lineup import Contender, Corpora
from benchmarks.measure import Run, measure
from saturi.etl.runtime.measurements import BuildFacts

_BLOCK_BYTES = 1 << 20


class OtherExamplesError(Exception):
    """Two contenders do not make the same examples; the arguments are their keys."""

    def __str__(self) -> str:
        """Return the sentence."""
        one, other = self.args
        return f"{one} and {other}: their examples differ; compare their output folders"


class Entry(Struct, frozen=True, kw_only=True):
    """A contender and its counted runs, round by round; `facts` of its last build; `missing` is the reason why it did not run."""

    key: str
    title: str
    runs: list[Run]
    facts: BuildFacts | None = None
    missing: str | None = None


def race(lineup: Sequence[Contender], corpora: Corpora, folder: Path, *, rounds: int, workers: int) -> list[Entry]:
    """
    Return the runs of the contenders of *lineup*; a first round is not counted, and compares their examples.

    Those that are slow run in it and in the first that is counted.

    Args:
        folder: Folder for the outputs of all contenders.

    Raises:
        OtherExamplesError: The examples of two contenders differ.
        subprocess.CalledProcessError: A contender failed.
    """
    present = [contender for contender in lineup if contender.missing is None]
    runs: dict[str, list[Run]] = {contender.key: [] for contender in lineup}
    examples: dict[str, str] = {}
    for turn in range(rounds + 1):
        for contender in present:
            if contender.slow and turn > 1:
                continue
            out = _output_folder(folder, contender)
            (_cool if contender.on_disk else _warm)(getattr(corpora, contender.reads))
            run = measure(contender.command(corpora, out, workers))
            if turn:
                runs[contender.key].append(run)
            elif contender.compared:
                examples[contender.key] = digest_of_examples(out)
            print(f"round {turn}: {contender.key} {run.seconds:.2f} s", file=sys.stderr, flush=True)
        if turn == 0:
            _compare(examples)
    return [
        Entry(
            key=contender.key,
            title=contender.title,
            runs=runs[contender.key],
            facts=_facts(folder / contender.key),
            missing=contender.missing,
        )
        for contender in lineup
    ]


def _warm(corpus: Path) -> None:
    """Read *corpus*, so that no contender waits for the disk: systems drop from memory what was not read for a while."""
    for folder, _, names in os.walk(corpus):
        for name in names:
            with open(os.path.join(folder, name), "rb", buffering=0) as file:  # noqa: PTH118, PTH123 - a million files
                while file.read(_BLOCK_BYTES):
                    pass


def _cool(corpus: Path) -> None:
    """Let the system drop *corpus* from memory, which it does where nobody has it open."""
    for path in corpus.rglob("*.zip"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _output_folder(folder: Path, contender: Contender) -> Path:
    """Return the output folder of *contender*: empty, or with the output of the contender before it."""
    if contender.after is not None:
        return folder / contender.after
    out = folder / contender.key
    shutil.rmtree(out, ignore_errors=True)
    if contender.module is not None:
        out.mkdir(parents=True)
    return out


def digest_of_examples(out: Path) -> str:
    """Return a digest of all examples below *out* that does not depend on their order or white space."""
    paths = out.rglob("chunks/*/*.jsonl") if (out / "chunks").is_dir() else out.glob("*.jsonl")
    digests = sorted(
        hashlib.sha256(msgspec.json.encode(msgspec.json.decode(line))).digest()
        for path in paths
        for line in path.read_bytes().split(b"\n")
        if line
    )
    return f"{len(digests)} {hashlib.sha256(b''.join(digests)).hexdigest()}"


def _compare(examples: dict[str, str]) -> None:
    for (one, expected), (other, digest) in pairwise(examples.items()):
        if digest != expected:
            raise OtherExamplesError(one, other)


def _facts(out: Path) -> BuildFacts | None:
    path = out / "build.json"
    return msgspec.json.decode(path.read_bytes(), type=BuildFacts) if path.is_file() else None
