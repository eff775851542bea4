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
from cli import COMMANDS, cli
from etl.config import read_config
from etl.options import BuildOptions
from schemas.config import BuildTable
from schemas.terms import DropReason, RejectReason

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
KOREAN = (ROOT / "README.ko.md").read_text(encoding="utf-8")


def _command(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


def _section(title: str) -> str:
    return README.split(f"## {title}\n")[1].split("\n## ")[0]


def _listed(text: str, terms: set[str]) -> list[str]:
    return [word for word in re.findall(r"`([a-z0-9_]+)`", text) if word in terms]


def test_the_readme_lists_every_option() -> None:
    """The table of options names every option of `build`, and no other."""
    rows = re.findall(r"^\| (`--.*?) \|", _section("Options of `build`"), flags=re.MULTILINE)
    listed = {option for row in rows for option in re.findall(r"`(--[a-z-]+)", row)}
    options = {parameter.opts[0] for parameter in _command("build").params if parameter.opts[0].startswith("--")}
    assert listed == options


def test_the_readme_lists_every_option_of_inspect() -> None:
    """The table of options of `inspect` names each of them, and no other."""
    listed = set(re.findall(r"^\| `(--[a-z-]+)", _section("What is there: `inspect`"), flags=re.MULTILINE))
    assert listed == {option.opts[0] for option in _command("inspect").params if option.opts[0].startswith("--")}


def test_the_readme_tells_the_defaults() -> None:
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


def test_the_readme_lists_every_reason() -> None:
    """The reasons for rejects and drops are listed, and the drops in the order of the rules."""
    text = _section("What becomes of a label file")
    rejects, drops = text.split("**Dropped**")[0], text.split("**Dropped**")[1].split("\n\n")[0]
    assert _listed(rejects, set(RejectReason)) == list(RejectReason)
    assert _listed(drops, set(DropReason)) == list(DropReason)


def test_the_example_of_etl_toml_is_valid(tmp_path: Path) -> None:
    """The `etl.toml` in the README can be read."""
    [example] = re.findall(r"```toml\n(.*?)```", README, flags=re.DOTALL)
    (tmp_path / "etl.toml").write_text(example, encoding="utf-8")
    config = read_config(tmp_path / "etl.toml")
    assert config.corpus.paths == (str(tmp_path / "data"),)
    assert config.build.workers == 8


def test_the_python_example_runs(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python example in the README runs as it stands."""
    [example] = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
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
    assert {"build", "BuildOptions", "verify"} <= set(etl.__all__)


@pytest.mark.parametrize("document", [pytest.param(README, id="english"), pytest.param(KOREAN, id="korean")])
def test_commands_in_the_documents_exist(document: str) -> None:
    """Every command, make target and option that the documents show exists."""
    commands = re.findall(
        r"(?:cli\.py|saturi) ([a-z]+)(?= )", " ".join(re.findall(r"```sh\n(.*?)```", document, flags=re.DOTALL))
    )
    assert commands
    assert set(commands) <= set(COMMANDS)
    targets = re.findall(r"^make ([a-z]+)", document, flags=re.MULTILINE)
    assert targets[:2] == ["demo", "test"]
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
    assert options <= known | {"--kills", "--large", "--memory", "--quick", "--write"}


def test_files_the_documents_point_to_exist() -> None:
    """Every relative link leads to a file."""
    for document in ROOT.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{document.name} points to {target}"
