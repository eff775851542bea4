"""Memory: bounded by the batch at work, and not by the corpus or by the largest label file."""

import json
import os
import random
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from corpora import ANSWER_ZIP, write_zip
from coverings import some_of
from runs import ROOT, facts_of, manifest_of, saturi

from benchmarks.corpus import FACTS, make_corpus
from benchmarks.download import main as download
from benchmarks.segments import make_segments
from saturi.etl.settings.options import BuildOptions
from saturi.etl.settings.sizes import MIB

PARENT_BYTES = 400 * MIB
WORKER_BYTES = 256 * MIB
DOWNLOAD_BYTES = 200 * MIB

_DENSE = b"180.25,\n\t\t\t\t\t", 4_900_000
"""A pitch value as it stands in label files, and how many are 61 MiB."""

_SPARSE = b"180.25,\n" + b"\t" * 57, 980_000
"""As many bytes of a fifth of the values, which take as much memory and a fourth of the time."""

_ENDS = {
    "whole": b'180.25], "pronunciation": "a", "standard": "b"}], "pronunciation": "a", "standard": "b"}}',
    "cut-off": b"180.25",
    "comma-behind": b'180.25], "standard": "b"},], "pronunciation": "a", "standard": "b"}}',
}


def _built(corpus: Path, folder: Path, *options: str, workers: int) -> dict[str, Any]:
    """Build *corpus* below *folder*, and return how it went; one archive is read by one of the *workers* at a time."""
    run = saturi("build", corpus, "--out", "out", "--workers", str(workers), *options, cwd=folder)
    assert run.returncode in (0, 1), run.stderr
    return facts_of(folder / "out")


def _within_bounds(facts: dict[str, Any]) -> bool:
    parent, worker = int(facts["parent_peak_bytes"]), int(facts["worker_peak_bytes"])
    return 0 < parent <= PARENT_BYTES and 0 < worker <= WORKER_BYTES


def test_a_download(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A download of 220 MB keeps the whole command under 200 MiB, with two archives at once."""
    download(["--bytes", "220MB", "--folder", str(tmp_path), "--json"])
    assert 0 < json.loads(capsys.readouterr().out)["peak_bytes"] <= DOWNLOAD_BYTES


def test_a_corpus(big_sample: Path, tmp_path: Path) -> None:
    """A build keeps the parent under 400 MiB and every worker under 256 MiB."""
    assert _within_bounds(_built(big_sample, tmp_path, workers=2))


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(_ENDS["whole"], id="whole", marks=pytest.mark.thorough),
        pytest.param(_ENDS["cut-off"], id="cut-off", marks=pytest.mark.thorough),
        pytest.param(_ENDS["comma-behind"], id="comma-behind"),  # the one that is mended, which takes the most
    ],
)
def test_label_files_as_large_as_allowed(end: bytes, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Label files of 61 MiB, whole or broken, keep a worker under its bound."""
    thorough = pytestconfig.getoption("--thorough")
    line, number_of_lines = _DENSE if thorough else _SPARSE
    document = b'{"transcription": {"sentences": [{"intonations": [' + line * number_of_lines + end
    assert 60 * MIB < len(document) < 64 * MIB
    path = tmp_path / "corpus" / ANSWER_ZIP
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(2 if thorough else 1):
            archive.writestr(f"say_set1_collectorgs1_speakergs{number}_1_0_9.json", document)
    limits = ("--max-ratio", "1100", "--max-member-bytes", "64MiB")
    assert _within_bounds(_built(tmp_path / "corpus", tmp_path, *limits, workers=1))


def _text(rng: random.Random, size: int) -> str:
    words = ["가는", "나도", "억수로", "마이", "왔데이", "할매가", "(마이)/(많이)", "그~래", "-태- 태교"]
    text = " ".join(rng.choices(words, k=size // 8))
    return text.encode()[: size - 200].decode(errors="ignore")


@pytest.mark.parametrize(
    ("size", "number"),
    [
        pytest.param(BuildOptions().max_member_bytes, 2, id="most"),
        pytest.param(BuildOptions().max_member_bytes, 4, id="twice-as-many", marks=pytest.mark.thorough),
        pytest.param(1 << 20, 8, id="large", marks=pytest.mark.thorough),
    ],
)
def test_label_files_of_nothing_but_text(size: int, number: int, tmp_path: Path) -> None:
    """Label files as large as the defaults allow, and others above 1 MiB, keep a worker under its bound if all of it is text."""
    rng = random.Random(5)
    members = []
    for place in range(number):
        texts = {"pronunciation": _text(rng, size // 2), "standard": _text(rng, size // 2)}
        content = json.dumps({"transcription": texts}, ensure_ascii=False).encode()
        assert size - 2000 < len(content) <= size
        members.append((f"say_set1_collectorgs1_speakergs{place}_1_0_9.json", content))
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, members)
    assert _within_bounds(_built(tmp_path / "corpus", tmp_path, workers=1))
    assert manifest_of(tmp_path / "out")["counts"]["rejected"] == {}


_WITHOUT_END = (
    (b'{"speaker": [%s], "transcription": {"pronunciation": "a", "standard": "b"}}', None),
    (b'{"transcription": {"sentences": [%s]}}', "too_large"),
    (b'{"utterance": [%s]}', "too_large"),
)
"""Label files with a list of objects, and why they are rejected."""


def test_objects_without_end(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Label files of a megabyte of empty objects keep a worker under its bound, many in a batch."""
    count = 40 if pytestconfig.getoption("--thorough") else 8
    path = tmp_path / "corpus" / ANSWER_ZIP
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for kind, (empty, _) in enumerate(_WITHOUT_END):
            document = empty % b",".join([b"{}"] * 330_000)
            for number in range(count):
                archive.writestr(f"say_set1_collectorgs1_speakergs{kind}{number}_1_0_9.json", document)
    assert _within_bounds(_built(tmp_path / "corpus", tmp_path, workers=1))
    reasons = Counter(reason for _, reason in _WITHOUT_END if reason is not None for _ in range(count))
    assert manifest_of(tmp_path / "out")["counts"]["rejected"] == reasons


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(5_000, id="tiny"),
        pytest.param(10_000, id="twice-as-many", marks=pytest.mark.thorough),
        pytest.param(30_000, id="more", marks=pytest.mark.thorough),
        pytest.param(1_000_000, id="a-million"),
    ],
)
def test_tiny_label_files(files: int, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Many tiny label files need no more memory than a few large ones."""
    if files > 100_000 and not request.config.getoption("--large"):
        pytest.skip("takes a minute and half a gigabyte of disk: run with --large")
    make_corpus(tmp_path / "corpus", files=files, tiny=True, workers=1 if files < 100_000 else 2)
    (tmp_path / "corpus" / FACTS).unlink()
    facts = _built(tmp_path / "corpus", tmp_path, workers=2)
    assert manifest_of(tmp_path / "out")["counts"]["label_files"] == files
    assert _within_bounds(facts)


@pytest.mark.parametrize(
    "scale",
    [
        pytest.param(0.01, id="thousands"),
        pytest.param(0.04, id="a-hundred-thousand", marks=pytest.mark.thorough),
        pytest.param(1.0, id="millions"),
    ],
)
def test_selection(scale: float, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Selection with every rule, in one shard a split, keeps its workers under half a gigabyte at two and a half million rows."""
    if scale > 0.1 and not request.config.getoption("--large"):
        pytest.skip("takes a minute and half a gigabyte of disk: run with --large")
    python = [sys.executable, "-m"]
    where: dict[str, Any] = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    stage = tmp_path / "build" / "selection" / f"stage-{scale:g}"
    make_segments(stage, scale)
    bounds = {"every rule": WORKER_BYTES, "every rule, one shard a split": 2 * WORKER_BYTES}
    for contender, bound in some_of([*bounds.items()], request.config, every=2, first=1):
        run = [*python, "benchmarks.selection", "--contender", contender, "--scale", str(scale)]
        took = json.loads(subprocess.run(run, check=True, capture_output=True, **where).stdout)
        assert took["left"] > 0
        assert 0 < took["parent_peak_bytes"] <= PARENT_BYTES
        assert 0 < took["worker_peak_bytes"] <= bound
