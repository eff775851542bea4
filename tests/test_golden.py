"""The formats on disk, byte for byte, beside files that were looked at by a person; `--update-golden` writes them anew."""

import zipfile
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, DIALOGUE_ZIP, REPEAT_ZIP, Member, member, sentences, stem, write_zip
from runs import one_thread

from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions

GOLDEN = Path(__file__).with_name("golden")
FILES = {
    "manifest.json": "manifest.json",
    "rejects.jsonl": "rejects.jsonl",
    "chunks/train/gyeongsang-answer-00000.jsonl": "gyeongsang-answer-00000.jsonl",
}


def _answers() -> list[Member]:
    members = [
        member(stem("say", str(number), 1), f"마이 묵었나 {number}", f"많이 먹었니 {number}") for number in range(1, 14)
    ]
    odd = [
        ("마이\u2028무라\n", '"많이" 먹어라 \\ ᆞ\u0085'),
        ("", "빈 말"),
        ("마이 묵었나 2", "많이 먹었니 2"),
    ]
    members += [member(stem("say", str(number), 2), *pair) for number, pair in zip((1, 3, 20), odd, strict=True)]
    broken = [("cut.json", b'{"transcription": '), ("list.json", b"[]"), ("none.json", b"{}")]
    return [*members, *broken, ("readme.txt", b"no label")]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of a small corpus whose bytes depend on no compression and no clock."""
    folder = tmp_path_factory.mktemp("golden")
    training = folder / "corpus" / "Training" / "02.라벨링데이터"
    write_zip(training / ANSWER_ZIP, _answers(), zipfile.ZIP_STORED)
    read = [
        member(stem("st", str(number), number % 3), f"할매가 {number % 3}", f"할머니가 {number % 3}")
        for number in range(1, 9)
    ]
    write_zip(training / REPEAT_ZIP, read, zipfile.ZIP_STORED)
    talked = member("0001", "", "", transcription=sentences(("가자", "갑시다"), ("오이소", "오세요")))
    write_zip(folder / "corpus" / "Validation" / DIALOGUE_ZIP.replace("TL_", "VL_"), [talked], zipfile.ZIP_STORED)
    options = BuildOptions(validation=0.25, max_chunk_bytes=3_000, max_rejects=1, max_unknown=1)
    build([folder / "corpus"], folder / "out", options, make_executor=one_thread)
    return folder / "out"


@pytest.mark.parametrize("path", FILES)
def test_golden(out: Path, path: str, request: pytest.FixtureRequest) -> None:
    """A file of the build has the bytes of its golden copy."""
    golden = GOLDEN / FILES[path]
    if request.config.getoption("--update-golden"):
        golden.write_bytes((out / path).read_bytes())
    assert (out / path).read_bytes() == golden.read_bytes()
