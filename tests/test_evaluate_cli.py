"""`evaluate` on the command line: tables, JSON, exit codes, and rows with their texts only where they are asked for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from chats import encode, write_lines
from evaluations import MODEL, asked, run, sources, standard, write_test_file
from provider import Server, World
from provider.chat import completion
from provider.faults import CHAT, Fault
from runs import ROOT, error_of, invoke


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A test set of twenty rows."""
    return write_test_file(tmp_path / "test.jsonl", sources(20))


def test_the_table(file: Path, server: Server, world: World, tmp_path: Path) -> None:
    """A table has all systems and metrics, strata, signatures, and the folder; the way is shown on stderr."""
    world.chats[MODEL] = standard
    address = server.base_url(world.name)
    arguments = ("evaluate", "--file", file, "--model", MODEL, "--provider", "custom", "--base-url", address)
    shown = invoke(*arguments, cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    for words in (
        "Test set file-test: 20 rows, 20 different questions, not held against a train split.",
        "chrF++",
        "change identical",
        "tok:ko-mecab",
        f"{MODEL}: 20 asked, 0 answered before",
        f"Scores, predictions and journal: {file.parent / 'evaluation' / 'file-test'}",
    ):
        assert words in shown.stdout
    assert "asking: " in shown.stderr
    assert "20 of 20" in shown.stderr
    assert "묵었나" not in shown.stdout + shown.stderr


def test_json(file: Path, tmp_path: Path) -> None:
    """The JSON on stdout is what lies in scores.json, with the thresholds that were missed."""
    shown = invoke("evaluate", "--file", file, "--json", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    scores = json.loads((tmp_path / "evaluation" / "file-test" / "scores.json").read_bytes())
    assert json.loads(shown.stdout) == {**scores, "failures": []}
    assert "Note: no model was evaluated" in shown.stderr


def test_a_missed_threshold(file: Path, tmp_path: Path) -> None:
    """A score below its threshold ends with 1 and says so, after the table."""
    lines = [encode({"key": f"test.jsonl:{number}", "prediction": "가"}) for number in range(1, 21)]
    made = write_lines(tmp_path / "made.jsonl", lines)
    shown = invoke("evaluate", "--file", file, "--predictions", f"x={made}", "--fail-below", "chrf=60", cwd=tmp_path)
    assert shown.returncode == 1
    assert "Not a success: chrf of x is " in shown.stderr
    assert "chrF++" in shown.stdout


def test_a_threshold_for_nobody(file: Path, tmp_path: Path) -> None:
    """A threshold that is no number ends with 2, and one with no model to hold against it with 1, both with a sentence."""
    assert "no METRIC=SCORE" in error_of(
        invoke("evaluate", "--file", file, "--fail-below", "chrf=nan", cwd=tmp_path), 2
    )
    shown = invoke("evaluate", "--file", file, "--fail-below", "chrf=0", cwd=tmp_path)
    assert shown.returncode == 1
    assert "Not a success: no model was evaluated that could reach chrf" in shown.stderr


def test_configuration(file: Path, tmp_path: Path) -> None:
    """`[evaluate]` in etl.toml has the options, and an unknown one is refused with the nearest."""
    (tmp_path / "etl.toml").write_text("[evaluate]\nsample = 5\n", encoding="utf-8")
    shown = invoke("evaluate", "--file", file, "--json", cwd=tmp_path)
    assert json.loads(shown.stdout)["test_set"]["rows"] == 5
    (tmp_path / "etl.toml").write_text("[evaluate]\nsampel = 5\n", encoding="utf-8")
    assert "did you mean sample?" in error_of(invoke("evaluate", "--file", file, cwd=tmp_path), 2)


def test_rows_of_largest_gain_and_loss(file: Path, server: Server, world: World, tmp_path: Path) -> None:
    """`--show` asks nothing; texts are shown where they are asked for, and what would move the terminal is escaped."""
    world.chats[MODEL] = standard
    world.faults.append(Fault(CHAT, answer=completion("m", "\x1b[2J망\u202e가짐")))
    run(file, server, world, concurrency=1)
    before = len(asked(world))
    shown = invoke("evaluate", "--file", file, "--show", "3", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert f"{MODEL} gains most over copying:" in shown.stdout
    assert f"{MODEL} loses most against copying:" in shown.stdout
    assert "test.jsonl:1" in shown.stdout
    assert "망" not in shown.stdout
    with_texts = invoke("evaluate", "--file", file, "--show", "3", "--text", cwd=tmp_path)
    assert "prediction: \\x1b[2J망\\u202e가짐" in with_texts.stdout
    rows = json.loads(invoke("evaluate", "--file", file, "--show", "3", "--json", cwd=tmp_path).stdout)["systems"]
    assert [len(rows[0]["gains"]), len(rows[0]["losses"])] == [3, 1]
    assert "prediction" not in rows[0]["gains"][0]
    assert len(asked(world)) == before
    sentence = error_of(invoke("evaluate", "--file", file, "--name", "other", "--show", "3", cwd=tmp_path), 3)
    assert "there is no finished evaluation; evaluate first" in sentence
    assert "--text: it says how rows are shown" in error_of(
        invoke("evaluate", "--file", file, "--text", cwd=tmp_path), 2
    )


def test_the_libraries_are_not_installed() -> None:
    """Without the extra, the sentence says how to get it."""
    code = "import sys; sys.modules['sacrebleu'] = None; sys.argv[1:] = ['evaluate', 'x']; from saturi.__main__ import main; main()"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert "the package sacrebleu is not installed; run `pip install 'saturi[evaluate]'`" in error_of(shown, 2)


def test_a_console_of_few_characters(file: Path, tmp_path: Path) -> None:
    """A console in cp949 gets the table, too."""
    shown = invoke("evaluate", "--file", file, cwd=tmp_path, PYTHONIOENCODING="cp949")
    assert shown.returncode == 0, shown.stderr
    assert "chrF++" in shown.stdout
