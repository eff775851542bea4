"""Label files that name no script or no speaker: what stands for them, what is counted, and what is not called proof."""

import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Literal

import pytest
from corpora import ANSWER_ZIP, REPEAT_ZIP, Member, document, member, sentences, stem, write_zip
from runs import counts_of, invoke, lines_of, one_thread, pair_in, pairs_of

from saturi.etl.explanation.explain import explain
from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import Dedup, Direction, SplitKey, Unit

_SCRIPTS, _READERS = 12, 6


def _reading(number: int, reader: int, *, speaker: bool = True, **more: Any) -> Member:
    """Return a label file read aloud whose name says nothing: how a script sounds depends on the reader, its text does not."""
    label: dict[str, Any] = {"fileName": None, "script": {"speechType": "Read"}, "speaker": []}
    if speaker:
        label["speaker"] = [{"speakerId": f"speakergs{number}{reader:02}", "residenceProvince": "gs"}]
    name = f"{number:02}{reader:02}"
    signs = ("", "?", " !", "…")[reader % 4]
    return f"{name}.json", document(
        name, f"마이 {number} 소리 {reader}", f"많이 {number}번{signs}", **{**label, **more}
    )


def _write(path: Path, **more: Any) -> Path:
    members = [_reading(number, reader, **more) for number in range(_SCRIPTS) for reader in range(_READERS)]
    write_zip(path / REPEAT_ZIP, members)
    return path


def _scripts_by_split(out: Path, text: int) -> dict[str, set[str]]:
    """Return the scripts in each split of the build in *out*, by the numbers in the texts at the place *text* of the pairs."""
    return {
        split: {pair[text].split()[1].rstrip("번?!…") for pair in pairs_of(out, split)}
        for split in ("train", "validation")
    }


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("speaker", [True, False], ids=["speaker", "no-speaker"])
def test_a_script_without_a_name_is_in_one_split(tmp_path: Path, direction: Direction, *, speaker: bool) -> None:
    """Readings of one text are in one split, whichever text is the source, and a speaker held out is in no other."""
    corpus = _write(tmp_path / "corpus", speaker=speaker)
    options = BuildOptions(clean=False, validation=0.4, dedup=Dedup.NONE, direction=direction)
    build([corpus], tmp_path / "out", options, make_executor=one_thread)
    splits = _scripts_by_split(tmp_path / "out", 1 if direction is Direction.TO_STANDARD else 0)
    assert splits["train"]
    assert splits["train"].isdisjoint(splits["validation"])
    counts = counts_of(tmp_path / "out")
    assert counts["shared"] == {"scripts": 0, "speakers": 0, "texts": 0}
    assert counts["unknown"]["script"] == _SCRIPTS * _READERS
    assert counts["unknown"]["speaker"] == (0 if speaker else _SCRIPTS * _READERS)
    if not speaker:
        assert splits["validation"]
        assert counts["examples"] == _SCRIPTS * _READERS


@pytest.mark.parametrize("unit", Unit)
def test_a_script_without_a_name_is_limited(tmp_path: Path, unit: Unit) -> None:
    """`max_per_script` leaves as many readings of every text, of a label file or of a sentence."""
    pairs = [("첫 소리", "첫 글"), ("둘째 소리", "둘째 글")]
    members = [
        _reading(1, reader, transcription=sentences(*((f"{source} {reader}", target) for source, target in pairs)))
        for reader in range(_READERS)
    ]
    write_zip(tmp_path / "corpus" / REPEAT_ZIP, members)
    options = BuildOptions(clean=False, validation=0, dedup=Dedup.NONE, max_per_script=2, unit=unit)
    build([tmp_path / "corpus"], tmp_path / "out", options, make_executor=one_thread)
    read = Counter(target for _, target in pairs_of(tmp_path / "out"))
    assert read == ({"첫 글": 2, "둘째 글": 2} if unit is Unit.SENTENCE else {"첫 글 둘째 글": 2})


def test_questions_have_no_script(tmp_path: Path) -> None:
    """Answers without a known prompt or script have no key by their text, and none of them is counted as unknown."""
    answers = [member(stem("say", str(number), 1), f"소리 {number}", "같은 글") for number in range(20)]
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers)
    options = BuildOptions(clean=False, validation=0, dedup=Dedup.NONE, max_per_script=1)
    build([tmp_path / "corpus"], tmp_path / "out", options, make_executor=one_thread)
    assert counts_of(tmp_path / "out")["examples"] == 20
    assert counts_of(tmp_path / "out")["unknown"]["script"] == 0


def test_unknown_keys_are_said(tmp_path: Path) -> None:
    """The summary and a note say of how many label files keys are unknown; with no split and no limit no note does."""
    _write(tmp_path / "c", speaker=False)
    by_both = ("--validation", "0.4", "--split-by", "script,speaker", "--workers", "1", "--details")
    run = invoke("build", "c", *by_both, cwd=tmp_path)
    assert run.returncode == 0
    assert "label files without script 72, speaker 72" in run.stdout
    assert "72 label files read aloud without a script" in run.stderr
    assert "72 label files without a speaker" in run.stderr
    assert "not proved" in run.stderr
    run = invoke("build", "c", "--validation", "0.4", "--workers", "1", "--details", cwd=tmp_path)
    assert "label files without script 72" in run.stdout
    assert "72 label files read aloud without a script" in run.stderr
    assert "speaker" not in run.stderr
    run = invoke("build", "c", "--validation", "0", "--workers", "1", cwd=tmp_path)
    assert "read aloud" not in run.stderr


def test_scripts_known_by_number_are_said(tmp_path: Path) -> None:
    """A script with a number and without a set is counted, and a note says what that means."""
    members = [_reading(1, reader, script={"scriptId": 7, "speechType": "Read"}) for reader in range(_READERS)]
    write_zip(tmp_path / "corpus" / REPEAT_ZIP, members)
    result = build([tmp_path / "corpus"], tmp_path / "out", BuildOptions(clean=False), make_executor=one_thread)
    assert result.manifest.counts.unknown["script_set"] == _READERS
    assert result.manifest.counts.unknown["script"] == 0
    assert any("6 label files with the number of the script and not its set" in warning for warning in result.warnings)


def test_what_is_left_out_is_not_counted(tmp_path: Path) -> None:
    """Keys are counted of the regions and speech types that are kept."""
    corpus = _write(tmp_path / "corpus", speaker=False)
    options = BuildOptions(clean=False, speech_type=("answer",))  # type: ignore[arg-type]  # plain text, as from outside
    result = build([corpus], tmp_path / "out", options, make_executor=one_thread)
    assert {result.manifest.counts.unknown[name] for name in ("script", "script_set", "speaker")} == {0}


def test_a_text_is_in_no_key_that_is_shown(tmp_path: Path) -> None:
    """`explain` shows the key that a text stands for as a hash, and the split that it falls on."""
    corpus = _write(tmp_path / "corpus")
    options = BuildOptions(clean=False, validation=0.4, split_by=(SplitKey.SCRIPT, SplitKey.SPEAKER))
    build([corpus], tmp_path / "out", options, make_executor=one_thread)
    keys = defaultdict(set)
    for reader in range(_READERS):
        [explanation] = explain(tmp_path / "out", f"03{reader:02}.json")
        _, script = explanation.keys
        keys[script.key].add(script.side)
    [(key, splits)] = keys.items()
    assert key.startswith("script:gyeongsang:text:")
    assert "번" not in key
    assert len(splits) == 1


def _decomposed(number: int, *, decompose: bool) -> Member:
    form: Literal["NFD", "NFC"] = "NFD" if decompose else "NFC"
    texts = (unicodedata.normalize(form, text) for text in (f"할매가 {number}", f"할머니가 {number}"))
    return member(stem("say", f"{number}{int(decompose)}", 1), *texts)


@pytest.mark.parametrize("clean", [True, False], ids=["clean", "no-clean"])
def test_composed_and_decomposed_are_one_text(tmp_path: Path, *, clean: bool) -> None:
    """A text in both forms is a duplicate, in one split, of one length; it is written composed where texts are cleaned."""
    members = [_decomposed(number, decompose=decompose) for decompose in (True, False) for number in range(10, 40)]
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, members)
    by = (SplitKey.SCRIPT, SplitKey.SPEAKER)
    options = BuildOptions(validation=0.5, split_by=by, clean=clean, max_chars=9, sample=1_000)
    build([tmp_path / "corpus"], tmp_path / "out", options, make_executor=one_thread)
    counts = counts_of(tmp_path / "out")
    assert counts["shared"]["texts"] == 0
    assert counts["dropped"].keys() == {"duplicate", "in_training"}
    texts = {text for line in lines_of(tmp_path / "out") for text in pair_in(line)}
    assert any("할" in text for text in texts)
    assert any("ᄒ" in text for text in texts) is not clean


def test_a_conflict_is_one_in_both_forms(tmp_path: Path) -> None:
    """Targets of a source in both forms are equal, or conflict, as they do composed."""
    members = [_decomposed(number, decompose=decompose) for decompose in (True, False) for number in range(10, 20)]
    members.append(member(stem("say", "999", 1), "할매가 10", "딴 글"))
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, members)
    options = BuildOptions(validation=0, clean=False, conflicts="drop", identical="drop")  # type: ignore[arg-type]  # plain text, as from outside
    build([tmp_path / "corpus"], tmp_path / "out", options, make_executor=one_thread)
    assert counts_of(tmp_path / "out")["dropped"] == {"duplicate": 9, "several_targets": 3}


def test_a_text_identical_but_for_its_form_is_identical(tmp_path: Path) -> None:
    """A source that is its target decomposed says the same."""
    pair = (unicodedata.normalize("NFD", "할매가"), "할매가")
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, [member(stem("say", "1", 1), *pair)])
    options = BuildOptions(validation=0, clean=False, identical="drop")
    build([tmp_path / "corpus"], tmp_path / "out", options, make_executor=one_thread)
    assert counts_of(tmp_path / "out")["dropped"] == {"identical": 1}
