"""Chunks: where they end, and what a shard looks like on disk when it is written."""

import hashlib
import json
import tempfile
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st

from saturi.etl.corpus.groups import Section
from saturi.etl.errors import PromiseError
from saturi.etl.example.limits import FEWEST_EXAMPLES
from saturi.etl.write.chunk import ChunkCaps, ChunkCutter, lines_to_move
from saturi.etl.write.lineage import LINEAGE, LineOrigin
from saturi.etl.write.shard import ShardWriter
from saturi.schemas.terms import Region, SpeechType, Split

_SECTION = Section(Region.JEJU, SpeechType.ANSWER)
_HANGUL = "혼저 옵서예\n".encode()


def _place(lengths: list[int], max_bytes: int, max_examples: int | None = None) -> list[int]:
    cutter = ChunkCutter(ChunkCaps(max_bytes, max_examples))
    return [cutter.place(length) for length in lengths]


@pytest.mark.parametrize(
    ("lengths", "max_bytes", "max_examples", "chunks"),
    [
        pytest.param([], 10, None, [], id="no-line"),
        pytest.param([1], 10, None, [0], id="one-line"),
        pytest.param([10], 10, None, [0], id="exactly-the-cap"),
        pytest.param([4, 6], 10, None, [0, 0], id="two-exactly"),
        pytest.param([4, 7], 10, None, [0, 1], id="two-one-byte-over"),
        pytest.param([10, 10, 1], 10, None, [0, 1, 2], id="each-full"),
        pytest.param([1, 1, 1], 1, None, [0, 1, 2], id="cap-of-one-byte"),
        pytest.param([1] * 5, 100, 1, [0, 1, 2, 3, 4], id="one-example-each"),
        pytest.param([1] * 5, 100, 2, [0, 0, 1, 1, 2], id="two-examples-each"),
        pytest.param([3] * 5, 7, 3, [0, 0, 1, 1, 2], id="bytes-before-examples"),
        pytest.param([len(_HANGUL)] * 3, 2 * len(_HANGUL), None, [0, 0, 1], id="hangul-counts-in-bytes"),
        pytest.param([len(_HANGUL)] * 3, 2 * len(_HANGUL) - 1, None, [0, 1, 2], id="hangul-one-byte-less"),
    ],
)
def test_chunks_end_at_their_cap(
    lengths: list[int], max_bytes: int, max_examples: int | None, chunks: list[int]
) -> None:
    """A chunk ends before the line that would bring it over a cap."""
    assert _place(lengths, max_bytes, max_examples) == chunks


@given(st.integers(1, 70), st.none() | st.integers(1, 12), st.data())
@examples(200)
def test_no_chunk_is_over_a_cap_or_empty(max_bytes: int, max_examples: int | None, data: st.DataObject) -> None:
    """Chunks follow one another without a gap, keep to both caps, and are as full as the next line allows."""
    lengths = data.draw(st.lists(st.integers(1, max_bytes), max_size=80))
    placed = _place(lengths, max_bytes, max_examples)
    count = placed[-1] + 1 if placed else 0
    chunks = [
        [length for length, chunk in zip(lengths, placed, strict=True) if chunk == number] for number in range(count)
    ]
    assert [length for chunk in chunks for length in chunk] == lengths
    for chunk in chunks:
        assert chunk
        assert sum(chunk) <= max_bytes
        assert max_examples is None or len(chunk) <= max_examples
    for chunk, after in pairwise(chunks):
        assert sum(chunk) + after[0] > max_bytes or len(chunk) == max_examples


@pytest.mark.parametrize(
    ("before", "before_examples", "last", "max_bytes", "max_examples", "moved"),
    [
        pytest.param([5] * 19, 19, [5], 1_000, None, 9, id="one-line-takes-nine"),
        pytest.param([5] * 18, 18, [5], 1_000, None, 0, id="the-one-before-would-have-too-few"),
        pytest.param([5] * 18, 18, [5] * 2, 1_000, None, 8, id="both-have-exactly-enough"),
        pytest.param([5] * 12, 12, [5] * 9, 1_000, None, 1, id="one-is-lacking"),
        pytest.param([5] * 12, 12, [5] * 10, 1_000, None, 0, id="exactly-enough"),
        pytest.param([5] * 12, 12, [5] * 11, 1_000, None, 0, id="one-more-than-enough"),
        pytest.param([5] * 9, 500, [5], 1_000, None, 9, id="only-the-end-is-known"),
        pytest.param([5] * 19, 19, [5], 50, None, 9, id="exactly-the-cap"),
        pytest.param([5] * 19, 19, [5], 49, None, 0, id="one-byte-over"),
        pytest.param([90] * 10 + [5] * 9, 19, [5], 50, None, 9, id="only-the-lines-moved-count"),
        pytest.param([5] * 19, 19, [5], 1_000, 10, 9, id="ten-examples-allowed"),
        pytest.param([5] * 9, 9, [5], 1_000, 9, 0, id="nine-examples-allowed"),
        pytest.param([len(_HANGUL)] * 19, 19, [len(_HANGUL)], 10 * len(_HANGUL), None, 9, id="hangul-exactly"),
        pytest.param(
            [len(_HANGUL)] * 19, 19, [len(_HANGUL)], 10 * len(_HANGUL) - 1, None, 0, id="hangul-one-byte-over"
        ),
    ],
)
def test_a_small_last_chunk_takes_what_it_lacks(
    before: list[int], before_examples: int, last: list[int], max_bytes: int, max_examples: int | None, moved: int
) -> None:
    """The last chunk takes the lines it lacks for ten, or none where either chunk would then be against a rule."""
    assert lines_to_move(before, before_examples, last, ChunkCaps(max_bytes, max_examples)) == moved


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=30),
    st.integers(0, 100),
    st.lists(st.integers(1, 40), min_size=1, max_size=15),
    st.integers(40, 500),
    st.none() | st.integers(1, 30),
)
@examples(200)
def test_moving_lines_breaks_no_rule(
    before: list[int], more: int, last: list[int], max_bytes: int, max_examples: int | None
) -> None:
    """Lines move only where both chunks then have ten or more, and the last one keeps to its caps."""
    examples = len(before) + (more if len(before) >= 9 else 0)
    moved = lines_to_move(before, examples, last, ChunkCaps(max_bytes, max_examples))
    if moved:
        assert examples - moved >= FEWEST_EXAMPLES
        assert len(last) + moved == FEWEST_EXAMPLES
        assert max_examples is None or len(last) + moved <= max_examples
        assert sum(before[-moved:]) + sum(last) <= max_bytes


class _Shard:
    """
    A shard written to *folder*.

    Args:
        cuts: Where the lines are cut into those that are added together.
    """

    def __init__(self, folder: Path, lines: list[bytes], cuts: Iterable[int], caps: tuple[int, int | None]) -> None:
        self.folder = folder
        self.writer = ShardWriter(Split.TRAIN, _SECTION, folder, ChunkCaps(*caps))
        self.taken = list(enumerate(lines))
        origins = [_origin(number) for number in range(len(lines))]
        for start, stop in pairwise([0, *sorted(cuts), len(lines)]):
            self.writer.add(lines[start:stop], origins[start:stop])

    @property
    def contents(self) -> list[list[bytes]]:
        """The lines of every chunk on disk, by name."""
        files = sorted(self.folder.glob("chunks/*/*"))
        return [file.read_bytes().splitlines(keepends=True) for file in files]

    @property
    def lineage(self) -> pl.DataFrame:
        frames = [pl.read_ipc(Path(part).read_bytes()) for part in self.writer.lineage.parts]
        return pl.concat([LINEAGE.to_frame(), *frames])

    def check(self) -> None:
        """Compare rows, counts, checksums and lineage with the files."""
        rows, lineage = self.writer.chunks, self.lineage
        files = {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in self.folder.glob("chunks/*/*")}
        assert [row.path for row in rows] == sorted(files)
        assert [row.path for row in rows] == [
            f"chunks/train/jeju-answer-{number:05d}.jsonl" for number in range(len(rows))
        ]
        for row in rows:
            content = files[row.path]
            facts = (len(content), content.count(b"\n"), hashlib.sha256(content).hexdigest())
            assert (row.bytes, row.examples, row.sha256) == facts
            assert (row.split, row.region, row.speech_type) == ("train", "jeju", "answer")
            assert row.tokens == lineage.filter(pl.col("chunk") == row.path)["tokens"].sum()
        assert b"".join(files[row.path] for row in rows) == b"".join(line for _, line in self.taken)
        assert lineage.schema == LINEAGE
        assert lineage.height == len(self.taken)
        for (number, line), origin in zip(self.taken, lineage.iter_rows(named=True), strict=True):
            assert (origin["archive"], origin["member"], origin["sentence"], origin["tokens"]) == _origin(number)
            assert files[origin["chunk"]].splitlines(keepends=True)[origin["line"] - 1] == line


def _line(number: int, length: int = 0) -> bytes:
    return json.dumps(f"{number} 옵서{'.' * length}", ensure_ascii=False).encode() + b"\n"


def _origin(number: int) -> LineOrigin:
    return LineOrigin("가.zip", f"{number}.json", number % 3 or None, number % 7)


@given(
    st.lists(st.integers(0, 30), max_size=60),
    st.lists(st.integers(0, 60), max_size=8),
    st.integers(50, 900),
    st.none() | st.integers(1, 25),
)
@examples(40)
def test_a_shard_is_its_lines(lengths: list[int], cuts: list[int], max_bytes: int, max_examples: int | None) -> None:
    """Chunks joined are the lines in order, none empty or over a cap, however many lines are added at once."""
    lines = [_line(number, length) for number, length in enumerate(lengths)]
    caps = (max_bytes, max_examples)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        shard = _Shard(Path(folder), lines, [min(cut, len(lines)) for cut in cuts], caps)
        shard.writer.finish()
        shard.check()
        for chunk in shard.contents:
            assert chunk
            assert sum(map(len, chunk)) <= max_bytes
            assert max_examples is None or len(chunk) <= max_examples
        at_once = _Shard(Path(other), lines, [], caps)
        at_once.writer.finish()
        assert at_once.writer.chunks == shard.writer.chunks
        assert at_once.lineage.equals(shard.lineage)


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        pytest.param(0, [], id="no-line"),
        pytest.param(1, [1], id="one-line"),
        pytest.param(9, [9], id="a-single-chunk-too-small"),
        pytest.param(20, [20], id="exactly-one-chunk"),
        pytest.param(21, [11, 10], id="one-line-over"),
        pytest.param(29, [19, 10], id="nine-lines-over"),
        pytest.param(30, [20, 10], id="ten-lines-over"),
        pytest.param(61, [20, 20, 11, 10], id="only-the-last-two-change"),
    ],
)
@pytest.mark.parametrize("singly", [False, True])
def test_the_last_chunk_borrows(tmp_path: Path, count: int, sizes: list[int], singly: bool) -> None:
    """A last chunk with fewer than ten examples takes what it lacks from the one before, when that has enough."""
    shard = _Shard(tmp_path, [_line(n) for n in range(count)], range(count) if singly else [], (10_000, 20))
    shard.writer.finish()
    shard.check()
    assert [len(chunk) for chunk in shard.contents] == sizes


@pytest.mark.parametrize(
    ("cap", "sizes"),
    [
        pytest.param(11_100, [11, 10], id="exactly-the-cap"),
        pytest.param(11_099, [20, 1], id="one-byte-over"),
    ],
)
def test_the_last_chunk_borrows_under_the_cap(tmp_path: Path, cap: int, sizes: list[int]) -> None:
    """A last chunk stays small where the lines it lacks would bring it over the cap."""
    lines = [b"a" * 99 + b"\n"] * 11 + [b"b" * 899 + b"\n"] * 9 + [b"c" * 2_999 + b"\n"]
    assert sum(map(len, lines[11:])) == 11_100
    shard = _Shard(tmp_path, lines, [], (cap, None))
    shard.writer.finish()
    shard.check()
    assert [len(chunk) for chunk in shard.contents] == sizes


def test_a_line_over_the_cap_breaks_a_promise(tmp_path: Path) -> None:
    """A line of exactly the cap is written; one byte more should never have come so far, and ends the build."""
    exact = _line(0, 50)
    shard = _Shard(tmp_path, [exact], [], (len(exact), None))
    with pytest.raises(PromiseError, match="over its cap"):
        shard.writer.add([_line(0, 51)], [_origin(0)])
    shard.writer.finish()
    shard.check()
    assert shard.contents == [[exact]]


def test_an_empty_shard_leaves_nothing(tmp_path: Path) -> None:
    """A shard without lines has no chunk, no lineage and no file."""
    shard = _Shard(tmp_path, [], [], (100, None))
    shard.writer.finish()
    shard.writer.discard()
    assert (shard.writer.chunks, shard.writer.lineage.parts, list(tmp_path.iterdir())) == ([], [], [])


@pytest.mark.parametrize(
    ("lines", "finished"),
    [pytest.param(0, 0, id="no-line"), pytest.param(19, 0, id="first-chunk"), pytest.param(70, 2, id="third-chunk")],
)
def test_only_finished_chunks_survive_a_failure(tmp_path: Path, lines: int, finished: int) -> None:
    """When a shard is given up, chunks that were finished keep their names, and of the open one nothing is left."""
    shard = _Shard(tmp_path, [_line(number) for number in range(lines)], [], (10_000, 20))
    shard.writer.discard()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(path.relative_to(tmp_path).as_posix() for path in files) == [row.path for row in shard.writer.chunks]
    assert len(files) == finished
    shard.writer.discard()


def test_lineage_is_saved_in_parts(tmp_path: Path) -> None:
    """The lineage of a long shard goes to disk in several parts, which together have a row for every line."""
    lines = [b"%05d\n" % number for number in range(40_000)]
    shard = _Shard(tmp_path, lines, range(0, 40_000, 1_000), (100_000, None))
    shard.writer.finish()
    assert len(shard.writer.lineage.parts) > 1
    lineage = shard.lineage
    assert lineage["member"].to_list() == [f"{number}.json" for number in range(40_000)]
    files = {row.path: (tmp_path / row.path).read_bytes().split(b"\n") for row in shard.writer.chunks}
    for number, (chunk, line) in enumerate(lineage.select("chunk", "line").iter_rows()):
        assert int(files[chunk][line - 1]) == number
