"""The finished build: its examples, lineage and decisions as frames, and that each chunk is read once to verify it."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from corpora import ANSWER_ZIP, REPEAT_ZIP, answers, member, stem, write_zip
from runs import chunks_of, counts_of, manifest_of, one_thread, pair_in

from saturi import FinishedBuild, check, estimate, explain, export, inspect, verify
from saturi.etl.errors import BuildError
from saturi.etl.output.debris import is_debris
from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.origin import Origin

ODD = "[v1] * ? a::b %20 한글"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of two speech types on both sides, some of it without an instruction, in a folder of an odd name."""
    folder = tmp_path_factory.mktemp("finished")
    read = [member(stem("st", str(number), number % 12), f"가 {number % 12}", "나") for number in range(1, 31)]
    write_zip(folder / "corpus" / ANSWER_ZIP, answers(60))
    write_zip(folder / "corpus" / REPEAT_ZIP, read)
    options = BuildOptions(clean=False, validation=0.3, max_chunk_examples=10, system_prompt="사투리 [{region}]")
    build([folder / "corpus"], folder / ODD, options, make_executor=one_thread)
    return folder / ODD


@pytest.fixture
def out(built: Path, tmp_path: Path) -> Path:
    """A copy of the build, to be damaged."""
    return Path(shutil.copytree(built, tmp_path / ODD))


def test_examples(built: Path) -> None:
    """The examples are those of the chunks, a row each, with where they lie and which shard they are of."""
    rows = FinishedBuild.open(built).examples().collect()
    expected = []
    for chunk in manifest_of(built)["chunks"]:
        for number, line in enumerate(chunks_of(built)[chunk["path"]], 1):
            system = json.loads(line)["messages"][0]["content"]
            shard = (chunk["split"], chunk["region"], chunk["speech_type"])
            expected.append((chunk["path"], number, *shard, system, *pair_in(line)))
    assert rows.columns == ["chunk", "line", "split", "region", "speech_type", "system", "source", "target"]
    assert rows.rows() == expected


def test_examples_are_lazy(built: Path) -> None:
    """Only what is asked for comes out: columns, rows that match, the first ones; and lineage joins by chunk and line."""
    opened = FinishedBuild.open(built)
    everything = opened.examples().collect()
    held_out = opened.examples().filter(pl.col("split") == "validation").select("target", "line").collect()
    assert held_out.equals(everything.filter(pl.col("split") == "validation").select("target", "line"))
    assert opened.examples().head(13).collect().equals(everything.head(13))
    assert opened.examples().head(0).collect().equals(everything.head(0))
    joined = opened.examples().join(opened.lineage(), on=["chunk", "line"]).collect()
    assert joined.height == everything.height == counts_of(built)["examples"]


def test_without_an_instruction(tmp_path: Path) -> None:
    """Where examples have no instruction, `system` is null."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(12))
    build([tmp_path / "corpus"], tmp_path / "out", BuildOptions(system_prompt=""), make_executor=one_thread)
    rows = FinishedBuild.open(tmp_path / "out").examples().collect()
    assert rows["system"].null_count() == rows.height == 12


def test_decisions(built: Path) -> None:
    """The decisions are on every utterance, and those without a reason are the examples."""
    opened = FinishedBuild.open(built)
    rows = opened.decisions().select("row", "reason").explode("row", "reason").collect()
    counts = counts_of(built)
    assert (rows.height, rows["reason"].null_count()) == (counts["utterances"], counts["examples"])


def test_origins(built: Path) -> None:
    """Lines lead back to archive and member as the lineage has them; lines that are not there lead nowhere."""
    opened = FinishedBuild.open(built)
    [*_, row] = opened.lineage().collect().iter_rows(named=True)
    place = (row["chunk"], row["line"])
    origin = Origin(archive=row["archive"], member=row["member"], sentence=row["sentence"])
    assert opened.origins([place, (row["chunk"], 10**6), (row["chunk"], 2**40), ("chunks/x", 1), place]) == {
        place: origin
    }
    assert opened.origins([]) == {}


def test_a_chunk_is_read_once(out: Path) -> None:
    """A chunk that was read to its end is known to be whole, and what becomes of it later is not seen by this object."""
    opened = FinishedBuild.open(out)
    first, second, *_ = opened.manifest.chunks
    assert b"".join(opened.read_chunk(first)) == (out / first.path).read_bytes()
    next(opened.read_chunk(second))
    for chunk in (first, second):
        (out / chunk.path).write_bytes(b"{}\n")
    assert [damage.path for damage in opened.verification().damage] == [second.path]
    assert [damage.path for damage in verify(out).damage] == [first.path, second.path]


def test_a_changed_chunk_is_refused_at_its_end(out: Path) -> None:
    """Whoever reads a chunk that was changed is told so after its last block, also through a frame."""
    opened = FinishedBuild.open(out)
    chunk = opened.manifest.chunks[0]
    (out / chunk.path).write_bytes((out / chunk.path).read_bytes().replace("가".encode(), "나".encode(), 1))
    with pytest.raises(BuildError, match="is changed; see saturi verify"):
        list(opened.read_chunk(chunk))
    with pytest.raises(BuildError, match="is changed; see saturi verify"):
        opened.examples().collect()


READERS = {
    "check": lambda out: check([out]),
    "estimate": estimate,
    "explain": lambda out: explain(out, f"{stem('say', '1', 1)}.json"),
    "export": lambda out: export(out, "trl"),
    "inspect": lambda out: inspect(out, make_executor=one_thread),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize("problem", ["missing", "changed", "extra"])
def test_everything_that_reads_a_build_refuses_damage(out: Path, read: object, problem: str) -> None:
    """What `verify` says of a chunk is said by everything that reads a build, with the chunk's name."""
    chunk = min((out / "chunks" / "train").iterdir())
    match problem:
        case "missing":
            chunk.unlink()
        case "changed":
            chunk.write_bytes(chunk.read_bytes().swapcase())
        case "extra":
            chunk = chunk.with_name("extra.jsonl")
            chunk.touch()
    assert callable(read)
    with pytest.raises(BuildError, match=f"{chunk.name} is {problem}; see saturi verify, and build again"):
        read(out)


@pytest.mark.parametrize("table", ["lineage.parquet", "decisions.parquet"])
def test_tables_that_are_not_there(out: Path, table: str) -> None:
    """A table that is missing, or is none, is one sentence with its name."""
    frame = getattr(FinishedBuild.open(out), table.removesuffix(".parquet"))
    (out / table).write_bytes(b"PAR1")
    with pytest.raises(BuildError, match=f"{table}: damaged"):
        frame()
    (out / table).unlink()
    with pytest.raises(BuildError, match=f"{table}: missing"):
        frame()


@pytest.mark.parametrize("path", ["../../etc/passwd", "chunks/train/../x.jsonl", "/etc/passwd", "manifest.json"])
def test_a_manifest_that_names_other_files(out: Path, path: str) -> None:
    """A manifest whose chunks lie elsewhere is damaged, and nothing that it names is read."""
    manifest = manifest_of(out)
    manifest["chunks"][0]["path"] = path
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(BuildError, match="its chunks are not named like chunks"):
        FinishedBuild.open(out)


DEBRIS = (".DS_Store", "Thumbs.db", "desktop.ini", "._gyeongsang-answer-00000.jsonl", "__MACOSX/x.jsonl", "ehthumbs.db")


def test_debris_is_no_damage(out: Path) -> None:
    """What file managers leave among the chunks is no damage, and a file of another name is."""
    for name in DEBRIS:
        assert is_debris(name)
        (out / "chunks" / "train" / name).parent.mkdir(exist_ok=True)
        (out / "chunks" / "train" / name).touch()
    assert verify(out).damage == []
    for name in ("x.jsonl", ".DS_Store.jsonl", "thumbs.jsonl"):
        assert not is_debris(name)
        (out / "chunks" / "train" / name).touch()
    assert [damage.problem for damage in verify(out).damage] == ["extra"] * 3
