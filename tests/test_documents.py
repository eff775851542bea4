"""What the documents say is what the code does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import msgspec
import pytest

import etl
from etl.checking.advice import ADVICE
from etl.checking.report import Kind
from etl.console.dispatch import COMMANDS, cli
from etl.exports.targets import Target
from etl.providers.models import price_of, read_models
from etl.providers.profiles import read_providers
from etl.read.contents import TURN_CHARACTERS
from etl.select.clean import RULES
from etl.settings.config import read_config
from etl.settings.options import BuildOptions
from etl.submission.options import SubmitOptions
from schemas.config import BuildTable, SubmitTable
from schemas.terms import DropReason, RejectReason

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = "\n".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("build.md", "training.md"))
KOREAN = (ROOT / "README.ko.md").read_text(encoding="utf-8")


def _command(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


def _section(title: str) -> str:
    return REFERENCE.split(f"## {title}\n")[1].split("\n## ")[0]


def _listed(text: str, terms: set[str]) -> list[str]:
    return [word for word in re.findall(r"`([a-z0-9_]+)`", text) if word in terms]


def test_the_documents_list_every_option() -> None:
    """The table of options names every option of `build`, and no other."""
    rows = re.findall(r"^\| (`--.*?) \|", _section("Options of `build`"), flags=re.MULTILINE)
    listed = {option for row in rows for option in re.findall(r"`(--[a-z-]+)", row)}
    options = {parameter.opts[0] for parameter in _command("build").params if parameter.opts[0].startswith("--")}
    assert listed == options


def test_the_documents_list_every_option_of_inspect() -> None:
    """The table of options of `inspect` names each of them, and no other."""
    listed = set(re.findall(r"^\| `(--[a-z-]+)", _section("What is there: `inspect`"), flags=re.MULTILINE))
    assert listed == {option.opts[0] for option in _command("inspect").params if option.opts[0].startswith("--")}


def test_the_documents_tell_the_length_of_a_turn() -> None:
    """Both documents say how long a turn of 2020 may be."""
    assert f"up to {TURN_CHARACTERS} characters" in _section("The two generations")
    assert f"{TURN_CHARACTERS}자까지" in KOREAN


def test_the_documents_list_every_cleaning_rule() -> None:
    """The table of cleaning rules has those of `[clean]` in their order, with the reasons of the code."""
    rows = re.findall(r"^\| `([a-z]+)` \|.*\| `([a-z_]+)` \|$", REFERENCE, flags=re.MULTILINE)
    assert rows == [(rule.name, rule.reason) for rule in RULES if not rule.personal]


@pytest.mark.parametrize("name", ["check", "estimate"])
def test_the_documents_list_the_options_of_other_commands(name: str) -> None:
    """The table of options of a command names every one it has, and no other."""
    table = _section("Before you pay: `check` and `estimate`").split(f"| option of `{name}` |")[1].split("\n\n")[0]
    options = {parameter.opts[0] for parameter in _command(name).params if parameter.opts[0].startswith("--")}
    assert set(re.findall(r"^\| `(--[a-z-]+)", table, flags=re.MULTILINE)) == options


def test_the_documents_list_the_options_of_submit() -> None:
    """The table of options of `submit` names each of them, and no other, with its default; etl.toml has those it says."""
    section = _section("To a provider: `submit` and `watch`")
    rows = dict(re.findall(r"^\| `(--[a-z-]+)(?:\\\||[^|`])*` \|([^|]*)\|", section, flags=re.MULTILINE))
    options = {parameter.opts[0]: parameter for parameter in _command("submit").params if "--" in parameter.opts[0]}
    assert rows.keys() == options.keys()
    for name in ("provider", "model", "plan"):
        assert rows[f"--{name}"].strip() == f"`{getattr(SubmitOptions(), name)}`"
    listed = [name.removeprefix("--").replace("-", "_") for name in rows]
    in_file = {field.name for field in msgspec.structs.fields(SubmitTable)}
    first = [name for name in listed if name in in_file - {"providers", "models"}]
    assert set(first) | {"providers", "models", "key_file"} == in_file
    for name in ("status", "watch", "cancel", "clean"):
        for parameter in _command(name).params:
            assert parameter.opts[0] in section or parameter.name in ("out", "job")


def test_the_documents_say_when_a_provider_closes() -> None:
    """The dates in the README are those of the profile."""
    section = _section("To a provider: `submit` and `watch`")
    closings = read_providers()["openai"].closings
    assert set(re.findall(r"(?<![\w-])2\d{3}-\d\d-\d\d", section)) <= closings.keys()


def test_the_python_example_of_a_plan_runs(out: Path, tmp_path: Path) -> None:
    """The Python example of a submission in the README runs as it stands."""
    [example] = re.findall(r"```python\n(# submit.*?)```", REFERENCE, flags=re.DOTALL)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "all shards" in run.stdout
    assert not (out / "ledger.sqlite").exists()


def test_the_documents_list_what_a_check_finds() -> None:
    """Every kind of problem is listed, errors before warnings."""
    text = _section("Before you pay: `check` and `estimate`").split("| option")[0]
    errors, warnings = text.split("0 for warnings alone")
    for part, severity in ((errors, "error"), (warnings, "warning")):
        assert _listed(part, set(Kind)) == [kind for kind in Kind if ADVICE[kind].severity == severity]


def test_the_example_of_models_toml_is_valid(tmp_path: Path) -> None:
    """The `models.toml` in the README can be read, and its model estimated with."""
    [example] = re.findall(r"```toml\n(# models\.toml.*?)```", REFERENCE, flags=re.DOTALL)
    (tmp_path / "models.toml").write_text(example, encoding="utf-8")
    models = read_models(tmp_path / "models.toml")
    assert (price_of(models["gpt-4.1-mini"]), price_of(models["my-model"])) == (5.5, 0)


def test_the_documents_list_every_export() -> None:
    """The table of exports has a row for every target."""
    rows = re.findall(r"^\| `([a-z][a-z-]*)` \|", _section("Without a provider: `export`"), flags=re.MULTILINE)
    assert rows == list(Target)


def test_the_documents_tell_the_defaults() -> None:
    """The defaults in the table of options are those of the code."""
    told = dict(
        re.findall(
            r"^\| `--([a-z-]+)(?:[^|]|\\\|)*\| `([^`|]+)` \|", _section("Options of `build`"), flags=re.MULTILINE
        )
    )
    defaults = BuildOptions().as_json()
    numbers = ("validation", "max_ratio", "max_entries", "max_unknown", "max_rejects", "unit", "source")
    assert {name: str(told[name.replace("_", "-")]) for name in numbers} == {
        name: f"{defaults[name]:g}" if isinstance(defaults[name], float) else str(defaults[name]) for name in numbers
    }
    assert (told["max-chunk-bytes"], told["max-member-bytes"]) == ("100MB", "64MiB")
    assert (defaults["max_chunk_bytes"], defaults["max_member_bytes"]) == (100 * 10**6, 64 * 2**20)


def test_the_configuration_file_knows_every_option() -> None:
    """Every option of `build` can stand in `etl.toml`, but for how to run this once, and other words for the same."""
    options = {parameter.name for parameter in _command("build").params if parameter.opts[0].startswith("--")}
    once = {"config", "dry_run", "profile", "as_json"}
    other_words = {"no_dedup", "merge"}
    assert {field.name for field in msgspec.structs.fields(BuildTable)} == options - once - other_words


def test_the_documents_list_every_reason() -> None:
    """The reasons for rejects and drops are listed, and the drops in the order of the rules."""
    text = _section("What becomes of a label file")
    rejects, drops = text.split("**Dropped**")[0], text.split("**Dropped**")[1].split("\n\n")[0]
    assert _listed(rejects, set(RejectReason)) == list(RejectReason)
    assert _listed(drops, set(DropReason)) == list(DropReason)


def test_the_example_of_etl_toml_is_valid(tmp_path: Path) -> None:
    """The `etl.toml` in the README can be read."""
    [example] = re.findall(r"```toml\n(# etl\.toml\n.*?)```", REFERENCE, flags=re.DOTALL)
    (tmp_path / "etl.toml").write_text(example, encoding="utf-8")
    config = read_config(tmp_path / "etl.toml")
    assert config.corpus.paths == (str(tmp_path / "data"),)
    assert config.build.workers == 8


def test_the_python_example_runs(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python example in the README runs as it stands."""
    [example] = re.findall(r"```python\n(from etl import.*?)```", README, flags=re.DOTALL)
    (here / "corpus").rename(here / "data")
    monkeypatch.chdir(here)
    Path("example.py").write_text(example, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "example.py"], env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60, check=False
    )
    assert run.returncode == 0
    assert (here / "out" / "manifest.json").exists()


def test_public_names() -> None:
    """Every public name is there, and the documented ones are public."""
    assert all(hasattr(etl, name) for name in etl.__all__)
    assert {"build", "BuildOptions", "verify", "check", "estimate", "export", "submit", "SubmitOptions"} <= set(
        etl.__all__
    )


@pytest.mark.parametrize("document", [README, KOREAN], ids=["english", "korean"])
def test_both_readmes_begin_with_the_two_commands(document: str) -> None:
    """Both begin with `make demo` and `make test`."""
    assert re.findall(r"^make ([a-z]+)", document, flags=re.MULTILINE)[:2] == ["demo", "test"]


def test_the_readme_lists_every_command() -> None:
    """The table of commands has every command."""
    rows = re.findall(r"^\| (`.*?) \|", README.split("## Commands\n")[1].split("\n## ")[0], flags=re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([a-z]+)", row)} == set(COMMANDS)


@pytest.mark.parametrize("document", [README, REFERENCE, KOREAN], ids=["readme", "reference", "korean"])
def test_commands_in_the_documents_exist(document: str) -> None:
    """Every command, make target and option that the documents show exists."""
    commands = re.findall(
        r"(?:cli\.py|saturi) ([a-z]+)(?= )", " ".join(re.findall(r"```sh\n(.*?)```", document, flags=re.DOTALL))
    )
    assert commands
    assert set(commands) <= set(COMMANDS)
    targets = re.findall(r"^make ([a-z]+)", document, flags=re.MULTILINE)
    assert all(
        re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
        for target in targets
    )
    options = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", document))
    known = {
        option
        for name in COMMANDS
        for parameter in _command(name).params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert options <= known | {"--help", "--kills", "--large", "--memory", "--quick", "--write", "--faults"}


def test_files_the_documents_point_to_exist() -> None:
    """Every relative link leads to a file."""
    for document in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} points to {target}"
