"""Folders that aihubshell left half merged: parts whose offsets are whole are joined, and everything else stays."""

import json
import os
from pathlib import Path

import pytest
from aihub import PART_BYTES, zip_bytes
from click.testing import CliRunner
from runs import tree_of

from saturi.etl.console.dispatch import cli
from saturi.etl.corpus.discover import discover
from saturi.etl.download.repair import repair
from saturi.etl.errors import MissingPathError, OptionError
from saturi.schemas.fetch import RepairedArchive

NAME = "TL_02._경상도_02._1인발화_질문에답하기.zip"


@pytest.fixture
def content() -> bytes:
    """A zip of three parts."""
    return zip_bytes(8, 2 * PART_BYTES)


def _write_parts(folder: Path, content: bytes) -> dict[str, bytes]:
    """Write *content* as parts, as aihubshell does, and return them."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {f"{NAME}.part{at}": content[at : at + PART_BYTES] for at in range(0, len(content), PART_BYTES)}
    for name, data in parts.items():
        (folder / name).write_bytes(data)
    return parts


@pytest.mark.parametrize("there", [None, b"", b"PK\x03\x04 half"], ids=["no-zip", "empty-zip", "half-merged"])
def test_parts_that_are_whole(tmp_path: Path, content: bytes, there: bytes | None) -> None:
    """Parts that follow one another are joined; they stay, and so do the bytes of a zip that was half merged."""
    parts = _write_parts(tmp_path / "x", content)
    if there is not None:
        (tmp_path / "x" / NAME).write_bytes(there)
    [row] = repair(tmp_path / "x")
    assert (row.path, row.state) == (NAME, "joined")
    assert ("empty or half-merged" in row.detail) == (there is not None)
    aside = {f"{NAME}.broken": there} if there else {}
    assert tree_of(tmp_path / "x") == parts | {NAME: content} | aside
    [archive] = discover(tmp_path / "x").archives
    assert archive.name == NAME
    before = tree_of(tmp_path / "x")
    assert [row.state for row in repair(tmp_path / "x")] == ["whole"]
    assert tree_of(tmp_path / "x") == before


SPOILT = {
    "gap": (lambda parts: parts.pop(sorted(parts, key=len)[1]), "is missing"),
    "no-beginning": (lambda parts: parts.pop(f"{NAME}.part0"), "part0 is missing"),
    "no-end": (lambda parts: parts.popitem(), "no whole zip"),
    "short-end": (lambda parts: parts.update({next(reversed(parts)): b"PK"}), "no whole zip"),
    "short": (lambda parts: parts.update({next(iter(parts)): b"PK"}), "is missing or incomplete"),
}


@pytest.mark.parametrize(("spoil", "words"), SPOILT.values(), ids=SPOILT)
def test_parts_that_are_not_whole(tmp_path: Path, content: bytes, spoil: object, words: str) -> None:
    """Where a part is missing or short, that is told, and nothing is written."""
    assert callable(spoil)
    parts = _write_parts(tmp_path / "x", content)
    spoil(parts)
    for path in (tmp_path / "x").iterdir():
        path.unlink()
    for name, data in (parts | {NAME: b""}).items():
        (tmp_path / "x" / name).write_bytes(data)
    before = tree_of(tmp_path)
    [row] = repair(tmp_path / "x")
    assert row.state == "incomplete"
    assert words in row.detail
    assert tree_of(tmp_path) == before


def test_a_zip_merged_in_another_order(tmp_path: Path, content: bytes) -> None:
    """A zip whose directory is whole, and whose parts are in another order, is joined anew; its bytes stay beside it."""
    parts = _write_parts(tmp_path / "x", content)
    first, second, *others = parts.values()
    (tmp_path / "x" / NAME).write_bytes(merged := b"".join([second, first, *others]))
    [row] = repair(tmp_path / "x")
    assert (row.state, "another order" in row.detail) == ("joined", True)
    assert tree_of(tmp_path / "x") == parts | {NAME: content, f"{NAME}.broken": merged}


def test_a_zip_beside_parts_of_another(tmp_path: Path, content: bytes) -> None:
    """A whole zip beside parts of other bytes stays, whether they could be joined or not; so do they."""
    parts = _write_parts(tmp_path / "x", content)
    (tmp_path / "x" / NAME).write_bytes(zip_bytes(3))
    for gone in ([], [f"{NAME}.part0"]):
        for name in gone:
            (tmp_path / "x" / name).unlink()
        [row] = repair(tmp_path / "x")
        assert (row.state, "keep both" in row.detail) == ("incomplete", True)
        assert tree_of(tmp_path / "x") == {name: parts[name] for name in parts if name not in gone} | {
            NAME: zip_bytes(3)
        }


def test_after_a_kill(tmp_path: Path, content: bytes) -> None:
    """Killed while it joined, the next run goes on: what was half written is removed, and what was moved counts."""
    parts = _write_parts(tmp_path / "x", content)
    (tmp_path / "x" / NAME).write_bytes(b"half")
    (tmp_path / "x" / f"{NAME}.broken").hardlink_to(tmp_path / "x" / NAME)
    (tmp_path / "x" / f".{NAME}.0123abcd.tmp").write_bytes(b"PK")
    mine = {".y.zip.0123abcd.tmp": b"of another"}
    (tmp_path / "x" / ".y.zip.0123abcd.tmp").write_bytes(b"of another")
    [row] = repair(tmp_path / "x")
    assert row.state == "joined"
    assert tree_of(tmp_path / "x") == parts | mine | {NAME: content, f"{NAME}.broken": b"half"}


@pytest.mark.parametrize("kind", ["folder", "link", "link-to-nothing", "pipe"])
def test_no_plain_file(tmp_path: Path, content: bytes, kind: str) -> None:
    """What is no plain file and has the name of a zip stays, and other zips are joined."""
    for folder in ("x", "x/y"):
        _write_parts(tmp_path / folder, content)
    path, target = tmp_path / "x" / NAME, tmp_path / "target"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(target)
        if kind == "link":
            target.write_bytes(b"half")
    rows = {row.path: row for row in repair(tmp_path / "x")}
    assert (rows[NAME].state, "no plain file" in rows[NAME].detail) == ("incomplete", True)
    assert rows[f"y/{NAME}"].state == "joined"
    assert path.is_dir() == (kind == "folder")
    assert path.is_fifo() == (kind == "pipe")
    assert path.is_symlink() == kind.startswith("link")
    assert not (tmp_path / "x" / f"{NAME}.broken").exists()


def test_what_stands_in_the_way(tmp_path: Path, content: bytes) -> None:
    """Where the bytes of a broken zip would take the place of others, nothing is moved."""
    _write_parts(tmp_path / "x", content)
    (tmp_path / "x" / NAME).write_bytes(b"half")
    (tmp_path / "x" / f"{NAME}.broken").write_bytes(b"mine")
    before = tree_of(tmp_path)
    [row] = repair(tmp_path / "x")
    assert (row.state, "is there already" in row.detail) == ("incomplete", True)
    assert tree_of(tmp_path) == before


def test_other_files_stay(tmp_path: Path, content: bytes) -> None:
    """Whole zips, numbered parts, shadows of a Mac, and folders of ours are left alone."""
    (tmp_path / "x" / "ours").mkdir(parents=True)
    (tmp_path / "x" / "a.zip").write_bytes(content)
    (tmp_path / "x" / "b.zip.001").write_bytes(content)
    (tmp_path / "x" / f"._{NAME}.part0").write_bytes(b"x")
    (tmp_path / "x" / "ours" / ".saturi").write_bytes(b"")
    (tmp_path / "x" / "ours" / f"{NAME}.part0").write_bytes(content)
    before = tree_of(tmp_path)
    assert repair(tmp_path / "x") == []
    assert tree_of(tmp_path) == before


def test_the_command(tmp_path: Path, content: bytes) -> None:
    """The command tells of each zip, ends with 1 where one is incomplete, and needs no key."""
    _write_parts(tmp_path / "a", content)
    repairing = ["fetch", "--repair", str(tmp_path)]
    run = CliRunner().invoke(cli, [*repairing, "--json"])
    assert run.exit_code == 0, run.stderr
    [row] = [RepairedArchive(**row) for row in json.loads(run.stdout)["archives"]]
    assert row.path == f"a/{NAME}"
    (tmp_path / "a" / f"{NAME}.part0").unlink()
    (tmp_path / "a" / NAME).write_bytes(b"")
    run = CliRunner().invoke(cli, repairing)
    assert run.exit_code == 1
    assert "incomplete: an empty or half-merged zip beside its parts; the parts do not follow one another" in run.stdout
    assert "no such folder" in str(CliRunner().invoke(cli, [*repairing[:2], str(tmp_path / "x")]).exception)


def test_no_folder(tmp_path: Path) -> None:
    """What is no folder is refused."""
    with pytest.raises(MissingPathError):
        repair(tmp_path / "x")
    with pytest.raises(OptionError):
        repair("")
