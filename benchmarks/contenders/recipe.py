"""Shared parts of all contenders in Python: arguments, lines of pairs, and distribution of zips to processes."""

import json
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from saturi.etl.settings.options import SYSTEM_PROMPT

Pair = tuple[str | None, str | None]


def run(contender: Callable[[Path, Path, int], None]) -> None:
    """Run *contender* with the arguments of the command line."""
    corpus, out, workers = sys.argv[1:]
    contender(Path(corpus), Path(out), int(workers))


def messages(source: str, target: str) -> list[dict[str, str]]:
    """Return the messages of a pair."""
    return [
        {"role": "system", "content": SYSTEM_PROMPT},
        {"role": "user", "content": source},
        {"role": "assistant", "content": target},
    ]


def line(source: str, target: str) -> str:
    """Return the line of a pair, as the recipe writes it."""
    return json.dumps({"messages": messages(source, target)}, ensure_ascii=False) + "\n"


def convert_zip(parse: Callable[[bytes], Pair], out: Path, path: Path) -> None:
    """Write the pairs in the zip at *path* to a file in *out*, by `zipfile` and *parse*."""
    name = f"{path.parent.parent.parent.name}-{path.stem}.jsonl"
    with zipfile.ZipFile(path) as archive, (out / name).open("w", encoding="utf-8") as lines:
        for member in archive.infolist():
            source, target = parse(archive.read(member))
            if source and target:
                lines.write(line(source, target))


def convert_in_pool(parse: Callable[[bytes], Pair], corpus: Path, out: Path, workers: int) -> None:
    """Convert the zips below *corpus*, a task each, the largest first."""
    paths = sorted(corpus.rglob("*.zip"), key=lambda path: -path.stat().st_size)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for _ in pool.map(partial(convert_zip, parse, out), paths):
            pass
