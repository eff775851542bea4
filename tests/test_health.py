"""The health of an installation and its machine: what is looked at, what is a problem, and that no key is shown."""

import json
import os
import resource
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from rich.console import Console
from runs import ROOT

from saturi import doctor
from saturi.etl.console.dispatch import cli
from saturi.etl.console.screens.doctor import show_health
from saturi.etl.health.extras import EXTRAS
from saturi.etl.health.limits import cgroup_limit, memory_limits, open_files
from saturi.etl.health.versions import commit, versions
from saturi.schemas.health import Extra, Finding, Health

Subject = Callable[[str], Finding]


@pytest.fixture
def subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Subject:
    """Look at *tmp_path*, and return the first finding on a subject."""
    monkeypatch.chdir(tmp_path)
    return lambda name: next(one for one in doctor(tmp_path).findings if one.subject == name)


def test_a_healthy_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a build can run: every subject is looked at once, and nothing is left behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "invented-and-never-shown")
    health = doctor(tmp_path / "not" / "yet" / "there")
    subjects = [finding.subject for finding in health.findings]
    assert subjects == ["packages", "settings", "disk", "memory", "open files", "inflate", "terminal", "keys"]
    assert health.is_well
    assert f"in {tmp_path}, looked at since " in next(one.fact for one in health.findings if one.subject == "disk")
    assert (health.keys["OPENAI_API_KEY"], health.keys.get("AIHUB_APIKEY")) == (True, "AIHUB_APIKEY" in os.environ)
    run = CliRunner().invoke(cli, ["doctor", "--json"])
    assert run.exit_code == 0
    assert "invented" not in run.output + repr(health)
    assert json.loads(run.stdout)["keys"]["OPENAI_API_KEY"] is True
    assert list(tmp_path.iterdir()) == []


def test_extras() -> None:
    """The extras are those of the package but for the two of its developers, and each names its command."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert EXTRAS.keys() == project["optional-dependencies"].keys() - {"dev", "bench"}
    found = {extra.name: extra for extra in doctor().extras}
    assert found["report"].missing == []
    assert found["socks"].install == "pip install 'saturi[socks]'"


def test_settings_that_are_wrong(tmp_path: Path, subject: Subject) -> None:
    """An `etl.toml` with an error is a problem, with its line; the exit code is 1."""
    assert subject("settings").state == "ok"
    (tmp_path / "etl.toml").write_text("[submit]\n\nepochs = 0\n")
    found = subject("settings")
    assert (found.state, found.fact) == ("problem", "etl.toml:3: submit.epochs: 0 is out of range")
    assert CliRunner().invoke(cli, ["doctor"]).exit_code == 1


def test_keys_that_cannot_be_sent(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key with signs that cannot be sent is named, and not shown."""
    monkeypatch.setenv("OPENAI_API_KEY", "열쇠")
    assert subject("keys").fact.startswith("OPENAI_API_KEY: ")
    assert "열쇠" not in repr(subject("keys"))


@pytest.mark.skipif(not Path("/proc").exists(), reason="no folder here in which root, too, cannot write")
def test_a_folder_that_cannot_be_written(subject: Subject) -> None:
    """A folder in which nothing can be written is a problem."""
    assert subject("disk").state in ("ok", "note")
    [disk] = [finding for finding in doctor("/proc").findings if finding.subject == "disk"]
    assert (disk.state, bool(disk.advice)) == ("problem", True)


def test_limits_of_this_process(tmp_path: Path) -> None:
    """A limit of memory or open files that a process has is in its findings."""
    script = (
        "import resource; from saturi import doctor;"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100));"
        "resource.setrlimit(resource.RLIMIT_AS, (3 << 29, 3 << 29));"
        "print({one.subject: (one.state, one.fact) for one in doctor().findings})"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "POLARS_MAX_THREADS": "1"},
    )  # fmt: skip
    assert "'open files': ('note', '100 at once')" in run.stdout, run.stderr
    assert "1.6 GB by ulimit -v" in run.stdout
    assert open_files() == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert {"machine", "available"} <= memory_limits().keys()


@pytest.mark.parametrize(
    ("files", "membership", "limit"),
    [
        pytest.param({}, "0::/user/run", None, id="none"),
        pytest.param({"user/run/memory.max": "max"}, "0::/user/run", None, id="unlimited"),
        pytest.param({"user/run/memory.max": "2000000"}, "0::/user/run", 2_000_000, id="own"),
        pytest.param({"user/memory.max": "1000", "user/run/memory.max": "2000"}, "0::/user/run", 1_000, id="above"),
        pytest.param({"memory.max": "3000"}, "0::/", 3_000, id="container"),
        pytest.param({"memory/a/memory.limit_in_bytes": "500"}, "5:cpu,memory:/a\n3:pids:/b", 500, id="version-1"),
        pytest.param(
            {"memory/memory.limit_in_bytes": "9223372036854771712"}, "5:memory:/a", None, id="version-1-unlimited"
        ),
    ],
)
def test_limits_of_cgroups(tmp_path: Path, files: dict[str, str], membership: str, limit: int | None) -> None:
    """The limit of a process is the least of its cgroups and of all above them, in both versions of cgroups."""
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    assert cgroup_limit(tmp_path, membership) == limit


def test_versions() -> None:
    """Versions are of what is installed; a source tree has its commit, and asking loads neither Polars nor msgspec."""
    assert {"saturi", "python", "polars", "msgspec"} <= versions().keys()
    of_tree = commit()
    assert of_tree is None or set(of_tree) <= set("0123456789abcdef")
    script = "import sys; from saturi.etl.health.versions import version_text; version_text(); print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert not {"polars", "msgspec", "isal", "rich"} & set(modules.split())


@pytest.mark.parametrize("width", [60, 120])
def test_the_screen(width: int) -> None:
    """Every finding, its advice and every extra is on the screen, which fits 60 columns; a problem is the last word."""
    health = Health(
        versions={"saturi": "1.0", "python": "3.11"},
        commit="abc1234",
        findings=[
            Finding(subject="disk", state="ok", fact="50 GB free"),
            Finding(subject="memory", state="problem", fact="0.1 GB by cgroup", advice="raise the limit " * 4),
        ],
        extras=[Extra(name="report", purpose="the page", missing=["jinja2"], install="pip install 'saturi[report]'")],
        keys={},
    )
    console = Console(width=width, force_terminal=False, color_system=None)
    with console.capture() as capture:
        show_health(console, health)
    shown = capture.get()
    assert max(map(cell_len, shown.splitlines())) <= width
    assert "pip install 'saturi[report]'" in " ".join(shown.split())
    assert shown.splitlines()[-1] == "A build would fail here: see the problems above."
