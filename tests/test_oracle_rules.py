"""A build beside the oracle of the rules: the same utterances left out for the same reasons, the same lines in the same order."""

import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from corpora import Member, member, sentences, stem, write_zip
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st
from oracle_rules import Row, in_shard_order, line_of, select, shard_name
from runs import chunks_of, manifest_of, one_thread

from saturi.etl.pipeline.build import build
from saturi.etl.select import limits, selection
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import DropReason

_TEXTS = ["가", "나 다", "가나다라 마바", "네", "예 예 예", "어데 가노", "", " ", "x" * 90, "긴 말 " * 12]
_pairs = st.tuples(st.sampled_from(_TEXTS), st.sampled_from(_TEXTS))
_codes = st.sampled_from(["gs", "jj", "cc"])


def _member(kind: str, code: str, speakers: list[int], prompt: int, pairs: list[tuple[str, str]]) -> Member:
    heard = "+".join(map(str, speakers if kind == "talk" else speakers[:1]))
    name = stem(kind, heard, prompt, code=code)
    return member(name, "", "", province=code, transcription=sentences(*pairs))


_members = st.builds(
    _member,
    st.sampled_from(["st", "st", "say", "talk"]),
    _codes,
    st.lists(st.integers(1, 5), min_size=2, max_size=2, unique=True),
    st.integers(1, 3),
    st.lists(_pairs, min_size=1, max_size=4),
)
_SPLITS_BY = ["script", "speaker", "script,speaker"]
_archives = st.lists(st.lists(_members, min_size=1, max_size=14), min_size=1, max_size=3)
_options = st.fixed_dictionaries(
    {
        "unit": st.sampled_from(["sentence", "sentence", "file"]),
        "clean": st.just(value=False),
        "speech_type": st.sampled_from([("repeat", "answer", "dialogue"), ("repeat", "answer")]),
        "system_prompt": st.sampled_from(["", "{region} 말을 {speech_type} {{표준어}}로"]),
    },
    optional={
        "direction": st.just("to-dialect"),
        "region": st.just(("gyeongsang", "jeju")),
        "paraphrase": st.just(("{region}?", "다른 말로")),
        "identical": st.sampled_from(["drop", 0.5]),
        "min_words": st.just(2),
        "max_words": st.just(3),
        "min_chars": st.just(2),
        "max_chars": st.just(20),
        "max_length_ratio": st.sampled_from([1.0, 2.5]),
        "dedup": st.sampled_from(["source", "none"]),
        "conflicts": st.sampled_from(["majority", "drop"]),
        "max_per_script": st.sampled_from([1, 2]),
        "speaker_max": st.sampled_from([1, 3]),
        "balance": st.sampled_from(["region", "speech_type", "region:4", "speech_type:3"]),
        "sample": st.sampled_from([1, 7]),
        "sample_per_shard": st.sampled_from([1, 3]),
        "shard_by": st.sampled_from(["region", "speech_type", "split"]),
        "max_chunk_bytes": st.just(260),
    },
)
_splits = st.one_of(
    st.fixed_dictionaries({"validation": st.sampled_from([0, 0.3, 0.6]), "split_by": st.sampled_from(_SPLITS_BY)}),
    st.fixed_dictionaries({"validation": st.sampled_from([0.1, 0.3]), "min_validation": st.sampled_from([1, 3, 50])}),
)


def _write(folder: Path, archives: list[list[Member]]) -> Path:
    """Write *archives* whose names tell nothing, and members of one name only once in each."""
    for number, members in enumerate(archives):
        write_zip(folder / f"라벨 {number}.zip", dict(members).items())
    return folder


def _check(corpus: Path, out: Path, given: dict[str, Any], stage: Path | None = None) -> list[Row]:
    """Build *corpus*, compare all there is with the oracle, and return what the oracle says."""
    options = BuildOptions(**given)
    build([corpus], out, options, stage=stage, make_executor=one_thread)
    manifest = manifest_of(out)
    rows = select(corpus, manifest["options"])
    dropped = Counter(row.reason for row in rows if row.reason is not None)
    assert manifest["counts"]["dropped"] == dropped
    assert manifest["counts"]["utterances"] == len(rows)
    by_shard: dict[str, dict[str, int]] = {}
    for row in rows:
        if row.reason is not None and row.split is not None:
            counts = by_shard.setdefault(shard_name(row, manifest["options"]), {})
            counts[row.reason] = counts.get(row.reason, 0) + 1
    dropped_by_shard = {
        f"{s['split']}/{s['region']}-{s['speech_type']}": s["dropped"] for s in manifest["shards"] if s["dropped"]
    }
    assert dropped_by_shard == by_shard
    lines: dict[str, list[bytes]] = {}
    for row in in_shard_order(row for row in rows if row.reason is None):
        lines.setdefault(shard_name(row, manifest["options"]), []).append(line_of(row, manifest["options"]))
    built: dict[str, list[bytes]] = {}
    for path, chunk in chunks_of(out).items():
        built.setdefault(path.removeprefix("chunks/").rpartition("-")[0], []).extend(chunk)
    assert built == lines
    return rows


@examples(20)
@given(_archives, _options, _splits, st.sampled_from([1, 5, selection.STRETCH_UTTERANCES]))
def test_any_build_is_as_the_oracle_says(
    archives: list[list[Member]], options: dict[str, Any], split: dict[str, Any], stretch: int
) -> None:
    """Whatever corpus, options and stretches, every utterance is kept or dropped as the oracle says, and lines are the same."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "STRETCH_UTTERANCES", stretch)
        patch.setattr(limits, "PART_ROWS", stretch)
        _check(_write(Path(folder, "corpus"), archives), Path(folder, "out"), options | split)


EVERY_OPTION: dict[str, Any] = {
    "unit": "sentence",
    "clean": False,
    "speech_type": ("repeat", "answer"),
    "region": ("gyeongsang", "jeju"),
    "identical": 0.5,
    "min_words": 2,
    "max_words": 6,
    "min_chars": 4,
    "max_chars": 40,
    "max_length_ratio": 5,
    "conflicts": "majority",
    "max_per_script": 1,
    "speaker_max": 4,
    "balance": "region",
    "sample": 20,
    "validation": 0.3,
    "split_by": "script,speaker",
    "max_chunk_bytes": 180,
    "system_prompt": "{region}",
}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """A corpus in which every rule finds something to leave out: of 1,200 label files, or of 600 by default."""
    rng = random.Random(21)
    words = [f"{a}{b}" for a in "가나다" for b in "는도를"]

    def pair() -> tuple[str, str]:
        text = " ".join(rng.choices(words, k=rng.choice([1, 2, 2, 2, 2, 3, 7])))
        meant = rng.choice(
            [text, text + " 요", text + " 네", "두 말", "", "네 네", "맞 " + "맞" * 20, "ᆞ " + "ᆞ" * 30, "ᆞ " + "ᆞ" * 45]
        )
        return rng.choice([text, text, text, "", "네"]), meant

    archives = [
        [
            _member(
                rng.choice(["st", "say", "say", "talk"]),
                rng.choice(["gs", "gs", "jj", "cc"]),
                rng.sample(range(1, 9), 2),
                rng.randrange(1, 5),
                [pair() for _ in range(rng.randrange(1, 5))],
            )
            for _ in range(400 if pytestconfig.getoption("--thorough") else 200)
        ]
        for _ in range(3)
    ]
    return _write(tmp_path_factory.mktemp("large") / "corpus", archives)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stage of that corpus, filled by the first build with it."""
    return tmp_path_factory.mktemp("large") / "stage"


@pytest.mark.parametrize("stretch", [selection.STRETCH_UTTERANCES, 100])
def test_every_rule_leaves_something_out(
    large: Path, stage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stretch: int
) -> None:
    """With every option in force each reason occurs, but for those of cleaning and of the official split."""
    monkeypatch.setattr(selection, "STRETCH_UTTERANCES", stretch)
    monkeypatch.setattr(limits, "PART_ROWS", stretch)
    rows = _check(large, tmp_path / "out", EVERY_OPTION, stage)
    elsewhere = {"personal_data", "unclear", "markup", "no_official_split"}
    assert {row.reason for row in rows} == {None, *DropReason} - elsewhere
    assert sum(row.reason is None for row in rows) == 20


VARIANTS: dict[str, dict[str, Any]] = {
    "sources-once": {"dedup": "source"},
    "duplicates-stay": {"dedup": "none"},
    "no-conflicts": {"conflicts": "drop"},
    "to-dialect": {"direction": "to-dialect", "paraphrase": ("가", "{speech_type}")},
    "merged-regions": {"shard_by": "speech_type"},
    "merged-all": {"shard_by": "split", "sample_per_shard": 20},
    "speech-types-balanced": {"balance": "speech_type:10", "sample": None},
    "files": {"unit": "file"},
    "by-scripts": {"split_by": "script"},
    "by-speakers": {"split_by": "speaker"},
    "the-least-held-out": {"split_by": "script", "validation": 0.01, "min_validation": 25},
    "the-least-of-sources": {"split_by": "script", "validation": 0.01, "min_validation": 25, "dedup": "source"},
}


@pytest.mark.parametrize("changed", VARIANTS.values(), ids=VARIANTS)
def test_a_corpus_with_everything(large: Path, stage: Path, tmp_path: Path, changed: dict[str, Any]) -> None:
    """A corpus in which every rule has work to do is selected from as the oracle says, in many ways."""
    _check(large, tmp_path / "out", EVERY_OPTION | {"max_chunk_bytes": 400} | changed, stage)
