"""The proof of the split: measured on what was written, for any graph of speakers and scripts; and what the official one leaks."""

import itertools
import json
import tempfile
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from corpora import Member, member, sentences, stem, write_zip
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st
from runs import chunks_of, counts_of, invoke, one_thread, pair_in

from saturi.etl.corpus.discover import Corpus
from saturi.etl.errors import PromiseError
from saturi.etl.evaluation.texts import letters as letters_of
from saturi.etl.pipeline.build import build
from saturi.etl.pipeline.manifest import make_manifest
from saturi.etl.select.letters import compared, letters
from saturi.etl.select.tasks import Shared
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import SplitKey

_ALL_TYPES = ("repeat", "answer", "dialogue")
_texts = st.sampled_from(["가", "나", "다 라", "마", "바 사", "아"])


def _recorded(kind: str, code: str, speakers: list[int], prompt: int, pairs: list[tuple[str, str]]) -> Member:
    heard = "+".join(map(str, speakers if kind == "talk" else speakers[:1]))
    return member(stem(kind, heard, prompt, code=code), "", "", province=code, transcription=sentences(*pairs))


_graph = st.lists(
    st.builds(
        _recorded,
        st.sampled_from(["st", "say", "talk"]),
        st.sampled_from(["gs", "jj"]),
        st.lists(st.integers(1, 9), min_size=2, max_size=2, unique=True),
        st.integers(1, 6),
        st.lists(st.tuples(_texts, _texts), min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=40,
)


def _measured(out: Path) -> tuple[dict[str, int], int]:
    """Return what both splits of the build in *out* share, and how many validation examples do, read off its files alone."""
    keys: dict[str, dict[str, set[str]]] = defaultdict(lambda: {"train": set(), "validation": set()})
    for chunk, name in pl.read_parquet(out / "lineage.parquet").select("chunk", "member").iter_rows():
        kind, script_set, _, *rest = name.removesuffix(".json").split("_")
        side = keys["speakers"][chunk.split("/")[1]]
        speakers = [part for part in rest if part.startswith("speaker")]
        side.update(speakers)
        if kind == "st":
            keys["scripts"][chunk.split("/")[1]].add(f"{speakers[0][:9]} {script_set} {rest[1]}")
    pairs = {
        side: [pair_in(line) for lines in chunks_of(out, side).values() for line in lines]
        for side in ("train", "validation")
    }
    for split, found in pairs.items():
        keys["texts"][split] = set(itertools.chain.from_iterable(found))
    shared = {name: both["train"] & both["validation"] for name, both in keys.items()}
    leaking = sum(not shared["texts"].isdisjoint(pair) for pair in pairs["validation"])
    return {name: len(shared.get(name, set())) for name in ("scripts", "speakers", "texts")}, leaking


@examples(16)
@given(
    _graph,
    st.sampled_from([0.05, 0.3, 0.6]),
    st.sampled_from([{}, {"sample": 9, "dedup": "none"}]),
    st.sampled_from([("script",), ("speaker",), ("script", "speaker")]),
)
def test_no_graph_of_speakers_leaks(
    graph: list[Member], share: float, more: dict[str, object], by: tuple[str, ...]
) -> None:
    """However speakers, scripts and texts are woven together, nothing that counts is in both splits; the manifest measures all."""
    with tempfile.TemporaryDirectory() as folder:
        write_zip(Path(folder, "c", "라벨.zip"), dict(graph).items())
        values: dict[str, Any] = {"clean": False, "unit": "sentence", "speech_type": _ALL_TYPES, **more}
        options = BuildOptions(validation=share, split_by=by, **values)  # type: ignore[arg-type]  # plain text, as from outside
        build([Path(folder, "c")], Path(folder, "out"), options, make_executor=one_thread)
        shared, leaking = _measured(Path(folder, "out"))
        counts = counts_of(Path(folder, "out"))
        assert (counts["shared"], counts["validation_in_training"]) == (shared, leaking)
        if "script" in by:
            assert (shared["scripts"], shared["texts"], leaking) == (0, 0, 0)
        if "speaker" in by:
            assert shared["speakers"] == 0


@examples(10)
@given(_graph, _graph)
def test_the_official_leak_is_measured(train: list[Member], validation: list[Member]) -> None:
    """What the official split leaks is in the manifest, to the number, and a warning says it."""
    with tempfile.TemporaryDirectory() as folder:
        write_zip(Path(folder, "c", "TL_라벨.zip"), dict(train).items())
        write_zip(Path(folder, "c", "VL_라벨.zip"), dict(validation).items())
        options = BuildOptions(unit="sentence", clean=False, speech_type=_ALL_TYPES, validation="official")  # type: ignore[arg-type]  # plain text, as from outside
        result = build([Path(folder, "c")], Path(folder, "out"), options, make_executor=one_thread)
        counts = counts_of(Path(folder, "out"))
        assert (counts["shared"], counts["validation_in_training"]) == _measured(Path(folder, "out"))
        leaks = [warning for warning in result.warnings if "the official split leaks" in warning]
        assert len(leaks) == any(counts["shared"].values())


def test_the_summary_says_it(tmp_path: Path) -> None:
    """The summary of a build shows what both splits share, and the official split's leak as a note."""
    both = [member(stem("say", str(number), 1), f"말 {number}", f"글 {number}") for number in range(12)]
    write_zip(tmp_path / "c" / "TL_경상.zip", both)
    write_zip(tmp_path / "c" / "VL_경상.zip", both[:10])
    run = invoke("build", "c", "--validation", "official", "--workers", "1", "--details", cwd=tmp_path)
    assert "both in train and in validation: 0 scripts, 10 speakers, 20 texts" in run.stdout
    assert "the official split leaks: train and validation share 0 scripts, 10 speakers, 20 texts" in run.stderr
    assert "10 validation examples" in run.stderr
    run = invoke("build", "c", "--split-by", "script,speaker", "--workers", "1", "--json", cwd=tmp_path)
    assert json.loads(run.stdout)["shared"] == {"scripts": 0, "speakers": 0, "texts": 0}


_SPEAKERS, _OTHERS = Shared(1, 0, 0, 0), [Shared(0, 1, 0, 0), Shared(0, 0, 1, 0), Shared(0, 0, 0, 1)]


@pytest.mark.parametrize("by", [("script",), ("speaker",), ("script", "speaker")], ids="+".join)
@pytest.mark.parametrize("shared", [_SPEAKERS, *_OTHERS])
def test_a_leak_breaks_a_promise(shared: Shared, by: tuple[SplitKey, ...]) -> None:
    """A split of ours in which something that it is apart by is in both splits ends the build with exit code 4."""
    options = BuildOptions(split_by=by)
    if ("speaker" if shared == _SPEAKERS else "script") in by:
        with pytest.raises(PromiseError, match=r"something in common: 1 ") as caught:
            make_manifest(options, [], Corpus((), 0, 0), [], shared)
        assert caught.value.exit_code == 4
    else:
        assert make_manifest(options, [], Corpus((), 0, 0), [], shared)
    assert make_manifest(BuildOptions(validation="official"), [], Corpus((), 0, 0), [], shared)


_SAME = ["밥 먹었니 {}", "밥 먹었니 {}?", "밥, 먹었니 {}.", "밥먹었니 {}!", "밥\u200b 먹었니 {}", "밥  먹었니 ({})"]


@pytest.mark.parametrize("by", [("script",), ("script", "speaker")], ids="+".join)
@pytest.mark.parametrize("more", [{}, {"clean": True}, {"direction": "to-dialect"}, {"shard_by": ()}], ids=str)
def test_a_comma_more_makes_no_other_text(tmp_path: Path, by: tuple[str, ...], more: dict[str, object]) -> None:
    """A text in validation is in train with no other signs, spaces or capitals either: answered or read, in any region."""
    members = []
    for number in range(12):
        kinds = (("st", "gs"), ("say", "gs"), ("say", "jj"), ("talk", "gs"), ("st", "jj"), ("say", "cc"))
        for place, ((kind, code), text) in enumerate(zip(kinds, _SAME, strict=True)):
            meant, heard = text.format(f"x{number}" if place % 2 else f"X{number}"), f"{place}{number % 7}"
            speakers = f"{heard}+{heard}9" if kind == "talk" else heard
            name = stem(kind, speakers, number, code=code)
            members.append(member(name, f"소리 {place} {number}", meant, province=code))
        alone = stem("say", f"9{number}", number, code="gw")
        members.append(member(alone, f"딴 소리 {number}", f"딴 말 {number}", province="gw"))
    write_zip(tmp_path / "c" / "라벨.zip", members)
    options = BuildOptions(**{"clean": False, "speech_type": _ALL_TYPES, "validation": 0.4, "split_by": by, **more})  # type: ignore[arg-type]  # plain text, as from outside
    build([tmp_path / "c"], tmp_path / "out", options, make_executor=one_thread)
    standard = 0 if "direction" in more else 1
    texts = {
        side: {
            "".join(filter(str.isalnum, pair_in(line)[standard])).lower()
            for lines in chunks_of(tmp_path / "out", side).values()
            for line in lines
        }
        for side in ("train", "validation")
    }
    assert texts["train"]
    assert texts["validation"]
    assert texts["train"].isdisjoint(texts["validation"])
    assert counts_of(tmp_path / "out")["shared"]["texts"] == 0


@given(st.lists(st.text(st.characters(exclude_categories=["Cn", "Co", "Cs"]), max_size=12), max_size=20))
@examples(200)
def test_build_and_evaluation_compare_alike(texts: list[str]) -> None:
    """The letters of a text are the same for the split of a build and for the proof of an evaluation."""
    composed = [unicodedata.normalize("NFC", text.replace("\0", "")) for text in texts]
    frame = pl.DataFrame({"text": composed}, schema={"text": pl.String})
    spelled = letters(frame)["text"].alias("letters")
    by = frame.hstack([spelled]).select(compared("text", "letters")).to_series()
    assert by.to_list() == [letters_of(text) for text in composed]
