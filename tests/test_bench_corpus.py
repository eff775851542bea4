"""The corpus of the benchmarks: its bytes, its zips, its counts."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from benchmarks import corpus
from benchmarks.corpus import ZipWriter, make_corpus
from saturi.etl.errors import OptionError


def _zips(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.zip"))}


def test_same_bytes_for_any_number_of_workers(tmp_path: Path) -> None:
    """One worker and two write the same thirty zips."""
    facts = [make_corpus(tmp_path / str(workers), files=60, workers=workers) for workers in (1, 2)]
    one, two = _zips(tmp_path / "1"), _zips(tmp_path / "2")
    assert facts[0] == facts[1]
    assert len(one) == 30
    assert one == two


def test_zips_are_whole_and_the_facts_true(tmp_path: Path) -> None:
    """Every zip passes a test of its CRCs, files and bytes are those in the facts, loose copies are the same bytes."""
    facts = make_corpus(tmp_path / "zips", json_bytes=6_000_000, unpack=tmp_path / "loose", workers=1)
    files = json_bytes = 0
    for path in (tmp_path / "zips").rglob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            for member in archive.infolist():
                document = archive.read(member)
                json_bytes += len(document)
                files += 1
                assert (tmp_path / "loose" / path.stem / member.filename.lstrip("/")).read_bytes() == document
    assert (facts.files, facts.json_bytes) == (files, json_bytes)
    assert facts.zip_bytes == sum(map(len, _zips(tmp_path / "zips").values()))
    assert json_bytes == pytest.approx(6_000_000, rel=0.15)


def test_the_rich_shape(tmp_path: Path) -> None:
    """A third of a rich label file is not F0: segments, annotation and a transcript, at four spaces a level."""
    facts = make_corpus(tmp_path, files=120, shape="rich", workers=1)
    pitches = 0
    for path in tmp_path.rglob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                document = archive.read(member)
                label = json.loads(document)
                assert label["annotation"]["standards"]
                assert len(label["stt"]["segments"]) == len(label["transcription"]["segments"])
                assert document.startswith(b'{\n    "fileName"')
                pitches += sum(len(part.partition(b"]")[0]) for part in document.split(b'"intonations": [')[1:-1])
    assert pitches / facts.json_bytes == pytest.approx(2 / 3, rel=0.1)
    assert facts.json_bytes / facts.files == pytest.approx(41_600, rel=0.15)


def test_tiny_members_are_label_files(tmp_path: Path) -> None:
    """A tiny corpus has the files asked for, a few hundred bytes each, and every one is a label file."""
    facts = make_corpus(tmp_path, files=2_000, tiny=True, workers=1)
    assert facts.files == 2_000
    assert facts.json_bytes / facts.files < 500
    for path in tmp_path.rglob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            assert len(set(archive.namelist())) == len(archive.namelist())
            assert "transcription" in json.loads(archive.read(archive.namelist()[0]))


def test_a_corpus_is_made_once(tmp_path: Path) -> None:
    """The same arguments again touch nothing, other arguments are refused."""
    first = make_corpus(tmp_path, files=60, tiny=True, workers=1)
    archive = next(tmp_path.rglob("*.zip"))
    archive.write_bytes(b"touched")
    assert make_corpus(tmp_path, files=60, tiny=True, workers=2) == first
    assert archive.read_bytes() == b"touched"
    with pytest.raises(FileExistsError, match="other arguments"):
        make_corpus(tmp_path, files=61, tiny=True)


@pytest.mark.parametrize("amount", [{}, {"files": 60, "json_bytes": 1}], ids=["neither", "both"])
def test_one_amount_is_needed(tmp_path: Path, amount: dict[str, int]) -> None:
    """Either bytes or files decide the size."""
    with pytest.raises(OptionError, match="either bytes or files"):
        make_corpus(tmp_path, json_bytes=amount.get("json_bytes"), files=amount.get("files"))


def test_more_members_than_16_bits_count() -> None:
    """From 65,535 members on, the zip has ZIP64 records, and zipfile reads it."""
    file = io.BytesIO()
    writer = ZipWriter(file)
    added = 0
    for count in (0, 1, 65_534, 65_535, 65_536):
        for index in range(added, count):
            writer.add(b"%d.json" % index, b"{}")
        added, end = count, file.tell()
        writer.close()
        assert (b"PK\6\6" in file.getvalue()) == (count >= 65_535)
        with zipfile.ZipFile(file) as archive:
            assert len(archive.namelist()) == count
        file.seek(end)  # to go on where the directory begins
        file.truncate()


def test_offsets_past_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member past the last offset of 32 bits has its offset in a ZIP64 field."""
    monkeypatch.setattr(corpus, "_MAX_32", 40)
    file = io.BytesIO()
    writer = ZipWriter(file)
    for index in range(3):
        writer.add(b"%d.json" % index, b"{}")
    writer.close()
    # With the bound lowered, no reader takes the records as they are; the field itself is what is looked at.
    assert file.getvalue().count(b"\1\0\x08\0") == 2
