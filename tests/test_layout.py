"""Layouts in the stage: found again, the same as a look at every entry, and never one that does not fit."""

import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from corpora import REPEAT_ZIP, answers, write_zip

from saturi.etl.corpus.discover import discover
from saturi.etl.corpus.layout import Layout
from saturi.etl.corpus.scan import Scan, scan
from saturi.etl.errors import ArchiveError
from saturi.etl.pipeline.reading import scan_rules
from saturi.etl.settings.options import BuildOptions


def _scan(archive: Path, stage: Path | None, **options: Any) -> Scan:
    return scan(discover([archive]).archives[0], scan_rules(BuildOptions(**options)), stage)


def _layouts(stage: Path) -> list[Path]:
    return sorted(stage.glob("*/*.layout"))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return an archive of forty label files and a transcript."""
    return write_zip(tmp_path / "corpus" / REPEAT_ZIP, [*answers(40), ("a.txt", b"")])


def _rewrite(path: Path, layout: Layout) -> None:
    content = msgspec.json.encode(layout)
    path.write_bytes(b"%08x\n" % zlib.crc32(content) + content)


def _read(path: Path) -> Layout:
    return msgspec.json.decode(path.read_bytes().partition(b"\n")[2], type=Layout)


def test_a_layout_is_found_again(archive: Path, tmp_path: Path) -> None:
    """A scan with a layout tells what one without tells; and it is the layout that it tells."""
    stage = tmp_path / "stage"
    looked = _scan(archive, None)
    assert looked.transcripts == 1
    assert [_scan(archive, stage), _scan(archive, stage)] == [looked, looked]
    [path] = _layouts(stage)
    _rewrite(path, msgspec.structs.replace(_read(path), transcripts=7))
    assert _scan(archive, stage).transcripts == 7


def test_a_layout_that_is_not_whole(archive: Path, tmp_path: Path) -> None:
    """A layout of which a byte is changed or missing is not used, and made anew."""
    stage = tmp_path / "stage"
    looked = _scan(archive, stage)
    [path] = _layouts(stage)
    whole = path.read_bytes()
    damaged = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(0, len(whole), 5)]
    for content in (b"", whole[:-1], bytes(len(whole)), *damaged):
        path.write_bytes(content)
        assert _scan(archive, stage) == looked
        assert path.read_bytes() == whole


def test_the_layout_of_another(archive: Path, tmp_path: Path) -> None:
    """A layout that lies where another's should is not used, and the right one takes its place."""
    stage = tmp_path / "stage"
    other = write_zip(tmp_path / "other" / REPEAT_ZIP, answers(50))
    looked = _scan(archive, stage)
    [path] = _layouts(stage)
    whole = path.read_bytes()
    _scan(other, stage)
    [foreign] = set(_layouts(stage)) - {path}
    path.write_bytes(foreign.read_bytes())
    assert _scan(archive, stage) == looked
    assert path.read_bytes() == whole


def test_another_archive_has_another_layout(archive: Path, tmp_path: Path) -> None:
    """An archive with one more entry, or in front of which something was put, is looked at."""
    stage = tmp_path / "stage"
    _scan(archive, stage)
    write_zip(archive, answers(41))
    assert _scan(archive, stage) == _scan(archive, None)
    archive.write_bytes(b"junk" + archive.read_bytes())
    assert _scan(archive, stage) == _scan(archive, None)
    assert len(_layouts(stage)) == 3


def test_other_limits(archive: Path, tmp_path: Path) -> None:
    """What decides how entries fall into batches decides which layout is used, and --max-entries is obeyed all the same."""
    stage = tmp_path / "stage"
    _scan(archive, stage)
    assert _scan(archive, stage, max_member_bytes=100) == _scan(archive, None, max_member_bytes=100)
    for where in (stage, None):
        assert _scan(archive, where, max_entries=41).label_files == 40
        with pytest.raises(ArchiveError, match="more than 40 entries"):
            _scan(archive, where, max_entries=40)
