"""CONTRIBUTING: the tree it draws, the paths it names, the numbers of versions it points to."""

import re
from pathlib import Path

import pytest
from test_floor_plan import ROOMS, WALLS

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FOLDERS = ("saturi", "etl", "schemas", "benchmarks", "examples", "tests", "docs")
"""Top-level folders of the project; others are made by tools."""


def _tree() -> list[str]:
    """Return the lines of the drawn tree."""
    [block] = re.findall(r"```text\n(cli\.py.*?)```", CONTRIBUTING, flags=re.DOTALL)
    return [line for line in block.splitlines() if line.strip()]


def _drawn() -> list[str]:
    """Return the folders of the drawn tree as paths, in their order."""
    paths: list[str] = []
    above: list[str] = []
    for line in _tree():
        match = re.match(r"( *)([a-z_]+)/ ", line)
        if match is not None:
            above = [*above[: len(match[1]) // 2], match[2]]
            paths.append("/".join(above))
    return paths


def _packages() -> set[str]:
    """Return the top-level folders and every folder below one that holds a Python module."""
    modules = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return {*FOLDERS, *(path.parent.relative_to(ROOT).as_posix() for path in modules)}


def test_the_tree_is_the_tree() -> None:
    """Every package is drawn once, and nothing else is."""
    drawn = _drawn()
    assert sorted(drawn) == sorted(_packages())


def test_rooms_are_drawn_in_their_order() -> None:
    """The rooms of `etl` are drawn from the ground up."""
    rooms = [path.removeprefix("etl/") for path in _drawn() if path.count("/") == 1 and path.startswith("etl/")]
    assert rooms == list(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_wall_is_drawn_at_its_room(room: str) -> None:
    """A room names the libraries that only it imports."""
    [line] = [line for line in _tree() if line.startswith(f"  {room}/ ")]
    libraries = {library for library, places in WALLS.items() if any(f"etl/{room}/" in place for place in places)}
    named = re.search(r"\[(.*)\]$", line)
    assert set(named[1].split(", ") if named else ()) == libraries


def test_paths_exist() -> None:
    """Every path of the project that CONTRIBUTING names exists."""
    paths = re.findall(r"`((?:saturi|etl|schemas|benchmarks|tests|docs)/[\w./-]*)`", CONTRIBUTING)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_versions_are_where_they_are_said_to_be() -> None:
    """Each `NAME_VERSION` is assigned in the module named beside it."""
    versions = re.findall(r"`([A-Z]+_VERSION)`\s+in\s+`([\w/.]+)`", CONTRIBUTING)
    assert len(versions) >= 3
    for name, path in versions:
        assert re.search(rf"^{name} = ", (ROOT / path).read_text(encoding="utf-8"), flags=re.MULTILINE), name


def test_names_of_the_code_exist() -> None:
    """Every struct, enum and list named in CONTRIBUTING with its module is defined there."""
    for name, path in re.findall(r"`([A-Za-z_]\w+)` in `((?:saturi|etl|schemas)/[\w/.]+|cli\.py)`", CONTRIBUTING):
        source = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^(?:class|def) {name}\b|^{name}(?:: .*)? = ", source, flags=re.MULTILINE), name


def test_make_targets() -> None:
    """CONTRIBUTING names every target of the Makefile but for help, setup and clean, and no other."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    [phony] = re.findall(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    named = set(re.findall(r"make ([a-z-]+)", CONTRIBUTING))
    assert named == set(phony.split()) - {"help", "setup", "clean"}


def test_options_of_the_tests() -> None:
    """CONTRIBUTING names every option that the tests add to pytest, and no other."""
    conftest = (ROOT / "tests" / "conftest.py").read_text(encoding="utf-8")
    added = set(re.findall(r'addoption\(\s*"(--[a-z-]+)"', conftest))
    assert added
    [section] = re.findall(r"^## Tests.*?(?=^## |\Z)", CONTRIBUTING, flags=re.DOTALL | re.MULTILINE)
    others = {"--quick", "--update-golden"}
    assert set(re.findall(r"(--[a-z][a-z-]*)", section)) | others == added | others
