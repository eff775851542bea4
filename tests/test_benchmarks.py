"""The benchmarks: contenders that make the same examples, and reports that say what was measured."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from runs import ROOT

from benchmarks.__main__ import main
from benchmarks.corpus import make_corpus
from benchmarks.download import Download
from benchmarks.download import main as download
from benchmarks.evaluation import Report as EvaluationReport
from benchmarks.evaluation import main as evaluation
from benchmarks.full import main as full
from benchmarks.goals import goals
from benchmarks.lineup import LINEUP, Contender, Corpora
from benchmarks.measure import Run, measure
from benchmarks.model import Parts, seconds
from benchmarks.model import main as model
from benchmarks.page import PageRun
from benchmarks.page import main as page
from benchmarks.race import Entry, OtherExamplesError, digest_of_examples, race
from benchmarks.report import Report, into_document, make_report, make_shape_report, markdown
from benchmarks.stages import main as stages

FILES = 60
COMPARED = [contender for contender in LINEUP if contender.compared and contender.key != "alone"]  # as saturi

BY_DEFAULT = ("msgspec", "naive")
"""Contenders that are tried by default: one that reads zips, and one that reads unpacked files; the race compares it with ours."""


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Corpora:
    """Sixty label files, as zips and unpacked."""
    folder = tmp_path_factory.mktemp("race")
    make_corpus(folder / "zips", files=FILES, unpack=folder / "loose", workers=1)
    return Corpora(folder / "zips", folder / "loose", folder / "zips")


@pytest.fixture(scope="module")
def report(corpora: Corpora, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report of a race of four, one of which cannot run."""
    absent = Contender(
        key="orjson", title="zipfile + orjson, a pool", module="zipfile_orjson", library="no_such_library"
    )
    chosen = [contender for contender in LINEUP if contender.key in ("floor", "saturi", "naive")]
    entries = race([*chosen, absent], corpora, tmp_path_factory.mktemp("out"), rounds=1, workers=1)
    facts = make_corpus(corpora.zips, files=FILES, unpack=corpora.loose)
    return make_report([make_shape_report(facts, entries, 1e9)], [], rounds=1, workers=1)


@pytest.mark.parametrize(
    "contender",
    [pytest.param(one, id=one.key, marks=() if one.key in BY_DEFAULT else pytest.mark.thorough) for one in COMPARED],
)
def test_contenders_make_the_same_examples(contender: Contender, corpora: Corpora, tmp_path: Path) -> None:
    """Every contender makes the examples that `json.load` finds in the label files, and no others."""
    if contender.missing:
        pytest.skip(contender.missing)
    out, expected = tmp_path / "out", tmp_path / "expected"
    expected.mkdir()
    if contender.module is not None:
        out.mkdir()
    run = subprocess.run(contender.command(corpora, out, 1), cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    texts = [json.loads(path.read_bytes())["transcription"] for path in corpora.loose.rglob("*.json")]
    with (expected / "expected.jsonl").open("w", encoding="utf-8") as file:
        for text in texts:
            pair = {"system": _PROMPT, "user": text["pronunciation"], "assistant": text["standard"]}
            messages = [{"role": role, "content": content} for role, content in pair.items()]
            file.write(json.dumps({"messages": messages}) + "\n")
    assert len(texts) == FILES
    assert digest_of_examples(out) == digest_of_examples(expected)


_PROMPT = json.loads((ROOT / "tests/golden/gyeongsang-answer-00000.jsonl").read_bytes().split(b"\n")[0])["messages"][0][
    "content"
]


def test_other_examples_are_noticed(corpora: Corpora, tmp_path: Path) -> None:
    """A contender that leaves out an example ends the race; order and spaces are not looked at."""
    for name, lines in (("one", '{"a":1}\n{"b":2}\n'), ("same", '{"b": 2}\n{"a": 1}'), ("other", '{"a":1}\n{"a":1}\n')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.jsonl").write_text(lines)
    assert digest_of_examples(tmp_path / "one") == digest_of_examples(tmp_path / "same")
    assert digest_of_examples(tmp_path / "one") != digest_of_examples(tmp_path / "other")
    cheat = Contender(key="cheat", title="cheat", module="floor")
    naive = next(one for one in LINEUP if one.key == "naive")
    with pytest.raises(OtherExamplesError, match="naive and cheat: their examples differ"):
        race([naive, cheat], corpora, tmp_path / "out", rounds=0, workers=1)


def test_a_process_is_measured_with_all_it_starts() -> None:
    """Memory and CPU are those of the whole tree, and a command that fails is an error."""
    child = "x = bytearray(60_000_000); import time; [i for i in range(3_000_000)]; time.sleep(0.2)"
    run = measure([sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"])
    assert run.peak_bytes > 60_000_000
    assert run.cpu_seconds > 0
    assert run.seconds > 0.2
    with pytest.raises(subprocess.CalledProcessError):
        measure([sys.executable, "-c", "raise SystemExit(3)"])


def _entry(key: str, *seconds: float) -> Entry:
    return Entry(key=key, title=key, runs=[Run(one, one, 1) for one in seconds])


def test_goals_are_ratios_within_a_round() -> None:
    """A goal is the median of the ratios round by round, so a slow round slows both; whom it lacks has none."""
    found = {goal.title: goal for goal in goals([_entry("tokens", 1, 10, 2), _entry("floor", 0.5, 5, 0.4)], "rich")}
    [cold] = found.values()
    assert (cold.measured, cold.reached) == (2.0, True)
    assert not goals([_entry("tokens", 2), _entry("floor", 1)], "f0")[0].reached
    [fast] = goals([_entry("saturi", 1, 9), _entry("naive", 7)], "f0")
    assert (fast.measured, fast.reached) == (7.0, True)
    assert not goals([_entry("saturi", 1), _entry("naive", 6.9)], "f0")[0].reached
    assert goals([_entry("saturi", 1)], "f0") == []


def test_a_report(report: Report) -> None:
    """A report has every contender that ran, why one did not, the goals, and where and with what it was measured."""
    table = markdown(report)
    assert f"{FILES} synthetic label files" in table
    for entry in report.shapes[0].entries:
        assert f"| {entry.title} | " in table
    assert "no_such_library is not installed" in table
    assert report.circumstances.commit in table
    assert f"msgspec {msgspec.__version__}" in table
    assert [goal.title for goal in report.shapes[0].goals] == [
        "cold build, times as fast as the naive recipe on unpacked files"
    ]
    assert "one process inflates 1.0 GB of it a second" in table
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_a_picture(report: Report, tmp_path: Path) -> None:
    """The picture is a PNG and an SVG without a text that needs a font."""
    from benchmarks.picture import draw  # noqa: PLC0415 - matplotlib is loaded only for a picture

    png, svg = draw(report, tmp_path)
    assert png.read_bytes().startswith(b"\x89PNG")
    drawing = svg.read_text(encoding="utf-8")
    assert "<path" in drawing
    assert "<text" not in drawing


def test_the_page_has_a_place_for_the_tables() -> None:
    """What is between the marks of docs/speed.md is replaced, and nothing else of it."""
    page = (ROOT / "docs/speed.md").read_text(encoding="utf-8")
    changed = into_document(page, "new\n")
    head, _, tail = changed.partition("new\n")
    assert page.startswith(head)
    assert page.endswith(tail)
    assert head.endswith("<!-- speed: begin -->\n")
    assert tail.startswith("<!-- speed: end -->\n")


@pytest.mark.thorough
def test_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m benchmarks` makes a corpus of each shape, runs the contenders asked for, and prints a report for machines."""
    main(["--quick", "--rounds", "2", "--only", "naive", "floor", "--folder", str(tmp_path), "--json"])
    found = msgspec.json.decode(capsys.readouterr().out, type=Report)
    assert [shape.corpus.request.shape for shape in found.shapes] == ["f0", "rich"]
    for shape in found.shapes:
        assert [(entry.key, len(entry.runs)) for entry in shape.entries] == [("floor", 2), ("naive", 1)]
        assert shape.corpus.json_bytes > 5_000_000
        assert shape.inflated_bytes_a_second > 0


def test_stages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every stage has a number of its own."""
    make_corpus(tmp_path / "corpus-f0-60", files=60, workers=1)  # as it is made there by two processes
    stages(["--files", "60", "--turns", "1", "--folder", str(tmp_path), "--json"])
    found = json.loads(capsys.readouterr().out)
    names = [stage["name"] for stage in found]
    assert names == ["inflate", "crc", "glance (part of decode)", "decode", "frame", "read", "render", "chunk"]
    assert all(stage["nanoseconds_a_file"] > 0 for stage in found)


def test_download(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m benchmarks.download` measures the command at a server of its own."""
    download(["--bytes", "4MiB", "--folder", str(tmp_path), "--json"])
    measured = msgspec.json.decode(capsys.readouterr().out, type=Download)
    assert measured.bytes > 4_000_000
    assert measured.peak_bytes > 0


@pytest.mark.thorough
def test_evaluation(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m benchmarks.evaluation` measures asking, at a server of its own, and scoring."""
    evaluation(["--requests", "20", "--in-flight", "4", "--rows", "30", "--json"])
    report = msgspec.json.decode(capsys.readouterr().out, type=EvaluationReport)
    assert [(one.in_flight, one.requests_a_second > 0) for one in report.asking] == [(4, True)]
    assert [(one.rows, one.peak_bytes > 0) for one in report.scoring] == [(30, True)]


@pytest.mark.thorough
def test_page(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m benchmarks.page` makes a build and measures its report."""
    page(["--files", "60", "--rounds", "1", "--json"])
    run = msgspec.json.decode(capsys.readouterr().out, type=PageRun)
    assert run.utterances >= run.examples > 0
    assert [one.peak_bytes > 0 for one in run.runs] == [True]
    assert 0 < run.page_bytes <= 300_000


def test_more_workers_on_paper() -> None:
    """Twice the workers halve reading, until a disk, the parent or the longest task of a later step is the limit."""
    parts = Parts(10, {"read_batch": [1.0] * 8, "compare": [2.0, 1.0]}, 0.1, 0.5, 0.5, 8_000)
    memory = float("inf")
    assert seconds(parts, 1, memory) == 1 + 8 + 3
    assert seconds(parts, 2, memory) == 1 + 4 + 2
    assert seconds(parts, 64, memory) == 1 + 1 + 2
    assert seconds(parts, 8, 1_000) == 1 + 8 + 2
    assert seconds(parts._replace(handing=0.5), 8, memory) == 1 + 4 + 2
    assert seconds(parts, 8, memory, times=2) == 1.5 + 2 + 4
    assert seconds(parts._replace(tasks={"judge": [1.0] * 4}), 4, memory, times=2) == 1.5 + 2


@pytest.mark.thorough
def test_a_model_of_a_build(corpora: Corpora, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m benchmarks.model` times the tasks of a build, and prints a row for each number of workers."""
    model([str(corpora.zips), "--times", "7000"])
    table = capsys.readouterr().out
    assert "| 16 | " in table
    assert f"A build of 420,000 label files; measured on {FILES}:" in table


@pytest.mark.thorough
def test_full_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m benchmarks.full` says what it takes, and measures a build, the next one, and one by a single worker."""
    full(["--files", "60", "--shape", "f0", "--folder", str(tmp_path)])
    out, err = capsys.readouterr()
    assert err.startswith(f"takes about 900 kB below {tmp_path} and 0 minutes")
    assert [row.split(" | ")[1] for row in out.splitlines()[2:]] == [
        "cold, 2 workers",
        "again, other options",
        "cold, 1 worker",
    ]
