"""Submissions to CLOVA Studio, as the provider on loopback imitates it: its rows, its bucket, its secrets, its tasks."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from clovas import assert_submitted_once, hand_in, options_for, profile_of
from msgspec import structs
from provider import Fault, Server, World
from provider.answers import Answer
from provider.clova import ACCESS, BUCKET, FEWEST_ROWS, MODEL, SECRET, TASK, examples_of
from provider.faults import CHAT, FILE, JOB, answer_lost, refused
from runs import invoke
from submissions import HASTE, KEY, YES

from saturi.etl.errors import (
    BuildError,
    EtlError,
    NoAnswerError,
    OptionError,
    ProviderError,
    SpendingError,
    UnknownPriceError,
)
from saturi.etl.evaluation.bill import PriorConsent as Agreed
from saturi.etl.evaluation.evaluate import evaluate
from saturi.etl.evaluation.options import EvaluateOptions
from saturi.etl.providers import listing, object_store
from saturi.etl.providers.account import open_account
from saturi.etl.providers.client import Client
from saturi.etl.providers.clova_rows import ClovaRows
from saturi.etl.providers.profiles import read_providers
from saturi.etl.providers.tags import ATTEMPT, metadata_of, tag_of
from saturi.etl.providers.tags import KEY as KEY_NAME
from saturi.etl.submission.access import Access
from saturi.etl.submission.cancellation import cancel
from saturi.etl.submission.consent import PriorConsent
from saturi.etl.submission.dry_run import requests_of
from saturi.etl.submission.news import JobEvent, News
from saturi.etl.submission.submit import plan_submission, submit
from saturi.etl.submission.watch import watch
from saturi.schemas.ledger import FAILED, GONE, SUCCEEDED

PART_BYTES = 8_000


def body_of(clova: World) -> dict[str, Any]:
    """Return the body of the request that created the only job."""
    [sent] = [sent for sent in clova.requests if f"{sent.method} {sent.path}".endswith(TASK.split()[1]) and sent.body]
    body: dict[str, Any] = json.loads(sent.body)
    return body


# The file.


def test_rows(large: Path, server: Server, clova: World) -> None:
    """A build becomes a CSV: byte order mark, columns in their order, ids from 0, and its examples as rows."""
    assert hand_in(large, server, clova).created == 1
    assert_submitted_once(large, clova)
    [file] = clova.files.values()
    lines = file.path.read_bytes().split(b"\n")
    assert lines[0] == b"\xef\xbb\xbf" + b"System_Prompt,C_ID,T_ID,Text,Completion"
    assert file.filename.endswith(".csv")


@pytest.mark.parametrize(
    "text", ["쉼표, 그리고", '따옴표 "안녕"', "줄\n바꿈", "줄\r\n바꿈", "\u2028 줄", "=1+1", " 빈칸 ", "🙂"]
)
@pytest.mark.parametrize("block", [1, 7, 1 << 20])
def test_any_text_in_blocks(text: str, block: int) -> None:
    """Whatever a text holds, and wherever a block ends, a row has it as it is."""
    messages = [{"role": role, "content": f"{role} {text}"} for role in ("system", "user", "assistant")]
    lines = b"".join(json.dumps({"messages": messages}).encode() + b"\n" for _ in range(3))
    rows = ClovaRows()
    content = rows.start() + b"".join(rows.render(lines[at : at + block]) for at in range(0, len(lines), block))
    assert examples_of(content) == [tuple(message["content"] for message in messages)] * 3


@pytest.mark.parametrize(
    "roles",
    [("user", "assistant"), ("system", "user"), ("system", "user", "assistant", "user", "assistant"), ()],
    ids=str,
)
def test_a_line_without_a_place(roles: tuple[str, ...]) -> None:
    """A line that is not a question and an answer below a system message is refused, with its number and without its text."""
    line = json.dumps({"messages": [{"role": role, "content": "비밀"} for role in roles]}).encode()
    with pytest.raises(BuildError, match="example 1: CLOVA Studio takes") as caught:
        ClovaRows().render(line + b"\n")
    assert "비밀" not in str(caught.value)
    with pytest.raises(BuildError, match="example 1: no chat line"):
        ClovaRows().render(b"{}\n")


def test_an_empty_text() -> None:
    """An empty field would fail the task, so that it is refused here."""
    contents = (("system", ""), ("user", "가"), ("assistant", "나"))
    line = json.dumps({"messages": [{"role": role, "content": text} for role, text in contents]}).encode()
    with pytest.raises(BuildError, match="none of them empty"):
        ClovaRows().render(line + b"\n")


def test_fewest_rows(out: Path, server: Server, clova: World) -> None:
    """A build of fewer rows than a task takes is refused before anything is asked."""
    with pytest.raises(BuildError, match=f"no job has {FEWEST_ROWS} examples"):
        hand_in(out, server, clova)
    assert clova.requests == []


def test_validation_stays_here(large: Path, server: Server, clova: World) -> None:
    """Examples held out are not sent, and the plan says so."""
    plan = plan_submission(large, options_for(server, clova))
    assert any("no validation file goes to" in note for note in plan.notes)
    hand_in(large, server, clova)
    assert len(clova.files) == 1
    assert body_of(clova)["validationSplitRatio"] == 0.0


def test_a_large_file_goes_in_parts(large: Path, server: Server, clova: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file larger than a part is put together there, and is the same, byte for byte."""
    monkeypatch.setattr(object_store, "_PART_BYTES", PART_BYTES)
    hand_in(large, server, clova)
    assert_submitted_once(large, clova)
    [file] = clova.files.values()
    assert file.bytes > 2 * PART_BYTES
    assert sum("partNumber" in sent.path for sent in clova.requests) > 2
    assert clova.uploads == {}


# The job.


def test_the_body(large: Path, server: Server, clova: World) -> None:
    """The request that creates a job has the settings, the place of the file, and the keys of the storage; the name is our key."""
    done = hand_in(large, server, clova, epochs=3)
    [job] = done.jobs
    body = body_of(clova)
    assert metadata_of(body.pop("name")) == {KEY_NAME: job.key, ATTEMPT: "1"}
    assert body == {
        "model": MODEL,
        "tuningType": "PEFT",
        "trainEpochs": 3,
        "validationSplitRatio": 0.0,
        "trainingDatasetFilePath": f"saturi/{job.training}",
        "trainingDatasetBucket": BUCKET,
        "trainingDatasetAccessKey": ACCESS,
        "trainingDatasetSecretKey": SECRET,
    }


@pytest.mark.parametrize("attempt", ["1", "12"])
def test_a_tag(attempt: str) -> None:
    """A key and an attempt are one short name, and are read from it again; any other name is none."""
    metadata = {KEY_NAME: "0123456789abcdef" * 4, ATTEMPT: attempt}
    name = tag_of(metadata)
    assert re.fullmatch("[a-z0-9-]{1,63}", name)
    assert metadata_of(name) == metadata
    for other in (None, "", "230821-130704", name + "x", name.upper(), name.replace("saturi", "other"), name + "\n"):
        assert metadata_of(other) == {}


@pytest.mark.parametrize(("option", "value"), [("seed", 1), ("suffix", "나"), ("epochs", 21), ("plan", "chained")])
def test_what_a_job_cannot_have(large: Path, server: Server, clova: World, option: str, value: Any) -> None:
    """A setting that a task has not, or not so, is refused before anything is asked."""
    with pytest.raises(OptionError, match=f"--{option}"):
        hand_in(large, server, clova, **{option: value})
    assert clova.requests == []


def test_the_price_is_not_known(large: Path, server: Server, clova: World) -> None:
    """Nothing is sent as long as nobody agreed to a price that is not known."""
    with pytest.raises(UnknownPriceError):
        hand_in(large, server, clova, allow_unknown_price=False)
    assert (clova.jobs, clova.files) == ({}, {})


def test_a_name_that_is_lost(large: Path, server: Server, clova: World) -> None:
    """Where the service calls a task something else, another is made only with a yes: it may be there."""
    clova.swallowed = True
    clova.faults.append(answer_lost(JOB))
    with pytest.raises(NoAnswerError):
        hand_in(large, server, clova)
    with pytest.raises(SpendingError, match="--resubmit"):
        hand_in(large, server, clova)
    assert len(clova.jobs) == 1


def test_many_pages(large: Path, server: Server, clova: World) -> None:
    """A job is found on any page of the list, also behind a hundred others."""
    hand_in(large, server, clova)
    [(job_id, job)] = clova.jobs.items()
    for number in range(250):
        other = f"other{number:04d}"
        clova.jobs[other] = {**job, "id": other, "name": f"230821-{number}", "status": "succeeded"}
        clova.hidden[other] = 0
    (large / "ledger.sqlite").unlink()
    done = hand_in(large, server, clova)
    assert (done.created, done.jobs[0].job_id) == (0, job_id)


def test_pages_that_never_end(large: Path, server: Server, clova: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list without an end is broken off, and no job created meanwhile."""
    monkeypatch.setattr(listing, "MOST_PAGES", 20)
    pages = iter(range(1_000_000))

    def endless(request: str, answer: Answer) -> Answer:
        if request != "GET /tuning/v2/tasks":
            return answer
        row = {"id": f"t{next(pages)}", "name": "x", "status": "RUNNING", "statusInfo": []}
        return Answer({"status": {"code": "20000"}, "result": {"content": [row]}})

    clova.alter = endless
    with pytest.raises(NoAnswerError, match="does not end"):
        hand_in(large, server, clova)
    assert clova.jobs == {}


# A hostile or a strange answer.


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"{}",
        b'{"result": null}',
        b'{"result": {"id": "\\u001b[31m"}}',
        b'{"result": {"id": 7}}',
        b"<html>",
        b'{"status": {"code": "50000", "message": "x"}, "result": {}}',
        b'{"status": {"code": "strange"}, "result": {"id": "t1"}}',
    ],
    ids=["deep", "empty", "null", "escape", "number", "page", "code", "strange-code"],
)
def test_an_answer_of_no_use(large: Path, server: Server, clova: World, body: bytes) -> None:
    """After an answer that names no job, or a refusal of a server that may have acted, the job is looked for and not made again."""
    clova.faults.append(Fault(JOB, "after", answer=Answer(body)))
    with pytest.raises(NoAnswerError):
        hand_in(large, server, clova)
    assert hand_in(large, server, clova).created == 0
    assert_submitted_once(large, clova)


def test_a_code_that_refuses(large: Path, server: Server, clova: World) -> None:
    """A refusal in the body counts although the status of HTTP is good; the next run creates the job without a question."""
    clova.faults.append(Fault(JOB, answer=Answer({"status": {"code": "40000", "message": "trainEpochs\x1b[2J"}})))
    with pytest.raises(ProviderError, match=r"answer 400: trainEpochs") as caught:
        hand_in(large, server, clova)
    assert "\x1b" not in str(caught.value)
    assert hand_in(large, server, clova).created == 1


@pytest.mark.parametrize("match", [JOB, FILE, "GET /tuning/.*"], ids=["job", "file", "list"])
def test_a_redirect_is_not_followed(large: Path, server: Server, clova: World, match: str) -> None:
    """Of what goes to this service nothing goes to another one, whatever it says."""
    other = server.world(f"{clova.name}-other")
    elsewhere = (("Location", server.base_url(other.name) + "/elsewhere"),)
    clova.faults += [Fault(match, nth=nth, answer=Answer(b"", 307, elsewhere)) for nth in range(1, 30)]
    with pytest.raises(ProviderError):
        hand_in(large, server, clova)
    assert other.requests == []


# The storage and its secrets.


@pytest.mark.parametrize("name", ["NCLOUD_BUCKET", "NCLOUD_ACCESS_KEY", "NCLOUD_SECRET_KEY"])
def test_no_storage(large: Path, server: Server, clova: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Without a bucket or one of its keys nothing is sent and nothing agreed to, and the variable is named."""
    monkeypatch.delenv(name)

    with pytest.raises(OptionError, match=name):  # and not the SpendingError of who agrees to nothing
        hand_in(large, server, clova, consent=PriorConsent())
    assert (clova.jobs, clova.files) == ({}, {})


def test_a_bucket_that_is_not_there(large: Path, server: Server, clova: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket that is not there, and keys that may not, are the storage's refusals, in a sentence."""
    monkeypatch.setenv("NCLOUD_BUCKET", "another-bucket")
    with pytest.raises(EtlError, match="storage"):
        hand_in(large, server, clova)
    monkeypatch.setenv("NCLOUD_BUCKET", BUCKET)
    monkeypatch.setenv("NCLOUD_ACCESS_KEY", "ncp_iam_WRONG")
    with pytest.raises(ProviderError, match="check the keys of the storage"):
        hand_in(large, server, clova)
    assert clova.jobs == {}


def test_secrets(large: Path, server: Server, clova: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys of the storage are in the body that creates a job, and nowhere else, though the service says them back."""
    shown = [repr(requests_of(plan_submission(large, options_for(server, clova))))]
    assert "<secret key>" in shown[0]
    clova.faults[:] = [refused(FILE, 403)]
    with pytest.raises(ProviderError) as caught:
        hand_in(large, server, clova)
    shown.append(str(caught.value))
    wrong = "ncp_iam_OTHERSECRET"
    monkeypatch.setenv("NCLOUD_SECRET_KEY", wrong)
    with pytest.raises(ProviderError, match=r"access denied: \(key\) with \(key\)") as caught:
        hand_in(large, server, clova)
    shown.append(str(caught.value))
    monkeypatch.setenv("NCLOUD_SECRET_KEY", SECRET)
    page = f"<html>{SECRET} {ACCESS} {KEY}".encode()
    for fault in (Fault(JOB, answer=Answer(page, 400)), Fault(JOB, "after", answer=Answer(page))):
        clova.faults[:] = [fault]
        with pytest.raises(ProviderError) as caught:
            hand_in(large, server, clova)
        shown.append(str(caught.value))
    clova.faults.clear()
    clova.flagged = (3,)
    hand_in(large, server, clova)
    news: list[News] = []
    watch(large, Access(providers=profile_of(server, clova)), report=news.append, pace=HASTE)
    shown.append(repr(news))
    for secret in (SECRET, ACCESS, wrong, KEY):
        assert [text for text in shown if secret in text] == []
        for path in large.rglob("*"):
            assert path.is_dir() or secret.encode() not in path.read_bytes(), path
    assert sum(SECRET in sent.body for sent in clova.requests) == 1  # the one request that was carried out
    assert not any(SECRET in sent.path or SECRET in repr(sent.headers) for sent in clova.requests)


def test_the_command_line(large: Path, server: Server, clova: World) -> None:
    """Plan, table and result of the command line show no secret; the bucket is named, and how to cancel works."""
    arguments: list[str | Path] = ["submit", large, "--provider", "clova", "--model", MODEL, "--epochs", "2"]
    arguments += ["--accept-data-terms", "--yes", "--max-cost", "1", "--base-url", server.base_url(clova.name)]
    arguments += ["--providers", profile_of(server, clova)]
    runs = [invoke(*arguments, *more, cwd=large.parent) for more in (["--dry-run"], [], ["--allow-unknown-price"])]
    assert [run.returncode for run in runs] == [0, 7, 0], runs
    assert BUCKET in runs[0].stdout
    assert "the price or the number of tokens is not known" in runs[1].stderr
    shown = "".join(run.stdout + run.stderr for run in runs)
    assert [secret for secret in (SECRET, ACCESS, KEY) if secret in shown] == []
    assert_submitted_once(large, clova)


BRIEF = structs.replace(HASTE, answer_seconds=0.4, read_seconds=0.4)


@pytest.mark.parametrize("drip", [0.0, 0.05], ids=["pages", "bytes"])
def test_a_storage_without_an_end(large: Path, server: Server, clova: World, drip: float) -> None:
    """A list of the storage that does not end, page after page or byte by byte, is broken off, and no job created."""
    numbers = iter(range(10**9))

    def endless(request: str, answer: Answer) -> Answer:
        if not request.startswith("GET /s3/"):
            return answer
        number = next(numbers)
        row = f"<Contents><Key>saturi/{number}</Key><LastModified>2026-11-27T00:00:00.000Z</LastModified><ETag>1</ETag>"
        more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{number}</NextContinuationToken>"
        body = f"<ListBucketResult>{more}{row}<Size>1</Size></Contents></ListBucketResult>".encode()
        return Answer(body, drip_seconds=drip)

    clova.alter = endless
    options = options_for(server, clova)
    with pytest.raises(NoAnswerError, match="the storage"):
        submit(large, options, consent=YES, pace=BRIEF)
    assert (clova.jobs, clova.files) == ({}, {})


# What becomes of a job.


def test_progress(large: Path, server: Server, clova: World) -> None:
    """A running job shows step, epoch, rows, tokens and loss as an event, once; it has a model when it has succeeded."""
    clova.steps = ("queued", *["running"] * 4, "succeeded")
    hand_in(large, server, clova)
    news: list[News] = []
    [row] = watch(large, Access(providers=profile_of(server, clova)), report=news.append, pace=HASTE)
    assert (row.status, row.fine_tuned_model) == (SUCCEEDED, f"tasks/{row.job_id}")
    events = [one for one in news if isinstance(one, JobEvent)]
    assert [event.message for event in events] == ["step 7 of 20, epoch 1 of 2, 90 rows, 2,700 tokens"]
    assert (events[0].step, events[0].train_loss) == (7, 0.4)


def test_to_watch_takes_no_keys_of_the_storage(
    large: Path, server: Server, clova: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs are followed without the keys of the storage, and without its bucket: the ledger has that."""
    hand_in(large, server, clova)
    for name in ("NCLOUD_BUCKET", "NCLOUD_ACCESS_KEY", "NCLOUD_SECRET_KEY"):
        monkeypatch.delenv(name)
    [row] = watch(large, Access(providers=profile_of(server, clova)), pace=HASTE)
    assert row.status == SUCCEEDED


def test_why_a_job_failed(large: Path, server: Server, clova: World) -> None:
    """The reason of a failure and its message are in the row."""
    clova.steps = ("queued", "running", "running", "succeeded")
    hand_in(large, server, clova)
    [file] = clova.files.values()
    file.path.write_bytes(file.path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    [row] = watch(large, Access(providers=profile_of(server, clova)), pace=HASTE)
    assert (row.status, row.error_code, row.error_message) == (FAILED, "file.encoding", "Unsupported charset")


def test_a_tune_is_not_cancelled(large: Path, server: Server, clova: World) -> None:
    """A task that succeeded is not deleted to cancel it, although the ledger does not know that it did: its model would go."""
    hand_in(large, server, clova)
    [job] = clova.jobs.values()
    job["status"] = "succeeded"
    options = options_for(server, clova)
    account = open_account(read_providers(options.providers)["clova"], options.base_url)
    with Client(account, HASTE) as client:
        client.cancel_job(job["id"])
    assert job["id"] in clova.jobs
    job["status"] = "running"
    [row] = cancel(large, access=Access(providers=options.providers), consent=PriorConsent(yes=True), pace=HASTE)
    assert (row.status, clova.jobs) == (GONE, {})


# Evaluation.


def test_evaluate(large: Path, server: Server, clova: World) -> None:
    """Base and tune are asked where each is: the model by its name, the tune below its task."""
    hand_in(large, server, clova)
    providers = profile_of(server, clova)
    [row] = watch(large, Access(providers=providers), pace=HASTE)
    clova.chats[row.job_id or ""] = lambda text: text.replace("묵었나", "먹었니").replace("왔나", "왔니")
    clova.faults += [refused(CHAT, 429, retry_after="0"), refused(CHAT, 500, nth=2)]
    options = EvaluateOptions(
        sample=12, providers=providers, allow_unknown_price=True, max_cost=1.0, accept_data_terms=True, concurrency=2
    )
    done = evaluate(large, options, consent=Agreed(yes=True, accept_data_terms=True), pace=HASTE)
    scores = {system.name: system.strata[0] for system in done.evaluation.systems}
    assert set(scores) == {"copy", MODEL, f"tasks/{row.job_id}"}
    asked = {sent.path.split("/v1/")[1] for sent in clova.requests if "chat-completions" in sent.path}
    assert asked == {f"v3/chat-completions/{MODEL}", f"v3/tasks/{row.job_id}/chat-completions"}
    [sent] = [sent for sent in clova.requests if "v3/tasks" in sent.path][:1]
    assert set(json.loads(sent.body)) == {"messages", "maxTokens", "temperature", "seed"}
    assert [system.role for system in done.evaluation.systems] == ["copy", "base", "candidate"]
