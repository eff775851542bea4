"""Sealed tables: what a task hands on to another is whole, or is seen not to be."""

from pathlib import Path

import polars as pl
import pytest
from msgspec import Struct

from saturi.etl.errors import StorageError
from saturi.etl.select.sealed import is_sealed, read_facts, read_table, write_sealed

TABLE = pl.DataFrame({"row": [1, 2, 3], "text": ["가", None, "나\n다"]}, schema={"row": pl.UInt32, "text": pl.String})


class _Facts(Struct):
    names: list[str]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sealed file with table and facts."""
    write_sealed(tmp_path / "some.ipc", TABLE, _Facts(["하나\n", '"']))
    return tmp_path / "some.ipc"


def test_what_was_written_is_read(path: Path) -> None:
    """Table, columns of it, and facts come back as they were."""
    assert is_sealed(path)
    assert read_table(path).equals(TABLE)
    assert read_table(path, ["text"]).equals(TABLE.select("text"))
    assert read_facts(path, _Facts) == _Facts(["하나\n", '"'])


def test_facts_alone(tmp_path: Path) -> None:
    """A file may have facts and an empty table."""
    write_sealed(tmp_path / "facts", pl.DataFrame(), _Facts([]))
    assert is_sealed(tmp_path / "facts")
    assert read_facts(tmp_path / "facts", _Facts) == _Facts([])


def test_a_file_cut_anywhere(path: Path) -> None:
    """However much a power cut has left of a file, it is not taken for a whole one, and reading it is an error that names it."""
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert not is_sealed(path)
    with pytest.raises(
        StorageError, match=r"some\.ipc: has been damaged since it was written; run the same command again"
    ):
        read_table(path)


def test_a_byte_changed_anywhere(path: Path) -> None:
    """A byte that is another one is noticed, wherever it is."""
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert not is_sealed(path)


def test_no_file(tmp_path: Path) -> None:
    """A file that is not there is not sealed, and reading it is an error that names it."""
    assert not is_sealed(tmp_path / "none.ipc")
    with pytest.raises(StorageError, match=r"none\.ipc: cannot be read any more"):
        read_facts(tmp_path / "none.ipc", _Facts)
