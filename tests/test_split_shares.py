"""The share of validation in every region and speech type: measured, reached, and the same rows when archives are added."""

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from corpora import ANSWER_ZIP, DIALOGUE_ZIP, REPEAT_ZIP, Member, member, stem, write_zip
from runs import invoke, manifest_of, one_thread

from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import SpeechType

_BY = [("script",), ("speaker",), ("script", "speaker")]
_EVERYTHING: dict[str, Any] = {"speech_type": tuple(SpeechType), "clean": False}


def _build(corpus: Path, out: Path, stage: Path | None = None, **options: Any) -> dict[str, Any]:
    build([corpus], out, BuildOptions(**_EVERYTHING | options), stage=stage, make_executor=one_thread)
    return manifest_of(out)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stage of the regions of the big sample, filled by the first build with it."""
    return tmp_path_factory.mktemp("big") / "stage"


def _splits(out: Path) -> dict[tuple[str, int], str | None]:
    """Return the split of every utterance of *out*, null where it has none, by archive and number there."""
    decisions = pl.read_parquet(out / "decisions.parquet").explode("row", "split", "reason")
    return {(row["archive"], row["row"]): row["split"] for row in decisions.iter_rows(named=True)}


@pytest.mark.parametrize("by", _BY, ids="+".join)
def test_the_manifest_measures_every_group(two_regions: Path, stage: Path, tmp_path: Path, by: tuple[str, ...]) -> None:
    """The rows of groups are what the files hold: examples by split, their share, and what the split has cost."""
    manifest = _build(two_regions, tmp_path / "out", stage, split_by=by, validation=0.1)
    examples: Counter[tuple[str, str, str]] = Counter()
    costs: Counter[tuple[str, str, str]] = Counter()
    decisions = pl.read_parquet(tmp_path / "out" / "decisions.parquet").explode("row", "split", "reason")
    for row in decisions.iter_rows(named=True):
        group = (row["region"], row["speech_type"])
        if row["reason"] is None:
            examples[*group, row["split"]] += 1
        costs[*group, row["reason"]] += 1
    assert len(manifest["groups"]) == 3 * len({row["region"] for row in manifest["groups"]}) >= 6
    for row in manifest["groups"]:
        group = (row["region"], row["speech_type"])
        assert (row["train"], row["validation"]) == (examples[*group, "train"], examples[*group, "validation"])
        assert row["validation_share"] == pytest.approx(
            row["validation"] / (row["train"] + row["validation"]), abs=1e-6
        )
        assert row["split_conflict"] == costs[*group, "split_conflict"]
        assert row["in_training"] == costs[*group, "in_training"]
    conflicts = sum(row["split_conflict"] for row in manifest["groups"])
    assert (conflicts == 0) == (by == ("script",))


def _write(folder: Path, first: int) -> None:
    """Write an archive of each speech type into *folder*, of sixty label files from number *first* on."""
    for kind, name in {"st": REPEAT_ZIP, "say": ANSWER_ZIP, "talk": DIALOGUE_ZIP}.items():
        write_zip(folder / name, _recorded(kind, first))


def _recorded(kind: str, first: int) -> list[Member]:
    numbers = range(first, first + 60)
    heard = [f"{n % 9}+{n % 7 + 20}" if kind == "talk" else str(n % 9) for n in numbers]
    return [
        member(stem(kind, speakers, number % 13), f"{kind} 말 {number}", f"{kind} 글 {number % 13}")
        for number, speakers in zip(numbers, heard, strict=True)
    ]


@pytest.mark.parametrize("by", _BY, ids="+".join)
def test_an_archive_more_moves_no_row(tmp_path: Path, by: tuple[str, ...]) -> None:
    """The split of a row, or that it has none, is the same when archives are added."""
    _write(tmp_path / "c", 0)
    _build(tmp_path / "c", tmp_path / "before", split_by=by, validation=0.3)
    _write(tmp_path / "c" / "0", 40)
    _build(tmp_path / "c", tmp_path / "after", split_by=by, validation=0.3)
    before, after = _splits(tmp_path / "before"), _splits(tmp_path / "after")
    assert {"train", "validation"} <= set(before.values())
    assert after.items() >= before.items()


def test_the_least_number_is_reached(two_regions: Path, stage: Path, tmp_path: Path) -> None:
    """With --min-validation every group that has twice as many examples has that many in validation, and no text leaks."""
    few = _build(two_regions, tmp_path / "few", stage, validation=0.01)
    manifest = _build(two_regions, tmp_path / "out", stage, validation=0.01, min_validation=10)
    assert any(row["validation"] < 10 for row in few["groups"])
    for row in manifest["groups"]:
        examples = row["train"] + row["validation"]
        assert row["validation"] + row["in_training"] >= min(10, examples // 3)
        assert row["validation"] <= examples / 2 + 1
        assert row["held_out"] >= 0.01
    shared = manifest["counts"]["shared"]
    assert (shared["scripts"], shared["texts"]) == (0, 0)


def test_a_group_of_one_script_keeps_it(tmp_path: Path) -> None:
    """Where the only way to the least number takes more than half, none is held out: there would be nothing to learn from."""
    read = [member(stem("st", str(number), 1), f"말 {number}", f"글 {number}") for number in range(20)]
    write_zip(tmp_path / "c" / REPEAT_ZIP, read)
    [row] = _build(tmp_path / "c", tmp_path / "out", min_validation=5)["groups"]
    assert (row["train"], row["validation"], row["held_out"]) == (20, 0, 0.05)


def test_the_summary_says_it(tmp_path: Path) -> None:
    """The summary shows the share that is held out, by what, and the groups with the least and the largest."""
    _write(tmp_path / "c", 0)
    line = ("build", "c", "--out", "out", "--validation", "0.5", "--no-clean", "--workers", "1", "--details")
    run = invoke(*line, cwd=tmp_path)
    rows = manifest_of(tmp_path / "out")["groups"]
    least, most = (end(rows, key=lambda row: row["validation_share"]) for end in (min, max))
    low, high = (f"{row['validation_share']:.1%} ({row['region']} {row['speech_type']})" for row in (least, most))
    assert f"by script, {low} to {high}" in " ".join(run.stdout.split())
    run = invoke(*line, "--split-by", "speaker", cwd=tmp_path)
    assert "by speaker, " in run.stdout
    assert "the split is by speakers alone: train and validation share" in run.stderr
