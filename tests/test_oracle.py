"""A build beside the naive recipe: the same lines from the same label files, and the difference told by name."""

import json
from collections import Counter
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from oracle import Key, NaiveLines, label_files, line_of, mended, pairs_of_label
from oracle import naive_lines as read_naive_lines
from runs import chunks_of, lines_of, one_thread, rejects_of

from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions
from saturi.etl.synthetic.conversations import CONVERSATIONS
from saturi.etl.synthetic.corpus import SampleReport
from saturi.schemas.terms import Dedup, Source, SpeechType, Unit

ALL_TYPES = tuple(SpeechType)
VARIANTS = [
    pytest.param((unit, source), id=f"{unit}-{source}", marks=() if one == other else pytest.mark.thorough)
    for one, unit in enumerate(Unit)
    for other, source in enumerate(Source)
]
"""Units and sources; by default each of both once."""


@pytest.fixture(scope="module", params=VARIANTS)
def variant(
    request: pytest.FixtureRequest, sample: SampleReport, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Unit, Source, Path]:
    """A build of the sample that mends no text and leaves out nothing but blank pairs: its unit, its source, its folder."""
    unit, source = request.param
    out = tmp_path_factory.mktemp("variant") / "out"
    options = BuildOptions(unit=unit, source=source, clean=False, dedup=Dedup.NONE, validation=0, speech_type=ALL_TYPES)
    stage = tmp_path_factory.getbasetemp() / "oracle-stage"
    build([sample.folder], out, options, stage=stage, make_executor=one_thread)
    return unit, source, out


@cache
def naive_lines(corpus: Path, unit: str = "file", source: str = "pronunciation") -> NaiveLines:
    """Return what the naive recipe makes of *corpus*; read once."""
    return read_naive_lines(corpus, unit, source)


@cache
def _mended_files(corpus: Path) -> dict[Key, bytes]:
    """Return, as they should be, the label files with a loose comma, a byte order mark, or NULs at the end."""
    found = {}
    for key, content in label_files(corpus):
        if isinstance(content, bytes) and content.startswith((b"{", b"\xef\xbb\xbf")):
            document = mended(content)
            if document != content and document.endswith(b"}"):
                found[key] = document
    return found


def test_the_lines_are_those_of_the_naive_recipe(sample: SampleReport, variant: tuple[Unit, Source, Path]) -> None:
    """A build writes every line of the naive recipe, and beyond them only those of the label files it mended."""
    unit, source, out = variant
    naive = naive_lines(sample.folder, unit, source)
    extra = [
        line_of(spoken, meant)
        for document in _mended_files(sample.folder).values()
        for _, spoken, meant in pairs_of_label(json.loads(document, strict=False), unit, source)
    ]
    built = Counter(lines_of(out))
    expected = Counter(line for _, line in naive.lines)
    assert built.total() > len(extra) >= 4
    assert built - expected == Counter(extra)
    assert expected - built == Counter()


def test_the_difference_by_name(sample: SampleReport, variant: tuple[Unit, Source, Path]) -> None:
    """What the naive recipe cannot read is either rejected, or one of the four files that are mended, or of 2020."""
    unit, source, out = variant
    naive = naive_lines(sample.folder, unit, source)
    lineage = pl.read_parquet(out / "lineage.parquet")
    built = set(lineage.select("archive", "member").iter_rows())
    mended_files = set(_mended_files(sample.folder))
    rejected = {(row["archive"], row["member"]) for row in rejects_of(out)}
    assert len(mended_files) == 4 + CONVERSATIONS
    assert naive.unread.keys() - rejected == mended_files
    assert built - {key for key, _ in naive.lines} == mended_files
    assert not rejected & built
    assert rejected <= naive.unread.keys()


def test_the_naive_errors(sample: SampleReport) -> None:
    """A byte order mark, as 2020 has it, NULs and loose commas all stop `json.load`, as do the nine broken label files."""
    unread = Counter(naive_lines(sample.folder).unread.values())
    assert unread == {
        "JSONDecodeError": 6 + CONVERSATIONS,
        "UnicodeDecodeError": 1,
        "TypeError": 1,
        "KeyError": 1,
        "AttributeError": 1,
        "BadZipFile": 1,
        "error": 1,
        "RuntimeError": 1,
    }


def test_the_lines_keep_their_order(sample: SampleReport, variant: tuple[Unit, Source, Path]) -> None:
    """Within a shard, lines follow the archives by name, the label files as they lie there, and the sentences as spoken."""
    _, _, out = variant
    position = {
        key: place for place, (key, _) in enumerate(sorted(label_files(sample.folder), key=lambda item: item[0][0]))
    }
    lineage = pl.read_parquet(out / "lineage.parquet")
    for path, lines in chunks_of(out).items():
        rows = lineage.filter(pl.col("chunk") == path)
        places = [
            (position[archive, name], number or 0)
            for archive, name, number in rows.select("archive", "member", "sentence").iter_rows()
        ]
        assert len(places) == len(lines)
        assert places == sorted(places)
