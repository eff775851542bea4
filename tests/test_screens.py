"""What every screen makes of hostile names and values, and of consoles that lack signs."""

import io
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from corpora import answers, document, member, stem, write_zip
from coverings import examples
from hypothesis import assume, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text
from runs import invoke, manifest_of

from saturi.etl.console.dispatch import COMMANDS
from saturi.etl.console.lines import add_row, print_line
from saturi.etl.console.screens.tables import numbers_table, print_table
from saturi.etl.console.signs import ERRORS, blocks
from saturi.etl.output.printable import escaped_json, printable

ROOT = Path(__file__).parents[1]
HOSTILE = "\x1b]52;c;aGk=\x07\x1b[2J\x9b2J\u202e\u2066\u2028\u2029\x85\x7f\u200b\r\nsaturi: forged [red]:smile: "
"""Writes the clipboard, clears the screen, turns the line, forges one; and markup, which is none here."""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no file of such a name")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose corpus, build, chat files, models and providers are hostile wherever they may be."""
    folder = tmp_path_factory.mktemp("hostile")
    label = stem("say", "1", 1)
    odd = json.loads(document(label, "가 묵었나", "가 먹었니"))
    odd["speaker"][0] |= {"gender": HOSTILE, "birthYear": HOSTILE, "residenceProvince": HOSTILE}
    odd["script"] |= {"speechType": HOSTILE, "domain": HOSTILE}
    members = [*answers(40, first=2), (f"{HOSTILE}/{label}.json", json.dumps(odd, ensure_ascii=False).encode())]
    members += [(f"{HOSTILE}.json", b"{"), member(f"{HOSTILE}1", HOSTILE, "나")]
    write_zip(folder / "corpus" / f"{HOSTILE}.zip", members)
    (folder / "corpus" / f"{HOSTILE}2.zip").write_bytes(b"no zip")
    (folder / "corpus" / f"{HOSTILE}.json").write_bytes(b"[]")
    kinds = ("--speech-type", "answer", "--speech-type", "unknown", "--max-unknown", "1", "--max-rejects", "1")
    invoke("build", "corpus", "--out", "out", "--workers", "1", "--allow-bad-archives", *kinds, cwd=folder)
    assert manifest_of(folder / "out")["counts"]["examples"] == 42
    line = {"messages": [{"role": HOSTILE, "content": 1, HOSTILE: 2}], HOSTILE: 3}
    (folder / f"{HOSTILE}.jsonl").write_text(json.dumps(line, ensure_ascii=False) + "\n" + f"{{{HOSTILE}}}\n")
    name = json.dumps(HOSTILE)
    row = f'[{name}]\nproviders = ["openai"]\nusd_per_million_tokens = 1.0\nsource = {name}\nas_of = 2026-01-01\n'
    (folder / "models.toml").write_text(row + "shutdown_date = 2026-01-02\n", encoding="utf-8")
    (folder / "bad.toml").write_text(f"[build]\n{name} = 1\n", encoding="utf-8")
    (folder / "build" / HOSTILE).mkdir(parents=True)
    return folder


COMMAND_LINES: dict[str, list[str]] = {
    "build": ["build", "corpus", "--out", f"out{HOSTILE}", "--workers", "1", "--allow-bad-archives", "--profile"],
    "build-refused": ["build", "corpus", "--out", "refused", "--workers", "1"],
    "build-dry": ["build", "corpus", "--dry-run", "--allow-bad-archives"],
    "build-config": ["build", "corpus", "--config", "bad.toml"],
    "build-missing": ["build", HOSTILE],
    "build-region": ["build", "corpus", "--region", HOSTILE],
    "build-balance": ["build", "corpus", "--balance", HOSTILE],
    "build-command": [HOSTILE],
    "inspect": ["inspect", "corpus", "--workers", "1"],
    "inspect-build": ["inspect", "out", "--workers", "1"],
    "inspect-json": ["inspect", "corpus", "--workers", "1", "--json"],
    "build-dry-json": ["build", "corpus", "--dry-run", "--allow-bad-archives", "--json"],
    "check-json": ["check", f"{HOSTILE}.jsonl", "--json"],
    "verify": ["verify", "damaged"],
    "verify-missing": ["verify", HOSTILE],
    "explain": ["explain", "out", "--member", f"{HOSTILE}1.json", "--text"],
    "explain-reject": ["explain", "out", "--member", f"{HOSTILE}.json"],
    "explain-missing": ["explain", "out", "--member", f"{HOSTILE}9.json"],
    "check": ["check", f"{HOSTILE}.jsonl", "out"],
    "check-missing": ["check", f"{HOSTILE}9.jsonl"],
    "check-provider": ["check", "out", "--provider", HOSTILE],
    "check-model": ["check", "out", "--model", HOSTILE, "--models", "models.toml"],
    "show": ["show", "out", "-n", "100"],
    "show-dropped": ["show", "out", "--dropped", HOSTILE],
    "diff": ["diff", "out", "damaged"],
    "diff-missing": ["diff", "out", HOSTILE],
    "doctor": ["doctor", HOSTILE],
    "init": ["init", f"{HOSTILE}.toml"],
    "schema": ["schema", HOSTILE],
    "estimate": ["estimate", "out", "--model", HOSTILE, "--models", "models.toml"],
    "estimate-model": ["estimate", "out", "--model", HOSTILE],
    "export": ["export", f"build/{HOSTILE}/out", "--to", "trl"],
    "export-missing": ["export", HOSTILE, "--to", "trl"],
    "submit": ["submit", "out", "--dry-run", "--suffix", "x"],
    "submit-model": ["submit", "out", "--dry-run", "--model", HOSTILE, "--models", "models.toml"],
    "submit-provider": ["submit", "out", "--dry-run", "--provider", HOSTILE],
    "status": ["status", HOSTILE],
    "evaluate": ["evaluate", HOSTILE],
    "fetch": ["fetch", HOSTILE, "--list", "--base-url", "http://127.0.0.1:9"],
    "fetch-number": [
        "fetch",
        "71517",
        "--to",
        HOSTILE,
        "--base-url",
        "http://127.0.0.1:9",
        "--match",
        HOSTILE,
        "--dry-run",
    ],
    "fetch-repair": ["fetch", "--repair", HOSTILE],
    "report": ["report", "out", "--terminal"],
    "report-page": ["report", "out", "--to", f"{HOSTILE}.html", "--text"],
    "report-missing": ["report", HOSTILE],
    "evaluate-file": ["evaluate", "--file", f"{HOSTILE}.jsonl", "--name", HOSTILE],
    "evaluate-predictions": ["evaluate", "out", "--predictions", f"{HOSTILE}={HOSTILE}.jsonl"],
    "watch": ["watch", HOSTILE],
    "cancel": ["cancel", HOSTILE, HOSTILE],
    "clean": ["clean", HOSTILE],
    "sample": ["sample", f"sample{HOSTILE}", "--files", "200"],
    "sample-refused": ["sample", f"build/{HOSTILE}", "--files", "200"],
}


def _prepare(folder: Path) -> None:
    """Copy the build to where other tests damage it or write beside it."""
    for copy in (folder / "damaged", folder / "build" / HOSTILE / "out"):
        if not copy.exists():
            shutil.copytree(folder / "out", copy)
    (folder / "damaged" / "chunks" / "train" / f"{HOSTILE}.jsonl").write_text("{}\n")


def test_every_command_is_tried() -> None:
    """No command is left out of this module."""
    assert {arguments[0] for arguments in COMMAND_LINES.values()} - {HOSTILE} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMAND_LINES)
def test_nothing_hostile_reaches_a_terminal(hostile: Path, name: str) -> None:
    """No control, no format character and no line end from a name or value is printed as it is, by any command."""
    _prepare(hostile)
    run = invoke(*COMMAND_LINES[name], cwd=hostile)
    assert "Traceback" not in run.stderr
    printed = run.stdout + run.stderr
    assert {sign for sign in printed if unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp")} <= {"\n"}
    assert not re.search(r"^saturi: forged", printed, flags=re.MULTILINE)
    if "forged" in printed:  # what is shown is shown as it is, and markup is none
        assert "[red]:smile:" in printed


NAMES = ("gangwon-repeat", "clova HCX-DASH-002", "fireworks accounts/fireworks/models/가나다라-30b-a3b")


@pytest.mark.parametrize("columns", [24, 40, 60, 80, 120])
def test_tables_keep_words_whole(columns: int) -> None:
    """At any width a table has every name and number whole, no line too long but for a word, and no blank at the end of one."""
    console = Console(width=columns, file=io.StringIO(), force_terminal=True, color_system=None)
    table = numbers_table("model", "price", "billed", "as of", title="The same build everywhere")
    for name in NAMES:
        add_row(table, name, "$12,345.67", "8,765,432", "2026-05-01")
    print_table(console, table, less=("as of", "billed"))
    with console.capture() as capture:
        print_table(console, table)
    lines = capture.get().splitlines()
    assert {word for name in NAMES for word in name.split()} | {"$12,345.67"} <= set(" ".join(lines).split())
    assert [line for line in lines if line != line.rstrip()] == []
    assert [line for line in lines if cell_len(line) > columns and " " in line.strip()] == []


def test_tables_leave_out_what_matters_less() -> None:
    """Where names would be folded, a table leaves out columns, in the order given, and only those."""
    shown = {}
    for columns in (48, 60, 80):
        console = Console(width=columns, file=io.StringIO())
        table = numbers_table("model", "price", "billed", "as of")
        add_row(table, "together Qwen/Qwen3-8B-Instruct", "$12,345.67", "8,765,432", "2026-05-01")
        with console.capture() as capture:
            print_table(console, table, less=("as of", "billed"))
        shown[columns] = capture.get().splitlines()[0].split()
    assert shown[80] == ["model", "price", "billed", "as", "of"]
    assert shown[60] == ["model", "price", "billed"]
    assert shown[48] == ["model", "price"]


@given(st.text(max_size=40))
@examples(300)
def test_any_text_is_printable(text: str) -> None:
    """Any text comes out on one line of signs, and one that has nothing else is left as it is."""
    shown = printable(text)
    assert not {unicodedata.category(sign) for sign in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown
    shown.encode()


@given(st.text(max_size=40) | st.text('\x1b\x7f\x9b\u202e\u2028\U000e0041가"\\', max_size=10))
@examples(300)
def test_json_has_escapes_in_its_texts(text: str) -> None:
    """What machines get is the same value, and on a terminal, too, nothing in it moves that."""
    assume(not any(unicodedata.category(sign) == "Cs" for sign in text))
    content = msgspec.json.format(msgspec.json.encode({text: [text]}), indent=2)
    shown = escaped_json(content)
    assert json.loads(shown) == {text: [text]}
    assert not {sign for sign in shown.decode() if unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp")} - {"\n"}
    if text.isprintable():
        assert shown == content


def test_long_texts_are_cut() -> None:
    """A text is cut to the number of characters asked for, and says so."""
    assert printable("가" * 30, 10) == "가" * 10 + "…"
    assert printable("가" * 10, 10) == "가" * 10


def _shown(console: Console) -> str:
    with console.capture() as capture:
        print_line(console, Text("red", "red").append(f" {HOSTILE}"))
        print_line(console, f"[bold]{HOSTILE}", "red")
        table = Table()
        table.add_column("")
        add_row(table, HOSTILE, style="bold")
        add_row(table, Text(HOSTILE, "red"))
        console.print(table)
    return capture.get()


def test_lines_and_rows_on_a_terminal() -> None:
    """On a terminal, too, nothing but rich itself moves it."""
    console = Console(force_terminal=True, color_system="truecolor", width=400)
    shown = re.sub(r"\x1b\[[\d;]*m", "", _shown(console))
    assert not {sign for sign in shown if unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp")} - {"\n"}
    assert shown.count("[red]:smile:") == 4
    assert "\x1b[" in _shown(console)


ENCODINGS = ("cp949", "euc-kr", "ascii", "latin-1", "cp1252", "cp437", "utf-8")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_signs_that_an_encoding_lacks(encoding: str) -> None:
    """What an encoding lacks becomes a sign or an escape that it has, never a question mark."""
    signs = "".join(sorted({sign for path in (ROOT / "etl").rglob("*.py") for sign in path.read_text("utf-8")}))
    for text in (signs, "\udcff 👵 ₩ ○ 漢", *blocks(encoding)):
        shown = text.encode(encoding, ERRORS).decode(encoding)
        assert shown.count("?") == text.count("?")
        assert len(shown) >= len(text)
    assert "₩1,400 – 5 × 2".encode("ascii", ERRORS) == b"W1,400 - 5 x 2"


def test_pictures_have_signs_of_one_kind() -> None:
    """A picture has blocks where the encoding has all of them, else letters."""
    assert {encoding: blocks(encoding) for encoding in ENCODINGS if blocks(encoding)[0] == "▁"} == {"utf-8": "▁▂▃▄▅▆▇█"}
    assert all(len(set(blocks(encoding).encode(encoding).decode(encoding))) == 8 for encoding in ENCODINGS)


CP949: dict[str, Sequence[str]] = {
    "estimate": ["estimate", "out", "--rate", "1400", "--sample", "20", "--model", "gpt-4.1"],
    "inspect": ["inspect", "corpus", "--workers", "1"],
    "inspect-build": ["inspect", "out", "--workers", "1"],
    "check": ["check", "out", "--show", "1"],
    "verify": ["verify", "out"],
    "build": ["build", "corpus", "--out", "again", "--workers", "1", "--allow-bad-archives", "--max-rejects", "1"],
    "build-help": ["build", "--help"],
    "dry-run": ["build", "corpus", "--dry-run", "--allow-bad-archives"],
    "explain": ["explain", "out", "--member", f"{stem('say', '2', 1)}.json", "--text"],
    "submit": ["submit", "out", "--dry-run"],
}


@pytest.mark.parametrize("name", CP949)
def test_every_screen_in_other_encodings(hostile: Path, name: str) -> None:
    """Every screen says the same in an encoding that lacks signs, with a fallback for each, and no blank at the end of a line."""
    usual = invoke(*CP949[name], cwd=hostile)
    assert [line for line in (usual.stdout + usual.stderr).splitlines() if line != line.rstrip()] == []
    # Of a stream in ASCII click believes that it is none, and prints help in UTF-8.
    for encoding in ("cp949",) if name == "build-help" else ("cp949", "ascii"):
        other = invoke(*CP949[name], cwd=hostile, PYTHONIOENCODING=encoding)
        assert other.returncode == usual.returncode, encoding
        assert other.stdout.count("?") == usual.stdout.count("?"), encoding
        assert "Traceback" not in other.stderr, encoding
        if encoding == "cp949":
            assert len(other.stdout.splitlines()) == len(usual.stdout.splitlines())
        if name == "estimate":
            assert re.search(r"\$[\d.,]+ +W[\d,]+", other.stdout), encoding


SCREENS = [path for path in (ROOT / "etl" / "console").rglob("*.py") if path.name != "lines.py"]


@pytest.mark.parametrize("path", SCREENS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_screens_print_through_one_place(path: Path) -> None:
    """No other module of the console prints a text or a table, or adds a row, itself."""
    source = path.read_text(encoding="utf-8")
    assert "add_row(" not in source.replace(" add_row(", "")
    for argument in re.findall(r"\.print\(\s*([^\s)][^,)\n]*)", source):
        assert re.fullmatch(r"(Padding\()?plain\(.*", argument), argument
