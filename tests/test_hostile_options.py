"""Values that no option can have, tried on every option of every command that takes its kind of value, and in `etl.toml`."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from runs import command, error_of, invoke, one_thread

from saturi import (
    Access,
    BuildOptions,
    build,
    cancel,
    check,
    clean,
    dry_run,
    estimate,
    explain,
    export,
    inspect,
    plan_submission,
    sample,
    status,
    submit,
    verify,
    watch,
)
from saturi.etl.console.commands.parameters import Bytes, Share
from saturi.etl.console.dispatch import COMMANDS, cli
from saturi.etl.console.paths import NamedPath
from saturi.etl.errors import EtlError, OptionError
from saturi.etl.providers.models import read_models
from saturi.etl.providers.profiles import read_providers
from saturi.etl.settings.config import read_config
from saturi.etl.settings.declaration import Kind, declarations
from saturi.etl.settings.options import RunOptions
from saturi.etl.settings.toml import MOST_BYTES
from saturi.etl.submission.options import SubmitOptions

REQUIRED = {
    "fetch": [],
    "verify": ["out"],
    "check": ["files"],
    "explain": ["out", "--member", "x.json"],
    "estimate": ["out"],
    "export": ["out", "--to", "trl"],
    "report": ["out"],
    "submit": ["out"],
    "status": ["out"],
    "watch": ["out"],
    "cancel": ["out"],
    "clean": ["out"],
    "sample": ["folder"],
    "evaluate": ["out"],
    "build": ["corpus"],
    "inspect": ["corpus"],
    "show": ["out"],
    "diff": ["out", "other"],
    "init": [],
    "schema": [],
    "doctor": [],
}
"""What each command cannot do without; nothing of it is there, so that a value is refused before anything is looked for."""

REFUSALS = (click.UsageError, OptionError)

NUMBERS = ("99999999999999999999", "-99999999999999999999", "nan", "inf", "-inf", "1e400", "9" * 5_000, "0x10", "")


def _parameters() -> Iterator[tuple[str, click.Parameter]]:
    context = click.Context(cli)
    for name in COMMANDS:
        known = cli.get_command(context, name)
        assert known is not None
        yield from ((name, parameter) for parameter in known.params)


def _is_number(parameter: click.Parameter) -> bool:
    numbers = (click.types.IntParamType, click.types.FloatParamType, Bytes, Share)
    return isinstance(parameter.type, numbers)


def _run(name: str, *arguments: str) -> None:
    cli.main([name, *REQUIRED[name], *arguments], standalone_mode=False)


def _sentence(error: Exception) -> str:
    """Return the sentence of an *error* whose exit code is 2."""
    assert isinstance(error, REFUSALS)
    assert error.exit_code == 2
    return str(error) if isinstance(error, OptionError) else error.format_message()


NUMERIC = [(name, parameter.opts[0]) for name, parameter in _parameters() if _is_number(parameter)]
PATHS = [(name, parameter) for name, parameter in _parameters() if isinstance(parameter.type, NamedPath)]


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_is_tried() -> None:
    """No command and no kind of number is left out of this module."""
    assert REQUIRED.keys() == COMMANDS.keys()
    assert {name for name, _ in NUMERIC} == {
        "build",
        "inspect",
        "check",
        "estimate",
        "submit",
        "watch",
        "sample",
        "evaluate",
        "show",
        "diff",
    }
    assert not [
        one for _, one in _parameters() if isinstance(one.type, click.Path) and not isinstance(one.type, NamedPath)
    ]


@pytest.mark.parametrize(("name", "flag"), NUMERIC, ids=[f"{name} {flag}" for name, flag in NUMERIC])
def test_numbers_out_of_all_bounds(nowhere: Path, name: str, flag: str) -> None:
    """A number beyond all bounds, infinity, NaN, or none at all is refused with 2, and nothing is written."""
    for value in NUMBERS:
        with pytest.raises(REFUSALS) as caught:
            _run(name, f"{flag}={value}")
        assert flag in _sentence(caught.value)
    assert list(nowhere.iterdir()) == []


@pytest.mark.parametrize(("name", "parameter"), PATHS, ids=[f"{name} {parameter.opts[0]}" for name, parameter in PATHS])
def test_empty_paths(nowhere: Path, name: str, parameter: click.Parameter) -> None:
    """An empty path, which would be the working directory, is refused with 2 by every argument and option."""
    if isinstance(parameter, click.Argument):
        arguments = [name, "", *REQUIRED[name][1:]]
    else:
        arguments = [name, *REQUIRED[name], parameter.opts[0], ""]
    with pytest.raises(click.UsageError, match="the path is empty"):
        cli.main(arguments, standalone_mode=False)
    assert list(nowhere.iterdir()) == []


TEXTS = {
    "check": ["--provider", "--model"],
    "estimate": ["--model"],
    "export": ["--base-model", "--to"],
    "report": ["--model"],
    "explain": ["--member"],
    "submit": ["--provider", "--model", "--base-url", "--suffix"],
    "build": ["--balance", "--unit", "--region"],
}


@pytest.mark.parametrize(("name", "flag"), [(name, flag) for name, flags in TEXTS.items() for flag in flags])
def test_empty_names(nowhere: Path, name: str, flag: str) -> None:
    """A name that is empty is refused with 2, and is not as if it were not given."""
    with pytest.raises(REFUSALS) as caught:
        _run(name, flag, "")
    assert _sentence(caught.value)
    assert list(nowhere.iterdir()) == []


NAMES = {
    "submit": ["--provider", "--model", "--suffix"],
    "evaluate": ["--model", "--base-model"],
    "export": ["--base-model"],
}


@pytest.mark.parametrize("text", ["a\x1b[2J", "a\nb", "\u2028", "\x9b31m"], ids=ascii)
@pytest.mark.parametrize(("name", "flag"), [(name, flag) for name, flags in NAMES.items() for flag in flags])
def test_names_that_move_a_terminal(nowhere: Path, name: str, flag: str, text: str) -> None:
    """A name with a control character or a line end is refused before anything is looked for."""
    with pytest.raises(OptionError, match=flag) as caught:
        _run(name, flag, text)
    assert str(caught.value).isprintable()
    assert list(nowhere.iterdir()) == []


CALLS = {
    "build": lambda path: build(path, "out", workers=1),
    "build-out": lambda path: build("corpus", path, workers=1),
    "build-stage": lambda path: build("corpus", "out", stage=path, workers=1),
    "dry-run": dry_run,
    "inspect": inspect,
    "check": check,
    "check-validation": lambda path: check("files", validation=path),
    "estimate": estimate,
    "explain": lambda path: explain(path, "x.json"),
    "export": lambda path: export(path, "trl"),
    "verify": verify,
    "sample": sample,
    "status": status,
    "watch": watch,
    "cancel": cancel,
    "clean": clean,
    "submit": submit,
    "plan-submission": plan_submission,
    "access-key-file": lambda path: Access(key_file=path),
    "access-providers": lambda path: Access(providers=path),
    "submit-models": lambda path: SubmitOptions(models=path),
    "submit-key-file": lambda path: SubmitOptions(key_file=path),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("path", ["", "a\0b", 5], ids=["empty", "nul", "number"])
def test_paths_in_python(nowhere: Path, call: str, path: Any) -> None:
    """A path that is empty, holds a NUL, or is none is an error of the options from Python, too."""
    function: Any = CALLS[call]
    with pytest.raises((OptionError, TypeError)) as caught:
        function(path)
    assert isinstance(caught.value, OptionError) or path == 5
    assert list(nowhere.iterdir()) == []


FOLDERS = (build, estimate, explain, export, verify, submit, plan_submission, status, watch, cancel, clean)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
@pytest.mark.parametrize("function", FOLDERS)
@pytest.mark.parametrize("above", [False, True], ids=["named", "above"])
def test_folders_that_are_not_utf8(nowhere: Path, function: Any, above: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of a build, or one above it, whose name is not UTF-8 is refused, since our files cannot hold its name."""
    odd = nowhere / os.fsdecode(b"\xff")
    odd.mkdir()
    if above:
        monkeypatch.chdir(odd)
    arguments: list[Any] = ["out" if above else odd / "out"]
    arguments = (
        ["corpus", *arguments]
        if function is build
        else [*arguments, *{explain: ["x"], export: ["trl"]}.get(function, [])]
    )
    with pytest.raises(OptionError, match="is not UTF-8; rename the folder"):
        function(*arguments)
    assert list(odd.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_corpus_that_is_not_utf8(here: Path) -> None:
    """Archives, and folders above them, may have names that are not UTF-8: they are shown with escapes, and read."""
    (here / "corpus").rename(here / os.fsdecode(b"\xff"))
    run = invoke("build", os.fsdecode(b"\xff"), "--out", "out", "--workers", "1", cwd=here)
    assert run.returncode == 0, run.stderr
    assert "\\udcff" in error_of(invoke("build", os.fsdecode(b"nowhere\xff"), cwd=here), 3)


def test_one_path_is_one_path(here: Path, out: Path) -> None:
    """Where Python functions take several paths, a text is one of them, and not its letters."""
    corpus = str(here / "corpus")
    assert len(dry_run(corpus)) == 1
    assert inspect(corpus, make_executor=one_thread).total.sentences > 0
    assert build(corpus, str(here / "built"), make_executor=one_thread).manifest.counts.label_files == 40
    chunk = str(next((out / "chunks" / "train").glob("*.jsonl")))
    assert check(chunk, validation=chunk).files == 2


PATH_KEYS = [
    ("corpus", "paths"),
    *(
        (table, declared.name)
        for table, struct in (("build", RunOptions), ("build", BuildOptions), ("submit", SubmitOptions))
        for declared in declarations(struct)
        if declared.kind is Kind.PATH and declared.option.only != "command line"
    ),
]


@pytest.mark.parametrize(("table", "key"), PATH_KEYS)
@pytest.mark.parametrize("value", ['""', '"a\\u0000b"'], ids=["empty", "nul"])
def test_paths_in_the_file(tmp_path: Path, table: str, key: str, value: str) -> None:
    """A path in etl.toml that is empty or holds a NUL is refused with file, table and key."""
    path = tmp_path / "etl.toml"
    path.write_text(f"[{table}]\n{key} = {f'[{value}]' if key == 'paths' else value}\n")
    with pytest.raises(OptionError, match=rf"etl\.toml:2: {table}\.{key}: .*(empty|NUL)"):
        read_config(path, {"submit": SubmitOptions})


NUMBER_KEYS = [
    (table, declared.name)
    for table, struct in (("build", RunOptions), ("build", BuildOptions), ("submit", SubmitOptions))
    for declared in declarations(struct)
    if declared.kind in (Kind.INTEGER, Kind.SIZE, Kind.FLOAT, Kind.SHARE)
]


@pytest.mark.parametrize(("table", "key"), NUMBER_KEYS)
def test_numbers_in_the_file(nowhere: Path, table: str, key: str) -> None:
    """A number in etl.toml that is beyond all bounds is refused with 2 like on the command line."""
    for value in ("99999999999999999999", "-99999999999999999999", "nan", "inf", "1e400", "9" * 400, "9" * 5_000):
        Path("etl.toml").write_text(f"[{table}]\n{key} = {value}\n")
        with pytest.raises(REFUSALS) as caught:
            _run({"build": "build", "submit": "submit"}[table])
        assert _sentence(caught.value)
    assert [path.name for path in nowhere.iterdir()] == ["etl.toml"]


GOOD = "[build]\nsystem_prompt = '표준어로'\n"
FILES = {
    "cp949": (GOOD.encode("cp949"), "is not in UTF-8.*; save it as UTF-8"),
    "utf-16": (GOOD.encode("utf-16"), "is not in UTF-8.*; save it as UTF-8"),
    "utf-16-without-mark": (GOOD.encode("utf-16-le"), "no valid TOML|is not in UTF-8"),
    "utf-32": (GOOD.encode("utf-32"), "is not in UTF-8.*; save it as UTF-8"),
    "brackets": (b"a = " + b"[" * 20_000 + b"]" * 20_000, "nested too deeply"),
    "braces": (b"a = " + b"{a = " * 20_000 + b"1" + b"}" * 20_000, "nested too deeply"),
    "dots": (b"[" + b".".join([b"a"] * 4_000) + b"]\nb = 1\n", "nested too deeply"),
    "digits": (b"a = " + b"9" * 5_000, "more digits"),
    "large": (b"#" * MOST_BYTES + b"\n", "more than 1,048,576 bytes"),
    "zip": (b"PK\x03\x04" + bytes(100), "no valid TOML|is not in UTF-8"),
}


def _options_of_files() -> dict[str, list[str]]:
    return {
        "--config": ["build", "corpus", "--dry-run", "--config"],
        "--config of submit": ["submit", "out", "--dry-run", "--config"],
        "--config of status": ["status", "out", "--config"],
        "--providers": ["check", "corpus", "--providers"],
        "--models": ["estimate", "out", "--models"],
    }


@pytest.mark.parametrize("option", _options_of_files())
@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_toml(nowhere: Path, option: str, name: str) -> None:
    """A file in another encoding, nested without end, too large or no TOML at all is refused with what to do."""
    content, problem = FILES[name]
    (nowhere / "file.toml").write_bytes(content)
    with pytest.raises(OptionError, match=f"^file.toml: .*({problem})"):
        cli.main([*_options_of_files()[option], "file.toml"], standalone_mode=False)


@pytest.mark.parametrize("option", _options_of_files())
def test_a_byte_order_mark_in_toml(nowhere: Path, option: str) -> None:
    """A file with a byte order mark, as Windows editors save it, is read like one without."""
    (nowhere / "file.toml").write_bytes(b"\xef\xbb\xbf# nothing\n")
    with pytest.raises(EtlError, match=r"^(?!.*file\.toml)"):  # nothing else of what the command needs is there
        cli.main([*_options_of_files()[option], "file.toml"], standalone_mode=False)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "pipe"])
@pytest.mark.parametrize("option", _options_of_files())
def test_devices_and_pipes(option: str, device: str) -> None:
    """A file without an end, or one that nobody writes, is refused at once and not read."""
    os.mkfifo("pipe")
    with pytest.raises(OptionError, match="is no regular file"):
        cli.main([*_options_of_files()[option], device], standalone_mode=False)


def test_one_sentence_and_exit_code_2(here: Path) -> None:
    """On the command line itself such a value is one sentence on stderr and exit code 2."""
    (here / "etl.toml").write_text('[build]\nout = "a\\u0000b"\n')
    assert "NUL" in error_of(invoke("build", "corpus", cwd=here), 2)
    (here / "etl.toml").unlink()
    workers = error_of(invoke("build", "corpus", "--workers", "99999999999999999999", cwd=here), 2)
    assert "--workers: 99999999999999999999 is out of range; give a whole number from 1 to 1" in workers
    run = subprocess.run(
        command("build", "corpus", "--config", "/dev/stdin"),
        cwd=here,
        stdin=subprocess.PIPE,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "no regular file" in error_of(run, 2)


NUMBER_FIELDS = [
    (
        "providers",
        "[x]",
        'key_env = "X"\n',
        ("max_file_bytes", "uploads_threshold_bytes", "max_part_bytes", "max_billed_tokens"),
    ),
    ("models", "[x]", 'providers = ["openai"]\n', ("max_example_tokens", "usd_per_million_tokens")),
    ("models", "[x.epochs]", "", ("least", "most", "usual", "usual_most", "fewest_examples", "most_examples")),
]


@pytest.mark.parametrize(
    ("kind", "head", "name"),
    [(kind, f"{head}\n{more}", name) for kind, head, more, names in NUMBER_FIELDS for name in names],
)
def test_numbers_in_catalogues(tmp_path: Path, kind: str, head: str, name: str) -> None:
    """A number of a provider or a model that is beyond all bounds is refused, whichever it is."""
    read: Any = {"providers": read_providers, "models": read_models}[kind]
    for value in ("-1", "nan", "inf", "-inf", "1e400", "99999999999999999999", "9" * 400, "9" * 5_000):
        path = tmp_path / f"{kind}.toml"
        path.write_text(f"{head}{name} = {value}\n")
        with pytest.raises(OptionError, match=f"finite|digits|{name}"):
            read(path)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf8_in_json(here: Path, out: Path) -> None:
    """A file whose name is not UTF-8 is in JSON with the escapes that screens have, and the JSON is valid."""
    name = os.fsdecode(b"\xff.jsonl")
    (out / "chunks" / "train" / name).write_bytes(b"{}\n")
    run = invoke("verify", out, "--json", cwd=here)
    assert run.returncode == 4
    assert [row["path"] for row in json.loads(run.stdout)["damage"]] == ["chunks/train/\\udcff.jsonl"]
    (here / name).write_bytes(b"{}\n")
    run = invoke("check", name, "--json", cwd=here)
    assert run.returncode == 1
    assert json.loads(run.stdout)["problems"][0]["file"] == "\\udcff.jsonl"
