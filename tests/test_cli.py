"""The command line: every command, what cannot be read or written, what goes to which stream, and exit codes."""

import json
import os
import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest
from corpora import ANSWER_ZIP, REPEAT_ZIP, answers, member, stem, write_zip, zip_bytes
from killings import PATIENCE_SECONDS
from runs import ROOT, command, commands, counts_of, error_of, invoke, manifest_of, tree_of

from saturi.etl.console.dispatch import COMMANDS


@pytest.mark.parametrize(
    "arguments",
    [["verify"], ["check"], ["estimate"], ["export"], ["export", "out"], ["sample"], ["nope"]],
    ids=" ".join,
)
def test_missing_arguments(here: Path, arguments: list[str]) -> None:
    """A command that lacks an argument, or is none, ends with 2 and one sentence."""
    error_of(invoke(*arguments, cwd=here), 2)


def _write_inputs(folder: Path) -> None:
    """Write what cannot be read into *folder*, each beside a whole archive where that changes nothing."""
    whole = zip_bytes(answers(12))
    write_zip(folder / "audio" / "TS_경상.zip", [("a.wav", b"RIFF")])
    write_zip(folder / "no-labels" / REPEAT_ZIP, [("readme.txt", b"nothing")])
    write_zip(folder / "no-members" / REPEAT_ZIP, [])
    (folder / "empty-folder").mkdir()
    contents = {
        "cut.zip": whole[:-30],
        "beginning.zip": whole[:1000],
        "empty.zip": b"",
        "no-zip.zip": b"<html>404</html>" * 100,
        "damaged.zip": whole.replace(b"PK\1\2", rb"PK\9\9", 1),
        "gap.zip.part0": whole[:100],
        "gap.zip.part500": whole[500:],
        "tail.zip.part100": whole[100:],
        "labels.tar": whole,
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)


INPUTS = ["nowhere", "nowhere.zip", "empty-folder", "audio", "no-labels", "no-members"]
INPUTS += [
    "cut.zip",
    "beginning.zip",
    "empty.zip",
    "no-zip.zip",
    "damaged.zip",
    "gap.zip.part0",
    "tail.zip.part100",
    "labels.tar",
]


@pytest.mark.parametrize("name", INPUTS)
def test_unreadable_inputs(here: Path, name: str) -> None:
    """A corpus that is missing, empty, or not whole ends with 3 and one sentence that names it, and makes no build."""
    _write_inputs(here)
    for more in ([], ["--dry-run"]):
        sentence = error_of(
            invoke(
                "build",
                "--workers",
                "1",
                "corpus" if name == "nowhere" else name,
                name,
                "--out",
                "out",
                *more,
                cwd=here,
            ),
            3,
        )
        assert name.partition(".")[0] in sentence
        assert not (here / "out" / "manifest.json").exists()


def test_bad_archives_may_be_allowed(here: Path) -> None:
    """With --allow-bad-archives the rest is built, and all that was left out is named on stderr and in the manifest."""
    _write_inputs(here)
    names = ["no-labels", "no-members", "cut.zip", "beginning.zip", "empty.zip", "no-zip.zip", "damaged.zip"]
    run = invoke("build", "--workers", "1", "corpus", *names, "--out", "out", "--allow-bad-archives", cwd=here)
    assert run.returncode == 0, run.stderr
    assert counts_of(here / "out")["label_files"] == 40
    problems = [row for row in manifest_of(here / "out")["corpus"] if row["problem"]]
    assert len(problems) == len(names)
    for problem in problems:
        assert f"{problem['archive']}: left out, {problem['problem']}" in run.stderr


def test_bad_archives_alone_are_no_corpus(here: Path) -> None:
    """Where every archive is left out there is nothing to build, and the exit code is 3."""
    _write_inputs(here)
    names = ["no-labels", "cut.zip", "empty.zip"]
    error_of(invoke("build", "--workers", "1", *names, "--out", "out", "--allow-bad-archives", cwd=here), 3)
    assert not (here / "out" / "manifest.json").exists()


def test_too_many_entries(here: Path) -> None:
    """An archive with more entries than --max-entries is refused as a whole."""
    assert "more than 39 entries" in error_of(
        invoke("build", "corpus", "--workers", "1", "--out", "out", "--max-entries", "39", cwd=here), 3
    )
    assert invoke("build", "corpus", "--workers", "1", "--out", "out", "--max-entries", "40", cwd=here).returncode == 0


@pytest.mark.parametrize(
    "arguments", [["--out", "file/out"], ["--out", "file"], ["--out", "out", "--stage", "file/stage"]], ids=" ".join
)
def test_a_folder_that_cannot_be_made(here: Path, arguments: list[str]) -> None:
    """Where no folder can be made, since a file is there, a build ends with 5 and one sentence."""
    (here / "file").write_text("mine")
    assert str(here / "file") in error_of(invoke("build", "corpus", "--workers", "1", *arguments, cwd=here), 5)
    assert (here / "file").read_text() == "mine"


def test_json_is_all_there_is_on_stdout(here: Path) -> None:
    """With --json stdout is the counts of the manifest, warnings and a version as JSON; everything else is on stderr."""
    run = invoke("build", "corpus", "--workers", "1", "--out", "out", "--json", cwd=here)
    printed = json.loads(run.stdout)
    assert (printed.pop("version"), printed.pop("failures")) == (1, [])
    assert {f"Note: {warning}" in run.stderr for warning in printed.pop("warnings")} == {True}
    assert printed == counts_of(here / "out")
    assert "reading label files" in run.stderr
    shown = invoke("build", "corpus", "--workers", "1", "--out", "out", cwd=here)
    assert "40 examples from 40 label files" in shown.stdout
    assert "reading label files" not in shown.stdout


def test_json_of_no_success(here: Path) -> None:
    """With --json a build past a threshold prints its counts all the same, and the exit code is 1."""
    write_zip(here / "corpus" / "more.zip", [(f"{number}.json", b"") for number in range(9)])
    run = invoke("build", "corpus", "--workers", "1", "--out", "out", "--json", cwd=here)
    assert run.returncode == 1
    assert json.loads(run.stdout)["rejected"] == {"invalid_json": 9}
    assert len(json.loads(run.stdout)["failures"]) == 1


def test_progress_without_a_terminal(here: Path) -> None:
    """Without a terminal, progress is plain lines on stderr: whole ones, without colours and without carriage returns."""
    run = invoke("build", "corpus", "--workers", "1", "--out", "out", "--validation", "0", cwd=here)
    assert "\x1b" not in run.stderr + run.stdout
    assert "\r" not in run.stderr
    read = r"reading label files: \d+%( · \d+ rejected)?( · [\d:]+ left)? · \d+ files( · [\d.]+ [kMG]?B/s)?"
    line = rf"{read}|[a-z ]+: \d+ of \d+"
    assert run.stderr
    assert [sentence for sentence in run.stderr.splitlines() if not re.fullmatch(line, sentence)] == []


def test_rates_are_of_what_was_read(two_regions: Path, tmp_path: Path) -> None:
    """A rate is of JSON read in the time that passed: none is beyond all of it in two seconds, and what was on disk has none."""
    members = [member for path in two_regions.rglob("*.zip") for member in ZipFile(path).infolist()]
    megabytes = sum(member.file_size for member in members) / 1e6
    for name, more in (("inspect", ()), ("build", ("--out", "out"))):
        first = invoke(name, two_regions, *more, "--workers", "1", cwd=tmp_path)
        rates = [float(number) for number in re.findall(r"([\d.]+) MB/s", first.stderr)]
        assert max(rates, default=0) <= megabytes / 2  # a machine that reads all of it sooner has no rate
    again = invoke("build", two_regions, "--out", "out", "--workers", "1", cwd=tmp_path)
    assert f"{len(members):,} files" in again.stderr
    has_rates = [re.search(r"(files|B)/s\b", shown) is not None for shown in (first.stdout, again.stdout, again.stderr)]
    assert has_rates == [True, False, False]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo terminals")
def test_progress_on_a_terminal(here: Path) -> None:
    """On a terminal, progress is drawn in place on stderr, and stdout stays as it is."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "TERM": "xterm"}
    line = command("build", "corpus", "--out", "out", "--json")
    with subprocess.Popen(line, cwd=here, env=environment, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        drawn = _drawn_on(ours)
        shown, _ = process.communicate(timeout=PATIENCE_SECONDS)
    os.close(ours)
    assert process.returncode == 0
    assert b"\x1b[" in drawn
    assert b"Traceback" not in drawn
    assert json.loads(shown)["examples"] == counts_of(here / "out")["examples"]


def _drawn_on(terminal: int) -> bytes:
    """Return all that is drawn on *terminal* until it is closed; it takes no more than 4 KiB that are not read."""
    drawn = b""
    while True:
        try:
            block = os.read(terminal, 4096)
        except OSError:  # Linux says so when the other side is closed
            return drawn
        if not block:
            return drawn
        drawn += block


def test_a_dry_run_writes_nothing(here: Path) -> None:
    """A dry run tells what is there, archive by archive, in words or as JSON, and leaves every file as it is."""
    write_zip(here / "corpus" / REPEAT_ZIP, [member(stem("st", "1", 1), "가", "나"), ("a.txt", b"")])
    before = tree_of(here)
    shown = invoke("build", "corpus", "--workers", "1", "--out", "out", "--dry-run", "--details", cwd=here)
    machine = invoke("build", "corpus", "--workers", "1", "--out", "out", "--dry-run", "--json", cwd=here)
    assert (shown.returncode, shown.stderr, machine.returncode, machine.stderr) == (0, "", 0, "")
    assert tree_of(here) == before
    assert "따라말하기" in shown.stdout
    found = {row["archive"]: row["label_files"] for row in json.loads(machine.stdout)["archives"]}
    assert found == {REPEAT_ZIP: 1, ANSWER_ZIP: 40}


def test_sample_build_verify(tmp_path: Path) -> None:
    """A sample can be written, built and verified, each with 0."""
    run = invoke("sample", "corpus", "--files", "200", "--seed", "7", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "200 label files" in run.stdout
    build = invoke("build", "corpus", "--workers", "1", "--out", "out", cwd=tmp_path)
    assert build.returncode == 0, build.stderr
    assert "Next: saturi verify" in build.stdout
    assert invoke("verify", "out", cwd=tmp_path).returncode == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    error_of(invoke("sample", "mine", "--progress", "none", cwd=tmp_path), 2)
    error_of(invoke("sample", "new", "--files", "99", cwd=tmp_path), 2)


@pytest.mark.parametrize(
    "arguments", [[], *([name] for name in COMMANDS)], ids=lambda arguments: " ".join(arguments) or "saturi"
)
def test_help(tmp_path: Path, arguments: list[str]) -> None:
    """Each command explains itself, by --help and by -h."""
    long, short = (invoke(*arguments, flag, cwd=tmp_path) for flag in ("--help", "-h"))
    assert (long.returncode, long.stderr, long.stdout) == (0, "", short.stdout)
    assert long.stdout.startswith("Usage: ")


def test_version(tmp_path: Path) -> None:
    """The version is that of the installed package, with the commit of a source tree, and what it runs on; Polars is not loaded."""
    run = invoke("--version", cwd=tmp_path)
    first, second = run.stdout.splitlines()
    assert re.fullmatch(rf"saturi {re.escape(version('saturi'))}(, commit [0-9a-f]{{7,}})?", first)
    assert f"Python {platform.python_version()}, polars {version('polars')}, " in second
    assert re.search(r"(isal|zlib) [\d.]+$", second)
    assert run.returncode == 0


def test_no_command_is_a_question(tmp_path: Path) -> None:
    """Without a command the help is printed as it is, to stderr, with exit code 2."""
    run = invoke(cwd=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == invoke("--help", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (["buidl"], "buidl: no such command; did you mean build? See saturi --help"),
        (["verfy", "out"], "verfy: no such command; did you mean verify? See saturi --help"),
        (["verify", "--jsn"], "--jsn: no such option; did you mean --json? See saturi verify --help"),
        (["version"], "version: no such command; did you mean --version? See saturi --help"),
    ],
    ids=["command", "with-arguments", "option", "flag"],
)
def test_a_misspelt_name_has_its_nearest(tmp_path: Path, arguments: list[str], nearest: str) -> None:
    """A command or an option that is misspelt is refused with the nearest known one."""
    assert error_of(invoke(*arguments, cwd=tmp_path), 2) == f"saturi: {nearest}"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["verify", "a", "b"], "verify: got unexpected extra argument (b); see {help}", id="extra"),
        pytest.param(["build", "--workers"], "--workers: requires an argument; see {help}", id="no-value"),
        pytest.param(["build", "-w", "x"], "--workers: 'x' is not a valid integer; see {help}", id="no-number"),
        pytest.param(["build", "--details=1"], "--details: does not take a value; see {help}", id="a-value"),
        pytest.param(["build", "--region", "x"], "--region: 'x' is unknown; choose from gangwon 강원, ", id="no-term"),
        pytest.param(["check"], "FILES: missing; see {help}", id="no-argument"),
        pytest.param(["explain", "out"], "--member: missing; see {help}", id="no-option"),
        pytest.param(["report", "out", "--terminal", "--to", "x"], "--to: with --terminal no page is ", id="together"),
    ],
)
def test_an_error_of_usage_is_like_any_other(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    """It says where, what is wrong and what to do, which is the help of the command where nothing else is known."""
    expected = f"saturi: {sentence.format(help=f'saturi {arguments[0]} --help')}"
    assert error_of(invoke(*arguments, cwd=tmp_path), 2).startswith(expected)


def test_help_as_a_command(tmp_path: Path) -> None:
    """`help` is `--help`, and `help COMMAND` is `COMMAND --help`."""
    for words in ([], ["verify"]):
        assert invoke("help", *words, cwd=tmp_path).stdout == invoke(*words, "--help", cwd=tmp_path).stdout
    assert "did you mean" in error_of(invoke("help", "biuld", cwd=tmp_path), 2)


@pytest.mark.parametrize("name", ["verify", "status", "diff"])
def test_a_missing_build(tmp_path: Path, name: str) -> None:
    """Where the folder of a build is missing, the error says what it is."""
    sentence = error_of(invoke(name, cwd=tmp_path), 2)
    assert re.fullmatch(r"saturi: \w+: missing; give the folder that build wrote, like out", sentence)


def test_without_its_packages(tmp_path: Path) -> None:
    """Where a package is missing, one sentence says which, and how to install it."""
    run = subprocess.run(
        [sys.executable, "-S", str(ROOT / "cli.py"), "build"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert re.fullmatch(
        r"saturi: \w+ is not installed: install saturi again without --no-deps, or run `make setup` .*\n", run.stderr
    )
    assert (run.returncode, run.stdout) == (2, "")


@pytest.mark.parametrize("name", ["build", "inspect"])
def test_no_corpus(tmp_path: Path, name: str) -> None:
    """Without a corpus and without ./data, the sentence says what to give, and how to try it on a sample."""
    sentence = error_of(invoke(name, cwd=tmp_path), 3)
    assert sentence.endswith("give folders or zips of label files, or try it on an invented corpus: saturi sample data")


def test_a_korean_windows_console(tmp_path: Path) -> None:
    """On a console in CP949 every command prints what it can and none fails, whatever is in a name."""
    write_zip(tmp_path / "odd" / "경상 👵ᆞ✓.zip", answers(12))
    for arguments in (
        ["sample", "corpus", "--files", "200"],
        ["build", "corpus", "odd", "--out", "out"],
        ["verify", "out"],
        ["build", "--help"],
    ):
        run = invoke(*arguments, cwd=tmp_path, PYTHONIOENCODING="cp949")
        assert run.returncode == 0, run.stderr
        assert run.stdout
    lines = (["build", "odd", "--out", "out", "--dry-run"], ["build", "👵ᆞ✓", "--out", "out"])
    environment = {**os.environ, "PYTHONIOENCODING": "cp949"}
    both = subprocess.run(
        commands(*lines), cwd=tmp_path, env=environment, capture_output=True, encoding="cp949", check=True
    )
    *shown, codes = both.stdout.splitlines()
    planned, failed = json.loads(codes)
    assert (planned, shown != []) == (0, True)
    error_of(subprocess.CompletedProcess(both.args, failed, "", both.stderr), 3)
