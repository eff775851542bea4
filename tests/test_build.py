"""Whole builds: every label file and every line accounted for, no chunk over its cap, nothing personal in an example."""

import hashlib
import json
import re
import zipfile
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from corpora import (
    ANSWER_ZIP,
    MANY_MEMBERS,
    REPEAT_ZIP,
    answers,
    document,
    member,
    stem,
    write_loose,
    write_many,
    write_zip,
)
from oracle import Key, archives_in, label_files, mended, read_label, utterances_in
from runs import (
    chunks_of,
    counts_of,
    facts_of,
    invoke,
    lines_of,
    manifest_of,
    one_thread,
    pair_in,
    pairs_of,
    rejects_of,
    result_of,
)

from saturi.etl.errors import ArchiveError
from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions
from saturi.etl.synthetic.corpus import SampleReport
from saturi.schemas.terms import Dedup, SpeechType, Unit

CANARY = "비밀카나리아"


@lru_cache(maxsize=2)
def contents_of(corpus: Path) -> dict[Key, bytes | Exception]:
    """Return all label files below *corpus*, which an independent reader unpacks once."""
    return dict(label_files(corpus))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A corpus of one archive of many small members, and a build of it with one split."""
    folder = tmp_path_factory.mktemp("many")
    corpus = write_many(folder / "corpus")
    options = BuildOptions(validation=0, max_chunk_bytes=20_000, clean=False)
    build([corpus], folder / "out", options, make_executor=one_thread)
    return corpus, folder / "out"


@pytest.fixture(scope="module", params=["sample", "sentences", "three-batches"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A corpus and a build of it: the sample by files and by sentences, and an archive of many small members."""
    if request.param == "three-batches":
        found: tuple[Path, Path] = request.getfixturevalue("many")
        return found
    folder = tmp_path_factory.mktemp("built")
    sample: SampleReport = request.getfixturevalue("sample")
    corpus = sample.folder
    unit = Unit.SENTENCE if request.param == "sentences" else Unit.FILE
    options = BuildOptions(unit=unit, validation=0.2, max_chunk_bytes=20_000)
    build([corpus], folder / "out", options, make_executor=one_thread)
    return corpus, folder / "out"


def test_label_files_are_decoded_or_rejected(built: tuple[Path, Path]) -> None:
    """In each archive and in total, the label files that `zipfile` lists are those decoded plus those in rejects.jsonl."""
    corpus, out = built
    listed = Counter(archive for archive, _ in contents_of(corpus))
    rejected = Counter(row["archive"] for row in rejects_of(out))
    manifest = manifest_of(out)
    rows = {row["archive"]: row for row in manifest["corpus"]}
    assert {archive: row["label_files"] for archive, row in rows.items()} == listed
    assert {archive: row["rejected"] for archive, row in rows.items()} == {
        archive: rejected[archive] for archive in rows
    }
    assert all(row["label_files"] == row["decoded"] + row["rejected"] for row in rows.values())
    counts = manifest["counts"]
    assert counts["label_files"] == listed.total() == counts["decoded"] + sum(counts["rejected"].values())
    assert counts["rejected"] == Counter(row["reason"] for row in rejects_of(out))


def test_other_members_are_counted(built: tuple[Path, Path]) -> None:
    """Members that are no label files are counted archive by archive."""
    corpus, out = built
    names = {name: archive.namelist() for name, archive in archives_in(corpus)}
    others = {
        name: sum(not n.endswith(".json") or n.startswith("__MACOSX/") for n in listed)
        for name, listed in names.items()
    }
    assert {row["archive"]: row["ignored"] for row in manifest_of(out)["corpus"] if row["archive"] in names} == others


def test_utterances_are_examples_or_dropped(built: tuple[Path, Path]) -> None:
    """In each shard and in total, the utterances an independent reader finds are the lines written plus those dropped."""
    corpus, out = built
    manifest = manifest_of(out)
    counts = manifest["counts"]
    rejected = {(row["archive"], row["member"]) for row in rejects_of(out)}
    documents = [
        mended(content)
        for key, content in contents_of(corpus).items()
        if key not in rejected and isinstance(content, bytes)
    ]
    labels = [json.loads(document, strict=False) for document in documents]
    assert counts["utterances"] == sum(utterances_in(label, manifest["options"]["unit"]) for label in labels)
    assert counts["utterances"] == counts["examples"] + sum(counts["dropped"].values())
    lines = Counter[tuple[str, str]]()
    for path, content in chunks_of(out).items():
        _, split, name = path.split("/")
        lines[split, name.rpartition("-")[0]] += len(content)
    shards = {(row["split"], f"{row['region']}-{row['speech_type']}"): row for row in manifest["shards"]}
    assert {key: row["examples"] for key, row in shards.items() if row["examples"]} == lines
    assert all(row["utterances"] == row["examples"] + sum(row["dropped"].values()) for row in shards.values())
    dropped = Counter[str]()
    for row in [*manifest["shards"], *manifest["unsharded"]]:
        dropped.update(row["dropped"])
    assert dropped == counts["dropped"]


def test_every_chunk_is_as_its_row_says(built: tuple[Path, Path]) -> None:
    """Path, lines, bytes and SHA-256 of each chunk are those in the manifest, and the shards are their sums."""
    _, out = built
    manifest = manifest_of(out)
    rows = {row["path"]: (row["examples"], row["bytes"], row["sha256"]) for row in manifest["chunks"]}
    found = {}
    sums: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for path, lines in chunks_of(out).items():
        content = b"".join(lines)
        found[path] = len(lines), len(content), hashlib.sha256(content).hexdigest()
        _, split, name = path.split("/")
        sums[split, *name.split("-")[:2]].update(examples=len(lines), bytes=len(content), chunks=1)
    assert rows == found
    shards = {(row["split"], row["region"], row["speech_type"]): row for row in manifest["shards"] if row["chunks"]}
    assert {key: {name: row[name] for name in ("examples", "bytes", "chunks")} for key, row in shards.items()} == sums


def test_lineage_leads_each_line_back(built: tuple[Path, Path]) -> None:
    """The member and sentence that lineage.parquet names for a line hold the texts of that line."""
    corpus, out = built
    rows = {(chunk, line): origin for chunk, line, *origin in pl.read_parquet(out / "lineage.parquet").iter_rows()}
    contents = contents_of(corpus)
    lines = {(path, number): line for path, content in chunks_of(out).items() for number, line in enumerate(content, 1)}
    assert rows.keys() == lines.keys()
    places = list(lines)[:: max(1, len(lines) // 60)]
    assert len(places) > 40
    for place in places:
        archive, name, sentence, _ = rows[place]
        content = contents[archive, name]
        assert isinstance(content, bytes)
        transcription = read_label(mended(content))
        texts = transcription if sentence is None else transcription["sentences"][sentence - 1]
        assert pair_in(lines[place]) == (texts["pronunciation"], texts["standard"])


def test_lines_are_chat_lines(built: tuple[Path, Path]) -> None:
    """A line is compact JSON in UTF-8 with real Hangul: one system, one user and one assistant message."""
    _, out = built
    for line in lines_of(out):
        example = json.loads(line)
        assert line == json.dumps(example, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        assert [message["role"] for message in example["messages"]] == ["system", "user", "assistant"]
        assert example.keys() == {"messages"}


def test_nothing_personal_is_in_an_example(sample: SampleReport, tmp_path: Path) -> None:
    """No id of a speaker or a collector and no name of a file is in any chunk or in the manifest."""
    options = BuildOptions(validation=0.2, speech_type=tuple(SpeechType), dedup=Dedup.NONE)
    build([sample.folder], tmp_path / "out", options, make_executor=one_thread)
    ids = set()
    for (_, name), content in contents_of(sample.folder).items():
        ids.add(Path(name).stem)
        if isinstance(content, bytes):
            ids.update(
                found.decode() for found in re.findall(rb'"(?:speakerId|collectorId|fileName)": "([^"]+)"', content)
            )
    everything = b"".join(content for path, content in result_of(tmp_path / "out").items() if path != "rejects.jsonl")
    assert len(ids) > 300
    assert not {name for name in ids if name.encode() in everything} - {"0007"}
    assert not re.search(rb"speaker[a-z]{2}\d|collector[a-z]{2}\d|\.json\b", everything)


def _leaky_members() -> list[tuple[str, bytes]]:
    """Return label files with the canary in every text, broken in ways that tempt a report to quote them."""
    name = stem("st", "3", 1)
    whole = document(name, CANARY, CANARY)
    texts = {"pronunciation": CANARY, "standard": CANARY, "dialect": CANARY, "sentences": []}
    edits = [
        whole[: whole.rindex(CANARY.encode()) + 9],
        whole.replace(b'": "' + CANARY.encode(), b'": ' + CANARY.encode()),
        whole.replace(CANARY.encode(), CANARY.encode() + b"\xff"),
        b"[" + whole + b"]",
        document(name, CANARY, CANARY, transcription=CANARY),
        document(name, CANARY, CANARY, transcription=texts | {"standard": [CANARY]}),
        document(name, CANARY, CANARY, transcription=texts | {"sentences": [CANARY]}),
        document(name, CANARY, CANARY, transcription=texts | {"sentences": {CANARY: CANARY}}),
        document(name, CANARY, CANARY, speaker=CANARY),
        document(name, CANARY, CANARY, speaker=[{"speakerId": {CANARY: CANARY}}]),
        document(name, CANARY, CANARY, script={CANARY: CANARY, "scriptId": [CANARY]}),
        whole.replace(b'"transcription"', f'"{CANARY}"'.encode()),
        whole.replace(b'"segments"', b'"\\ud800 ' + CANARY.encode() + b'"').replace(
            CANARY.encode(), b"\\q" + CANARY.encode()
        ),
    ]
    return [(f"{stem('st', str(number), 1)}.json", edit) for number, edit in enumerate(edits, 1)]


def test_no_text_is_in_a_report(tmp_path: Path) -> None:
    """Texts of broken label files are in no reject, no manifest, no facts, and nothing that is printed."""
    members = _leaky_members()
    write_zip(tmp_path / "corpus" / REPEAT_ZIP, [*members, *answers(3)])
    write_loose(tmp_path / "corpus" / "loose", members)
    run = invoke("build", "corpus", "--out", "out", "--max-rejects", "1", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    out = tmp_path / "out"
    oddities = 2 * 3  # of the speakers and of the script, which cost no text
    assert counts_of(out)["oddities"]["odd_field"] == oddities
    assert len(rejects_of(out)) == 2 * len(members) - oddities
    printed = (run.stdout + run.stderr).encode()
    for content in [
        printed,
        *(path.read_bytes() for path in out.glob("*.json*")),
        (out / "lineage.parquet").read_bytes(),
    ]:
        assert CANARY.encode() not in content
        assert json.dumps(CANARY).strip('"').encode() not in content


def test_separators_do_not_break_a_line(tmp_path: Path) -> None:
    """Line separators of Unicode in a text come out as JSON escapes and read back as they were."""
    texts = [
        f"가{sign}나"
        for sign in ("\u2028", "\u2029", "\u0085", "\n", "\r", "\x1f", '"', "\\", "ᆞ", "\u1112\u1161\u11ab", "👵")
    ]
    members = [member(stem("say", str(number), 1), text, text) for number, text in enumerate(texts, 1)]
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, members)
    build([tmp_path / "corpus"], tmp_path / "out", BuildOptions(validation=0, clean=False), make_executor=one_thread)
    assert pairs_of(tmp_path / "out") == [(text, text) for text in texts]
    [content] = [path.read_text(encoding="utf-8") for path in (tmp_path / "out").glob("chunks/*/*")]
    assert len(content.splitlines()) == len(texts)


def test_an_archive_of_many_batches(many: tuple[Path, Path]) -> None:
    """An archive of 9,000 members is read in three batches, and its lines come in the order of its members."""
    corpus, out = many
    assert facts_of(out)["segments_made"] == 3
    assert pairs_of(out) == [(f"가 묵었나 {number}", f"가 먹었니 {number}") for number in range(1, MANY_MEMBERS + 1)]
    with zipfile.ZipFile(corpus / ANSWER_ZIP) as archive:
        members = pl.read_parquet(out / "lineage.parquet")["member"].to_list()
        assert members == archive.namelist()


def test_the_first_of_several_bad_archives_is_named(tmp_path: Path) -> None:
    """Of archives that cannot be read the first is named, whichever is looked at first, and no label file is read."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, [member(stem("say", "1", 1), "가", "나")])
    for name in ("a.zip", "b.zip"):
        (tmp_path / "corpus" / name).write_bytes(b"no zip")
    with pytest.raises(ArchiveError, match=r"a\.zip: no zip"):
        build([tmp_path / "corpus"], tmp_path / "out", make_executor=partial(ThreadPoolExecutor, 3), workers=3)
    assert not list((tmp_path / "out" / "stage").rglob("*.segment"))


def test_a_build_over_one_of_other_options(tmp_path: Path) -> None:
    """Where a build replaces one of other options, a warning names them; the manifest is the same as in a new folder."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(12))
    regions: list[Any] = [("gyeongsang",), ("jeju",), ("jeju",)]
    notes = [
        [
            line
            for line in build(
                tmp_path / "corpus", tmp_path / "out", BuildOptions(region=one), make_executor=one_thread
            ).warnings
            if "replaced" in line
        ]
        for one in regions
    ]
    assert notes == [
        [],
        [f"this replaced the build that was in {tmp_path / 'out'} (12 examples; other options: region)"],
        [],
    ]
    build(tmp_path / "corpus", tmp_path / "new", BuildOptions(region=regions[1]), make_executor=one_thread)
    assert (tmp_path / "new" / "manifest.json").read_bytes() == (tmp_path / "out" / "manifest.json").read_bytes()
