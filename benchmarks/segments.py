"""
Segments of a full corpus, made without archives: `python -m benchmarks.segments FOLDER [--scale 1.0]`.

A million and a half sentences of the 2022 generation, about two a label file, of which a third are readings of 1,668 scripts;
and a million utterances of dialogues as in 2020, 350 a label file. Text and speakers are invented, the shares are those of
the real corpus: equal texts, sources with several targets, frequent short answers.
"""

import argparse
import random
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl

from benchmarks.selection import INDEX, Staged
from saturi.etl.corpus.batches import segment_path
from saturi.etl.corpus.names import Hints
from saturi.etl.output.files import make_folder, write_whole
from saturi.etl.read.segments import FILES, SENTENCES, to_ipc, write_segment
from saturi.etl.synthetic.series import CODES
from saturi.schemas.segment import SEGMENT_VERSION, Disagreements, Kind, KindCount, Oddities, SegmentHeader
from saturi.schemas.terms import Generation, Region, SpeechType

_SCRIPTS = 334  # a region: 1,668 in all
_WORDS = [f"{a}{b}" for a in "가나다라마바사아자차카타파하거너더러머버" for b in "가는도를에서만지고면니요네데까"]
_SHORT = ["네", "예", "그래", "아니", "맞아", "그렇지", "몰라", "어"]


class _Kind(NamedTuple):
    """One kind of label files: their number, label files per segment, and sentences per label file."""

    name: str
    speech_type: SpeechType
    files: int
    batch: int
    sentences: int


_KINDS = (
    _Kind("st", SpeechType.REPEAT, 440_000, 650, 1),
    _Kind("say", SpeechType.ANSWER, 224_000, 650, 4),
    _Kind("talk", SpeechType.DIALOGUE, 35_000, 650, 5),
    _Kind("2020", SpeechType.DIALOGUE, 2_857, 65, 350),
)


def make_segments(folder: Path, scale: float) -> None:
    """Write the segments of *scale* full corpora into the stage *folder*, and its index."""
    rng = random.Random(2022)
    staged = []
    for region, code in CODES.items():
        for kind in _KINDS:
            files = max(1, round(kind.files * scale / len(CODES)))
            headers = [
                _write(folder, f"{code} {kind.name} {first}", _rows(rng, region, code, kind, first, files))
                for first in range(0, files, kind.batch)
            ]
            staged.append(Staged(f"TL_{region}_{kind.name}.zip", Hints(region, kind.speech_type), headers))
    write_whole(folder / INDEX, [msgspec.json.encode(staged)])


class _File(NamedTuple):
    """A label file: its name, its speakers, its script, and its pairs."""

    name: str
    speakers: list[str]
    script: str | None
    pairs: list[tuple[str, str]]
    kind: Kind


def _rows(rng: random.Random, region: Region, code: str, kind: _Kind, first: int, files: int) -> Iterator[_File]:
    for number in range(first, min(first + kind.batch, files)):
        generation = Generation.OF_2020 if kind.name == "2020" else Generation.OF_2022
        facts = Kind(generation, region=region, speech_type=kind.speech_type, label_region=region)
        if kind.name == "2020":
            speakers = [f"D{code}{number}_{person}" for person in (1, 2)]
            yield _File(
                f"D{code}{number:08d}.json", speakers, None, [_spoken(rng) for _ in range(kind.sentences)], facts
            )
            continue
        heard = 2 if kind.speech_type is SpeechType.DIALOGUE else 1
        speakers = [f"speaker{code}{rng.randrange(600)}" for _ in range(heard)]
        prompt = rng.randrange(_SCRIPTS)
        name = f"{kind.name}_set1_collector{code}1_{'_'.join(speakers)}_{prompt}_{number}_9.json"
        read = kind.speech_type is SpeechType.REPEAT
        pairs = [_read(rng, code, prompt) if read else _spoken(rng) for _ in range(kind.sentences)]
        yield _File(name, speakers, f"1:{prompt}", pairs, facts)


def _read(rng: random.Random, code: str, prompt: int) -> tuple[str, str]:
    """Return one of the ten readings of a script."""
    target = " ".join(random.Random(f"{code} {prompt}").choices(_WORDS, k=7))
    return f"{target} {_WORDS[rng.randrange(10)]}", target


def _spoken(rng: random.Random) -> tuple[str, str]:
    """Return a pair: with equal texts in three of five cases, a frequent short answer in one of ten."""
    if rng.random() < 0.1:  # noqa: PLR2004 - the share in the docstring
        return rng.choice(_SHORT), rng.choice(_SHORT)
    words = rng.choices(_WORDS, k=rng.randrange(2, 14))
    target = " ".join(words)
    if rng.random() < 0.6:  # noqa: PLR2004 - the share in the docstring
        return target, target
    return " ".join([rng.choice(_WORDS), *words[1:]]), target


def _write(folder: Path, name: str, rows: Iterator[_File]) -> SegmentHeader:
    files = list(rows)
    key = sha256(name.encode()).hexdigest()
    path = segment_path(folder, key)
    make_folder(path.parent)
    whole = [[" ".join(texts) for texts in zip(*file.pairs, strict=True)] for file in files]
    table = pl.DataFrame(
        {
            "number": range(len(files)),
            "member": [file.name for file in files],
            "generation": [file.kind.generation for file in files],
            "region": [file.kind.region for file in files],
            "speech_type": [file.kind.speech_type for file in files],
            "label_region": [file.kind.label_region for file in files],
            "script": [file.script for file in files],
            "speakers": ["\n".join(sorted(file.speakers)) for file in files],
            "pronunciation": [source for source, _ in whole],
            "dialect": [source for source, _ in whole],
            "standard": [target for _, target in whole],
        }
    )
    old = files[0].kind.generation == Generation.OF_2020
    sentences = [
        (row, number, number if old else None, None if old else source, source, target)
        for row, file in enumerate(files)
        for number, (source, target) in enumerate(file.pairs, 1)
    ]
    parts = (
        to_ipc(table.select(table[name].cast(kind) if name in table.columns else pl.lit(None, kind).alias(name)
                            for name, kind in FILES.items())),
        to_ipc(pl.DataFrame(sentences, schema=SENTENCES, orient="row")),
    )  # fmt: skip
    header = SegmentHeader(
        version=SEGMENT_VERSION,
        key=key,
        witness="",
        crc32=0,
        files_bytes=len(parts[0]),
        label_files=len(files),
        decoded=len(files),
        rejected={},
        ignored=0,
        repaired=0,
        kinds=[KindCount(files[0].kind, len(files), len(sentences) * old, len(sentences))],
        spoken=sum(bool(file.pairs) for file in files),
        disagreements=Disagreements(),
        oddities=Oddities(),
        digest="",
        content_sum=0,
    )
    return write_segment(path, header, *parts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", type=float, default=1.0)
    arguments = parser.parse_args()
    make_segments(arguments.folder, arguments.scale)
