"""How often a submission reads the files of a build, and which files a dry run touches."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from provider import Server, World
from submissions import hand_in, make_build, options_for

from saturi.etl.submission.dry_run import requests_of
from saturi.etl.submission.submit import plan_submission

_OPENED: list[str] | None = None


def _note_open(event: str, arguments: tuple[object, ...]) -> None:
    # A file opened by way of a descriptor is noted twice by Python, one of them without a mode.
    if event == "open" and _OPENED is not None and arguments[1] is not None:
        _OPENED.append(str(arguments[0]))


sys.addaudithook(_note_open)  # it cannot be taken away again, and notes nothing outside of `opened`


@contextmanager
def opened(folder: Path) -> Iterator["Counter[str]"]:
    """Count how often each file below *folder* is opened."""
    global _OPENED  # noqa: PLW0603 - the hook is one for the process
    counts: Counter[str] = Counter()
    _OPENED = []
    try:
        yield counts
    finally:
        prefix = f"{folder}/"
        counts.update(path.removeprefix(prefix) for path in _OPENED if path.startswith(prefix))
        _OPENED = None


@pytest.mark.parametrize("counted", [True, False], ids=["lineage-has-tokens", "tokens-counted-anew"])
@pytest.mark.parametrize("plan", ["merged", "per-shard"])
def test_a_submission_reads_each_chunk_twice(out: Path, server: Server, world: World, counted: bool, plan: str) -> None:
    """A submission decodes the manifest once, and reads each chunk once before anything is sent and once to send it."""
    if not counted:
        (out / "lineage.parquet").unlink()
    with opened(out) as counts:
        assert hand_in(out, server, world, plan=plan).created >= 1
    chunks = [path.relative_to(out).as_posix() for path in (out / "chunks").rglob("*.jsonl")]
    sent = chunks if plan == "merged" else [path for path in chunks if "/train/" in path]
    assert {path: counts[path] for path in sent} == dict.fromkeys(sent, 2)
    assert max(counts[path] for path in chunks) == 2  # one with too few examples is read, and not sent
    assert counts["manifest.json"] == 1


def test_a_dry_run_writes_nothing(tmp_path: Path, server: Server, world: World) -> None:
    """A dry run leaves the folder of a build as it is, and makes no request."""
    out = make_build(tmp_path)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for plan in ("merged", "per-shard", "chained"):
        assert requests_of(plan_submission(out, options_for(server, world, plan=plan)))
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert world.requests == []
