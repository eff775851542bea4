"""Verification: whatever is not as the manifest says is named, with an exit code of its own."""

import hashlib
import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from runs import chunks_of, counts_of, invoke, manifest_of, one_thread

from saturi.etl.corpus.discover import discover
from saturi.etl.errors import BuildError, InputError
from saturi.etl.output.finished import verify
from saturi.etl.output.sums import SUMS
from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.manifest import MANIFEST_VERSION

FIRST, SECOND = (f"chunks/train/gyeongsang-answer-{number:05}.jsonl" for number in range(2))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build with chunks of ten examples on both sides."""
    folder = tmp_path_factory.mktemp("verify")
    write_zip(folder / "corpus" / ANSWER_ZIP, [*answers(100), ("broken.json", b"{")])
    build(
        [folder / "corpus"],
        folder / "out",
        BuildOptions(clean=False, validation=0.2, max_chunk_examples=10),
        make_executor=one_thread,
    )
    return folder / "out"


@pytest.fixture
def out(built: Path, tmp_path: Path) -> Path:
    """A copy of the build, to be damaged."""
    return Path(shutil.copytree(built, tmp_path / "out"))


def _flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def _swap(out: Path) -> None:
    first, second = (out / FIRST).read_bytes(), (out / SECOND).read_bytes()
    (out / FIRST).write_bytes(second)
    (out / SECOND).write_bytes(first)


def _flip_table(name: str, at: int | None, out: Path) -> None:
    size = (out / name).stat().st_size
    _flip(out / name, size // 2 if at is None else at)


def _count_one_more(out: Path) -> None:
    manifest = manifest_of(out)
    manifest["counts"]["repaired"] += 1
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def _forge_a_hash(out: Path) -> None:
    [line] = [line for line in (out / SUMS).read_text(encoding="utf-8").splitlines() if "lineage" in line]
    text = (out / SUMS).read_text(encoding="utf-8").replace(line, "0" * 64 + line[64:])
    (out / SUMS).write_text(text, encoding="utf-8")


DAMAGES: dict[str, tuple[Callable[[Path], object], list[tuple[str, str]]]] = {
    "first-byte": (lambda out: _flip(out / FIRST, 0), [(FIRST, "changed")]),
    "last-byte": (lambda out: _flip(out / FIRST, -1), [(FIRST, "changed")]),
    "one-byte-short": (lambda out: (out / FIRST).write_bytes((out / FIRST).read_bytes()[:-1]), [(FIRST, "changed")]),
    "one-line-more": (
        lambda out: (out / FIRST).write_bytes((out / FIRST).read_bytes() + b"{}\n"),
        [(FIRST, "changed")],
    ),
    "empty": (lambda out: (out / FIRST).write_bytes(b""), [(FIRST, "changed")]),
    "swapped": (_swap, [(FIRST, "changed"), (SECOND, "changed")]),
    "missing": (lambda out: (out / FIRST).unlink(), [(FIRST, "missing")]),
    "renamed": (lambda out: (out / FIRST).rename(out / "chunks" / "x"), [(FIRST, "missing"), ("chunks/x", "extra")]),
    "extra": (lambda out: (out / "chunks" / "train" / "x.jsonl").touch(), [("chunks/train/x.jsonl", "extra")]),
    **{
        f"{name}-{where}": (partial(_flip_table, name, at), [(name, "changed")])
        for name in ("lineage.parquet", "decisions.parquet", "rejects.jsonl", "build.json")
        for where, at in (("begin", 0), ("middle", None), ("end", -1))
    },
    "manifest": (_count_one_more, [("manifest.json", "changed")]),
    "list-of-hashes": (_forge_a_hash, [("lineage.parquet", "changed")]),
    "all-gone": (lambda out: shutil.rmtree(out / "chunks"), []),
}


def test_a_whole_build(out: Path) -> None:
    """An undamaged build has nothing wrong: its chunks, examples and bytes are counted, and the exit code is 0."""
    found = verify(out)
    chunks = chunks_of(out)
    assert found.damage == []
    assert (found.chunks, found.examples) == (len(chunks), counts_of(out)["examples"])
    assert found.bytes == sum(len(line) for lines in chunks.values() for line in lines)
    run = invoke("verify", "out", cwd=out.parent)
    assert (run.returncode, run.stderr) == (0, "")
    assert "unchanged: " in run.stdout
    assert "not checked" not in run.stdout


@pytest.mark.parametrize(("damage", "expected"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_named(out: Path, damage: Callable[[Path], object], expected: list[tuple[str, str]]) -> None:
    """Each chunk that is changed, missing or extra is named with what is wrong, and no other is."""
    damage(out)
    every = [(chunk["path"], "missing") for chunk in manifest_of(out)["chunks"]]
    assert [(found.path, found.problem) for found in verify(out).damage] == sorted(expected or every)


def test_the_list_of_hashes(out: Path) -> None:
    """`SHA256SUMS` holds every chunk, table and the manifest, as `sha256sum` prints them."""
    names = [*chunks_of(out), "manifest.json", "rejects.jsonl", "lineage.parquet", "decisions.parquet", "build.json"]
    lines = [f"{hashlib.sha256((out / name).read_bytes()).hexdigest()}  {name}" for name in sorted(names)]
    assert (out / SUMS).read_text(encoding="utf-8").splitlines() == lines


def test_a_build_that_was_handed_on(out: Path) -> None:
    """What is not there, or has no hash, is no damage but said not to be checked; so builds of earlier versions are read."""
    (out / "lineage.parquet").unlink()
    assert (verify(out).damage, verify(out).unchecked) == ([], ["lineage.parquet"])
    (out / SUMS).unlink()
    tables = ["rejects.jsonl", "lineage.parquet", "decisions.parquet", "build.json"]
    assert (verify(out).damage, verify(out).unchecked) == ([], tables)
    run = invoke("verify", "out", cwd=out.parent)
    assert (run.returncode, run.stderr) == (0, "")
    assert "not checked, since they or their hashes are not there: rejects.jsonl, lineage.parquet" in run.stdout


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"not a list\n", b"0" * 64 + b"  \n"], ids=["empty", "bytes", "text", "no-name"]
)
def test_a_list_that_is_none(out: Path, content: bytes) -> None:
    """A list of hashes that lists nothing is as good as none, and no traceback."""
    (out / SUMS).write_bytes(content)
    assert (verify(out).damage, len(verify(out).unchecked)) == ([], 4)


def test_a_build_is_no_corpus(out: Path) -> None:
    """A build that is given as a corpus is called one."""
    with pytest.raises(InputError, match=r": the folder of a build, not a corpus; give what it .* saturi inspect "):
        discover([out])


def test_damage_on_the_command_line(out: Path) -> None:
    """Damage is told on stdout, in words or as JSON, and the exit code is 4."""
    (out / FIRST).unlink()
    run = invoke("verify", "out", cwd=out.parent)
    assert (run.returncode, run.stderr) == (4, "")
    assert run.stdout.startswith(f"missing: {FIRST}")
    machine = invoke("verify", "out", "--json", cwd=out.parent)
    assert (machine.returncode, machine.stderr) == (4, "")
    found = json.loads(machine.stdout)
    assert [(damage["path"], damage["problem"]) for damage in found["damage"]] == [(FIRST, "missing")]


def test_a_manifest_that_contradicts_itself(out: Path) -> None:
    """A manifest whose examples are not the sum of its chunks' is damage."""
    manifest = manifest_of(out)
    manifest["counts"]["examples"] += 1
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert [(found.path, found.problem) for found in verify(out).damage] == [("manifest.json", "changed")]


MANIFESTS = {
    "none": None,
    "empty": b"",
    "no-json": b"\xff\xfe",
    "half": b'{"version": 1, "options": ',
    "list": b"[]",
    "without-fields": b'{"version": 1}',
    "later-version": b'{"version": 99, "something": "new"}',
}


@pytest.mark.parametrize("content", MANIFESTS.values(), ids=MANIFESTS)
def test_no_finished_build(out: Path, content: bytes | None) -> None:
    """A folder without a manifest, or with one that cannot be read, holds no build: one sentence, and 3."""
    if content is None:
        (out / "manifest.json").unlink()
    else:
        (out / "manifest.json").write_bytes(content)
    run = invoke("verify", "out", cwd=out.parent)
    assert (run.returncode, run.stdout) == (3, "")
    [sentence] = run.stderr.splitlines()
    assert sentence.startswith("saturi: ")
    assert "manifest.json" in sentence


OF_ANOTHER_VERSION = f"of version {MANIFEST_VERSION + 1}, this is for {MANIFEST_VERSION}"


def test_another_version(out: Path) -> None:
    """A manifest of another version is not looked into: the error names both versions."""
    manifest = manifest_of(out)
    (out / "manifest.json").write_text(json.dumps({**manifest, "version": MANIFEST_VERSION + 1}), encoding="utf-8")
    with pytest.raises(BuildError, match=OF_ANOTHER_VERSION):
        verify(out)
    later = {"version": MANIFEST_VERSION + 1, "chunks": "in a way not known today"}
    (out / "manifest.json").write_text(json.dumps(later), encoding="utf-8")
    with pytest.raises(BuildError, match=OF_ANOTHER_VERSION):
        verify(out)


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_no_folder(tmp_path: Path, name: str) -> None:
    """A path that is no folder holds no build."""
    (tmp_path / "file").touch()
    with pytest.raises(BuildError, match="there is no finished build"):
        verify(tmp_path / name)
