"""The floor plan: which room may import which, and which library is imported where; type checking and lazy imports included."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

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
    "filelock": ("etl/output/holding.py",),
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


@cache
def _imports(source: str, *, only_on_load: bool = False) -> tuple[str, ...]:
    """Return the modules that *source* imports, wherever in it."""
    return tuple(_imported(source, only_on_load=only_on_load))


def _imported(source: str, *, only_on_load: bool) -> Iterator[str]:
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


def test_an_import_goes_down_or_stays() -> None:
    """No module of a room imports a room above it, and the root imports no room."""
    upwards = [
        f"{source} imports {module}"
        for source in _sources()
        if source.startswith("etl/") and source != "etl/__init__.py"
        for module in _imports(source)
        if (room := _room(module)) is not None and room not in _rooms_up_to(source.split("/")[1])
    ]
    assert upwards == []


def _rooms_up_to(own: str) -> tuple[str, ...]:
    """Return the rooms that a module of the room *own* may import; none, where *own* is a module of the root."""
    return ROOMS[: ROOMS.index(own) + 1] if own in ROOMS else ()


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


def test_a_library_stays_behind_its_wall() -> None:
    """A library is imported in its one place only."""
    outside = [
        f"{source} imports {library}"
        for source in _sources()
        for library in {module.split(".")[0] for module in _imports(source)} & WALLS.keys()
        if not source.startswith(WALLS[library])
    ]
    assert outside == []


def test_polars_is_not_loaded_in_the_parent() -> None:
    """What the parent of a build loads imports no Polars when it is loaded."""
    sources = [source for source in _sources() if source.startswith(IN_THE_PARENT)]
    assert sources
    loading = [
        source
        for source in sources
        if any(module.split(".")[0] == "polars" for module in _imports(source, only_on_load=True))
    ]
    assert loading == []


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
