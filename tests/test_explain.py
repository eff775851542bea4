"""What became of one label file: told step by step, as the build decided, and without a word of its text."""

import json
import shutil
import unicodedata
from pathlib import Path

import polars as pl
import pytest
from corpora import ANSWER_ZIP, DIALOGUE_ZIP, REPEAT_ZIP, member, sentences, stem, write_zip, zip_bytes
from coverings import some_of
from runs import chunks_of, counts_of, error_of, invoke, manifest_of, one_thread, pair_in, rejects_of, segments_of

from saturi import explain, inspect
from saturi.etl.errors import BuildError, InputError
from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions
from saturi.etl.synthetic.corpus import SampleReport
from saturi.schemas.terms import DropReason, SpeechType, Split, SplitKey, Unit

KEPT, TWICE, READ, TALKED = stem("say", "1", 1), stem("say", "2", 1), stem("st", "3", 4), stem("talk", "1+2", 1)
HIDDEN = "아무도 모르는 말"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of label files that came to different ends."""
    folder = tmp_path_factory.mktemp("explain")
    transcription = sentences((HIDDEN, "비밀 하나"), ("", "빈 말"), ("네", "네"), ("네", "네"))
    write_zip(
        folder / "corpus" / ANSWER_ZIP,
        [
            (f"폴더/{KEPT}.json", member(KEPT, "", "", transcription=transcription)[1]),
            member(TWICE, "", "", transcription=sentences((HIDDEN, "비밀 하나"))),
            ("broken.json", b'{"transcription": '),
            member(unicodedata.normalize("NFD", "한글"), "", "", transcription=sentences(("가", "나"))),
            member("빈 파일", "", "", transcription=sentences()),
        ],
    )
    write_zip(folder / "corpus" / REPEAT_ZIP, [member(READ, "읽은 말", "읽은 글")])
    write_zip(folder / "corpus" / DIALOGUE_ZIP, [member(TALKED, "", "", transcription=sentences(("둘이", "둘이서")))])
    write_zip(folder / "corpus" / "둘째" / ANSWER_ZIP, [member(KEPT, "", "", transcription=sentences(("셋", "넷")))])
    options = BuildOptions(unit=Unit.SENTENCE, validation=0, max_rejects=1, max_unknown=1)
    build([folder / "corpus"], folder / "out", options, make_executor=one_thread)
    return folder / "out"


def test_kept_and_dropped(out: Path) -> None:
    """Of each utterance the rules it passed are told in order, then the one that dropped it, or its chunk and line."""
    first, second = explain(out, f"{KEPT}.json")
    assert (first.archive, first.member) == (ANSWER_ZIP, f"폴더/{KEPT}.json")
    assert second.archive == f"둘째/{ANSWER_ZIP}"
    assert (first.region, first.speech_type, first.rejected) == ("gyeongsang", "answer", None)
    assert [(fate.sentence, fate.dropped) for fate in first.utterances] == [
        (1, None),
        (2, DropReason.EMPTY_SOURCE),
        (3, None),
        (4, DropReason.DUPLICATE),
    ]
    rules = first.utterances[0].passed
    assert rules == sorted(rules, key=list(DropReason).index)
    for fate in first.utterances[1::2]:
        assert fate.dropped is not None
        assert fate.passed == rules[: rules.index(fate.dropped)]
    assert {DropReason.NOT_SAMPLED, DropReason.IN_TRAINING, DropReason.IDENTICAL}.isdisjoint(rules)
    kept = first.utterances[0]
    assert pair_in(chunks_of(out)[str(kept.chunk)][int(kept.line or 0) - 1]) == (HIDDEN, "비밀 하나")


@pytest.mark.parametrize(
    ("name", "dropped"),
    [
        pytest.param(f"{TWICE}.json", [DropReason.DUPLICATE], id="duplicate"),
        pytest.param(f"{TALKED}.json", [DropReason.SPEECH_TYPE_EXCLUDED], id="excluded"),
        pytest.param(f"{READ}.json", [None], id="kept"),
        pytest.param("한글.json", [None], id="decomposed"),
        pytest.param("빈 파일.json", [], id="no-utterance"),
    ],
)
def test_other_ends(out: Path, name: str, dropped: list[DropReason | None]) -> None:
    """A label file is found by its name, composed or not, whether or not anything was selected from it."""
    [found] = explain(out, name)
    assert [fate.dropped for fate in found.utterances] == dropped


def test_a_name_twice_in_an_archive(tmp_path: Path) -> None:
    """Of two label files with one name in one archive, each is told its own line."""
    archive = zip_bytes([member(KEPT, "첫째", "하나"), member(TWICE, "둘째", "둘")])
    write = tmp_path / "corpus" / ANSWER_ZIP
    write.parent.mkdir()
    write.write_bytes(archive.replace(TWICE.encode(), KEPT.encode()))
    build([tmp_path / "corpus"], tmp_path / "out", BuildOptions(validation=0), make_executor=one_thread)
    fates = [fate for found in explain(tmp_path / "out", f"{KEPT}.json", text=True) for fate in found.utterances]
    lines = chunks_of(tmp_path / "out")
    assert [fate.source for fate in fates] == ["첫째", "둘째"]
    for fate in fates:
        assert pair_in(lines[str(fate.chunk)][int(fate.line or 0) - 1]) == (fate.source, fate.target)


def test_rejected(out: Path) -> None:
    """What could not be read is told with the reason and the position in `rejects.jsonl`."""
    [found] = explain(out, "broken.json")
    [reject] = [row for row in rejects_of(out) if row["member"] == "broken.json"]
    assert (found.rejected, found.position, found.detail) == (reject["reason"], reject["position"], reject["detail"])
    assert found.utterances == []


def test_nothing_is_called_so(out: Path, tmp_path: Path) -> None:
    """A name that no label file has, and a folder without a build or without its stage, are errors that say what to do."""
    with pytest.raises(InputError, match=r"json: no label file of this build is called so; give its path"):
        explain(out, f"{KEPT[1:]}.json")
    with pytest.raises(BuildError, match="there is no finished build"):
        explain(tmp_path, "x.json")
    with pytest.raises(
        BuildError, match="a segment of this build is not there, or damaged; give its folder by --stage"
    ):
        explain(out, "x.json", stage=tmp_path)


@pytest.mark.parametrize("table", ["decisions.parquet", "lineage.parquet"])
def test_a_damaged_table(out: Path, tmp_path: Path, table: str) -> None:
    """A table of the build that is cut off is called changed by name, and where no list of hashes is there, damaged."""
    shutil.copytree(out, tmp_path / "out")
    content = (out / table).read_bytes()
    (tmp_path / "out" / table).write_bytes(content[: len(content) // 2])
    for ask in (lambda out: explain(out, f"{KEPT}.json"), inspect):
        with pytest.raises(BuildError, match=f"{table} is changed; see saturi verify"):
            ask(tmp_path / "out")
    (tmp_path / "out" / "SHA256SUMS").unlink()
    with pytest.raises(BuildError, match="damaged; build again"):
        explain(tmp_path / "out", f"{KEPT}.json")


@pytest.mark.parametrize("option", ['"unheard_of": 1', '"identical": 7'])
def test_options_of_another_version(out: Path, tmp_path: Path, option: str) -> None:
    """A build with options that this version does not know is told so."""
    shutil.copytree(out, tmp_path / "out")
    manifest = tmp_path / "out" / "manifest.json"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace('"identical": "keep"', option), encoding="utf-8")
    (tmp_path / "out" / "SHA256SUMS").unlink()
    with pytest.raises(BuildError, match="its options are those of another version; build again"):
        explain(tmp_path / "out", f"{KEPT}.json")


def test_every_label_file_of_a_sample(sample: SampleReport, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """What is told of all label files adds up to the counts of the manifest, and sides are those of the keys."""
    by = (SplitKey.SCRIPT, SplitKey.SPEAKER)
    options = BuildOptions(validation=0.3, split_by=by, speech_type=(SpeechType.REPEAT, SpeechType.ANSWER), sample=120)
    build([sample.folder], tmp_path / "out", options, stage=tmp_path / "stage", make_executor=one_thread)
    counts = counts_of(tmp_path / "out")
    names = pl.read_parquet(tmp_path / "out" / "lineage.parquet")["member"].unique().sort().to_list()
    names = names[::9] + [row["member"] for row in rejects_of(tmp_path / "out")]
    for name in some_of(names, pytestconfig, every=4, first=0):
        for found in explain(tmp_path / "out", name, stage=tmp_path / "stage"):
            sides = {place.side for place in found.keys}
            for fate in found.utterances:
                assert fate.split in {None, *(sides or {Split.TRAIN})}
                assert (fate.chunk is None) == (fate.dropped is not None)
                assert fate.chunk is None or fate.chunk.split("/")[1] == fate.split
    decisions = pl.read_parquet(tmp_path / "out" / "decisions.parquet")
    assert decisions.height >= len(segments_of(tmp_path / "stage"))
    reasons = decisions.select(pl.col("reason").explode().drop_nulls().value_counts()).unnest("reason").rows()
    excluded = {reason: n for reason, n in counts["dropped"].items() if reason.endswith("excluded")}
    assert dict(reasons) | excluded == counts["dropped"]
    assert manifest_of(tmp_path / "out")["counts"]["examples"] == 120


def test_on_the_command_line(out: Path, tmp_path: Path) -> None:
    """The command shows each step; texts only with --text, and all of it as JSON with --json."""
    plain = invoke("explain", out, "--member", f"{TWICE}.json", cwd=tmp_path)
    assert plain.returncode == 0
    assert "duplicate: dropped" in plain.stdout
    assert "empty_source: passed" in plain.stdout
    assert "key text:" in plain.stdout
    assert HIDDEN not in plain.stdout + plain.stderr
    assert HIDDEN in invoke("explain", out, "--member", f"{TWICE}.json", "--text", cwd=tmp_path).stdout
    [row] = json.loads(invoke("explain", out, "--member", f"{TWICE}.json", "--json", cwd=tmp_path).stdout)[
        "label_files"
    ]
    assert row["utterances"][0]["dropped"] == "duplicate"
    assert row["utterances"][0]["source"] is None
    assert "no label file" in error_of(invoke("explain", out, "--member", "nix", cwd=tmp_path), 3)
    assert "rejected: invalid_json" in invoke("explain", out, "--member", "broken.json", cwd=tmp_path).stdout
