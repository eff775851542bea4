"""JSON Schema: every output of a command and every file holds against the schema of its name."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aihub import KEY, dialect, running
from jsonschema import Draft202012Validator
from provider import MODELS, PROVIDERS, Server, World
from provider.world import MODEL
from runs import chunks_of, invoke, segments_of

from saturi import init, schema
from saturi.etl.console.dispatch import COMMANDS
from saturi.etl.errors import OptionError
from saturi.etl.formats.schema import schema_names
from saturi.etl.formats.tables import OTHERS, declared_tables
from saturi.etl.formats.template import template
from saturi.etl.formats.types import FILES, OUTPUT_TYPES
from saturi.etl.settings.config import read_config
from saturi.schemas.outputs import OUTPUTS

ROOT = Path(__file__).parents[1]


def _run(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = invoke(*arguments, cwd=Path.cwd())
    assert done.returncode == code, done.stderr
    return done


def _hold(name: str, value: Any) -> None:
    """Check *value* against the schema *name*, and that a value without its version is against it."""
    validator = Draft202012Validator(schema(name))
    assert list(validator.iter_errors(value)) == []
    if name in OUTPUTS:
        assert list(validator.iter_errors({key: one for key, one in value.items() if key != "version"}))


def _output(name: str, *arguments: str | Path, code: int = 0) -> Any:
    value = json.loads(_run(*arguments, "--json", code=code).stdout)
    _hold(name, value)
    return value


@pytest.mark.parametrize("name", schema_names())
def test_schemas_are_schemas(name: str) -> None:
    """Every schema is one of its draft, and says what it is of."""
    found = schema(name)
    Draft202012Validator.check_schema(found)
    assert (found["title"], bool(found["description"])) == (name, True)
    assert re.fullmatch(r"\S+", name)


def test_every_output_has_a_schema() -> None:
    """Every place that prints JSON names an output with a version and a type, and every output is printed in one place."""
    sources = (ROOT / "etl" / "console" / "commands").glob("*.py")
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    printed = re.findall(r'print_json(?:_line)?[(,]\s*"([a-z-]+)"', text)
    assert sorted(printed) == sorted(OUTPUTS) == sorted(OUTPUT_TYPES)
    assert {name.partition("-")[0] for name in OUTPUTS} <= set(COMMANDS)


def test_unknown_names() -> None:
    """A name that nothing has is refused with all of them; without a name, the command lists them."""
    with pytest.raises(OptionError, match=r"'nope' is unknown; choose from etl\.toml, manifest"):
        schema("nope")
    listed = _run("schema").stdout
    assert [line.split()[0] for line in listed.splitlines()] == list(schema_names())
    assert json.loads(_run("schema", "manifest").stdout) == schema("manifest")


def test_outputs_of_builds(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the commands on a corpus and a build print by --json, and what a build writes, holds against its schema."""
    monkeypatch.chdir(here)
    (here / "corpus" / "broken.json").write_text("{")
    _output("build-dry-run", "build", "corpus", "--dry-run")
    more = ("--workers", "1", "--max-rejects")
    counts = _output("build", "build", "corpus", "--out", "out", *more, "0", code=1)
    assert len(counts["failures"]) == 1
    assert counts["warnings"]
    out = here / "out"
    _hold("manifest", json.loads((out / "manifest.json").read_bytes()))
    _hold("build-facts", json.loads((out / "build.json").read_bytes()))
    _hold("reject", json.loads((out / "rejects.jsonl").read_bytes().splitlines()[0]))
    _hold("line", json.loads(next(iter(chunks_of(out).values()))[0]))
    _output("inspect", "inspect", "corpus", "--workers", "1")
    _output("verify", "verify", "out")
    _output("explain", "explain", "out", "--member", "broken.json")
    assert _output("check", "check", "out", code=1)["errors"]
    _output("estimate", "estimate", "out", "--sample", "100000")
    _output("estimate-all", "estimate", "out", "--all")
    _output("show", "show", "out", "-n", "2")
    _output("show", "show", "out", "--dropped", "region_excluded")
    shutil.copytree(out, here / "other")
    _output("diff", "diff", "out", "other")
    _run("build", "corpus", "--out", "other", *more, "1", "--validation", "0")
    _output("diff", "diff", "out", "other", code=1)
    health = _output("doctor", "doctor")
    assert {finding["state"] for finding in health["findings"]} <= {"ok", "note"}
    assert segments_of(out / "stage")


def test_outputs_of_jobs(
    out: Path, tmp_path: Path, server: Server, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the commands of the provider's side and an evaluation print by --json holds against its schema."""
    monkeypatch.chdir(tmp_path)
    known = ("--providers", PROVIDERS, "--models", MODELS, "--base-url", server.base_url(world.name))
    submission = ("submit", out, "--model", MODEL, "--epochs", "2", *known)
    _output("submit-dry-run", *submission, "--dry-run")
    agreed = ("--yes", "--max-cost", "9", "--accept-data-terms")
    assert _output("submit", *submission, *agreed)["created"] == 1
    _output("status", "status", out, "--providers", PROVIDERS)
    lines = _run("watch", out, "--providers", PROVIDERS, "--every", "0.05", "--json").stdout.splitlines()
    assert lines
    for line in lines:
        _hold("watch", json.loads(line))
    _output("evaluate", "evaluate", out, *agreed, *known)
    for more in ((), ("--text",)):
        shown = _output("evaluate-show", "evaluate", out, "--show", "2", *more)
        assert ("source" in json.dumps(shown)) == bool(more)


def test_outputs_of_downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `fetch` prints by --json, and its record, holds against its schema."""
    monkeypatch.setenv("AIHUB_APIKEY", KEY)
    monkeypatch.chdir(tmp_path)
    with running(dialect()) as hub:
        address = ("--base-url", hub.address)
        _output("fetch-list", "fetch", "--list", "71517", *address)
        _output("fetch-dry-run", "fetch", "71517", "--dry-run", *address)
        _output("fetch", "fetch", "71517", "--accept-terms", *address)
    [record] = tmp_path.rglob("fetch.json")
    _hold("fetch-record", json.loads(record.read_bytes()))
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "a.zip.part5").write_bytes(b"x")
    assert len(_output("fetch-repair", "fetch", "--repair", parts, code=1)["archives"]) == 1


def test_catalogues() -> None:
    """The catalogues of this package hold against the schemas of a user's own."""
    for name in ("providers", "models"):
        path = ROOT / "etl" / "providers" / f"{name}.toml"
        _hold(name, json.loads(msgspec.json.encode(tomllib.loads(path.read_text(encoding="utf-8")))))
    assert set(FILES) <= set(schema_names())


def test_a_first_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`init` writes a file that sets nothing; each of its keys may be set as it stands there, and the schema agrees."""
    monkeypatch.chdir(tmp_path)
    assert "take the # off" in _run("init").stdout
    path = tmp_path / "etl.toml"
    assert path.read_text(encoding="utf-8") == template()
    config = read_config(path, OTHERS)
    assert (config.paths, any(config.options.values())) == ((), False)
    with pytest.raises(OptionError, match="is there already"):
        init(path)
    set_all = re.sub(r"^# ([a-z_]+ = )", r"\1", template(), flags=re.MULTILINE)
    path.write_text(set_all, encoding="utf-8")
    health = json.loads(_run("doctor", "--json").stdout)
    [settings] = [finding for finding in health["findings"] if finding["subject"] == "settings"]
    assert settings["fact"] == "etl.toml is valid"
    _hold("etl.toml", tomllib.loads(set_all))
    assert list(Draft202012Validator(schema("etl.toml")).iter_errors({"build": {"workers": 0, "nope": 1}}))
    in_file = {name: {row.name for row in rows} for name, rows in declared_tables().items()}
    assert {name: tomllib.loads(set_all)[name].keys() for name in in_file} == in_file
