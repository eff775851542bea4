"""The floor plan: which room may import which, and which library is imported where; type checking and lazy imports included."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

ROOMS = (
    "storage",
    "settings",
    "runtime",
    "output",
    "network",
    "corpus",
    "download",
    "read",
    "example",
    "select",
    "write",
    "pipeline",
    "synthetic",
    "inspection",
    "explanation",
    "pairs",
    "providers",
    "checking",
    "pricing",
    "exports",
    "submission",
    "evaluation",
    "reports",
    "formats",
    "health",
    "console",
)
"""The packages of `etl`, from the ground up: each imports itself, those before it, `schemas`, `errors` and `version`."""

WALLS = {
    "openai": ("etl/providers/openai_api.py",),
    "httpx2": (
        "etl/providers/openai_api.py",
        "etl/providers/exchange.py",
        "etl/providers/signed_store.py",
        "etl/network/http.py",
        "etl/download/addresses.py",
        "etl/download/connections.py",
    ),
    "obstore": ("etl/storage/", "etl/providers/object_store.py"),
    "distributed": ("etl/runtime/clients.py",),
    "dask": ("etl/runtime/clients.py",),
    "click": ("etl/console/",),
    "rich": ("etl/console/",),
    "tokenizers": ("etl/example/tokens.py",),
    "isal": ("etl/corpus/archive.py",),
    "filelock": ("etl/output/folder.py",),
    "sacrebleu": ("etl/evaluation/metrics.py",),
    "rouge_score": ("etl/evaluation/metrics.py",),
    "nltk": ("etl/evaluation/metrics.py",),
    "rapidfuzz": ("etl/evaluation/metrics.py",),
    "numpy": ("etl/evaluation/",),
    "jinja2": ("etl/reports/",),
    "markupsafe": ("etl/reports/",),
    "vl_convert": ("etl/reports/",),
}
"""Libraries that only one place imports."""

IN_THE_PARENT = ("etl/storage", "etl/settings", "etl/runtime", "etl/output", "etl/pipeline", "etl/corpus")
"""Rooms that the parent of a build loads as a whole, so that none of their modules imports Polars when it is loaded."""


def _sources() -> list[str]:
    files = [
        ROOT / "cli.py",
        *(ROOT / "saturi").glob("*.py"),
        *(ROOT / "etl").rglob("*.py"),
        *(ROOT / "schemas").rglob("*.py"),
    ]
    return sorted(file.relative_to(ROOT).as_posix() for file in files)


def _python(top: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / top).rglob("*.py"))


def _module(source: str) -> str:
    """Return the name by which *source* is imported: `etl` and `schemas` are packages in `saturi`."""
    name = source.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return f"saturi.{name}" if source.startswith(("etl/", "schemas/")) else name


def _imports(source: str, *, only_on_load: bool = False) -> Iterator[str]:
    """Yield the modules that *source* imports, wherever in it."""
    tree = ast.parse((ROOT / source).read_text(encoding="utf-8"))
    nodes = _loaded(tree) if only_on_load else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _loaded(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements that run when a module is loaded, those for type checkers left out."""
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node


def _room(module: str) -> str | None:
    parts = module.split(".")
    return parts[2] if parts[:2] == ["saturi", "etl"] and len(parts) > 2 and parts[2] in ROOMS else None


def test_every_package_is_a_room() -> None:
    """The rooms are the packages below `etl`, and nothing else lies at its root but errors and version."""
    entries = {path.name for path in (ROOT / "etl").iterdir() if path.name != "__pycache__"}
    assert entries == {*ROOMS, "__init__.py", "errors.py", "version.py"}


@pytest.mark.parametrize("source", [source for source in _sources() if source.startswith("etl/")])
def test_an_import_goes_down_or_stays(source: str) -> None:
    """No module of a room imports a room above it."""
    own = source.split("/")[1]
    if own == "__init__.py":
        return
    for module in _imports(source):
        room = _room(module)
        if room is not None:
            assert own in ROOMS, f"{source} imports {module}, and the root imports no room"
            assert ROOMS.index(room) <= ROOMS.index(own), f"{source} imports {module}, which is above it"


def test_no_circle_among_modules() -> None:
    """No module imports itself by way of others."""
    graph = _graph()
    done: set[str] = set()
    for start in graph:
        _refuse_circles(start, graph, done, [])


def _graph() -> dict[str, set[str]]:
    modules = {_module(source) for source in _sources()}
    graph: dict[str, set[str]] = defaultdict(set)
    for source in _sources():
        name = _module(source)
        if name != "saturi":  # the API names everything, and nothing imports it
            graph[name] = {
                module for module in _imports(source) if module in modules and module not in ("saturi", name)
            }
    return graph


def _refuse_circles(module: str, graph: dict[str, set[str]], done: set[str], path: list[str]) -> None:
    assert module not in path, " → ".join([*path[path.index(module) :], module])
    if module not in done:
        for imported in sorted(graph[module]):
            _refuse_circles(imported, graph, done, [*path, module])
        done.add(module)


@pytest.mark.parametrize("library", WALLS)
def test_a_library_stays_behind_its_wall(library: str) -> None:
    """A library is imported in its one place only."""
    for source in _sources():
        if any(module.split(".")[0] == library for module in _imports(source)):
            assert source.startswith(WALLS[library]), f"{source} imports {library}"


@pytest.mark.parametrize("source", [source for source in _sources() if source.startswith(IN_THE_PARENT)])
def test_polars_is_not_loaded_in_the_parent(source: str) -> None:
    """What the parent of a build loads imports no Polars when it is loaded."""
    assert not any(module.split(".")[0] == "polars" for module in _imports(source, only_on_load=True))


def test_schemas_import_nothing_of_the_package() -> None:
    """The structs of formats depend on nobody."""
    for source in _sources():
        if source.startswith("schemas/"):
            assert not any(module.startswith("saturi.etl") for module in _imports(source))


def test_a_module_has_one_name() -> None:
    """What lies in `etl` and `schemas` is imported by way of `saturi`, so that no module is loaded twice, by two names."""
    sources = [path for top in ("etl", "schemas", "saturi", "tests", "benchmarks") for path in _python(top)]
    short = re.compile(r"^\s*(?:from|import) (?:etl|schemas|cli)\b", re.MULTILINE)
    assert [source for source in sources if short.search((ROOT / source).read_text(encoding="utf-8"))] == []
