"""Submissions to Together, as the provider on loopback imitates it: its addresses, its estimate, its events, its tunes."""

import json
import re
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from provider import Fault, Server, World
from provider.answers import Answer
from provider.faults import FILE, JOB, answer_lost, refused
from provider.together import CENTS_PER_LINE, MODEL, SIGNATURE
from services import SERVICES, assert_once_at_together
from submissions import ENVIRONMENT, HASTE, KEY, YES, joined

from saturi.etl.console.commands.asking import Asking
from saturi.etl.console.output import consoles
from saturi.etl.errors import (
    EligibilityError,
    NoAnswerError,
    OptionError,
    ProviderError,
    SpendingError,
    UnknownPriceError,
)
from saturi.etl.evaluation.bill import PriorConsent as Agreed
from saturi.etl.evaluation.evaluate import evaluate
from saturi.etl.evaluation.options import EvaluateOptions
from saturi.etl.pricing.comparison import estimate_all
from saturi.etl.providers import border
from saturi.etl.providers.profiles import read_providers
from saturi.etl.providers.together_answers import TogetherAnswers
from saturi.etl.submission.consent import Agreement, PriorConsent
from saturi.etl.submission.dry_run import requests_of
from saturi.etl.submission.news import JobEstimated, JobEvent, News
from saturi.etl.submission.submit import plan_submission, submit
from saturi.etl.submission.watch import watch
from saturi.schemas.ledger import FAILED, FINAL, SUCCEEDED

[SERVICE] = [service for service in SERVICES if service.name == "together"]


@pytest.fixture
def there(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An account at Together, for one test."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return SERVICE.world(server, tmp_path.name)


@pytest.fixture
def priced(tmp_path: Path) -> Path:
    """A file of models by which a million tokens cost 10 dollars."""
    path = tmp_path / "models.toml"
    path.write_text(f'["{MODEL}"]\nusd_per_million_tokens = 10.0\n')
    return path


class Answering(PriorConsent):
    """Consent of a person who says yes to the terms, and to the spending what is given, one answer a question."""

    def __init__(self, *answers: bool) -> None:
        super().__init__(accept_data_terms=True)
        self.answers, self.asked = list(answers), list[Agreement]()

    def spending(self, agreement: Agreement) -> bool:
        """Return the next answer."""
        self.asked.append(agreement)
        return self.answers.pop(0)


# A job, and what it costs.


def test_a_job(out: Path, server: Server, there: World) -> None:
    """A build becomes one file and one job; every setting is sent, and what is held out stays here."""
    SERVICE.hand_in(out, server, there, suffix="사투리", seed=7)
    assert_once_at_together(out, there)
    [job] = there.jobs.values()
    assert job["sent"] == {
        "model": MODEL,
        "training_file": job["training_file"],
        "n_epochs": 2,
        "suffix": "사투리",
        "random_seed": 7,
        "packing": True,
        "batch_size": "max",
        "learning_rate": 1e-5,
        "lr_scheduler": {"lr_scheduler_type": "cosine", "lr_scheduler_args": {"min_lr_ratio": 0.0, "num_cycles": 0.5}},
        "warmup_ratio": 0.0,
        "max_grad_norm": 1.0,
        "weight_decay": 0.0,
        "n_checkpoints": 1,
        "n_evals": 0,
        "training_method": {"method": "sft", "train_on_inputs": False},
    }


def test_the_price_is_asked_for_before_the_job(out: Path, server: Server, there: World) -> None:
    """The provider's estimate is asked for when all files are there, and before any job: it stands beside ours in the news."""
    news: list[News] = []
    submit(out, SERVICE.options(server, there, plan="per-shard"), consent=YES, report=news.append, pace=HASTE)
    steps = [sent.path.rpartition("/v1/")[2] for sent in there.requests if sent.method == "POST"]
    order = [step for step in steps if step in {"files", "fine-tunes/estimate-price", "fine-tunes"}]
    assert order == ["files"] * 2 + ["fine-tunes/estimate-price"] * 2 + ["fine-tunes"] * 2
    estimates = [one for one in news if isinstance(one, JobEstimated)]
    lines = joined(out, "train").count(b"\n")
    assert sum(one.estimated_usd or 0 for one in estimates) == pytest.approx(lines * 2 * CENTS_PER_LINE / 100)
    assert {(one.usd, one.reason) for one in estimates} == {(None, None)}


def test_a_price_over_the_limit(out: Path, server: Server, there: World) -> None:
    """What the provider's estimate says that all jobs together cost over the limit ends in no job; the files are there."""
    with pytest.raises(SpendingError, match=r"2 jobs at \$1\.\d\d, and --max-cost allows \$1\.00") as caught:
        SERVICE.hand_in(out, server, there, plan="per-shard", max_cost=1.0)
    assert caught.value.exit_code == 7
    assert (there.jobs, len(there.files)) == ({}, 2)
    assert SERVICE.hand_in(out, server, there, plan="per-shard", max_cost=2.0).created == 2
    assert len(there.files) == 2


def test_not_allowed(out: Path, server: Server, there: World) -> None:
    """An estimate that says that the account may not go on ends in no job, whatever was agreed to."""
    there.estimate = {
        "estimation_available": True,
        "allowed_to_proceed": False,
        "estimated_total_price": 1.5,
        "user_limit": 0.25,
    }
    with pytest.raises(
        SpendingError, match=r"may not have 1 job created for \$1\.50, with a limit of \$0\.25"
    ) as caught:
        SERVICE.hand_in(out, server, there)
    assert caught.value.exit_code == 7
    assert there.jobs == {}


@pytest.mark.parametrize(
    "answer",
    [
        {"estimation_available": False, "unavailable_reason": "train_file_not_validated"},
        {"estimation_available": True, "estimated_total_price": "NaN"},
        {"estimation_available": True, "estimated_total_price": -5},
        {},
    ],
    ids=["none", "text", "negative", "empty"],
)
def test_no_estimate(out: Path, server: Server, there: World, answer: dict[str, Any]) -> None:
    """An estimate that is none changes nothing of what was agreed to, and the news says why there is none."""
    there.estimate = answer
    news: list[News] = []
    done = submit(out, SERVICE.options(server, there), consent=YES, report=news.append, pace=HASTE)
    assert done.created == 1
    [estimate] = [one for one in news if isinstance(one, JobEstimated)]
    assert (estimate.estimated_usd, bool(estimate.reason)) == (None, True)


@pytest.mark.parametrize(("answers", "jobs"), [((True, True), 1), ((True, False), 0), ((False,), 0)], ids=str)
def test_what_is_more_is_agreed_to_again(
    out: Path, server: Server, there: World, priced: Path, answers: tuple[bool, ...], jobs: int
) -> None:
    """Who agreed to our price is asked once more when the provider's is higher, with both; a no ends in no job."""
    consent = Answering(*answers)
    expected: AbstractContextManager[object] = (
        nullcontext() if jobs else pytest.raises(SpendingError, match="nobody agreed to 1 job for")
    )
    with expected:
        submit(out, SERVICE.options(server, there, models=priced, max_cost=None), consent=consent, pace=HASTE)
    assert len(there.jobs) == jobs
    assert consent.answers == []
    assert len(there.files) == (len(answers) == 2)
    assert [one.estimated_usd is not None for one in consent.asked] == [False, True][: len(answers)]
    assert all(one.usd for one in consent.asked)


def test_what_is_less_is_not_asked_again(out: Path, server: Server, there: World, priced: Path) -> None:
    """An estimate below what was agreed to needs no other yes."""
    there.estimate = {"estimation_available": True, "estimated_total_price": 0.01, "allowed_to_proceed": True}
    consent = Answering(True)
    submit(out, SERVICE.options(server, there, models=priced, max_cost=None), consent=consent, pace=HASTE)
    assert (len(there.jobs), len(consent.asked)) == (1, 1)


def test_the_question_has_both_prices(
    out: Path, server: Server, there: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a terminal nothing more than what the options say is agreed to, and nothing is sent without a known price."""
    with pytest.raises(UnknownPriceError):
        SERVICE.hand_in(out, server, there, allow_unknown_price=False)
    plan = plan_submission(out, SERVICE.options(server, there))
    _, errors = consoles()
    assert not Asking(errors).spending(Agreement(plan, plan.jobs, None, None, 1.25))
    assert capsys.readouterr().out == ""
    assert (there.files, there.jobs) == ({}, {})


def test_before_anybody_pays(out: Path, server: Server, there: World) -> None:
    """The plan says that a tune answers only from a machine billed by the minute, and that what is held out stays here."""
    notes = " ".join(plan_submission(out, SERVICE.options(server, there)).notes)
    assert "billed by the minute until you stop it" in notes
    assert "no validation file goes to together" in notes
    fireworks = next(service for service in SERVICES if service.name == "fireworks")
    assert "billed by the minute" in " ".join(plan_submission(out, fireworks.options(server, there)).notes)


def test_compared_with_others(out: Path) -> None:
    """The comparison has its model, without a price, since none was in any source."""
    [offer] = [offer for offer in estimate_all(out) if offer.provider == "together"]
    assert (offer.model, offer.price_usd, offer.epochs) == (MODEL, None, 1)


def test_a_suffix_that_is_too_long(out: Path, server: Server, there: World) -> None:
    """A suffix of more than 40 characters is refused before anything is asked."""
    with pytest.raises(OptionError, match="--suffix: 41 characters, and a job of together takes 40"):
        SERVICE.hand_in(out, server, there, suffix="x" * 41)
    assert there.requests == []


# Files.


def test_no_key_goes_to_the_store(out: Path, server: Server, there: World) -> None:
    """The address that is given out gets no key, and its signature is in no file of ours."""
    SERVICE.hand_in(out, server, there)
    for sent in there.requests:
        assert ("Authorization" in dict(sent.headers)) != ("/store/" in sent.path)
    assert all("/store/" not in sent.path or KEY not in repr(sent) for sent in there.requests)
    assert [path for path in out.rglob("*") if path.is_file() and SIGNATURE.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("collides", [False, True], ids=["again", "collides"])
@pytest.mark.parametrize(
    "fault", [refused("PUT /store/.*", 403), answer_lost(FILE), refused("POST /files/.*", 500)], ids=str
)
def test_an_upload_that_was_broken_off(out: Path, server: Server, there: World, fault: Fault, collides: bool) -> None:
    """A file that was begun and not sent, or sent and not looked at, is there once in the end, also where it is in its own way."""
    there.collides = collides
    there.faults.append(Fault(fault.match, fault.moment, answer=fault.answer))
    try:
        SERVICE.hand_in(out, server, there)
    except ProviderError:
        SERVICE.hand_in(out, server, there)
    assert_once_at_together(out, there)


def test_the_same_content_under_another_name(out: Path, server: Server, there: World) -> None:
    """A file of the same content that somebody else has sent is used, and not deleted."""
    SERVICE.hand_in(out, server, there)
    [file_id] = there.files
    there.uploads[file_id]["name"] = "train.jsonl"
    (out / "ledger.sqlite").unlink()
    there.jobs.clear()
    SERVICE.hand_in(out, server, there)
    assert list(there.files) == [file_id]


def test_a_file_that_is_refused_when_it_is_looked_at(out: Path, server: Server, there: World) -> None:
    """A file that the service finds fault with ends in its words, and in no job."""

    def fail(request: str, answer: Answer) -> Answer:
        if not re.fullmatch("GET /files/[^/]+", request) or not isinstance(answer.body, dict):
            return answer
        report = {"valid": False, "error": "line 3\x1b[2J is empty"}
        return answer._replace(body={**answer.body, "processing_status": "INVALID_FORMAT", "validation_report": report})

    there.alter = fail
    with pytest.raises(ProviderError, match=r"INVALID_FORMAT \(line 3\\x1b\[2J is empty\)"):
        SERVICE.hand_in(out, server, there)
    assert there.jobs == {}


def _in_parts(tmp_path: Path) -> Path:
    path = tmp_path / "parts.toml"
    path.write_text("[together]\nuploads_threshold_bytes = 4_000\nmax_part_bytes = 3_000\n")
    return path


def test_in_parts(out: Path, server: Server, there: World, tmp_path: Path) -> None:
    """A large file goes in parts of one size to addresses of their own, with the headers they are signed with."""
    plan = plan_submission(out, SERVICE.options(server, there, providers=_in_parts(tmp_path)))
    assert [request.path for request in requests_of(plan) if "multipart" in request.path] == [
        "/files/multipart/initiate",
        "/files/multipart/complete",
    ]
    there.faults.append(refused("PUT /store/.*", 503, nth=2))
    SERVICE.hand_in(out, server, there, providers=_in_parts(tmp_path))
    assert_once_at_together(out, there)
    assert sum(sent.method == "PUT" for sent in there.requests) > 5


def test_parts_that_fail_are_given_up(out: Path, server: Server, there: World, tmp_path: Path) -> None:
    """An upload in parts that fails is ended there, now or by the next run, and the file is there once."""
    there.faults += [refused("PUT /store/.*", 403, nth=3), refused("POST /files/multipart/abort", 500)]
    options = {"providers": _in_parts(tmp_path)}
    with pytest.raises(ProviderError, match="403"):
        SERVICE.hand_in(out, server, there, **options)
    assert len(there.uploads) == 1
    SERVICE.hand_in(out, server, there, **options)
    assert_once_at_together(out, there)


@pytest.mark.parametrize(
    "place",
    [
        {},
        {"URL": "file:///etc/hosts"},
        {"URL": 7},
        {"URL": "http://127.0.0.1:9", "Headers": []},
        {"URL": "http://127.0.0.1:9", "Headers": {"x": "a\r\nAuthorization: b"}},
    ],
    ids=["none", "file", "number", "list", "forged"],
)
def test_parts_with_strange_places(
    out: Path, server: Server, there: World, tmp_path: Path, place: dict[str, Any]
) -> None:
    """Of a place that is no address, or headers that are none, nothing is made; no job is created."""

    def wrong(request: str, answer: Answer) -> Answer:
        if not request.endswith("/initiate") or not isinstance(answer.body, dict):
            return answer
        parts = [{"PartNumber": part["PartNumber"], **place} for part in answer.body["parts"]]
        return answer._replace(body={**answer.body, "parts": parts})

    there.alter = wrong
    with pytest.raises(NoAnswerError, match=r"no (address|headers)"):
        SERVICE.hand_in(out, server, there, providers=_in_parts(tmp_path))
    assert there.jobs == {}


def test_a_file_in_the_way_of_parts(out: Path, server: Server, there: World, tmp_path: Path) -> None:
    """Where an upload in parts collides with a file of the same content, that is said at once."""
    there.collides = True
    with pytest.raises(ProviderError, match="under another name"):
        SERVICE.hand_in(out, server, there, providers=_in_parts(tmp_path))


@pytest.mark.parametrize(
    "headers",
    [(), (("Location", "/relative"),), (("Location", "http://127.0.0.1:9/x"), ("X-Together-File-Id", "a/b"))],
    ids=["none", "no-id", "strange-id"],
)
def test_an_address_that_is_none(out: Path, server: Server, there: World, headers: tuple[tuple[str, str], ...]) -> None:
    """Without an address and an id nothing is sent, and no job created."""
    there.faults += [Fault("POST /files", nth=nth, answer=Answer(b"", 302, headers)) for nth in range(1, 9)]
    with pytest.raises(NoAnswerError, match="no address to send the file to"):
        SERVICE.hand_in(out, server, there)
    assert (there.jobs, there.files) == ({}, {})


@pytest.mark.parametrize(
    ("match", "status"), [("GET /files", 307), ("POST /files", 307), ("PUT /store/.*", 307), (JOB, 302)], ids=str
)
def test_a_redirect_is_not_followed(out: Path, server: Server, there: World, match: str, status: int) -> None:
    """Nothing goes to another place than the address that is given out for a file; a signature is not shown."""
    other = server.world(f"{there.name}-other")
    elsewhere = (("Location", f"{server.base_url(other.name)}/elsewhere?signature={SIGNATURE}"),)
    there.faults += [Fault(match, nth=nth, answer=Answer(b"", status, elsewhere)) for nth in range(1, 30)]
    with pytest.raises(ProviderError, match="it has moved to") as caught:
        SERVICE.hand_in(out, server, there)
    assert (other.requests, there.jobs) == ([], {})
    assert SIGNATURE not in str(caught.value)


# Jobs.


@pytest.mark.parametrize("body", [b"[" * 100_000, b"{}", b"<html>", b'{"id": "\\u001b[31m"}', b'{"id": 7}'], ids=repr)
def test_an_answer_of_no_use(out: Path, server: Server, there: World, body: bytes) -> None:
    """After an answer that names no job it is looked for by its file, and not made again."""
    there.faults.append(Fault(JOB, "after", answer=Answer(body)))
    with pytest.raises(NoAnswerError):
        SERVICE.hand_in(out, server, there)
    assert SERVICE.hand_in(out, server, there).created == 0
    assert_once_at_together(out, there)


def test_states() -> None:
    """Every status of a job is one of ours, and only those that are ends are ends."""
    statuses = read_providers()["together"].statuses
    ends = {"completed": SUCCEEDED, "error": FAILED, "user_error": FAILED}
    assert {word: status for word, status in statuses.items() if status in FINAL} == ends
    assert "cancelled" in FINAL


def test_events(out: Path, server: Server, there: World) -> None:
    """Events, which have no ids there, are each reported once; two of one moment and kind are two."""
    there.steps = ("queued", *["running"] * 4, "succeeded")
    SERVICE.hand_in(out, server, there)
    news: list[News] = []
    [row] = watch(out, SERVICE.access(server, there), report=news.append, pace=HASTE)
    assert row.fine_tuned_model is not None
    assert row.fine_tuned_model.startswith("loopback/Qwen3-8B-")
    messages = [one.message for one in news if isinstance(one, JobEvent)]
    assert sorted(messages) == ["Epoch 1", "Epoch 2", "Fine tune request created"]


def test_strange_answers() -> None:
    """Fields that do not fit are null, and rows that are none are left out."""
    answers = TogetherAnswers(border.Border(KEY), read_providers()["together"].statuses)
    assert answers.events([7, None, {"level": "legacy_ierror", "created_at": "never"}])[0].message == "event"
    rows = [{"created_at": f"2026-11-27T00:00:0{second}Z", "type": "epoch_complete"} for second in (1, 1, 2)]
    listed = answers.events(rows)
    assert [event.id for event in listed] == [event.id for event in answers.events(rows[::-1])]
    assert (len({event.id for event in listed}), listed[0].at - listed[-1].at) == (3, 1)
    assert answers.error([{"type": "job_error", "message": f"{KEY}\x07"}, "x"]).message == "(key)\\x07"  # type: ignore[union-attr]
    assert answers.job({"id": "ft-1", "status": ["x"], "events": {}}).status is None  # type: ignore[union-attr]
    assert answers.file({"id": "f\x1b"}) is None
    for huge in (1e308, float("inf"), float("nan"), "1", None, True):
        estimate = answers.estimate({"estimation_available": True, "estimated_total_price": huge})
        assert estimate.usd in (None, 1e308)


def test_why_a_job_failed(out: Path, server: Server, there: World) -> None:
    """The reason is in the events, whether the job shows them itself or not."""
    there.flagged = (3,)
    SERVICE.hand_in(out, server, there)
    [row] = watch(out, SERVICE.access(server, there), pace=HASTE)
    assert (row.status, row.error_code) == (FAILED, "job_error")
    assert "Example 3" in (row.error_message or "")


# Evaluation.


def test_evaluate(out: Path, server: Server, there: World) -> None:
    """A tune without an endpoint is an error that says what that costs, and none is started; with one it is asked by its name."""
    SERVICE.hand_in(out, server, there)
    [row] = watch(out, SERVICE.access(server, there), pace=HASTE)
    options = EvaluateOptions(sample=4, allow_unknown_price=True, max_cost=1.0, accept_data_terms=True)
    agreed = Agreed(yes=True, accept_data_terms=True)
    there.models[MODEL] = None
    with pytest.raises((ProviderError, EligibilityError), match="billed by the minute until you stop it"):
        evaluate(out, options, consent=agreed, pace=HASTE)
    assert not [sent for sent in there.requests if "endpoints" in sent.path]
    there.chats[row.fine_tuned_model or ""] = lambda text: text
    done = evaluate(out, options, consent=agreed, pace=HASTE)
    assert {system.name for system in done.evaluation.systems} == {"copy", MODEL, row.fine_tuned_model}
    asked = [sent for sent in there.requests if "chat/completions" in sent.path]
    assert {json.loads(sent.body)["model"] for sent in asked} == {MODEL, row.fine_tuned_model}
