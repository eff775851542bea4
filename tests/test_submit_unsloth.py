"""Submissions to Unsloth Studio, as the provider on loopback imitates it: what it lacks, and what nobody has to agree to."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from provider import Fault, Server, World
from provider.answers import Answer
from provider.faults import JOB, answer_lost, refused
from runs import error_of, invoke
from submissions import HASTE, OPEN_MODEL, YES, YES_AGAIN, assert_submitted_once, joined, profile

from saturi.etl.errors import BuildError, BusyError, GoneError, NoAnswerError, OptionError, ProviderError, SpendingError
from saturi.etl.evaluation.evaluate import evaluate
from saturi.etl.evaluation.options import EvaluateOptions
from saturi.etl.providers.account import open_account
from saturi.etl.providers.profiles import read_providers
from saturi.etl.submission.cancellation import cancel
from saturi.etl.submission.consent import PriorConsent
from saturi.etl.submission.dry_run import requests_of
from saturi.etl.submission.execution import Submission
from saturi.etl.submission.ledger import LEDGER, Ledger
from saturi.etl.submission.news import JobEnded, JobEvent, News
from saturi.etl.submission.options import SubmitOptions
from saturi.etl.submission.removal import clean
from saturi.etl.submission.status import status
from saturi.etl.submission.submit import plan_submission, submit
from saturi.etl.submission.watch import watch
from saturi.schemas.ledger import FAILED, SUCCEEDED

NOTHING_AGREED = PriorConsent()


def options_for(server: Server, studio: World, **more: Any) -> SubmitOptions:
    """Return the options of a submission to *studio*, in which nothing is agreed to."""
    given: dict[str, Any] = {"provider": "unsloth", "model": OPEN_MODEL, "base_url": server.base_url(studio.name)}
    return SubmitOptions(**{**given, "epochs": 2, **more})


def train(out: Path, server: Server, studio: World, **more: Any) -> Submission:
    """Submit *out* to *studio* in haste."""
    consent, pace = more.pop("consent", NOTHING_AGREED), more.pop("pace", HASTE)
    return submit(out, options_for(server, studio, **more), consent=consent, pace=pace)


def creations(studio: World) -> int:
    """Return how often the creation of a job was asked for."""
    return studio.count("POST", f"/{studio.name}/v1/fine_tuning/jobs")


@pytest.mark.parametrize("provider", ["unsloth", "nebius", "clova", "fireworks", "together"])
def test_a_model_is_demanded(out: Path, provider: str) -> None:
    """Where OpenAI's models are not trained, a submission without a model is refused before anything is sent."""
    with pytest.raises(OptionError, match=f"--model: {provider} does not train gpt-4.1-mini"):
        plan_submission(out, SubmitOptions(provider=provider, base_url="http://127.0.0.1:9/v1"))


# What is agreed to, and what it costs.


def test_nothing_is_to_be_agreed_to(out: Path, server: Server, studio: World) -> None:
    """What does not leave this machine and costs nothing is trained on without a word."""
    done = train(out, server, studio)
    assert (done.created, done.plan.usd) == (1, 0.0)
    assert_submitted_once(out, studio)
    with Ledger(out / LEDGER) as ledger:
        assert not ledger.terms_accepted()


@pytest.mark.usefixtures("out")
def test_nothing_is_asked_at_the_command_line(tmp_path: Path, server: Server, studio: World) -> None:
    """Without a terminal and without --yes a job is created, and the plan shows a price of 0."""
    arguments = ("--provider", "unsloth", "--model", OPEN_MODEL, "--base-url", server.base_url(studio.name))
    run = invoke("submit", "out", *arguments, "--epochs", "2", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "$0.00" in run.stderr
    assert "may not leave Korea" not in run.stderr
    assert len(studio.jobs) == 1


def test_the_terms_of_elsewhere(out: Path, server: Server, studio: World) -> None:
    """A server on loopback that may pass on what it gets is asked for with the terms of the data, though its price be 0."""
    models = out.parent / "models.toml"
    free = 'providers = ["custom"]\nusd_per_million_tokens = 0\nsource = "me"\nas_of = 2026-11-27\n'
    models.write_text(f'["{OPEN_MODEL}"]\n{free}', encoding="utf-8")
    with pytest.raises(SpendingError, match="terms of AI-Hub's data"):
        train(out, server, studio, provider="custom", models=models)
    consent = PriorConsent(accept_data_terms=True)
    with pytest.raises(SpendingError, match="terms of AI-Hub's data"):
        train(out, server, studio, providers=_passing_on(out.parent))
    assert train(out, server, studio, provider="custom", models=models, consent=consent).created == 1


def _passing_on(folder: Path) -> Path:
    path = folder / "profile.toml"
    path.write_text("[unsloth]\npasses_on = true\n", encoding="utf-8")
    return path


def test_studio_on_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes to another machine, or through a proxy, leaves this one."""
    unsloth = read_providers()["unsloth"]
    assert open_account(unsloth).keeps_data_here
    assert not open_account(unsloth, "https://studio.example.com/v1").keeps_data_here
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.com:3128")
    assert not open_account(unsloth).keeps_data_here


def test_a_price_that_is_the_providers(out: Path, server: Server, studio: World) -> None:
    """A model of the catalogue costs what the provider asks for any, and its tokens are counted all the same."""
    for model in ("gpt-4.1", "o4-mini", "ft:nobody/knows:org::id", OPEN_MODEL):
        if model != "o4-mini":  # that is shut down
            [job] = plan_submission(out, options_for(server, studio, model=model)).jobs
            assert job.billing.usd == 0.0
            assert job.billing.tokens


# Requests that it takes.


def test_what_is_sent(out: Path, server: Server, studio: World) -> None:
    """A job carries what Studio knows and nothing else; nothing is uploaded in parts, and nothing is deleted."""
    train(out, server, studio, suffix="dialect", seed=7)
    [sent] = [one for one in studio.requests if one.path.endswith("/jobs") and one.method == "POST"]
    known = {"model", "training_file", "validation_file", "method", "suffix", "seed", "train_on_completions"}
    assert json.loads(sent.body).keys() == known
    assert {(one.method, one.path.split("/")[3].partition("?")[0]) for one in studio.requests} == {
        ("GET", "fine_tuning"),
        ("GET", "models"),
        ("GET", "files"),
        ("POST", "files"),
        ("POST", "fine_tuning"),
    }


def test_the_address_that_it_has(out: Path) -> None:
    """Without --base-url the port is the one that Studio starts on, and the dry run has the same fields."""
    plan = plan_submission(out, SubmitOptions(provider="unsloth", model=OPEN_MODEL))
    assert plan.account.base_url == "http://127.0.0.1:8888/v1"
    [request] = [one for one in requests_of(plan) if one.path == "/fine_tuning/jobs" and one.body]
    assert "metadata" not in (request.body or {})


def test_a_model_that_is_downloaded_first(out: Path, server: Server, studio: World) -> None:
    """A model that is not there yet is trained, with a note; a model that is there has none."""
    assert any(f"does not list {OPEN_MODEL}" in note for note in train(out, server, studio).plan.notes)
    watch(out, pace=HASTE)
    assert not any("does not list" in note for note in train(out, server, studio, epochs=3).plan.notes)


def test_a_gateway_that_does_not_know_the_model(out: Path, server: Server, studio: World) -> None:
    """Any server whose list of models may lack some is used, in whichever words it says that one is not there."""
    done = train(out, server, studio, provider="custom", consent=YES, max_cost=1, allow_unknown_price=True)
    assert any(f"does not list {OPEN_MODEL}" in note for note in done.plan.notes)


def test_a_field_that_studio_does_not_know(out: Path, server: Server, studio: World) -> None:
    """A field of a profile that Studio refuses is named in one sentence, and no job is left in doubt."""
    own = out.parent / "profile.toml"
    own.write_text('[unsloth]\nextra_body = { trainingType = "GlobalStandard" }\n', encoding="utf-8")
    with pytest.raises(ProviderError, match=r"answer 400: Unknown parameter\(s\): trainingType"):
        train(out, server, studio, providers=own)
    assert train(out, server, studio).created == 1


DETAILS: dict[str, tuple[Any, str]] = {
    "text": ({"detail": "Not today"}, "answer 400: Not today;"),
    "fields": (
        {"detail": [{"loc": ["body", "model"], "msg": "Field required"}, {"loc": ["query"], "msg": "no"}, 7]},
        "answer 400: model: Field required; query: no;",
    ),
    "no-fields": ({"detail": [{"loc": "body"}]}, r'answer 400: {"detail":'),
    "envelope": ({"error": {"message": "Not today", "code": None}}, "answer 400: Not today;"),
    "envelope-in-detail": ({"detail": {"error": {"message": "Not today"}}}, "answer 400: Not today;"),
    "both": ({"error": {"message": "Not today"}, "detail": "x"}, "answer 400: Not today;"),
    "detail-in-envelope": ({"error": {"message": "Not today", "detail": "x"}}, "answer 400: Not today;"),
    "text-in-envelope": ({"error": "Not today"}, "answer 400: Not today;"),
    "nothing": ({"detail": None}, r'answer 400: {"detail": null};'),
}


@pytest.mark.parametrize(("body", "words"), DETAILS.values(), ids=DETAILS)
def test_errors_in_either_form(out: Path, server: Server, studio: World, body: Any, words: str) -> None:
    """An error of FastAPI's form is as much of a sentence as one in OpenAI's envelope."""
    studio.faults.append(Fault(JOB, answer=Answer(body, 400)))
    with pytest.raises(ProviderError, match=words):
        train(out, server, studio)
    assert train(out, server, studio).created == 1


def test_a_chain(out: Path, server: Server, studio: World) -> None:
    """A chained plan is refused before anything is sent, since Studio trains no tune further by its name."""
    with pytest.raises(OptionError, match="--plan: unsloth trains no tune further"):
        train(out, server, studio, plan="chained")
    assert studio.requests == []


# One job, once.


@pytest.mark.parametrize("model", [OPEN_MODEL, "/home/of/mine/model"], ids=["by-name", "a-folder"])
@pytest.mark.parametrize("late", [0, 2])
def test_a_lost_answer(out: Path, server: Server, studio: World, model: str, late: int) -> None:
    """A job whose answer was lost is found by file, model, suffix and time, even if it is listed late; never are there two."""
    studio.faults.append(answer_lost(JOB))
    studio.late_lists = late
    with pytest.raises(NoAnswerError):
        train(out, server, studio, model=model, suffix="two  blanks", seed=7)
    found = train(out, server, studio, model=model, suffix="two  blanks", seed=7)
    assert (found.created, creations(studio)) == (0, 1)
    assert [row.model for row in found.jobs] == [model]
    assert [row.job_id for row in status(out, pace=HASTE).jobs] == list(studio.jobs)
    assert_submitted_once(out, studio)


@pytest.mark.parametrize("model", [OPEN_MODEL, "/home/of/mine/model"], ids=["by-name", "a-folder"])
def test_a_ledger_that_is_gone(out: Path, server: Server, studio: World, model: str) -> None:
    """A plan whose ledger is gone is found again, job by job, and followed to its end."""
    train(out, server, studio, model=model, plan="per-shard")
    (out / LEDGER).unlink()
    assert train(out, server, studio, model=model, plan="per-shard").created == 0
    assert len(studio.jobs) == 2
    assert [row.status for row in watch(out, pace=HASTE)] == [SUCCEEDED, SUCCEEDED]


@pytest.mark.parametrize(
    "change",
    [{"epochs": 3}, {"seed": 8}, {"suffix": "y"}, {"suffix": None}, {"model": "unsloth/other"}],
    ids=["epochs", "seed", "suffix", "no-suffix", "model"],
)
def test_another_job(out: Path, server: Server, studio: World, change: dict[str, Any]) -> None:
    """A job that differs in anything that Studio shows is another one, though the ledger be gone."""
    train(out, server, studio, suffix="x", seed=7)
    watch(out, pace=HASTE)
    (out / LEDGER).unlink()
    assert train(out, server, studio, **{"suffix": "x", "seed": 7, **change}).created == 1
    assert len(studio.jobs) == 2


def test_an_older_job_of_the_same_kind(out: Path, server: Server, studio: World) -> None:
    """A job that is older than the intent is not the one whose answer was lost."""
    train(out, server, studio)
    watch(out, pace=HASTE)
    [old] = studio.jobs.values()
    old["created_at"] -= 7 * 24 * 3600
    (out / LEDGER).unlink()
    studio.faults += [refused("GET /fine_tuning/jobs", 404), refused(JOB, 500)]
    with pytest.raises(NoAnswerError):
        train(out, server, studio)
    with pytest.raises(SpendingError, match="--resubmit"):
        train(out, server, studio)
    assert train(out, server, studio, consent=YES_AGAIN).created == 1
    assert len(studio.jobs) == 2


# One at a time.


def test_one_after_another(out: Path, server: Server, studio: World) -> None:
    """Jobs of a plan are created one after another, each when the one before has ended, as a note says."""
    done = train(out, server, studio, plan="per-shard")
    assert (done.created, creations(studio)) == (2, 2)
    assert any("trains one job at a time" in note for note in done.plan.notes)
    first, second = studio.jobs.values()
    assert (first["status"], second["status"]) == (SUCCEEDED, "validating_files")


def test_a_job_that_fails_holds_up_no_other(out: Path, server: Server, studio: World) -> None:
    """The job after one that failed is created all the same."""
    studio.flagged = (1,)
    assert train(out, server, studio, plan="per-shard").created == 2
    assert [job["status"] for job in studio.jobs.values()] == [FAILED, "validating_files"]


def test_a_wait_that_is_broken_off(out: Path, server: Server, studio: World) -> None:
    """The same command goes on with the second job where the wait for the first was broken off; nothing is created twice."""
    studio.faults += [refused("GET /fine_tuning/jobs/[^/]*", 503) for _ in range(200)]
    impatient = structs.replace(HASTE, read_seconds=0.02, unreachable_seconds=0.02)
    with pytest.raises(ProviderError):
        train(out, server, studio, plan="per-shard", pace=impatient)
    assert len(studio.jobs) == 1
    studio.faults.clear()
    assert train(out, server, studio, plan="per-shard").created == 1
    assert (len(studio.jobs), creations(studio)) == (2, 2)


def test_another_training_that_ends_soon(out: Path, server: Server, studio: World) -> None:
    """A job that is turned away since something else trains is asked for again, and created once."""
    studio.busy = 3
    assert train(out, server, studio).created == 1
    assert (len(studio.jobs), creations(studio)) == (1, 4)


def test_another_training_that_goes_on(out: Path, server: Server, studio: World) -> None:
    """Where something else trains for longer, one sentence says so and how to go on; the next run creates the job, once."""
    studio.busy = 10**6
    with pytest.raises(BusyError, match=r"Training is already in progress.*run the same command again, it goes on"):
        train(out, server, studio, pace=structs.replace(HASTE, read_seconds=0.1))
    assert [row.state for row in status(out, pace=HASTE).jobs] == ["refused"]
    studio.busy = 0
    assert train(out, server, studio).created == 1
    assert_submitted_once(out, studio)


def test_a_model_that_cannot_be_had(out: Path, server: Server, studio: World) -> None:
    """What will not change by waiting is asked once, and said in Studio's words."""
    with pytest.raises(ProviderError, match=r"answer 409: Offline mode.*; this request changed nothing") as failure:
        train(out, server, studio, model="nowhere")
    assert not isinstance(failure.value, BusyError | NoAnswerError)
    assert creations(studio) == 1


# What becomes of jobs and files.


def test_a_watch(out: Path, server: Server, studio: World) -> None:
    """A job is followed with its losses, in their order, to a model that is named after the folder of its run."""
    train(out, server, studio)
    news: list[News] = []
    [row] = watch(out, report=news.append, pace=HASTE)
    assert (row.fine_tuned_model or "").startswith("unsloth_Qwen2.5-1.5B-Instruct_")
    losses = [one.step for one in news if isinstance(one, JobEvent) and one.train_loss and one.valid_loss]
    assert losses == list(range(1, 11))
    assert [one.trained_usd for one in news if isinstance(one, JobEnded)] == [0.0]


def test_a_cancelled_job(out: Path, server: Server, studio: World) -> None:
    """A job is cancelled, and another one created only if that is agreed to."""
    studio.steps = ("validating_files", "running")
    train(out, server, studio)
    [row] = cancel(out, consent=YES, pace=HASTE)
    assert row.status == "cancelled"
    assert cancel(out, consent=YES, pace=HASTE) == ()
    with pytest.raises(SpendingError, match="add --resubmit"):
        train(out, server, studio)
    assert train(out, server, studio, consent=PriorConsent(resubmit=True)).created == 1


def test_a_job_that_studio_forgot(out: Path, server: Server, studio: World) -> None:
    """A job that Studio does not know any more is gone, and the watch ends."""
    train(out, server, studio)
    studio.jobs.clear()
    assert [row.status for row in watch(out, pace=HASTE)] == ["gone"]


def test_files_stay(out: Path, server: Server, studio: World) -> None:
    """Cleaning asks Studio for nothing and names the files that stay."""
    train(out, server, studio)
    watch(out, pace=HASTE)
    asked = len(studio.requests)
    done = clean(out, consent=YES, pace=HASTE)
    assert (done.deleted, done.needed) == ((), ())
    assert sorted(done.kept) == sorted(file.filename for file in studio.files.values())
    assert len(studio.requests) == asked
    run = invoke("clean", "out", "--yes", cwd=out.parent)
    assert run.returncode == 0
    assert "2 files kept at a provider that deletes none" in run.stdout
    assert run.stderr == ""


def test_a_file_that_arrives_with_another_size(out: Path, server: Server, studio: World) -> None:
    """A file that cannot be deleted there is said not to be used, and sent again by the next run."""
    studio.wrong_bytes = 1
    with pytest.raises(ProviderError, match=r"bytes were sent, .* arrived; it is not used"):
        train(out, server, studio)
    assert train(out, server, studio).created == 1
    [job] = studio.jobs.values()
    assert studio.content(job["training_file"]) == joined(out, "train")


def test_a_chunk_that_changes_for_a_while(out: Path, server: Server, studio: World) -> None:
    """Content other than the planned one never comes to be a file, though it be changed back before the next run."""
    chunk = max((out / "chunks" / "train").iterdir())
    content = chunk.read_bytes()
    studio.faults.append(Fault("GET /files", act=lambda: _turn(chunk), proceeds=True))
    with pytest.raises(BuildError, match="changed while it was sent"):
        train(out, server, studio)
    assert studio.files == {}
    chunk.write_bytes(content)
    assert train(out, server, studio).created == 1
    assert_submitted_once(out, studio)


def _turn(chunk: Path) -> None:
    chunk.write_bytes(chunk.read_bytes()[::-1])


def test_no_key(out: Path, server: Server, studio: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is missing, or that Studio refuses, is said with the variable it belongs in."""
    studio.key = "another"
    with pytest.raises(ProviderError, match="check the key in UNSLOTH_API_KEY"):
        train(out, server, studio)
    monkeypatch.delenv("UNSLOTH_API_KEY")
    run = invoke("submit", "out", "--provider", "unsloth", "--model", OPEN_MODEL, cwd=out.parent)
    assert "UNSLOTH_API_KEY" in error_of(run, 2)


def test_an_evaluation_on_the_same_port(out: Path, server: Server, studio: World) -> None:
    """The tune of the ledger and its base are asked where they were trained, and nothing has to be agreed to."""
    train(out, server, studio)
    [row] = watch(out, pace=HASTE)
    result = evaluate(out, EvaluateOptions(), pace=HASTE)
    systems = [(one.name, one.role) for one in result.evaluation.systems]
    assert systems == [("copy", "copy"), (OPEN_MODEL, "base"), (row.fine_tuned_model, "candidate")]


def test_the_mode_itself(server: Server, studio: World) -> None:
    """What Studio lacks is missing here, too."""
    from saturi.etl.providers.client import Client  # noqa: PLC0415 - only this test looks past the submission

    account = open_account(read_providers()["unsloth"], server.base_url(studio.name))
    with Client(account, HASTE) as client:
        with pytest.raises(ProviderError, match="answer 405: Method Not Allowed"):
            client.delete_file("file-1")
        with pytest.raises(GoneError, match="answer 404: Not Found"):
            client.begin_upload("a.jsonl", 1, 1, float("inf"))
        with pytest.raises(GoneError, match="No such fine-tuning job"):
            client.get_job("ftjob_1")


def test_a_profile_laid_over(out: Path, server: Server, world: World, tmp_path: Path) -> None:
    """A profile of one's own that has one job at a time takes turns, too."""
    own = profile(tmp_path, "one_job = true")
    given = SubmitOptions(base_url=server.base_url(world.name), model="gpt-4.1-mini-2025-04-14", providers=own)
    done = submit(out, structs.replace(given, plan="per-shard", max_cost=30.0, epochs=2), consent=YES, pace=HASTE)
    assert done.created == 2
    assert next(iter(world.jobs.values()))["status"] == SUCCEEDED
