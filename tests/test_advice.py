"""Builds of which nothing is left: what they say, and that doing so helps."""

from pathlib import Path
from typing import Any

import click
import pytest
from corpora import ANSWER_ZIP, DIALOGUE_ZIP, answers, member, stem, write_zip
from runs import one_thread

from saturi.etl.console.dispatch import cli
from saturi.etl.pipeline.advice import ADVICE
from saturi.etl.pipeline.build import BuildResult, build
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import DropReason


def _answers(path: Path) -> None:
    write_zip(path / ANSWER_ZIP, answers(12))


def _dialogues(path: Path) -> None:
    write_zip(path / DIALOGUE_ZIP, [member(stem("talk", f"{n}+{n + 1}", 1), f"가 {n}", f"나 {n}") for n in range(12)])


def _marked(path: Path) -> None:
    write_zip(path / ANSWER_ZIP, [member(stem("say", str(n), 1), f"((가)) {n}", f"나 {n}") for n in range(12)])


def _named(path: Path) -> None:
    write_zip(path / ANSWER_ZIP, [member(stem("say", str(n), 1), f"#이름# 가 {n}", f"나 {n}") for n in range(12)])


def _build(tmp_path: Path, **options: Any) -> BuildResult:
    chosen = BuildOptions(**{"validation": 0, **options})
    return build([tmp_path / "corpus"], tmp_path / "out", chosen, make_executor=one_thread)


@pytest.mark.parametrize(
    ("write", "options", "advice", "changed"),
    [
        pytest.param(
            _dialogues,
            {},
            "12 speech_type_excluded (give --speech-type repeat --speech-type answer --speech-type dialogue)",
            {"speech_type": ("repeat", "answer", "dialogue")},
            id="speech-type",
        ),
        pytest.param(
            _answers,
            {"region": ("jeju",)},
            "12 region_excluded (give --region jeju --region gyeongsang)",
            {"region": ("jeju", "gyeongsang")},
            id="region",
        ),
        pytest.param(_answers, {"min_words": 9}, "12 too_few_words (lower --min-words)", {"min_words": 1}, id="words"),
        pytest.param(_answers, {"max_chunk_bytes": 200}, "12 over_cap (raise --max-chunk-bytes)", {}, id="cap"),
        pytest.param(_answers, {"validation": "official"}, "--validation 0.05 makes one", {}, id="official"),
        pytest.param(
            _marked, {}, '12 unclear (unsure, inaudible and unclear = "rewrite"', {"clean": False}, id="unclear"
        ),
        pytest.param(_named, {}, "12 personal_data (--pii mask", {"pii": "mask"}, id="personal-data"),
    ],
)
def test_an_empty_build_says_what_to_change(
    tmp_path: Path, write: Any, options: dict[str, Any], advice: str, changed: dict[str, Any]
) -> None:
    """The failure names the rules that dropped everything, with their numbers, and what it advises leaves something."""
    write(tmp_path / "corpus")
    archive = next((tmp_path / "corpus").iterdir())
    if options.get("validation") == "official":
        archive.rename(archive.with_name("라벨.zip"))
    result = _build(tmp_path, **options)
    [failure] = result.failures
    assert failure.startswith("no example is left: 12 utterances were dropped: 12 ")
    assert advice in failure
    assert _build(tmp_path, **changed).manifest.counts.examples == 12


def test_the_most_frequent_reason_comes_first(tmp_path: Path) -> None:
    """Of several rules the one that dropped most is named first."""
    members = [*answers(3), *(member(stem("say", str(n), 2), "#이름#", "나") for n in range(20, 30))]
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, members)
    [failure] = _build(tmp_path, min_words=9).failures
    assert failure.index("10 personal_data") < failure.index("3 too_few_words")


def test_where_nothing_can_be_read_the_rejects_are_named(tmp_path: Path) -> None:
    """A build of label files that are all rejected says so, with their reasons."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, [(f"{n}.json", b"{") for n in range(5)])
    *_, failure = _build(tmp_path, max_rejects=1).failures
    assert failure == "no example is left: no label file could be read: 5 invalid_json; see rejects.jsonl"


@pytest.mark.parametrize("reason", DropReason)
def test_every_reason_has_advice(reason: DropReason) -> None:
    """Whatever rule drops everything, there is advice, and the options in it are those of `build`."""
    command = cli.get_command(click.Context(cli), "build")
    assert command is not None
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    advised = [word.strip(",;") for word in ADVICE[reason].split() if word.startswith("--")]
    assert set(advised) <= options
