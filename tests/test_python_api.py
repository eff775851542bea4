"""The public API: documented name by name, with the signatures of the code and examples that run; its types are shipped."""

import ast
import re
import tomllib
from importlib import import_module
from pathlib import Path

import forked
import pytest
from aihub import KEY, dialect, running
from corpora import ANSWER_ZIP, answers, write_loose
from provider import MODELS, PROVIDERS, Server

import saturi

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")

Definition = ast.FunctionDef | ast.ClassDef


def _documented() -> dict[str, str]:
    """Return the text on each public name."""
    parts = re.split(r"^### `(.*)`$", DOCUMENT, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _signatures() -> dict[str, Definition]:
    """Return the signature of each name that the document gives one."""
    blocks = [ast.parse(block) for block in re.findall(r"```pyi\n(.*?)```", DOCUMENT, flags=re.DOTALL)]
    nodes = [node for block in blocks for node in block.body]
    return {node.name: node for node in nodes if isinstance(node, Definition)}


def _definition(name: str) -> Definition:
    """Return the definition of the public *name* in the module that defines it."""
    [home] = [home for home, names in saturi._HOMES.items() if name in names]
    source = Path(import_module(home).__file__ or "").read_text(encoding="utf-8")
    [node] = [node for node in ast.parse(source).body if isinstance(node, Definition) and node.name == name]
    return node


def _function(node: ast.FunctionDef, names: dict[str, object]) -> str:
    """Return the signature of *node* in one form; a default that is a name in *names* becomes its value, a function `...`."""

    def value_of(default: ast.expr) -> ast.expr:
        if not isinstance(default, ast.Name):
            return default
        value = names[default.id]
        return ast.parse("..." if callable(value) else repr(value), mode="eval").body

    arguments = node.args
    arguments.defaults = [value_of(default) for default in arguments.defaults]
    arguments.kw_defaults = [default and value_of(default) for default in arguments.kw_defaults]
    return f"({ast.unparse(arguments)}) -> {ast.unparse(node.returns) if node.returns else None}"


def _members(node: ast.ClassDef) -> list[str]:
    """Return the fields and the methods of a class in one form, `__init__` and the public ones."""
    fields = [ast.unparse(field) for field in node.body if isinstance(field, ast.AnnAssign)]
    methods = [method for method in node.body if isinstance(method, ast.FunctionDef)]
    public = [method for method in methods if method.name == "__init__" or not method.name.startswith("_")]
    return [*fields, *(f"{method.name}{_function(method, {})}" for method in public)]


def test_every_public_name_is_documented() -> None:
    """The document has a heading for each public name, and for no other."""
    assert sorted(_documented()) == sorted(saturi.__all__)


def test_every_function_has_its_signature() -> None:
    """The document gives each public function a signature under its heading."""
    functions = [name for name in saturi.__all__ if name.islower()]
    assert [name for name in functions if f"def {name}(" not in _documented()[name]] == []


@pytest.mark.parametrize(("name", "shown"), _signatures().items(), ids=_signatures())
def test_a_signature_is_that_of_the_code(name: str, shown: Definition) -> None:
    """Parameters, defaults, types, fields and methods are those of the code."""
    defined = _definition(name)
    if isinstance(shown, ast.ClassDef):
        assert isinstance(defined, ast.ClassDef)
        members = _members(defined)
        if "__init__" in {method.name for method in shown.body if isinstance(method, ast.FunctionDef)}:
            assert _members(shown) == members[:1]  # a class that is only made
        else:
            assert _members(shown) == [member for member in members if not member.startswith("__init__")]
    else:
        assert isinstance(defined, ast.FunctionDef)
        names = vars(import_module(getattr(saturi, name).__module__))
        assert _function(shown, {}) == _function(defined, names)


def test_the_examples_run(tmp_path: Path, server: Server, pytestconfig: pytest.Config) -> None:
    """All examples run, one after the other, as one script in a folder with a corpus and a provider; by default with one worker."""
    write_loose(tmp_path / "data" / ANSWER_ZIP.removesuffix(".zip"), answers(400))
    address = f'\n[openai]\nbase_url = "{server.base_url("python")}"\n'
    profiles = PROVIDERS.read_text(encoding="utf-8").replace("\n[openai]\n", address)
    (tmp_path / "providers.toml").write_text(profiles, encoding="utf-8")
    (tmp_path / "models.toml").write_text(MODELS.read_text(encoding="utf-8"), encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    # Workers import the main module: what comes after the builds must not run there.
    body = "".join(f"    {line}" for example in examples for line in _unguarded(example).splitlines(keepends=True))
    if not pytestconfig.getoption("--thorough"):
        body = body.replace("workers=2", "workers=1")
    (tmp_path / "example.py").write_text(f'if __name__ == "__main__":\n{body}', encoding="utf-8")
    with running(dialect()) as hub:
        keys = {"OPENAI_API_KEY": "none", "AIHUB_APIKEY": KEY, "AIHUB_URL": hub.address}
        run = forked.run(tmp_path / "example.py", cwd=tmp_path, environment=keys)
    assert run.returncode == 0, run.stderr
    assert "succeeded" in run.stdout


def _unguarded(example: str) -> str:
    """Return *example* with what stands under its guard for the main module at the left margin."""
    head, guard, tail = example.partition('if __name__ == "__main__":\n')
    return head + re.sub(r"^ {4}", "", tail, flags=re.MULTILINE) if guard else example


def test_a_wheel_holds_every_package() -> None:
    """A wheel is made of every package of the program, and of every file in them that is no module: types, catalogues."""
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    paths = [*(ROOT / "saturi").glob("*"), *(ROOT / "etl").rglob("*"), *(ROOT / "schemas").rglob("*")]
    files = [path.relative_to(ROOT) for path in paths if path.is_file() and path.suffix != ".pyc"]
    folders = {".".join(file.parent.parts) for file in files}
    assert sorted(setuptools["packages"]) == sorted(f"saturi.{name}" if name != "saturi" else name for name in folders)
    data = {
        file.relative_to(ROOT)
        for package, patterns in setuptools["package-data"].items()
        for pattern in patterns
        for file in ROOT.joinpath(*(package.removeprefix("saturi.").split("."))).glob(pattern)
    }
    assert data == {file for file in files if file.suffix != ".py"}
    assert Path("saturi/py.typed") in data


def test_every_public_name_has_its_type_pinned() -> None:
    """`tests/typed/api.py`, which mypy checks, imports every public name."""
    tree = ast.parse((ROOT / "tests" / "typed" / "api.py").read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "saturi"]
    assert [alias.name for node in imports for alias in node.names] == saturi.__all__
