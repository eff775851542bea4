"""What the console shows at fixed widths: summaries, progress, help, failures, questions; nothing is folded within a word."""

import io
import json
import os
import pty
import re
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import click
import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from killings import PATIENCE_SECONDS
from rich.cells import cell_len
from rich.console import Console
from runs import ROOT, error_of, invoke, one_thread, saturi

from saturi.etl.console.commands.asking import typed
from saturi.etl.console.commands.evaluate import _Asking as EvaluateAsking
from saturi.etl.console.dispatch import COMMANDS, cli
from saturi.etl.console.display import display
from saturi.etl.console.failure import show_failure
from saturi.etl.console.help import Command
from saturi.etl.console.lines import print_next, print_note
from saturi.etl.console.output import print_json_line
from saturi.etl.console.screens.build import show_build, show_run
from saturi.etl.console.screens.inspect import show_inspection
from saturi.etl.console.screens.pairs import good_pair, marked, show_pairs
from saturi.etl.console.screens.progress import Pace as ShownPace
from saturi.etl.console.screens.progress import fit, watching
from saturi.etl.console.screens.submit import waiting
from saturi.etl.console.screens.tables import largest_first, share
from saturi.etl.console.screens.words import duration
from saturi.etl.console.streams import SturdyBytes
from saturi.etl.console.usage import usage_error
from saturi.etl.corpus.discover import discover
from saturi.etl.errors import BuildError, LockedError, SpendingError
from saturi.etl.evaluation.asking import AskPace, Outcome, Question, ask
from saturi.etl.inspection.survey import inspect
from saturi.etl.output.files import MARKER
from saturi.etl.output.holding import locked
from saturi.etl.output.printable import counted
from saturi.etl.pipeline.build import BuildResult, build
from saturi.etl.pipeline.reading import useful_workers
from saturi.etl.providers.pace import Pace
from saturi.etl.providers.waiting import NO_ANSWER, Wait
from saturi.etl.runtime.executor import Workers
from saturi.etl.runtime.measurements import Meter
from saturi.etl.runtime.progress import Progress
from saturi.etl.runtime.steps import Run
from saturi.etl.settings.options import BuildOptions
from saturi.etl.settings.sizes import parse_bytes, spell_bytes
from saturi.etl.submission.news import NoAnswer
from saturi.etl.synthetic.corpus import SampleReport
from saturi.schemas.evaluation import Answer, ChatRequest

WIDTHS = (60, 80, 120)


@pytest.fixture(scope="module")
def built(sample: SampleReport, tmp_path_factory: pytest.TempPathFactory) -> tuple[BuildResult, Path]:
    """A build of the sample, and its folder."""
    folder = tmp_path_factory.mktemp("console")
    corpus = sample.folder
    result = build([corpus], folder / "out", BuildOptions(), make_executor=one_thread)
    return result, folder / "out"


def console(width: int, *, terminal: bool = True) -> Console:
    """Return a console of *width* on a text in memory."""
    return Console(
        file=io.StringIO(), width=width, force_terminal=terminal, color_system="standard" if terminal else None
    )


def shown(screen: Console) -> str:
    """Return what *screen* shows, without colours."""
    assert isinstance(screen.file, io.StringIO)
    return re.sub(r"\x1b\[[\d;]*m", "", screen.file.getvalue())


def words_of(text: str) -> set[str]:
    """Return the words of *text*, bars aside."""
    return {word for word in text.split() if "━" not in word}


@pytest.mark.parametrize("details", [False, True])
def test_a_summary_has_the_same_words_at_any_width(built: tuple[BuildResult, Path], *, details: bool) -> None:
    """No line of a summary is wider than the terminal, and none is folded within a word, from 60 columns on."""
    result, out = built
    texts = []
    for width in WIDTHS:
        screen = console(width, terminal=False)
        show_build(screen, result, out, details=details)
        show_run(screen, result.facts, details=details)
        texts.append(shown(screen))
        tables = [line for line in texts[-1].splitlines() if re.match(r"(region|total|gangwon|shard|train) ", line)]
        assert tables
        assert max(map(len, tables)) <= width
    assert words_of(texts[0]) == words_of(texts[1]) == words_of(texts[2])


def test_a_summary_has_a_row_for_each_region(built: tuple[BuildResult, Path]) -> None:
    """Each region has its examples by split, tokens, bytes and share of identical pairs, and the total is their sum."""
    result, out = built
    screen = console(80, terminal=False)
    show_build(screen, result, out)
    rows = re.findall(r"^(\w+) +([\d,]+) +([\d,]+) +\S+ +\S+ \w?B +\d+%$", shown(screen), flags=re.MULTILINE)
    assert [row[0] for row in rows] == ["gangwon", "gyeongsang", "chungcheong", "jeolla", "jeju", "total"]
    train = [int(row[1].replace(",", "")) for row in rows]
    assert train[-1] == sum(train[:-1]) == sum(group.train for group in result.manifest.groups)
    assert "duplicate" in shown(screen)
    assert "rejects.jsonl" in shown(screen)
    counts = result.manifest.counts
    dropped = (
        f"{counts.utterances:,} utterances in {counts.decoded:,} label files: {sum(counts.dropped.values()):,} dropped"
    )
    assert dropped in shown(screen)
    options = "--speech-type repeat --speech-type answer --speech-type dialogue"
    assert f"left out: dialogue, kept with {options}\n" in shown(screen)


def test_no_text_of_the_corpus_leaves_the_terminal(built: tuple[BuildResult, Path]) -> None:
    """A pair of each region is shown on a terminal, with what differs marked, and nowhere else."""
    result, out = built
    on_terminal, elsewhere = console(80), console(80, terminal=False)
    for screen in (on_terminal, elsewhere):
        show_build(screen, result, out)
    assert "one example of each region" in shown(on_terminal)
    assert re.search("[가-힣]", shown(on_terminal))
    assert not re.search("[가-힣]", shown(elsewhere))
    assert "\x1b[1;35m" in on_terminal.file.getvalue()  # type: ignore[attr-defined]  # a text in memory
    assert "\x1b" not in elsewhere.file.getvalue()  # type: ignore[attr-defined]  # as above


def test_the_words_that_differ_are_marked() -> None:
    """Marks are on the words that only one of two texts has."""
    source, target = marked("할매가 정지에서 마이 묵었다", "할머니가 부엌에서 마이 먹었다")
    assert [source.plain[span.start : span.end].strip() for span in source.spans] == ["할매가 정지에서", "묵었다"]
    assert [target.plain[span.start : span.end].strip() for span in target.spans] == ["할머니가 부엌에서", "먹었다"]


def test_long_pairs_are_folded() -> None:
    """A text that is longer than a row is folded between words beside its name, and nothing of it is cut."""
    screen, text = console(40), " ".join(["할매가", "정지에서", "감자를"] * 5)
    show_pairs(screen, {"jeju": (f"{text} 묵었다", f"{text} 먹었다")})
    assert shown(screen).split() == ["jeju", *text.split(), "묵었다", "→", *text.split(), "먹었다"]
    assert max(cell_len(row.rstrip()) for row in shown(screen).splitlines()) <= screen.width


def test_the_pair_to_show() -> None:
    """The pair that is shown differs and fits on a line, if there is one; of equal pairs the shortest is shown."""
    same, long, short = ("가", "가"), ("가" * 50, "나" * 50), ("묵었다", "먹었다")
    assert good_pair([same, long, short], 40) == short
    assert good_pair([same, long], 40) == long
    assert good_pair([("가가", "가가"), same], 40) == same
    assert good_pair([], 40) is None


def test_an_inspection_at_any_width(sample: SampleReport) -> None:
    """The table of an inspection fits 60 columns; a wide one has more columns, and the same numbers in those of both."""
    inspection = inspect(sample.folder.rglob("*제주도_01*.zip"), make_executor=one_thread)
    rows = []
    for width in (60, 120):
        screen = console(width, terminal=False)
        show_inspection(screen, inspection)
        row = next(line for line in shown(screen).splitlines() if line.startswith("jeju repeat"))
        assert len(row.rstrip()) <= width
        rows.append(row.split())
    assert rows[1][: len(rows[0])] == rows[0]
    assert len(rows[1]) > len(rows[0])


@pytest.mark.parametrize("width", WIDTHS)
def test_lines_are_folded_between_words(width: int) -> None:
    """A long line is folded between words on a terminal, indented from the second row on, and stays one line elsewhere."""
    sentence = "한국어 방언 데이터 " * 12 + "/a/path/that/is/longer/than/any/terminal" * 4 + " end"
    on_terminal, elsewhere = console(width), console(width, terminal=False)
    for screen in (on_terminal, elsewhere):
        print_note(screen, sentence)
    rows = shown(on_terminal).splitlines()
    assert " ".join(shown(on_terminal).split()) == " ".join(f"Note: {sentence}".split())
    assert all(row.startswith("  ") for row in rows[1:])
    assert len(shown(elsewhere).splitlines()) == 1


def test_terms_are_one_text() -> None:
    """The terms of the data are folded as one text, and their last sentence says where this command sends examples."""
    screen = console(80)
    assert EvaluateAsking(screen, yes=False, accept_data_terms=True).terms()
    rows = shown(screen).splitlines()
    assert "Evaluating sends examples made from the corpus to the" in " ".join(row.strip() for row in rows)
    assert all(cell_len(row.strip()) + 1 + cell_len(after.split()[0]) > screen.width for row, after in pairwise(rows))


def test_what_comes_next_is_typed_as_it_is() -> None:
    """The next command can be typed as it is shown, whatever is in a path."""
    screen = console(80, terminal=False)
    print_next(screen, "verify", Path("out of it"))
    assert shown(screen) == "Next: saturi verify 'out of it'\n"


def test_counts_in_words() -> None:
    """One thing is singular; a share that is there is never 0, and what is not named is one row."""
    assert [counted(number, "job") for number in (0, 1, 2, 1234)] == ["0 jobs", "1 job", "2 jobs", "1,234 jobs"]
    assert counted(1, "entry", "entries") == "1 entry"
    assert counted(2, "entry", "entries") == "2 entries"
    assert [share(part, 10_000) for part in (0, 1, 5, 10_000)] == ["0.0%", "<0.1%", "0.1%", "100.0%"]
    assert largest_first({"a": 1, "b": 3, "c": 2, "d": 1}, 2) == [("b", 3), ("c", 2), ("2 other reasons", 2)]
    assert largest_first({"a": 1, "b": 3, "c": 2}, 2) == [("b", 3), ("c", 2), ("a", 1)]
    assert [duration(seconds) for seconds in (0, 59.6, 3_661)] == ["0:00", "1:00", "1:01:01"]


@pytest.mark.parametrize("number", [1, 1000, 1023, 2 * 1024**2, 100_000_000, 5_000_000_000])
def test_sizes_are_spelled_as_they_are_read(number: int) -> None:
    """What the help shows as a size is that size."""
    assert parse_bytes(spell_bytes(number)) == number


def test_progress_has_rejects_first_and_no_nonsense() -> None:
    """Rejects come first; the time that is left and the rate, which is of JSON, only when there is something to go by."""
    pace = ShownPace(console(80))
    pace.take(Progress("read", 0, 1000))
    pace.take(Progress("read", 250, 1000, label_files=5, rejected=2, json_bytes=4_000_000))
    assert pace.words() == ["2 rejected", "5 files"]
    pace._began -= 10
    pace.take(Progress("read", 500, 1000, label_files=9, rejected=2, json_bytes=8_000_000))
    rejected, left, files, rate = pace.words()
    assert (rejected, files) == ("2 rejected", "9 files")
    assert re.fullmatch(r"0:1\d left", left)
    assert re.fullmatch(r"\d+ kB/s", rate)
    assert pace.share() == "50%"
    assert fit([rejected, left, files, rate], 22) == f"{rejected} · {left}"[:22]


@pytest.mark.parametrize("width", [60, 80])
def test_a_bar_fits_the_terminal(width: int) -> None:
    """Progress on a terminal takes one row of it."""
    screen = Console(file=io.StringIO(), width=width, force_terminal=True, force_interactive=True)
    with watching(screen) as watcher:
        for done in range(0, 1001, 250):
            watcher(Progress("read", done, 1000, label_files=700 * done, rejected=done, json_bytes=10**7 * done))
        watcher(Progress("select", 1, 3))
    assert isinstance(screen.file, io.StringIO)
    rows = re.split(r"[\r\n]|\x1b\[[\d;?]*[A-Za-z]", screen.file.getvalue())
    assert max(map(len, rows)) <= width
    assert "rejected" in screen.file.getvalue()


def test_a_step_is_shown_when_it_begins() -> None:
    """Each step is reported before the first of its results, so that no screen shows the one before, done."""
    seen: list[Progress] = []
    with Workers(one_thread, 1) as pool:
        Run(pool, Meter(1, 0.0), seen.append).map("write", str, [1, 2])
    assert seen == [Progress("write", done, 2) for done in (0, 1, 2)]


def test_no_progress_where_none_is_wanted(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With --progress none, and with --quiet, nothing is drawn; a log has the lines all the same."""
    screen = console(80)
    for name, value in (("progress", "none"), ("quiet", True)):
        with monkeypatch.context() as patch:
            patch.setattr(display, name, value)
            with watching(screen) as watcher:
                watcher(Progress("read", 1000, 1000, label_files=7))
    assert shown(screen) == ""
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_and_is_grouped(name: str) -> None:
    """Help has no line beyond 60 columns but for a name, each option once, and examples that are command lines."""
    command = cli.get_command(click.Context(cli), name)
    assert isinstance(command, Command)
    context = command.context_class(command, info_name=name, terminal_width=60)
    lines = command.get_help(context).splitlines()
    table = lines[next(number for number, line in enumerate(lines) if re.fullmatch(r"\w+:", line)) :]
    assert [line for line in lines if len(line) > 60 and not line.startswith("  -")] == []
    options = [option for option in command.get_params(context) if isinstance(option, click.Option)]
    for option in options:
        assert sum(bool(re.match(rf"  (-\w, )?{re.escape(option.opts[0])}(?![-\w])", line)) for line in table) == 1, (
            option.opts
        )
    named = {flag for flags in command.groups.values() for flag in flags}
    assert named <= {flag for option in options for flag in option.opts}
    if command.groups:  # and none is left over
        assert "Options:" not in lines
    known = {flag for option in options for flag in option.opts}
    assert len(command.examples) in (2, 3)
    for line, _ in command.examples:
        assert f"{line} ".startswith(f"saturi {name} ")
        assert {word for word in line.split() if word.startswith("-")} <= known


def test_the_manual_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manual page has every command and option, and nothing that roff would take for a request of its own."""
    script = str(ROOT / "docs" / "make_man.py")
    monkeypatch.setattr(sys, "argv", [script, str(tmp_path / "saturi.1")])
    runpy.run_path(script, run_name="__main__")
    page = (tmp_path / "saturi.1").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f".SH {name.upper()}\n" not in page] == []
    assert "\\-\\-max\\-chunk\\-bytes" in page
    assert {line.split()[0] for line in page.splitlines() if line.startswith((".", "'"))} == {
        ".TH",
        ".SH",
        ".PP",
        ".TP",
        ".B",
        ".I",
    }


def test_an_error_as_json(tmp_path: Path) -> None:
    """With --json an error is one line of JSON on stderr, with the exit code and its parts; stdout stays empty."""
    run = invoke("verify", "nowhere", "--json", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (3, "")
    failure = json.loads(run.stderr)
    assert (failure["error"], failure["exit_code"], failure["version"]) == ("BuildError", 3, 1)
    assert failure["message"] == f"{failure['where']}: {failure['problem']}; {failure['advice']}"


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (BuildError("out", "damaged", "build again"), ("out", "damaged", "build again")),
        (LockedError("out", "held", "wait"), ("out", "held", "wait")),
        (SpendingError("submit", "too much", "allow more"), ("submit", "too much", "allow more")),
        (usage_error(click.NoSuchOption("--x")), ("--x", "no such option", "see saturi --help")),
        (FileExistsError("out"), (None, None, None)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_parts_of_an_error(
    error: Exception,
    parts: tuple[str | None, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where, what is wrong and what to do are apart in JSON, of errors that have them."""
    monkeypatch.setattr(sys, "argv", ["saturi", "verify", "--json"])
    show_failure(error, 2, str(error))
    failure = json.loads(capsys.readouterr().err)
    assert (failure["where"], failure["problem"], failure["advice"]) == parts


def test_quiet_verbose_and_the_log(here: Path) -> None:
    """A quiet build says nothing and its log all of it, with times, errors too; --verbose says where an error came from."""
    quiet = saturi("build", "corpus", "--workers", "1", "--quiet", "--log-file", "log", cwd=here)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    failed = saturi("verify", "nowhere", "--log-file", "log", "--verbose", cwd=here)
    assert failed.returncode == 3
    assert "_read_whole" in failed.stderr
    assert "Traceback" not in failed.stderr
    lines = (here / "log").read_text(encoding="utf-8").splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT[\d:]+[+-]\d{4} ", line) for line in lines)
    assert "reading label files: 100%" in "".join(lines)
    assert "there is no finished build" in lines[-1]
    error_of(invoke("verify", "out", "--log-file", "corpus", cwd=here), 2)


def test_waiting_for_a_folder(here: Path) -> None:
    """Where another process holds the folder a build ends with 5, or with --wait says so and goes on when it is free."""
    build_it = ("build", "corpus", "--workers", "1", "--out", "out")
    (here / "out").mkdir()
    (here / "out" / MARKER).touch()
    with locked(here / "out"):
        error_of(invoke(*build_it, cwd=here), 5)
        waiting_one = subprocess.Popen(
            [sys.executable, ROOT / "cli.py", *build_it, "--wait"], cwd=here, stderr=subprocess.PIPE, text=True
        )
        assert waiting_one.stderr is not None
        assert "Waiting for" in waiting_one.stderr.readline()
    waiting_one.communicate(timeout=PATIENCE_SECONDS)
    assert waiting_one.returncode == 0


def test_a_wait_on_a_provider_in_words() -> None:
    """A wait names what is awaited, why, when it is asked for again, and until when."""
    news = NoAnswer(
        problem="answer 503", doing="https://api/v1, looking for jobs", again_seconds=4.2, left_seconds=60.0
    )
    assert re.fullmatch(
        r"Waiting for https://api/v1, looking for jobs: answer 503; again in 4 s, at most until \d\d:\d\d:\d\d",
        waiting(news),
    )
    assert waiting(NoAnswer(problem="no answer yet")) == "Waiting: no answer yet"


class Slow:
    """A chat that answers when *told* is set."""

    changes: tuple[str, ...] = ()

    def __init__(self, reported: threading.Event) -> None:
        self._reported = reported

    def complete(self, request: ChatRequest) -> Answer:
        """Answer, in the end."""
        assert self._reported.wait(PATIENCE_SECONDS)
        return Answer(text=request.model)

    def close(self) -> None:
        """Do nothing."""


def test_an_evaluation_says_what_it_waits_for() -> None:
    """Where no answer comes back for some seconds, that is reported in the thread that asks, and asking goes on."""
    reported, waits, answers = threading.Event(), list[Wait](), list[Outcome]()

    def report(wait: Wait) -> None:
        waits.append(wait)
        reported.set()

    question = Question(b"1", ChatRequest(model="m", messages=(), max_tokens=1, seed=0))
    ask(
        Slow(reported),
        "http://here",
        [question],
        AskPace(1, Pace(quiet_seconds=0.01), report_wait=report),
        answers.append,
    )
    assert [outcome.answer and outcome.answer.text for outcome in answers] == ["m"]
    assert (waits[0].doing, waits[0].problem, waits[0].again_seconds) == ("http://here, an answer", NO_ANSWER, None)
    assert waits[0].left_seconds > 0


def test_no_more_workers_than_work(here: Path) -> None:
    """A corpus of one small archive takes one worker; of loose files nobody knows before they are listed."""
    assert useful_workers(discover(here / "corpus"), 8) == 1
    write_zip(here / "corpus" / ANSWER_ZIP.replace("TL", "VL"), answers(40, first=100))
    assert useful_workers(discover(here / "corpus"), 8) == 2
    (here / "corpus" / "loose").mkdir()
    (here / "corpus" / "loose" / "a.json").write_bytes(b"{}")
    assert useful_workers(discover(here / "corpus"), 8) == 8


ASKING = """
import sys
from saturi.etl.runtime import interrupts
interrupts.LATEST_SECONDS = 120.0  # so that nothing but the question itself ends by the interrupt
interrupts.end_on_signals()
for library in sys.argv[2:]:
    __import__(library)
from saturi.etl.console.commands.asking import typed
for _ in range(int(sys.argv[1])):
    try:
        interrupts.set_farewell("It goes on.")
        print("answer", typed("submit", "to go on", "Nothing was sent."))
        interrupts.say_farewell()
        print("-----")
    except KeyboardInterrupt:
        interrupts.say_farewell()
        raise SystemExit(3)
"""


def _asked(*typed_bytes: bytes, questions: int = 1, libraries: Sequence[str] = ()) -> tuple[int, str]:
    """Return exit code and output of a process that has loaded *libraries* and asks, where somebody types these bytes."""
    arguments = [sys.executable, "-c", ASKING, str(questions), *libraries]
    pid, ours = pty.fork()
    if pid == 0:
        os.execve(sys.executable, arguments, {**os.environ, "PYTHONPATH": str(ROOT)})  # noqa: S606 - ourselves
    seen, left = b"", list(typed_bytes)
    while True:
        try:
            block = os.read(ours, 4096)
        except OSError:  # Linux says so when the other side is closed
            break
        seen += block
        if left and seen.endswith(b": "):
            os.write(ours, left.pop(0))
    os.close(ours)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode()


ANSWERS = [
    ([b"submit\n"], "answer True"),
    ([b"sumbit\n", b"SUBMIT\n"], "answer True"),  # a wrong word first
    ([b"\n"], "answer False"),
    ([b"no\n"], "answer False"),
    ([b"\x04"], "answer False"),
]
"""What is typed at a question, Ctrl-D last, and what comes of it."""


def test_answers() -> None:
    """A word is a yes, Enter, no and Ctrl-D are a no, and anything else is asked again."""
    code, shown = _asked(*(key for keys, _ in ANSWERS for key in keys), questions=len(ANSWERS))
    assert code == 0, shown
    *answered, rest = shown.split("-----")
    assert rest.strip() == ""
    for (keys, expected), seen in zip(ANSWERS, answered, strict=True):
        assert expected in seen, keys
        assert seen.count("It goes on.") == 1, keys
        assert seen.count("Type submit to go on") == len(keys)
        assert ("is not submit" in seen) == (len(keys) > 1)


def test_an_interrupt_at_a_question() -> None:
    """Ctrl-C at a question, with Polars loaded, too, whose handler would let it wait, ends with what was not done."""
    code, seen = _asked(b"\x03", libraries=["polars"])
    assert (code, "Interrupted. Nothing was sent." in seen, "It goes on." in seen) == (3, True, False)


def test_nobody_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal nothing is asked, and the answer is no."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("submit\n"))
    assert not typed("submit", "to go on", "")


def test_a_reader_that_has_seen_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the reader of lines has left, the command ends, and that is no failure."""
    reader, writer = os.pipe()
    os.close(reader)
    raw = io.FileIO(writer, "wb")
    stream = io.TextIOWrapper(io.BufferedWriter(SturdyBytes(raw)))
    monkeypatch.setattr(sys, "stdout", stream)
    before = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        with pytest.raises(SystemExit) as ended:
            print_json_line("watch", {"a": 1})
    finally:
        signal.signal(signal.SIGPIPE, before)
        raw.close()
    assert ended.value.code == 0
