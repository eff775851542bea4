"""What the documents say is what the code does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import saturi
from saturi.etl.checking import report
from saturi.etl.checking.advice import ADVICE
from saturi.etl.console.dispatch import COMMANDS, cli
from saturi.etl.console.help import Command, shared_options
from saturi.etl.download.data_sets import KNOWN
from saturi.etl.download.options import FetchOptions
from saturi.etl.download.terms import TERMS
from saturi.etl.exports.base_models import read_base_models
from saturi.etl.exports.trainers import Trainer
from saturi.etl.providers.models import price_of, read_models
from saturi.etl.providers.profiles import read_providers
from saturi.etl.read.contents import TURN_CHARACTERS
from saturi.etl.select.markup import RULES
from saturi.etl.settings.config import read_config
from saturi.etl.settings.declaration import Declaration, Kind, declarations
from saturi.etl.settings.options import BuildOptions, RunOptions
from saturi.etl.settings.sizes import parse_bytes
from saturi.etl.submission.options import SubmitOptions
from saturi.schemas.terms import DropReason, RejectReason

SHARED = {option.name for option in shared_options()}
"""Options that every command has."""

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = "\n".join(
    (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("build.md", "training.md", "commands.md")
)
FETCHING = (ROOT / "docs" / "fetch.md").read_text(encoding="utf-8")
OTHER_COMMANDS = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
KOREAN = (ROOT / "README.ko.md").read_text(encoding="utf-8")


def _command(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


def _options(name: str) -> set[str]:
    """Return the options of a command but those that every command has."""
    command = _command(name)
    assert isinstance(command, Command)
    own = [parameter for parameter in command.params if parameter.name not in SHARED]
    return {max(parameter.opts, key=len) for parameter in own if isinstance(parameter, click.Option)}


def _section(title: str) -> str:
    return REFERENCE.split(f"## {title}\n")[1].split("\n## ")[0]


def _listed(text: str, terms: set[str]) -> list[str]:
    return [word for word in re.findall(r"`([a-z0-9_]+)`", text) if word in terms]


def test_the_documents_list_every_option() -> None:
    """The table of options names every option of `build`, and no other."""
    rows = re.findall(r"^\| (`--.*?) \|", _section("Options of `build`"), flags=re.MULTILINE)
    listed = {option for row in rows for option in re.findall(r"`(--[a-z-]+)", row)}
    assert listed == _options("build")


def test_the_documents_list_the_options_of_every_command() -> None:
    """The table of options that every command has names each of them, and no other."""
    rows = re.findall(r"^\| (`-.*?) \|", _section("What is shown"), flags=re.MULTILINE)
    assert [re.findall(r"--[a-z-]+", row) for row in rows] == [[option.opts[0]] for option in shared_options()]


def test_the_documents_list_every_option_of_inspect() -> None:
    """The table of options of `inspect` names each of them, and no other."""
    listed = set(re.findall(r"^\| `(--[a-z-]+)", _section("What is there: `inspect`"), flags=re.MULTILINE))
    assert listed == _options("inspect")


def test_the_documents_tell_the_length_of_a_turn() -> None:
    """Both documents say how long a turn of 2020 may be."""
    assert f"up to {TURN_CHARACTERS} characters" in _section("The two generations")
    assert f"{TURN_CHARACTERS}자까지" in (ROOT / "docs" / "ko" / "build.md").read_text(encoding="utf-8")


def test_the_documents_list_every_cleaning_rule() -> None:
    """The table of cleaning rules has those of `[clean]` in their order, with the reasons of the code."""
    rows = re.findall(r"^\| `([a-z]+)` \|.*\| `([a-z_]+)` \|$", REFERENCE, flags=re.MULTILINE)
    assert rows == [(rule.name, rule.reason) for rule in RULES if not rule.personal]


@pytest.mark.parametrize("name", ["check", "estimate"])
def test_the_documents_list_the_options_of_other_commands(name: str) -> None:
    """The table of options of a command names every one it has, and no other."""
    table = _section("Before you pay: `check` and `estimate`").split(f"| option of `{name}` |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(--[a-z-]+)", table, flags=re.MULTILINE)) == _options(name)


@pytest.mark.parametrize("name", ["show", "diff"])
def test_the_documents_list_the_options_of_pairs(name: str) -> None:
    """The table of options of a command on pairs names every one it has, and no other."""
    table = OTHER_COMMANDS.split(f"| option of `{name}` |")[1].split("\n\n")[0]
    assert set(re.findall(r"`(--[a-z-]+)", table)) == _options(name)


def test_the_documents_list_the_options_of_submit() -> None:
    """The table of options of `submit` names each of them, and no other; etl.toml has those it says."""
    section = _section("To a provider: `submit` and `watch`")
    rows = dict(re.findall(r"^\| `(--[a-z-]+)(?:\\\||[^|`])*` \|([^|]*)\|", section, flags=re.MULTILINE))
    assert rows.keys() == _options("submit")
    in_file = [one.name for one in declarations(SubmitOptions) if one.option.only != "command line"]
    listed = [name.removeprefix("--").replace("-", "_") for name in rows]
    first = [name for name in listed if name in in_file and name not in ("providers", "models", "ledger")]
    assert {*first, "providers", "models", "ledger", "key_file"} == set(in_file)
    assert listed[:10] == first
    assert "its table `[submit]` has the first ten of these" in section
    for name in ("status", "watch", "cancel", "clean"):
        for parameter in _command(name).params:
            assert parameter.opts[0] in section or parameter.name in ("out", "job", *SHARED)


def test_the_documents_list_the_options_of_fetch() -> None:
    """The table of options of `fetch` names each of them, and no other; etl.toml has those it says; the terms are shown whole."""
    assert set(re.findall(r"^\| `(--[a-z-]+)` \|", FETCHING, flags=re.MULTILINE)) == _options("fetch")
    in_file = [one.name for one in declarations(FetchOptions) if one.option.only != "command line"]
    [named] = re.findall(r"its table `\[fetch\]` has (.*?) \|", FETCHING)
    assert re.findall(r"`([a-z_]+)`", named) == in_file
    [terms] = re.findall(r"<!-- terms: begin -->\n(.*?)\n<!-- terms: end -->", FETCHING, flags=re.DOTALL)
    assert tuple(terms.split("\n")) == TERMS
    for known in KNOWN:
        assert known.number in range(118, 123) or f"| {known.number} | {known.title} | {known.generation} |" in FETCHING


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
        assert _listed(part, set(report.Kind)) == [kind for kind in report.Kind if ADVICE[kind].severity == severity]


def test_the_example_of_models_toml_is_valid(tmp_path: Path) -> None:
    """The `models.toml` in the README can be read, and its model estimated with."""
    [example] = re.findall(r"```toml\n(# models\.toml.*?)```", REFERENCE, flags=re.DOTALL)
    (tmp_path / "models.toml").write_text(example, encoding="utf-8")
    models = read_models(tmp_path / "models.toml")
    assert (price_of(models["gpt-4.1-mini"]), price_of(models["my-model"])) == (5.5, 0)


def test_the_documents_list_every_export() -> None:
    """The table of exports has a row for every target."""
    rows = re.findall(r"^\| `([a-z][a-z-]*)` \|", _section("Without a provider: `export`"), flags=re.MULTILINE)
    assert rows == list(Trainer)


def test_the_documents_list_every_base_model() -> None:
    """The table of base models has those of the catalogue, with name, licence and size."""
    rows = re.findall(
        r"^\| `([^`]+)` \| `([^`]+)` \| ([^|]+) \| ([0-9.]+) × 10⁹ \|",
        _section("Without a provider: `export`"),
        flags=re.MULTILINE,
    )
    models = read_base_models().values()
    assert [(name, of, licence, float(size) * 1e9) for name, of, licence, size in rows] == [
        (model.name, model.id, model.licence, model.parameters) for model in models
    ]


def _rows(section: str) -> dict[str, tuple[str, str, str]]:
    """Return the cells of each row of a table of options, by each option in the first cell."""
    lines = re.findall(r"^\| (`--.*) \|(.*?)\|(.*) \|$", _section(section).replace(r"\|", "¦"), flags=re.MULTILINE)
    cells = [tuple(cell.replace("¦", "|").strip() for cell in line) for line in lines]
    return {
        name: (option, default, text) for option, default, text in cells for name in re.findall(r"--[a-z-]+", option)
    }


def _shown_default(declared: Declaration, cell: str) -> str:
    """Return what a table should have for the default of an option, given the *cell* that it has."""
    default, unset = declared.default, declared.option.unset
    if declared.name == "system_prompt":
        return "the original recipe's"
    match declared.kind:
        case Kind.SWITCH:
            return f"`{declared.flag}`" if default else "no" if declared.option.negatable else ""
        case Kind.TERMS:
            return " ".join(f"`{term}`" for term in default) if len(default) < len(declared.terms) else cell
        case Kind.SIZE:
            return cell if parse_bytes(cell.strip("`")) == default else f"{default}"
        case Kind.FLOAT | Kind.SHARE if isinstance(default, float):
            return f"`{default:g}`"
    if default in (None, ()):
        return cell if "`" not in cell or (unset and unset in cell) else unset or "none"
    return f"`{default}`"


@pytest.mark.parametrize(
    ("section", "declared"),
    [
        pytest.param(section, declared, id=f"{struct.__name__}-{declared.name}")
        for section, struct in (
            ("Options of `build`", RunOptions),
            ("Options of `build`", BuildOptions),
            ("To a provider: `submit` and `watch`", SubmitOptions),
        )
        for declared in declarations(struct)
        if declared.option.only != "file"
    ],
)
def test_the_documents_have_what_is_declared(section: str, declared: Declaration) -> None:
    """The row of an option has its spelling, the terms it may be, and its default, as they are declared."""
    option, default, text = _rows(section)[declared.flag]
    if declared.kind is Kind.SWITCH and declared.option.negatable:
        assert option == f"`{declared.flag}/--no-{declared.flag.removeprefix('--')}`"
    assert all(
        re.search(rf"\b{term}\b", option + default + text) for term in declared.terms if declared.kind != Kind.SIZE
    )
    assert default == _shown_default(declared, default)


def test_the_configuration_file_knows_every_option() -> None:
    """Every option of `build` can stand in `etl.toml`, but for how to run this once, and other words for the same."""
    options = {name.removeprefix("--").replace("-", "_") for name in _options("build")}
    once = {"config", "dry_run", "wait", "details", "profile", "report", "json"}
    other_words = {"no_dedup", "merge"}
    declared = (*declarations(RunOptions), *declarations(BuildOptions))
    assert {one.name for one in declared if one.option.only is None} == options - once - other_words


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
    assert config.paths == (tmp_path / "data",)
    assert config.table("build")["workers"] == 8


def test_the_python_example_runs(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python example in the README runs as it stands."""
    [example] = re.findall(r"```python\n(from saturi import.*?)```", README, flags=re.DOTALL)
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
    assert all(hasattr(saturi, name) for name in saturi.__all__)
    assert {"build", "BuildOptions", "verify", "check", "estimate", "export", "submit", "SubmitOptions"} <= set(
        saturi.__all__
    )


@pytest.mark.parametrize("document", [README, KOREAN], ids=["english", "korean"])
def test_both_readmes_begin_with_the_first_chunk(document: str) -> None:
    """Both begin with the lines that install and lead to the first chunk, and name `make demo` and `make test`."""
    [first, *_] = re.findall(r"```sh\n(.*?)```", document, flags=re.DOTALL)
    lines = [line.partition("#")[0].split() for line in first.splitlines()]
    assert lines[:3] == [["pip", "install", "."], ["saturi", "sample", "data"], ["saturi", "build"]]
    assert {"demo", "test"} <= set(re.findall(r"`make ([a-z]+)", document))


def test_the_documents_list_every_command() -> None:
    """The table of commands has every command."""
    rows = re.findall(r"^\| (`.*?) \|", OTHER_COMMANDS.split("\n## ")[0], flags=re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([a-z]+)", row)} == set(COMMANDS)


@pytest.mark.parametrize(
    "document",
    [README, REFERENCE, FETCHING, OTHER_COMMANDS, KOREAN],
    ids=["readme", "reference", "fetching", "commands", "korean"],
)
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
    servers = {"--from", "--adapter-path", "--enable-lora", "--lora-modules", "--max-lora-rank"}
    assert options <= known | servers | {
        "--help",
        "--kills",
        "--cuts",
        "--fetch-kills",
        "--large",
        "--memory",
        "--quick",
        "--write",
        "--faults",
    }


def _anchors(document: Path) -> set[str]:
    """Return the anchors of the headings of *document*, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_links_lead_to_files_and_headings() -> None:
    """Every relative link leads to a file, and to a heading in it where it names one."""
    for document in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")):
        for link in re.findall(r"\]\(([^)]+)\)", document.read_text(encoding="utf-8")):
            target, _, anchor = link.partition("#")
            path = document.parent / target if target else document
            assert path.exists(), f"{document.name} points to {link}"
            assert not anchor or anchor in _anchors(path), f"{document.name} points to {link}"


def _commands_and_links(document: str) -> list[str]:
    """Return the commands that *document* shows, and the pages that it leads to, whose Korean twins count as they."""
    shown = " ".join(re.findall(r"```sh\n(.*?)```", document, flags=re.DOTALL))
    links = re.findall(r"\]\((docs/[^)#]*|examples/)", document)
    return [*re.findall(r"saturi ([a-z]+ [^#\n`]*)", shown), *(link.replace("docs/ko/", "docs/") for link in links)]


def test_both_readmes_show_the_same_commands() -> None:
    """The two READMEs show the same command lines, and lead to the same pages."""
    assert _commands_and_links(README) == _commands_and_links(KOREAN)
