"""
Make the pictures of the README: what a terminal shows of a build of the synthetic corpus.

    python docs/make_pictures.py
"""

import io
import json
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text
from terminal_svg import draw

from saturi import BuildOptions, build, sample
from saturi.etl.console.lines import print_line, print_next
from saturi.etl.console.screens.build import show_build
from saturi.etl.console.screens.pairs import CHANGED, good_pair, marked
from saturi.etl.output.examples import first_pairs
from saturi.etl.pipeline.build import BuildResult

HERE = Path(__file__).parent
FILES, WORKERS = 4000, 2
_COMMAND = "$ saturi build data --out out"
_COLUMNS = 84
_TEXT_COLUMNS = 44
"""Of a text of the pair that is shown beside its line."""


def main() -> None:
    """Build a sample and draw the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, out = Path(folder, "data"), Path(folder, "out")
        sample(corpus, files=FILES)
        result = build([corpus], out, BuildOptions(), workers=WORKERS)
        for name, console, title in (
            ("dialect", _dialect(out), "A sentence in dialect, beside its standard one, and its line in a chunk"),
            ("summary", _summary(result, out), "Summary of a build of the synthetic corpus"),
        ):
            (HERE / f"{name}.svg").write_text(draw(console, title), encoding="utf-8")


def _console(columns: int) -> Console:
    return Console(record=True, width=columns, file=io.StringIO(), force_terminal=True, color_system="standard")


def _summary(result: BuildResult, out: Path) -> Console:
    console = _console(_COLUMNS)
    print_line(console, _COMMAND, "bold")
    show_build(console, result, out)
    print_next(console, "verify", "out")
    return console


def _dialect(out: Path) -> Console:
    """Return a pair of the build and its line, in ten rows with the way between them."""
    chunk = out / "chunks/train/gyeongsang-repeat-00000.jsonl"
    pairs = first_pairs(chunk)
    pair = good_pair(pairs, _TEXT_COLUMNS)
    if pair is None:
        raise SystemExit("no pair to show")
    source, target = marked(*pair)
    system = json.loads(chunk.read_bytes().split(b"\n")[0])["messages"][0]["content"]
    console = _console(2 * _COLUMNS)  # no line is folded
    for name, text, what in (("gyeongsang", source, "as it sounds"), ("", target, "standard Korean")):
        line = Text(f"{name:<11}").append_text(text)
        line.pad_right(14 + _TEXT_COLUMNS - line.cell_len)
        print_line(console, line.append(what, "dim"))
    console.print()
    way = "label files ─▶ read ─▶ clean ─▶ split ─▶ dedup ─▶ sample ─▶ chunks, every one accounted for"
    print_line(console, way, "cyan")
    console.print()
    print_line(console, "chunks/train/gyeongsang-repeat-00000.jsonl", "dim")
    print_line(
        console, Text('{"messages": [{"role": "system", "content": "').append(system[:22] + "…", "dim").append('"},')
    )
    for role, text, end in (("user", pair[0], "},"), ("assistant", pair[1], "}]}")):
        line = Text(f'              {{"role": "{role}", "content": "').append(text, CHANGED)
        print_line(console, line.append(f'"{end}'))
    return console


if __name__ == "__main__":
    main()
