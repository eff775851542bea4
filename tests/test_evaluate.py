"""Evaluations from rows to scores, against models over HTTP: what comes out, and what is asked for it."""

import json
from pathlib import Path
from typing import Any, cast

import msgspec
import polars as pl
import pytest
from chats import chat, encode, write_lines
from corpora import ANSWER_ZIP, member, stem, write_zip
from evaluations import (
    BASE,
    MODEL,
    asked,
    garbled,
    run,
    score,
    sources,
    standard,
    stratum,
    system,
    write_test_file,
)
from provider import Server, World
from provider.answers import Answer as HttpAnswer
from provider.chat import chatter, learnt_from
from runs import one_thread, pairs_of
from submissions import HASTE, YES_AGAIN, hand_in, make_build

from saturi.etl.errors import BuildError, EtlError, InputError, OptionError, SpendingError, UnknownPriceError
from saturi.etl.evaluation.asking import Question
from saturi.etl.evaluation.bill import PriorConsent, Spent
from saturi.etl.evaluation.evaluate import evaluate
from saturi.etl.evaluation.options import EvaluateOptions
from saturi.etl.evaluation.results import EvaluationResult, read_evaluation
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions
from saturi.etl.submission.watch import watch
from saturi.schemas.chat import Message
from saturi.schemas.evaluation import Answer, ChatRequest, PredictionRow
from saturi.schemas.model import AnswerPrice
from saturi.schemas.terms import Dimension, Split


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A test set of twelve rows."""
    return write_test_file(tmp_path / "test.jsonl", sources(12))


def test_systems_side_by_side(file: Path, server: Server, world: World) -> None:
    """A model without a fault scores 100, one that garbles less than copying, and one that chats next to nothing."""
    world.chats |= {MODEL: standard, BASE: chatter, "garbling": garbled}
    result = run(file, server, world, model=(MODEL, BASE, "garbling"))
    assert [(one.name, one.role) for one in result.evaluation.systems] == [
        ("copy", "copy"),
        (BASE, "base"),
        (MODEL, "candidate"),
        ("garbling", "candidate"),
    ]
    assert {name: found.score for name, found in stratum(result, MODEL).scores.items()} == {
        **dict.fromkeys(("exact", "exact_bare", "bleu", "bleu_ko", "chrf", "rouge_l"), pytest.approx(100)),
        **dict.fromkeys(("edit_precision", "edit_recall", "edit_f05"), 100),
        **dict.fromkeys(("cer", "over_edit", "refused", "empty", "cut_off"), 0),
        "meteor": pytest.approx(90, abs=10),
        "length_ratio": 1,
    }
    for metric in ("bleu", "chrf", "rouge_l"):
        garbling, copying = score(result, "garbling", metric).score, score(result, "copy", metric).score
        assert garbling is not None
        assert copying is not None
        assert garbling < copying
    assert score(result, BASE, "exact").score == 0
    assert score(result, BASE, "over_edit").score == 100


def test_copying_by_hand(tmp_path: Path) -> None:
    """Copying scores what one gets by hand: matches where nothing was to be changed, and no edit."""
    rows = [("밥 먹었니", "밥 먹었니"), ("밥 묵었나", "밥 먹었니"), ("하마", "벌써"), ("어데 가나", "어디 가니")]
    file = write_lines(tmp_path / "test.jsonl", [encode(chat(*row)) for row in rows])
    result = evaluate(options=EvaluateOptions(file=file))
    assert score(result, "copy", "exact").score == 25
    assert score(result, "copy", "rouge_l").score == pytest.approx(100 * (1 + 0.5) / 4)
    assert score(result, "copy", "cer").score == pytest.approx(100 * (2 + 2 + 2) / (5 + 5 + 2 + 5))
    assert score(result, "copy", "edit_f05").score == 0
    assert score(result, "copy", "exact", "identical").score == 100
    assert score(result, "copy", "exact", "changed").score == 0
    assert stratum(result, "copy", "changed").rows == 3


def test_a_build(tmp_path: Path, server: Server, world: World) -> None:
    """The validation split of a build is scored by region and speech type, and each prediction leads to its label file."""
    out = make_build(tmp_path)
    train = b"".join(path.read_bytes() for path in sorted((out / "chunks" / "train").glob("*.jsonl")))
    world.chats[MODEL] = learnt_from(train)
    options = EvaluateOptions(model=(MODEL,), provider="custom", base_url=server.base_url(world.name))
    result = evaluate(out, options)
    assert result.folder == out / "evaluation" / "validation"
    rows = pairs_of(out, "validation")
    assert result.evaluation.test_set.rows == len(rows)
    assert result.evaluation.test_set.proved
    by = {(one.by, one.value): one.rows for one in system(result, MODEL).strata}
    assert by["region", "gyeongsang"] == len(rows)
    assert by["speech_type", "repeat"] + by["speech_type", "answer"] == len(rows)
    assert score(result, MODEL, "exact").score == 100
    table = result.predictions().filter(pl.col("system") == MODEL).collect()
    assert sorted(table.select("source", "reference").rows()) == sorted(rows)
    assert table["archive"].null_count() == table["member"].null_count() == 0
    origins = {(row["archive"], row["member"]) for row in table.to_dicts()}
    assert len(origins) == len(rows)


def test_regions_of_shards_that_are_not_apart_by_them(tmp_path: Path) -> None:
    """Where a shard has every region, a row's is that of its archive."""
    names = {"gs": ANSWER_ZIP, "jj": "TL_05. 제주도_02. 1인발화 질문에답하기.zip"}
    for number, (code, archive) in enumerate(names.items()):
        members = (
            member(stem("say", f"{number}{n}", 1), f"{code} 묵었나 {n}", f"{code} 먹었니 {n}") for n in range(40)
        )
        write_zip(tmp_path / "corpus" / archive, members)
    options = BuildOptions(validation=0.3, shard_by=(Dimension.SPEECH_TYPE,))
    build([tmp_path / "corpus"], tmp_path / "out", options, make_executor=one_thread, workers=1)
    manifest = FinishedBuild.open(tmp_path / "out").manifest
    assert {chunk.region for chunk in manifest.chunks} == {"all"}
    found = evaluate(tmp_path / "out").evaluation.systems[0].strata
    assert {one.value for one in found if one.by == "region"} == {row.region for row in manifest.corpus}


def test_models_of_the_ledger(tmp_path: Path, server: Server, world: World) -> None:
    """Without a model, what was submitted is evaluated where it was: the tune, and the base model that it is held against."""
    out = make_build(tmp_path)
    hand_in(out, server, world)
    watch(out, pace=HASTE)
    [job] = world.jobs.values()
    result = evaluate(out)
    assert [(one.name, one.role) for one in result.evaluation.systems] == [
        ("copy", "copy"),
        (job["model"], "base"),
        (job["fine_tuned_model"], "candidate"),
    ]
    assert score(result, job["fine_tuned_model"], "exact").score == 100
    assert score(result, job["model"], "exact").score == 0
    assert {row.system for row in result.evaluation.claim} == {job["fine_tuned_model"]}
    # BLEU counts sequences of four words, which these rows do not have.
    assert min(row.over_base or 0 for row in result.evaluation.claim if row.metric != "bleu") > 1
    alone = evaluate(out, EvaluateOptions(model=(job["fine_tuned_model"],), name="alone"))
    assert [one.role for one in alone.evaluation.systems] == ["copy", "candidate"]
    assert alone.evaluation.systems[1].known == alone.evaluation.test_set.questions


def build_again(out: Path, share: float) -> None:
    """Build in *out* once more, with another *share* held out."""
    options = BuildOptions(validation=share, max_chunk_examples=25)
    build([out.parent / "corpus"], out, options, make_executor=one_thread, workers=1)


def test_a_tune_of_another_build(tmp_path: Path, server: Server, world: World) -> None:
    """A tune that learnt from another build than the one that is there is not scored on rows that it may have learnt."""
    out = make_build(tmp_path)
    hand_in(out, server, world)
    watch(out, pace=HASTE)
    [old] = world.jobs.values()
    file = write_test_file(tmp_path / "test.jsonl", sources(20))
    build_again(out, 0.5)
    tests = {"split": {}, "named": {"model": (old["fine_tuned_model"],)}, "file": {"file": file}}
    for given in tests.values():
        with pytest.raises(BuildError, match="learnt from another build than the one that is here"):
            evaluate(out, msgspec.convert(given, EvaluateOptions))
    assert asked(world) == []
    hand_in(out, server, world, model=old["fine_tuned_model"], consent=YES_AGAIN)  # learns more, and forgets nothing
    watch(out, pace=HASTE)
    with pytest.raises(BuildError, match="learnt from another build"):
        evaluate(out)
    hand_in(out, server, world, consent=YES_AGAIN)
    watch(out, pace=HASTE)
    new = list(world.jobs.values())[-1]
    result = evaluate(out)
    assert [one.name for one in result.evaluation.systems] == ["copy", new["model"], new["fine_tuned_model"]]
    assert any(note.startswith(f"{old['fine_tuned_model']} was left out") for note in result.evaluation.notes)
    build_again(out, 0.25)
    again = evaluate(out)
    assert old["fine_tuned_model"] in {one.name for one in again.evaluation.systems}


def test_each_tune_beside_its_own_base(file: Path, server: Server, world: World) -> None:
    """With several base models a tune is held against that which it was tuned from, and one of none of them against none."""
    tunes = {"one": "ft:one:a", "two": "ft:two:b"}
    world.chats |= {"one": chatter, "two": garbled, "ft:one:a": standard, "ft:two:b": standard, "other": standard}
    result = run(file, server, world, model=("ft:two:b", "ft:one:a", "one", "two", "other"))
    assert {one.name: one.base for one in result.evaluation.systems if one.base} == {
        tune: base for base, tune in tunes.items()
    }
    for row in result.evaluation.claim:
        base = system(result, row.system).base
        assert row.base == base
        under = None if base is None else score(result, base, row.metric).score
        assert row.over_base == ((score(result, row.system, row.metric).score or 0) / under if under else None)
    assert score(result, "ft:one:a", "chrf").p_base is not None
    assert score(result, "other", "chrf").p_base is None
    given = run(file, server, world, model=("ft:two:b", "ft:one:a"), base_model="one")
    assert {one.base for one in given.evaluation.systems if one.role == "candidate"} == {"one"}


def test_what_lies_there(file: Path, server: Server, world: World) -> None:
    """Scores, predictions, rows and journal lie in one folder, and are what the library returns."""
    world.chats[MODEL] = standard
    result = run(file, server, world)
    assert result.folder == file.parent / "evaluation" / "file-test"
    names = {path.name for path in result.folder.iterdir() if not path.name.startswith(".")}
    assert names == {"scores.json", "predictions.parquet", "rows.jsonl", "journal.sqlite"}
    assert read_evaluation(result.folder).evaluation == result.evaluation
    assert json.loads((result.folder / "scores.json").read_bytes()) == msgspec.to_builtins(result.evaluation)
    frame = result.scores().filter(by="all", system=MODEL, metric="exact")
    assert frame.select("rows", "score").row(0) == (12, 100.0)
    table = result.predictions().collect()
    assert set(table.columns) == set(PredictionRow.__struct_fields__)
    assert table.height == 2 * 12
    signatures = {metric.name: metric.signature for metric in result.evaluation.metrics}
    assert "tok:13a" in signatures["bleu"]
    assert "tok:ko-mecab" in signatures["bleu_ko"]
    assert result.evaluation.versions["sacrebleu"] == "2.6.0"


def test_asking_again_asks_nothing(file: Path, server: Server, world: World) -> None:
    """The same of the same model is asked once, under whatever name; another sample asks what it has in addition."""
    world.chats[MODEL] = standard
    first = run(file, server, world, sample=8)
    assert len(asked(world)) == 8
    again = run(file, server, world, sample=8)
    assert len(asked(world)) == 8
    assert system(again, MODEL).known == 8
    assert again.evaluation.systems[1].strata == first.evaluation.systems[1].strata
    run(file, server, world, name="all-of-it")
    assert len(asked(world)) == 12
    run(file, server, world, seed=1, name="all-of-it")
    assert len(asked(world)) == 24


def test_equal_inputs_are_asked_once(tmp_path: Path, server: Server, world: World) -> None:
    """An input that is there several times is asked once, and scored as often as it is there."""
    texts = [*sources(4), *sources(2), *sources(1)]
    file = write_test_file(tmp_path / "test.jsonl", texts)
    world.chats[MODEL] = lambda text: standard(text) if text != texts[0] else ""
    result = run(file, server, world)
    assert sorted(asked(world)) == sorted(sources(4))
    assert (result.evaluation.test_set.rows, result.evaluation.test_set.questions) == (7, 4)
    assert score(result, MODEL, "empty").score == pytest.approx(100 * 3 / 7)


def test_no_row_whose_text_is_in_train(tmp_path: Path) -> None:
    """A row whose source or target train has, as either, is left out and counted; spaces and composition hide nothing."""
    out = make_build(tmp_path)
    [(source, target), *_] = pairs_of(out, "train")
    held_out = pairs_of(out, "validation")
    rows = [
        (source, "새 글"),
        ("새 글", target),
        (f" {source.replace(' ', '  ')}", "새 글"),
        (target, "새 글"),
        *held_out,
    ]
    file = write_lines(tmp_path / "test.jsonl", [encode(chat(*row)) for row in rows])
    test_set = evaluate(out, EvaluateOptions(file=file)).evaluation.test_set
    assert (test_set.available, test_set.rows, test_set.in_training) == (len(rows), len(held_out), 4)
    assert test_set.proved
    learnt = write_lines(tmp_path / "learnt.jsonl", [encode(chat(source, target))])
    with pytest.raises(InputError, match="no row is left of 1, 1 of which"):
        evaluate(out, EvaluateOptions(file=learnt))
    assert not evaluate(out, EvaluateOptions(split=Split.TRAIN)).evaluation.test_set.proved


def test_predictions_of_elsewhere(file: Path, tmp_path: Path) -> None:
    """What a model made elsewhere is scored by the keys of its rows, in any order, byte order mark or not."""
    folder = evaluate(options=EvaluateOptions(file=file)).folder
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_bytes().splitlines()]
    lines = [encode({"key": row["key"], "prediction": standard(row["messages"][-1]["content"])}) for row in rows]
    made = tmp_path / "made.jsonl"
    made.write_bytes(b"\xef\xbb\xbf" + b"\n".join(lines[::-1]))
    result = evaluate(options=EvaluateOptions(file=file, predictions=(f"elsewhere={made}",)))
    assert score(result, "elsewhere", "exact").score == 100
    assert system(result, "elsewhere").kind == "predictions"


BAD_PREDICTIONS = {
    "missing": (lambda lines: lines[1:], "no prediction for 'test.jsonl:1'"),
    "twice": (lambda lines: [*lines, lines[0]], "is there twice"),
    "no-json": (lambda lines: [*lines, b"x"], "line 13: no prediction"),
    "blank": (lambda lines: [*lines, b"", lines[0]], "line 13: no prediction"),
    "no-text": (lambda lines: [*lines, b'{"key":"a","prediction":1}'], "line 13: no prediction"),
}


@pytest.mark.parametrize(("change", "words"), BAD_PREDICTIONS.values(), ids=BAD_PREDICTIONS)
def test_bad_predictions(file: Path, tmp_path: Path, change: object, words: str) -> None:
    """A file of predictions that lacks a row, or has one twice, or a line that is none, is refused by its line or row."""
    lines = [encode({"key": f"test.jsonl:{number}", "prediction": "가"}) for number in range(1, 13)]
    made = write_lines(tmp_path / "made.jsonl", change(lines))  # type: ignore[operator]  # one of the above
    with pytest.raises(InputError, match=words):
        evaluate(options=EvaluateOptions(file=file, predictions=(f"elsewhere={made}",)))


BAD_FILES = {
    "empty": (b"", "the file has no row; give a chat file"),
    "blank-line": (encode(chat("가")) + b"\n\n" + encode(chat("나")) + b"\n", "line 2: no chat of texts"),
    "no-answer": (encode({"messages": [{"role": "user", "content": "가"}]}), "line 1: no question of a user's"),
    "tool": (encode({"messages": [{"role": "tool", "content": "가"}]}), "line 1: no chat of texts"),
    "cp949": ('{"messages":"사투리"}'.encode("cp949"), "line 1: no chat of texts"),
}


@pytest.mark.parametrize(("content", "words"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_files(tmp_path: Path, content: bytes, words: str) -> None:
    """A test set that is no chat of questions and answers is refused by its line."""
    file = tmp_path / "test.jsonl"
    file.write_bytes(content)
    with pytest.raises(InputError, match=words):
        evaluate(options=EvaluateOptions(file=file))


def test_a_file_with_a_byte_order_mark_and_no_last_newline(tmp_path: Path) -> None:
    """A byte order mark is no part of the first line, and the last needs no newline."""
    file = tmp_path / "test [1].jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + encode(chat("가", "나")) + b"\n" + encode(chat("다", "라")))
    result = evaluate(options=EvaluateOptions(file=file))
    assert result.evaluation.test_set.rows == 2
    assert result.predictions().select("reference").collect()["reference"].to_list() == ["나", "라"]


def test_refused_options(tmp_path: Path) -> None:
    """Options that cannot be are refused before anything is read."""
    with pytest.raises(OptionError, match="no build and no file"):
        evaluate()
    with pytest.raises(OptionError, match="no NAME=FILE"):
        EvaluateOptions(predictions=("elsewhere",))
    with pytest.raises(OptionError, match="'copy' is another system"):
        EvaluateOptions(predictions=("copy=x",))
    for threshold in ("high", "nan", "inf", "-inf", "1e999", ""):
        with pytest.raises(OptionError, match="no METRIC=SCORE"):
            EvaluateOptions(fail_below=(f"chrf={threshold}",))
    with pytest.raises(OptionError, match="no name of a folder"):
        EvaluateOptions(name="../x")
    with pytest.raises(OptionError, match="--split: the test set is the --file"):
        EvaluateOptions(file=tmp_path / "test.jsonl", split=Split.TRAIN)
    with pytest.raises(OptionError, match="'validation' is the evaluation of that split"):
        EvaluateOptions(name="validation", file=tmp_path / "x")
    with pytest.raises(OptionError, match="'validation' is the evaluation of that split"):
        EvaluateOptions(name="validation", split=Split.TRAIN)
    file = write_test_file(tmp_path / "test.jsonl", sources(2))
    with pytest.raises(OptionError, match="'cer' is no metric of which more is better"):
        evaluate(options=EvaluateOptions(file=file, fail_below=("cer=1",)))
    with pytest.raises(BuildError, match="there is no finished build"):
        evaluate(tmp_path)


def test_thresholds(file: Path, server: Server, world: World) -> None:
    """A candidate below a threshold is a failure, with both numbers; copying and the base model are none."""
    world.chats |= {MODEL: garbled, BASE: garbled}
    result = run(file, server, world, model=(BASE, MODEL), fail_below=("chrf=60", "exact=0"))
    [failure] = result.failures
    assert failure.startswith(f"chrf of {MODEL} is ")
    assert failure.endswith(", below 60")


def test_a_threshold_without_a_model(file: Path) -> None:
    """A threshold that nothing was held against is no success."""
    assert evaluate(options=EvaluateOptions(file=file)).failures == ()
    [failure] = evaluate(options=EvaluateOptions(file=file, fail_below=("chrf=0",))).failures
    assert failure == "no model was evaluated that could reach chrf"


NAMES = {
    "validation.jsonl": "file-validation",
    "train": "file-train",
    "...jsonl": "file-..",
    ".jsonl": "file-.jsonl",
    "a b [1].jsonl": "file-a-b--1-",
    "방언.jsonl": "file-방언",
    f"{'방' * 60}{'x' * 40}.jsonl": f"file-{'방' * 60}{'x' * 15}",
    "a\nb.jsonl": "file-a-b",
}


@pytest.mark.parametrize(("name", "folder"), NAMES.items(), ids=range(len(NAMES)))
def test_the_folder_of_a_file(tmp_path: Path, name: str, folder: str) -> None:
    """An evaluation on a file has a folder below `evaluation`, whatever the file is called, and never that of a split."""
    file = write_test_file(tmp_path / name, sources(2))
    assert evaluate(options=EvaluateOptions(file=file)).folder == tmp_path / "evaluation" / folder
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["evaluation", name])


def test_an_evaluation_that_fails_replaces_nothing(file: Path, server: Server, world: World) -> None:
    """What was evaluated before stays as it is until all of the next one is there; drafts of a killed one are removed."""
    world.chats[MODEL] = standard
    folder = run(file, server, world, name="kept").folder
    kept = {path.name: path.read_bytes() for path in folder.glob("[a-z]*.[jp][sa]*") if path.name != "journal.sqlite"}
    assert set(kept) == {"scores.json", "predictions.parquet", "rows.jsonl"}
    (folder / ".drafts").mkdir()
    (folder / ".drafts" / "rows.jsonl").write_bytes(b"of a run that was killed")
    other = write_test_file(file.parent / "other.jsonl", sources(9, seed=5))
    with pytest.raises(EtlError):
        run(other, server, world, name="kept", model=("unheard-of",))
    missing = write_lines(file.parent / "made.jsonl", [encode({"key": "x", "prediction": "가"})])
    with pytest.raises(InputError, match="no prediction for"):
        run(other, server, world, name="kept", predictions=(f"made={missing}",))
    assert {name: (folder / name).read_bytes() for name in kept} == kept
    assert not (folder / ".drafts").exists()
    assert run(other, server, world, name="kept").evaluation.test_set.rows == 9
    assert len((folder / "rows.jsonl").read_bytes().splitlines()) == 9


def test_the_original_claim(file: Path, server: Server, world: World) -> None:
    """The ratio to the base model stands beside the gain over copying, for the three metrics of the claim."""
    world.chats |= {MODEL: standard, BASE: chatter}
    result = run(file, server, world, model=(BASE, MODEL))
    claim = {row.metric: row for row in result.evaluation.claim}
    assert set(claim) == {"bleu", "meteor", "rouge_l"}
    base, copying = score(result, BASE, "bleu").score, score(result, "copy", "bleu").score
    assert base is not None
    assert copying is not None
    assert claim["bleu"].over_base == pytest.approx(100 / base)
    assert claim["bleu"].gain_over_copy == pytest.approx(100 - copying)


ELSEWHERE = "http://192.0.2.1/v1"
"""An address for documentation: there is never anybody there."""

REFUSALS: dict[str, tuple[dict[str, object], type[Exception], str]] = {
    "no-price": ({"model": ("unheard-of",)}, UnknownPriceError, "unheard-of: the price of asking is not known"),
    "no-terms": ({"max_cost": 10}, SpendingError, "nobody agreed to the terms"),
    "no-consent": ({"max_cost": 10, "accept_data_terms": True}, SpendingError, "nobody agreed to ask gpt-4.1-mini for"),
    "too-much": ({"max_cost": 0, "accept_data_terms": True}, SpendingError, "--max-cost allows .0.00"),
}


@pytest.mark.parametrize(("given", "error", "words"), REFUSALS.values(), ids=REFUSALS)
def test_consent(
    file: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, object], error: type[Exception], words: str
) -> None:
    """Nothing leaves this machine before its price is known and agreed to, and the terms of the data."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nobody")
    options = msgspec.convert(
        {"model": ("gpt-4.1-mini",), "base_url": ELSEWHERE, "file": file, **given}, EvaluateOptions
    )
    with pytest.raises(error, match=words):
        evaluate(options=options)


def test_a_proxy_is_not_this_machine(file: Path, server: Server, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback needs no consent as long as no proxy is in between, through which the rows would leave this machine."""
    monkeypatch.setenv("HTTP_PROXY", ELSEWHERE)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(UnknownPriceError):
        run(file, server, world)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    world.chats[MODEL] = standard
    assert system(run(file, server, world), MODEL).usd == 0


@pytest.mark.parametrize("counted", [True, False], ids=["counted", "not-counted"])
def test_no_more_than_allowed(
    tmp_path: Path, server: Server, world: World, monkeypatch: pytest.MonkeyPatch, *, counted: bool
) -> None:
    """All answers together, of all runs, never cost more than `--max-cost`, whatever is on its way and who counts the tokens."""
    monkeypatch.setenv("HTTP_PROXY", server.base_url("").removesuffix("//v1"))  # nothing stays on this machine, then
    model = "gpt-4.1-mini"
    world.chats[model] = lambda text: " ".join([text] * 9)
    used: list[dict[str, int]] = []

    def note(_: str, answer: HttpAnswer) -> HttpAnswer:
        body = cast("dict[str, Any]", answer.body)
        used.append(body["usage"])
        return answer if counted else answer._replace(body={**body, "usage": None})

    world.alter = note
    file = write_test_file(tmp_path / "test.jsonl", sources(60))
    consent = PriorConsent(yes=True, accept_data_terms=True)

    def ask(max_cost: float) -> EvaluationResult:
        options = EvaluateOptions(
            file=file,
            model=(model,),
            base_url=f"http://192.0.2.1/{world.name}/v1",
            max_cost=max_cost,
            concurrency=8,
        )
        return evaluate(options=options, consent=consent, pace=HASTE)

    def spent() -> float:
        return sum(0.4 * one["prompt_tokens"] + 1.6 * one["completion_tokens"] for one in used) / 1e6

    for allowed in (0.002, 0.002, 0.004):
        with pytest.raises(SpendingError, match=r"answers so far cost|beside .* of those before"):
            ask(allowed)
        assert 0 < spent() <= allowed
    before = len(asked(world))
    assert 0 < before < 60
    assert ask(1.0).evaluation.test_set.rows == 60
    assert len(asked(world)) == 60


def test_admitted_within_the_limit() -> None:
    """A question waits while those on their way may use up what is left, and none is asked that may cost more than that."""
    request = ChatRequest(model="m", messages=(Message("user", "가"),), max_tokens=1_000, seed=0)
    first, second = (Question(name, request) for name in (b"1", b"2"))
    spent = Spent(AnswerPrice(input=0.0, output=100.0), 0.75, 0.9)
    assert spent.admit(first, 0)
    assert not spent.admit(second, 1)
    spent.settle(first, Answer(text="", input_tokens=1, output_tokens=400))
    assert spent.usd == pytest.approx(0.04)
    assert spent.admit(second, 0)
    spent.settle(second, None)
    assert spent.admit(second, 0)
    spent.settle(second, Answer(text="", output_tokens=None))
    with pytest.raises(SpendingError, match=r"so far cost \$0\.89, the next may cost \$0\.1000, and --max-cost"):
        spent.admit(first, 0)
