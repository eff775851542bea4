"""Chunks joined on the fly: any part of them, any number of times, the same bytes as the files one after the other."""

import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saturi.etl.errors import BuildError
from saturi.etl.submission.content import BOM, Content, Digester, Span, locate
from saturi.schemas.ledger import Piece

LINES = st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"") + b"\n"), min_size=1, max_size=8)
CHUNKS = st.lists(LINES, min_size=1, max_size=4)


def make_content(folder: Path, chunks: list[list[bytes]], *, bom: bool = False) -> Content:
    """Return the content of *chunks*, each written to a file of its own."""
    pieces = []
    for number, lines in enumerate(chunks):
        whole = b"".join(lines)
        (folder / f"{number}.jsonl").write_bytes(whole)
        digest = hashlib.sha256(whole).hexdigest()
        pieces.append(Piece(path=f"{number}.jsonl", examples=len(lines), bytes=len(whole), sha256=digest))
    return Content(folder=folder, pieces=tuple(pieces), bom=bom)


@given(chunks=CHUNKS, bom=st.booleans(), most=st.integers(1, 40), block=st.integers(1, 30))
def test_any_part(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[list[bytes]], bom: bool, most: int, block: int
) -> None:
    """Parts are consecutive, none is empty or over the limit, each ends with a line where one fits; joined they are the whole."""
    content = make_content(tmp_path_factory.mktemp("content"), chunks, bom=bom)
    whole = BOM * bom + b"".join(line for lines in chunks for line in lines)
    parts = content.cuts(most)
    read = []
    for start, end in parts:
        with Span(content, start, end) as span:
            read.append(b"".join(iter(lambda span=span: span.read(block), b"")))  # type: ignore[misc]  # bound at once
            assert span.seek(0, io.SEEK_END) == end - start
            span.seek(0)
            assert span.read() == read[-1]
    assert b"".join(read) == whole
    assert all(0 < len(part) <= most for part in read)
    assert all(part.endswith(b"\n") or b"\n" not in part for part in read)
    digester = Digester([content])
    for piece, lines in zip(content.pieces, chunks, strict=True):
        for line in lines:
            digester(piece.path, line)
    assert digester.digests(content) == (
        hashlib.sha256(whole).hexdigest(),
        hashlib.md5(whole, usedforsecurity=False).hexdigest(),
        len(whole),
    )
    assert (content.bytes, content.examples) == (len(whole), sum(map(len, chunks)))


@given(chunks=CHUNKS)
def test_where_a_line_lies(tmp_path_factory: pytest.TempPathFactory, chunks: list[list[bytes]]) -> None:
    """Every line of the whole is led back to its chunk and its line there, and a line past the end to none."""
    content = make_content(tmp_path_factory.mktemp("content"), chunks)
    expected = [(f"{number}.jsonl", line) for number, lines in enumerate(chunks) for line in range(1, len(lines) + 1)]
    assert [locate(content.pieces, line) for line in range(1, content.examples + 1)] == expected
    assert locate(content.pieces, content.examples + 1) is None
    assert locate(content.pieces, 0) is None


def test_a_chunk_that_is_cut_off(tmp_path: Path) -> None:
    """A chunk that is shorter than the manifest says, or gone, is an error and not an early end."""
    content = make_content(tmp_path, [[b"one\n", b"two\n"]])
    (tmp_path / "0.jsonl").write_bytes(b"one\n")
    with pytest.raises(BuildError, match="shorter"), Span(content, 0, content.bytes) as span:
        span.read()
    (tmp_path / "0.jsonl").unlink()
    with pytest.raises(BuildError, match="cannot be read"), Span(content, 0, content.bytes) as span:
        span.read()
