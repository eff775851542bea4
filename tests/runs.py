"""Runs of the command line as its users start it, and the results of builds as they lie on disk, read without our own code."""

import gc
import hashlib
import io
import json
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from saturi.etl.console.dispatch import run as dispatch

ROOT = Path(__file__).parents[1]

one_thread = partial(ThreadPoolExecutor, 1)
"""Makes the executor for tests in which processes are not the point: the same bytes, and twenty times as soon."""


def command(*arguments: str | Path) -> list[str]:
    """Return the command line with *arguments*."""
    return [sys.executable, str(ROOT / "cli.py"), *map(str, arguments)]


_SEVERAL = """
import json, sys
from saturi.etl.console.dispatch import run
codes = []
for arguments in json.loads(sys.argv[1]):
    sys.argv, sys.stdout, sys.stderr = ["saturi", *arguments], sys.__stdout__, sys.__stderr__
    codes.append(run())
    sys.stdout.flush()
    sys.stderr.flush()
print(json.dumps(codes))
"""


def commands(*lines: Sequence[str]) -> list[str]:
    """
    Return the command line of one process that runs several command *lines*, one after the other, and prints their exit codes last.

    For what only a process shows, where most of each would be to load the same libraries.
    """
    return [sys.executable, "-c", _SEVERAL, json.dumps(lines)]


def saturi(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with *arguments* in *cwd*, and return how it went."""
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        encoding=environment.get("PYTHONIOENCODING", "utf-8"),
        timeout=300,
        check=False,
    )


def invoke(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """
    Run the command line with *arguments* in *cwd* as `saturi` does, but in this process, and return how it went.

    For what a command says and returns: a process of its own takes three to twenty times as long, most of it to load libraries.
    Workers are threads of this process, for the same reason.
    """
    encoding = environment.pop("PYTHONIOENCODING", "utf-8")  # what Python looks for when it starts
    stdout, stderr = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
    threshold = gc.get_threshold()
    with pytest.MonkeyPatch.context() as patch, chdir(cwd), warnings.catch_warnings():
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", command(*arguments)[1:])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
        patch.setattr(sys, "stdout", stdout)
        patch.setattr(sys, "stderr", stderr)
        for module in ("saturi.etl.pipeline.build", "saturi.etl.inspection.survey"):
            patch.setattr(f"{module}.process_pool", ThreadPoolExecutor)
        patch.setattr(threading, "excepthook", threading.excepthook)  # the command sets its own
        try:
            code = dispatch()
        finally:
            for stream in (sys.stdout, sys.stderr):  # those that the command has put in place of ours
                stream.flush()
            gc.set_threshold(*threshold)
        shown = [stream.buffer.getvalue().decode(encoding) for stream in (stdout, stderr)]
    return subprocess.CompletedProcess(command(*arguments), code, *shown)


def result_of(out: Path) -> dict[str, bytes]:
    """Return every file of the build in *out* whose bytes are promised, by its path."""
    files = [
        out / "manifest.json",
        out / "rejects.jsonl",
        *sorted(path for path in out.glob("chunks/**/*") if path.is_file()),
    ]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def promised_of(out: Path) -> dict[str, object]:
    """Return `digest_of` with the tables, and with the list of hashes but for that of times."""
    tables = ("lineage.parquet", "decisions.parquet")
    sums = (out / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {
        **digest_of(out),
        **{name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in tables},
        "SHA256SUMS": [line for line in sums if not line.endswith("build.json")],
    }


def digest_of(out: Path) -> dict[str, str]:
    """Return `result_of` with the SHA-256 of each file, which a failed comparison prints more shortly."""
    return {path: hashlib.sha256(content).hexdigest() for path, content in result_of(out).items()}


def manifest_of(out: Path) -> dict[str, Any]:
    """Return the manifest of the build in *out*."""
    manifest: dict[str, Any] = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def counts_of(out: Path) -> dict[str, Any]:
    """Return the counts of the build in *out*."""
    counts: dict[str, Any] = manifest_of(out)["counts"]
    return counts


def facts_of(out: Path) -> dict[str, Any]:
    """Return the facts of the build in *out*."""
    facts: dict[str, Any] = json.loads((out / "build.json").read_text(encoding="utf-8"))
    return facts


def rejects_of(out: Path) -> list[dict[str, Any]]:
    """Return the rejects of the build in *out*."""
    return [json.loads(line) for line in (out / "rejects.jsonl").read_bytes().split(b"\n")[:-1]]


def chunks_of(out: Path, split: str = "*") -> dict[str, list[bytes]]:
    """Return the lines of every chunk in *out*, newlines included, by its path."""
    paths = sorted((out / "chunks").glob(f"{split}/*.jsonl"))
    return {path.relative_to(out).as_posix(): list(lines_in(path.read_bytes())) for path in paths}


def lines_in(content: bytes) -> Iterator[bytes]:
    """Yield the lines of JSONL, split at newlines and at nothing else; what follows the last one is a line, too."""
    *lines, rest = content.split(b"\n")
    yield from (line + b"\n" for line in lines)
    if rest:
        yield rest


def lines_of(out: Path, split: str = "*") -> list[bytes]:
    """Return the lines of all chunks in *out*, one chunk after the other."""
    return [line for lines in chunks_of(out, split).values() for line in lines]


def pair_in(line: bytes) -> tuple[str, str]:
    """Return the source and the target of one line."""
    *_, user, assistant = json.loads(line)["messages"]
    assert (user["role"], assistant["role"]) == ("user", "assistant")
    return user["content"], assistant["content"]


def pairs_of(out: Path, split: str = "*") -> list[tuple[str, str]]:
    """Return the pairs of all chunks in *out*."""
    return [pair_in(line) for line in lines_of(out, split)]


def segments_of(stage: Path) -> list[Path]:
    """Return the segments in *stage*."""
    return sorted(stage.glob("*/*.segment"))


def leftovers_of(out: Path) -> list[str]:
    """Return what only a build that runs, or was stopped in between, has in *out*."""
    return sorted(
        path.relative_to(out).as_posix()
        for path in out.rglob("*")
        if path.name.endswith(".tmp") or path.name == ".work"
    )


def tree_of(folder: Path) -> dict[str, bytes | None]:
    """Return everything in *folder* by its path; None for a folder."""
    return {
        path.relative_to(folder).as_posix(): None if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


def error_of(run: subprocess.CompletedProcess[str], code: int) -> str:
    """Return the one sentence that a failed run says, after checking that it is all it says."""
    assert run.returncode == code, run.stderr
    assert run.stdout == ""
    [sentence] = run.stderr.splitlines()
    assert sentence.startswith("saturi: ")
    return sentence
