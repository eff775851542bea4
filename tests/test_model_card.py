"""The card of a tuned model: what is in it, that nothing of the corpus is, and when it is refused."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from evaluations import BASE, MODEL, garbled
from provider import Server, World
from provider.chat import chatter
from runs import error_of, invoke, manifest_of, one_thread, pairs_of, tree_of
from submissions import HASTE, KEY, make_build

from saturi import EvaluateOptions, FinishedBuild, build, evaluate, export_card
from saturi.etl.errors import BuildError, ForeignFolderError, InputError, LockedError, OptionError
from saturi.etl.evaluation import resampling
from saturi.etl.output.holding import claimed
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import Direction, Split, Unit

TEXT = "카나리아"
"""A word of every text of the corpus, and of nothing else."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus and its build, whose texts, names and ids are easily recognised."""
    return make_build(tmp_path_factory.mktemp("made"), text=TEXT).parent


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    """That build, for one test."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "out"


@pytest.fixture(scope="module")
def evaluation(made: Path, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The evaluation of that build by `_evaluate`."""
    out = Path(shutil.copytree(made / "out", tmp_path_factory.mktemp("evaluated") / "out"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", KEY)
        _evaluate(out, server, server.world(out.parent.name))
    return out / "evaluation"


@pytest.fixture
def evaluated(out: Path, evaluation: Path) -> Path:
    """The evaluated build, for one test."""
    shutil.copytree(evaluation, out / "evaluation")
    return out


def _evaluate(out: Path, server: Server, world: World, **more: Any) -> None:
    """Evaluate a model without a fault, and one that chats as its base."""
    answers = dict(pairs_of(out, "validation"))
    world.chats |= {MODEL: lambda text: answers[text], BASE: chatter, "garbling": garbled}
    given: dict[str, Any] = {
        "model": (MODEL, "garbling"),
        "base_model": BASE,
        "provider": "custom",
        "base_url": server.base_url(world.name),
    }
    evaluate(out, EvaluateOptions(**{**given, **more}), pace=HASTE)


def _card(folder: Path) -> str:
    return (folder / "README.md").read_text(encoding="utf-8")


def _rows(card: str, heading: str) -> dict[str, list[str]]:
    """Return the cells of the table under the first line that holds *heading*, by the first of each row."""
    [_, after] = card.split(heading, 1)
    [table] = re.findall(r"\A.*?\n((?:\|.*\n)+)", after, flags=re.DOTALL)
    rows = [line.strip("| \n").split(" | ") for line in table.splitlines()]
    return {cells[0]: cells[1:] for cells in rows}


def test_scores(evaluated: Path) -> None:
    """The card has base, scores with intervals beside copying and the base, scores by region, and signatures."""
    card = _card(export_card(evaluated, MODEL))
    assert f"Tuned from {BASE}" in card
    scores = _rows(card, "## Scores")
    assert scores["metric"] == ["copy", f"{BASE} (base)", MODEL]
    assert scores["exact"][0] == "0.0 (0.0 to 0.0)"
    assert scores["exact"][2] == "100.0 (100.0 to 100.0)"
    assert re.fullmatch(r"\d+\.\d \(\d+\.\d to \d+\.\d\)", scores["chrF++"][0])
    by_stratum = _rows(card, "By stratum")
    assert by_stratum["region gyeongsang"][-1] == "100.0 / 100.0 / -"
    for signature in (
        "nrefs:1|case:mixed|eff:no|tok:ko-mecab",
        "rapidfuzz:",
        f"{resampling.RESAMPLES:,} paired bootstrap resamples",
        "seed 12345",
    ):
        assert signature in card
    assert "garbling" not in card


def test_data_and_split(out: Path) -> None:
    """The card has the counts of the build, its hash, what was held out, what both splits share, and the licence notice."""
    card = _card(export_card(out, MODEL, base_model="qwen2.5-1.5b"))
    manifest = manifest_of(out)
    for shard in manifest["shards"]:
        assert f"| {shard['split']} | {shard['region']} | {shard['speech_type']} | {shard['examples']:,} |" in card
    held_out = sum(shard["examples"] for shard in manifest["shards"] if shard["split"] == "validation")
    assert f"{held_out} examples were held out from training (`--validation 0.25 --split-by script`)" in card
    shared = manifest["counts"]["shared"]
    assert shared["texts"] == 0
    assert f"0 scripts, {shared['speakers']} speakers, 0 texts are in both train and validation" in card
    assert FinishedBuild.open(out).manifest_sha256 in card
    assert f"    {manifest['options']['system_prompt']}\n" in card
    for words in ("71517", "NIA", "may not leave Korea", "한국지능정보사회진흥원의 지원을 받아 구축된", "aihub.or.kr"):
        assert words in card
    assert "\nbase_model: Qwen/Qwen2.5-1.5B-Instruct\n---\n" in card
    assert "Tuned from Qwen/Qwen2.5-1.5B-Instruct; its licence goes on to apply (Apache-2.0; as of " in card


def test_no_evaluation(out: Path) -> None:
    """Without an evaluation the card says so, and names no base model that nobody named."""
    card = _card(export_card(out, MODEL))
    assert "There is no evaluation" in card
    assert "The base model was not named." in card
    assert "base_model:" not in card


def test_nothing_held_out(tmp_path: Path, out: Path) -> None:
    """A build without validation says that nothing was held out; one the other way round, with instructions, says these."""
    options = BuildOptions(
        validation=0, direction=Direction.TO_DIALECT, system_prompt="", paraphrase=("하나", "둘"), unit=Unit.SENTENCE
    )
    build([out.parent / "corpus"], tmp_path / "other", options, make_executor=one_thread)
    card = _card(export_card(tmp_path / "other", MODEL))
    assert "# A model tuned on Korean dialect: standard Korean into dialect" in card
    assert "Nothing was held out from training." in card
    assert "one of these:\n\n    하나\n    둘\n" in card


@pytest.mark.parametrize("build", ["out", "evaluated"], ids=["not-evaluated", "evaluated"])
def test_nothing_of_the_corpus(build: str, request: pytest.FixtureRequest) -> None:
    """No text, no name of an archive or member, no id of a speaker or collector, and no address is in the card."""
    out: Path = request.getfixturevalue(build)
    card = _card(export_card(out, MODEL))
    lineage = FinishedBuild.open(out).lineage().select("archive", "member").collect()
    secrets = {TEXT, *lineage["archive"].unique(), *lineage["member"].unique()}
    secrets |= {
        part
        for name in lineage["member"]
        for part in Path(name).stem.split("_")
        if part.startswith(("speaker", "coll"))
    }
    secrets |= {str(out), "127.0.0.1"}
    assert len(secrets) > 5
    assert [secret for secret in secrets if secret in card] == []


def test_the_same_bytes(evaluated: Path, tmp_path: Path, server: Server, world: World) -> None:
    """The same build and answers, elsewhere and again, give the same card."""
    other = make_build(tmp_path / "other", text=TEXT)
    _evaluate(other, server, world)
    first = tree_of(export_card(evaluated, MODEL))
    for _ in range(2):
        assert tree_of(export_card(other, MODEL)) == first
    assert set(first) == {"README.md", "SHA256SUMS"}


def test_names_of_models(out: Path) -> None:
    """A path is shown without its folders, a name of the Hub as it is, and neither breaks a line."""
    card = _card(export_card(out, "/home/somebody/tuned", base_model="/home/somebody/b\nase"))
    assert "The name of this model is `tuned`." in card
    assert "Tuned from b\\x0aase" in card
    assert "somebody" not in card


def test_a_sampled_evaluation_of_another_name(out: Path, server: Server, world: World) -> None:
    """An evaluation is chosen by its name; how many rows were not asked is said."""
    _evaluate(out, server, world, sample=5, name="few")
    assert "There is no evaluation" in _card(export_card(out, MODEL))
    card = _card(export_card(out, MODEL, evaluation="few"))
    assert "5 rows of the validation split" in card
    assert "were not sampled" in card
    with pytest.raises(InputError, match="no finished evaluation"):
        export_card(out, MODEL, evaluation="many")


def test_a_file_of_rows(out: Path, tmp_path: Path, server: Server, world: World) -> None:
    """An evaluation on rows of a file is shown as one, without the name of the file."""
    file = tmp_path / "secret-name.jsonl"
    file.write_bytes(b"".join(path.read_bytes() for path in sorted((out / "chunks" / "validation").iterdir())))
    _evaluate(out, server, world, file=file)
    card = _card(export_card(out, MODEL, evaluation="file-secret-name"))
    assert "rows of a file of one's own" in card
    assert "secret-name" not in card


def test_other_models_and_builds(evaluated: Path, tmp_path: Path) -> None:
    """A model that was not evaluated, the base itself, and an evaluation of another build are refused."""
    for name in ("another", BASE, "copy"):
        with pytest.raises(OptionError, match="choose from"):
            export_card(evaluated, name)
    build([tmp_path / "corpus"], evaluated, BuildOptions(validation=0.4), make_executor=one_thread)
    with pytest.raises(InputError, match="of another build; evaluate again"):
        export_card(evaluated, MODEL)
    with pytest.raises(BuildError):
        export_card(tmp_path / "nowhere", MODEL)


def test_no_model_was_evaluated(out: Path) -> None:
    """An evaluation of copying alone has no model to make a card of."""
    evaluate(out, EvaluateOptions())
    with pytest.raises(OptionError, match="evaluate it first"):
        export_card(out, MODEL)


def test_a_base_model_that_is_another(evaluated: Path) -> None:
    """A base model that is not that of the evaluation is refused."""
    with pytest.raises(OptionError, match=r"--base-model: the base model of the evaluation is"):
        export_card(evaluated, MODEL, base_model="another/model")
    assert f"Tuned from {BASE}" in _card(export_card(evaluated, MODEL, base_model=BASE))


def test_an_evaluation_of_train(out: Path, server: Server, world: World) -> None:
    """Of scores on the train split the card says that the model was trained on these texts."""
    world.chats |= dict.fromkeys((MODEL, BASE), chatter)
    where = server.base_url(world.name)
    given = EvaluateOptions(
        model=(MODEL,), base_model=BASE, provider="custom", base_url=where, split=Split.TRAIN, sample=10
    )
    evaluate(out, given, pace=HASTE)
    assert "texts that the model was trained on" in _card(export_card(out, MODEL, evaluation="train"))


def test_a_licence_that_was_not_verified(out: Path) -> None:
    """The card says of a licence that it was not verified, where the catalogue does."""
    assert "not verified: vocabulary; licence" in _card(export_card(out, MODEL, base_model="gemma-3-1b"))


def test_an_edited_card_stays(out: Path) -> None:
    """A card that somebody has written on is not replaced."""
    path = export_card(out, MODEL) / "README.md"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(ForeignFolderError):
        export_card(out, "another")
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_build_is_writing(out: Path) -> None:
    """No card is written while a build writes to the folder."""
    with claimed(out, out), pytest.raises(LockedError):
        export_card(out, MODEL)


@pytest.mark.parametrize(
    "names", [("", None, None), (MODEL, "", None), (MODEL, None, "")], ids=["model", "base", "evaluation"]
)
def test_empty_names(out: Path, names: tuple[str, str | None, str | None]) -> None:
    """An empty name is refused."""
    with pytest.raises(OptionError, match="the name is empty"):
        export_card(out, *names)


def test_the_command(out: Path, tmp_path: Path) -> None:
    """`export --card` writes the card and says where; it goes without --to, and --evaluation goes with it alone."""
    done = invoke("export", out, "--card", MODEL, "--base-model", "base", cwd=tmp_path)
    assert done.returncode == 0
    assert str(out / "export" / "card") in done.stdout.replace("\n", "")
    assert "Tuned from base" in _card(out / "export" / "card")
    for arguments in ((), ("--card", MODEL, "--to", "trl"), ("--to", "trl", "--evaluation", "validation")):
        error_of(invoke("export", out, *arguments, cwd=tmp_path), 2)
