"""Segments on disk: what is written is read again, and what is not whole is never used."""

from pathlib import Path

import polars as pl
import pytest
from corpora import REPEAT_ZIP, answers, write_zip
from msgspec import structs

from saturi.etl.corpus.batches import segment_path
from saturi.etl.corpus.discover import discover
from saturi.etl.corpus.scan import scan
from saturi.etl.errors import StorageError
from saturi.etl.pipeline.reading import scan_rules
from saturi.etl.read.batch import read_batch
from saturi.etl.read.segments import (
    FILES,
    SENTENCES,
    from_ipc,
    read_any_header,
    read_files,
    read_sentences,
    to_ipc,
    write_segment,
)
from saturi.etl.read.tasks import ReadTask
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.segment import SEGMENT_VERSION


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    """Return the segment of an archive of three label files."""
    archive = write_zip(tmp_path / "corpus" / REPEAT_ZIP, answers(3))
    [batch] = scan(discover([archive]).archives[0], scan_rules(BuildOptions())).batches
    read_batch(ReadTask(batch, str(tmp_path / "stage")))
    return segment_path(tmp_path / "stage", batch.key)


def test_what_is_read_again(segment: Path) -> None:
    """Header and columns are those that were written, in the order asked for."""
    header = read_any_header(segment)
    assert header is not None
    assert (header.label_files, header.decoded) == (3, 3)
    assert read_files(segment, ["standard", "number"]).columns == ["standard", "number"]
    assert read_files(segment, FILES.names()).schema == FILES
    assert read_files(segment, ["number"])["number"].to_list() == [0, 1, 2]
    assert read_sentences(segment, SENTENCES.names()).schema == SENTENCES


def test_no_byte_of_it_may_change(segment: Path) -> None:
    """A segment with any byte changed, or any number of bytes missing, is not whole, and is not read."""
    whole, header = segment.read_bytes(), read_any_header(segment)
    damaged = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(0, len(whole), 7)]
    told_the_same = 0
    for content in (*damaged, *(whole[:length] for length in range(0, len(whole), 29)), bytes(len(whole))):
        segment.write_bytes(content)
        if read_any_header(segment) == header:  # in the name of a field that has its default anyway
            told_the_same += 1
            continue
        assert read_any_header(segment) is None
        for read in (read_files, read_sentences):
            with pytest.raises(StorageError, match="has been damaged since it was written; run the same command again"):
                read(segment, ["row"])
    assert told_the_same < len(damaged) / 20


def test_one_that_is_gone(segment: Path) -> None:
    """A segment that somebody has removed meanwhile is missed with a sentence."""
    segment.unlink()
    assert read_any_header(segment) is None
    with pytest.raises(StorageError, match=r"cannot be read any more \(No such file or directory\); run the same"):
        read_files(segment, ["number"])


def test_frames_as_streams() -> None:
    """A frame comes back as it was, an empty one too."""
    for frame in (pl.DataFrame({"a": ["\u3131", None], "b": [1, 2]}), FILES.to_frame(), SENTENCES.to_frame()):
        assert from_ipc(to_ipc(frame)).equals(frame)
        assert from_ipc(to_ipc(frame)).schema == frame.schema


def test_one_of_another_version(segment: Path) -> None:
    """A segment that is whole and was written in another form is not read."""
    header = read_any_header(segment)
    assert header is not None
    body = segment.read_bytes().partition(b"\n")[2]
    parts = body[: header.files_bytes], body[header.files_bytes :]
    for version, is_read in ((SEGMENT_VERSION, True), (SEGMENT_VERSION - 1, False), (SEGMENT_VERSION + 1, False)):
        write_segment(segment, structs.replace(header, version=version), *parts)
        assert (read_any_header(segment) is not None) is is_read
