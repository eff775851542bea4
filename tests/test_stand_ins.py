"""Label files with texts only in their sentences, or only of the whole: one stands in for the other, whatever the unit is."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from corpora import ANSWER_ZIP, CONVERSATION_ZIP, Member, conversation, member, sentences, stem, write_zip
from runs import counts_of, manifest_of, one_thread, pairs_of, rejects_of

from saturi.etl.explanation.explain import explain
from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import SpeechType, Unit

_NO_WHOLE = {"dialect": None, "pronunciation": " ", "standard": ""}


def _member(number: int, transcription: dict[str, Any]) -> Member:
    return member(stem("say", str(number), 1), "", "", transcription=transcription)


def _build(tmp_path: Path, members: list[Member], unit: Unit, archive: str = ANSWER_ZIP) -> Path:
    write_zip(tmp_path / "corpus" / archive, members)
    options = BuildOptions(unit=unit, validation=0, speech_type=tuple(SpeechType), max_rejects=1)
    build([tmp_path / "corpus"], tmp_path / "out", options, make_executor=one_thread)
    return tmp_path / "out"


@pytest.mark.parametrize("missing", [{}, {"sentences": None}, {"sentences": []}], ids=["missing", "null", "empty"])
def test_the_whole_is_the_one_sentence(tmp_path: Path, missing: dict[str, Any]) -> None:
    """A label file without sentences is one row of its whole texts, whose origin is the file and no sentence of it."""
    whole = {"dialect": "가 나", "pronunciation": "가나", "standard": "다 라", **missing}
    name, content = _member(1, whole)
    out = _build(tmp_path, [(name, content), _member(2, sentences(("마", "바"), ("사", "아")))], Unit.SENTENCE)
    assert pairs_of(out) == [("가나", "다 라"), ("마", "바"), ("사", "아")]
    assert pl.read_parquet(out / "lineage.parquet")["sentence"].to_list() == [None, 1, 2]
    assert counts_of(out)["oddities"] == {"odd_field": 0, "sentences_only": 0, "whole_only": 1}
    [explanation] = explain(out, name)
    assert [(fate.sentence, fate.line) for fate in explanation.utterances] == [(None, 1)]


def test_sentences_are_the_whole(tmp_path: Path) -> None:
    """A label file with texts only in its sentences is one row of these, joined, and a side with a gap is dropped."""
    members = [
        _member(1, sentences(("가", "나"), ("다", "라")) | _NO_WHOLE),
        _member(2, sentences(("가", "나"), ("다", None)) | _NO_WHOLE),
        _member(3, sentences(("마", "바")) | _NO_WHOLE | {"standard": "사"}),
        _member(4, {"sentences": [None, {}], **_NO_WHOLE}),
    ]
    out = _build(tmp_path, members, Unit.FILE)
    assert pairs_of(out) == [("가 다", "나 라")]
    counts = counts_of(out)
    assert counts["oddities"] == {"odd_field": 0, "sentences_only": 2, "whole_only": 0}
    assert counts["dropped"] == {"empty_source": 2, "empty_target": 1}


@pytest.mark.parametrize("unit", list(Unit))
def test_a_label_file_without_any_text_is_rejected(tmp_path: Path, unit: Unit) -> None:
    """A label file of which no utterance comes is rejected for that, so that every decoded one has some."""
    name, content = conversation("DKSR20000001", ("가", "나", 1))
    members = [(name, content), ("DKSR20000002.json", b'{"utterance": []}'), _member(1, {**_NO_WHOLE, "sentences": []})]
    out = _build(tmp_path, members, unit, CONVERSATION_ZIP)
    assert [row["reason"] for row in rejects_of(out)] == ["empty_label"] * 2
    [archive] = manifest_of(out)["corpus"]
    assert (archive["label_files"], archive["decoded"], archive["rejected"]) == (3, 1, 2)
