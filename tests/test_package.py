"""The package: its public names, where they are, and what is imported before somebody asks for it."""

import ast
import inspect
import subprocess
import sys

import pytest

import saturi
from saturi.etl.console.dispatch import COMMANDS


def _run(script: str) -> str:
    """Return what *script* prints in a Python of its own, where nothing is imported yet."""
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.strip()


def test_homes() -> None:
    """What type checkers are told of the public names is what runs."""
    [declared] = [node for node in ast.parse(inspect.getsource(saturi)).body if isinstance(node, ast.If)]
    names = {
        f"{node.module}.{alias.name}"
        for node in declared.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert names == {f"{home}.{name}" for home, names in saturi._HOMES.items() for name in names}
    assert sorted(saturi.__all__) == sorted({"EtlError", *(name for names in saturi._HOMES.values() for name in names)})


def test_what_the_package_has() -> None:
    """All public names are listed, and another is missed with a sentence."""
    assert dir(saturi) == saturi.__all__
    assert saturi.etl.errors.EtlError is saturi.EtlError
    misspelt = "bild"
    with pytest.raises(AttributeError, match="module 'saturi' has no attribute 'bild'"):
        getattr(saturi, misspelt)


def test_help_loads_no_command() -> None:
    """The list of commands is there without one of them, and so at once."""
    script = "import sys; from saturi.etl.console.dispatch import cli; cli(['--help'], standalone_mode=False); print(*sys.modules)"
    printed, modules = _run(script).rsplit("\n", 1)
    assert all(f"  {name} " in printed for name in COMMANDS)
    assert not {
        "saturi.etl.console.commands",
        "saturi.etl.pipeline.build",
        "msgspec",
        "polars",
        "rich",
        "openai",
    } & set(modules.split())
