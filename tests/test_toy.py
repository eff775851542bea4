"""The toy model of `make demo-train`: whether its verdict on a tune can fail, and how a command runs beside its server."""

import sys
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from evaluations import BASE, MODEL, garbled, run, sources, standard, write_test_file
from provider import Server, World
from provider.chat import chatter
from toy.serving import main as serve
from toy.verdict import complaints
from toy.verdict import main as verdict

SERVER = """\
#!{python}
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Answer).serve_forever()
"""
"""A program that takes the arguments of `transformers serve`, and says that it is well."""


def half(text: str) -> str:
    """Return *text* with its first word in standard Korean, and the others as they are."""
    first, *others = text.split()
    return " ".join([standard(first), *others])


@pytest.mark.parametrize(
    ("tune", "complained"),
    [
        (standard, set()),
        (half, set()),
        (str, {"exact", "BLEU", "chrF++", "edit F0.5"}),
        (garbled, {"exact", "BLEU", "chrF++", "edit F0.5", "over-edit"}),
        (lambda text: text if text.split()[0] in {"밥", "마당에"} else "", {"chrF++", "empty"}),
    ],
    ids=["without-a-fault", "a-little", "copying", "garbling", "empty"],
)
def test_complaints(
    tmp_path: Path, server: Server, world: World, tune: Callable[[str], str], complained: set[str]
) -> None:
    """A tune is complained of where it is not better than copying and its base, or harms rows that copying does not."""
    world.chats |= {MODEL: tune, BASE: chatter}
    texts = sources(20) * 2 if complained else sources(100)  # what is there twice is asked once
    file = write_test_file(tmp_path / "test.jsonl", texts)
    result = run(file, server, world, base_model=BASE)
    found = {line.split(":")[0] for line in complaints(result.evaluation)}
    assert complained <= found
    assert bool(complained) == bool(found)
    assert verdict(str(result.folder)) == (1 if complained else 0)


def test_no_better_than_the_base(tmp_path: Path, server: Server, world: World) -> None:
    """A tune that is as good as its base is complained of, however far above copying both are; so is none at all."""
    world.chats |= {MODEL: standard, BASE: standard}
    file = write_test_file(tmp_path / "test.jsonl", sources(30))
    assert any("the base" in line for line in complaints(run(file, server, world, base_model=BASE).evaluation))
    result = run(file, server, world, model=(), base_model=BASE)
    assert list(complaints(result.evaluation)) == ["no tune was evaluated"]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program"
    path.write_text(SERVER.format(python=sys.executable), encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_a_command_beside_a_server(tmp_path: Path, program: Path) -> None:
    """The command gets the address of a server that answers, its exit code is returned, and the server ended."""
    script = (
        "import sys; from pathlib import Path; from urllib.request import urlopen; address = sys.argv[1]\n"
        "Path('address').write_text(address); sys.exit(3 if urlopen(address).status == 200 else 4)"
    )
    command = (sys.executable, "-c", script.replace("'address'", repr(str(tmp_path / "address"))), "{base_url}")
    assert serve(str(program), str(tmp_path), *command) == 3
    address = (tmp_path / "address").read_text()
    with pytest.raises(URLError):
        urlopen(address)  # noqa: S310 - loopback


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_a_server_that_does_not_start(tmp_path: Path, program: Path) -> None:
    """If the server ends before it answers, that is said, and the command not run."""
    program.write_text(f"#!{sys.executable}\nraise SystemExit(1)\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"serve\.log"):
        serve(str(program), str(tmp_path), sys.executable, "-c", "")
