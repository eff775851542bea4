"""Submissions to Fireworks, as the provider on loopback imitates it: its shards, its ids, its addresses, its states."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from provider import Fault, Server, World
from provider.answers import Answer
from provider.faults import CHAT, JOB, answer_lost, refused
from provider.fireworks import ACCOUNT, MODEL
from services import SERVICES
from submissions import ENVIRONMENT, HASTE, KEY, assert_submitted_once, joined

from saturi.etl.errors import EligibilityError, NoAnswerError, OptionError, ProviderError
from saturi.etl.evaluation.bill import PriorConsent as Agreed
from saturi.etl.evaluation.evaluate import evaluate
from saturi.etl.evaluation.options import EvaluateOptions
from saturi.etl.providers import fireworks_datasets, listing
from saturi.etl.providers.fireworks_datasets import dataset_of, file_of, shards_of
from saturi.etl.providers.profiles import read_providers
from saturi.etl.providers.tags import KEY as KEY_NAME
from saturi.etl.providers.tags import metadata_of
from saturi.etl.submission.news import JobEvent, News
from saturi.etl.submission.watch import watch
from saturi.schemas.ledger import FINAL

[SERVICE] = [service for service in SERVICES if service.name == "fireworks"]


@pytest.fixture
def there(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An account at Fireworks, for one test."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return SERVICE.world(server, tmp_path.name)


def test_a_job(out: Path, server: Server, there: World) -> None:
    """A build becomes two datasets and one job, whose id is our key; nothing is sent that was not asked for."""
    done = SERVICE.hand_in(out, server, there, suffix="사투리")
    [job] = there.jobs.values()
    assert metadata_of(job["id"])[KEY_NAME] == done.jobs[0].key
    datasets = f"accounts/{ACCOUNT}/datasets"
    assert job["sent"] == {
        "dataset": f"{datasets}/{job['training_file']}",
        "evaluationDataset": f"{datasets}/{job['validation_file']}",
        "baseModel": MODEL,
        "epochs": 2,
        "displayName": "사투리",
    }
    assert {upload["about"]["exampleCount"] for upload in there.uploads.values()} == {
        str(joined(out, split).count(b"\n")) for split in ("train", "validation")
    }


def test_many_shards(out: Path, server: Server, there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large file goes as many shards, whose addresses are asked for in one request; together they are the file."""
    monkeypatch.setattr(fireworks_datasets, "SHARD_BYTES", 4_000)
    monkeypatch.setattr(fireworks_datasets, "_BLOCK_BYTES", 1_000)
    SERVICE.hand_in(out, server, there)
    assert_submitted_once(out, there)
    assert max(len(upload["sizes"]) for upload in there.uploads.values()) > 3
    asked = [sent.path for sent in there.requests if sent.path.endswith(":getUploadEndpoint")]
    assert len(asked) == len(set(asked)) == 2


@pytest.mark.parametrize("most", [1, 5, 12, 1_000])
@pytest.mark.parametrize("lines", [0, 1, 7])
def test_shards(most: int, lines: int) -> None:
    """Shards are consecutive, end with lines, and count them."""
    content = b"".join(b"x" * number + b"\n" for number in range(lines))
    shards = list(shards_of(io.BytesIO(content), most))
    assert sum(shard.bytes for shard in shards) == len(content)
    assert sum(shard.lines for shard in shards) == lines
    assert len({shard.name for shard in shards}) == len(shards)


def test_the_name_of_a_file() -> None:
    """The id of a dataset is the name of a file in fewer letters, and leads back to it."""
    name = f"saturi-{'0123456789abcdef' * 4}.jsonl"
    assert len(dataset_of(name)) <= 63
    assert file_of(dataset_of(name)) == name
    assert file_of("somebody-elses") == "somebody-elses"


def test_a_second_request_collides(out: Path, server: Server, there: World) -> None:
    """A job that is there under our id, and in no list, is the job: the request that collides with it is answered with it."""
    there.faults.append(answer_lost(JOB))
    with pytest.raises(NoAnswerError):
        SERVICE.hand_in(out, server, there)
    (out / "ledger.sqlite").unlink()
    [name] = there.jobs
    there.hidden[name] = 1_000
    done = SERVICE.hand_in(out, server, there)
    assert [row.job_id for row in done.jobs] == list(there.jobs) == [name]


def test_an_upload_that_was_broken_off(out: Path, server: Server, there: World) -> None:
    """A dataset that was begun and not ended is sent again under its id, and is there once."""
    there.faults.append(refused("PUT /store/.*", 400))
    with pytest.raises(ProviderError):
        SERVICE.hand_in(out, server, there)
    assert [upload["state"] for upload in there.uploads.values()] == ["UPLOADING"]
    SERVICE.hand_in(out, server, there)
    assert_submitted_once(out, there)


def test_no_key_goes_to_the_store(out: Path, server: Server, there: World) -> None:
    """The addresses for files get no key, and a place that is not an address gets nothing."""
    SERVICE.hand_in(out, server, there)
    for sent in there.requests:
        assert ("Authorization" in dict(sent.headers)) != ("/store/" in sent.path)
    assert all("/store/" not in sent.path or KEY not in repr(sent) for sent in there.requests)


@pytest.mark.parametrize(
    "address", [None, 7, "", "file:///etc/hosts", "http://", "ftp://127.0.0.1/x", "http://[", "\x1b[2J"]
)
def test_an_address_that_is_none(out: Path, server: Server, there: World, address: Any) -> None:
    """What is no address to send a file to is refused in a sentence, and no job created."""

    def wrong(request: str, answer: Answer) -> Answer:
        if not request.endswith(":getUploadEndpoint"):
            return answer
        return Answer({"filenameToSignedUrls": {"00000.jsonl": address}})

    there.alter = wrong
    with pytest.raises(NoAnswerError, match="no address to send the file to"):
        SERVICE.hand_in(out, server, there)
    assert there.jobs == {}


def test_another_account(out: Path, server: Server, there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the id of an account nothing is asked; at that of somebody else the refusal is shown."""
    monkeypatch.setenv("FIREWORKS_ACCOUNT_ID", "somebody-else")
    with pytest.raises(ProviderError, match="no access"):
        SERVICE.hand_in(out, server, there)
    monkeypatch.delenv("FIREWORKS_ACCOUNT_ID")
    before = len(there.requests)
    with pytest.raises(OptionError, match="FIREWORKS_ACCOUNT_ID"):
        SERVICE.hand_in(out, server, there)
    assert len(there.requests) == before


def test_states() -> None:
    """Every state of a job is one of ours, and only those that are ends are ends."""
    statuses = read_providers()["fireworks"].statuses
    ends = {"COMPLETED": "succeeded", "EARLY_STOPPED": "succeeded", "EXPIRED": "failed"}
    assert {state: status for state, status in statuses.items() if status in FINAL} == ends
    assert {state.lower() for state in ("FAILED", "CANCELLED")} <= FINAL


def test_progress(out: Path, server: Server, there: World) -> None:
    """A running job shows how far it is, as an event."""
    there.steps = ("queued", *["running"] * 3, "succeeded")
    SERVICE.hand_in(out, server, there)
    news: list[News] = []
    [row] = watch(out, SERVICE.access(server, there), report=news.append, pace=HASTE)
    assert row.fine_tuned_model == f"accounts/{ACCOUNT}/models/{row.job_id}"
    assert [one.message for one in news if isinstance(one, JobEvent)] == ["40 %, epoch 1, 1,200 tokens"]


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b"{}", b"<html>", b'{"name": "\\u001b[31m"}', b'{"name": 7}'], ids=repr
)
def test_an_answer_of_no_use(out: Path, server: Server, there: World, body: bytes) -> None:
    """After an answer that names no job it is looked for, and not made again."""
    there.faults.append(Fault(JOB, "after", answer=Answer(body)))
    with pytest.raises(NoAnswerError):
        SERVICE.hand_in(out, server, there)
    assert SERVICE.hand_in(out, server, there).created == 0
    assert_submitted_once(out, there)


def test_pages(out: Path, server: Server, there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job is found behind many others; a list without an end is broken off."""
    SERVICE.hand_in(out, server, there)
    [(name, job)] = there.jobs.items()
    for number in range(450):
        there.jobs[f"other-{number}"] = {**job, "id": f"other-{number}"}
        there.hidden[f"other-{number}"] = 0
    (out / "ledger.sqlite").unlink()
    assert SERVICE.hand_in(out, server, there).jobs[0].job_id == name
    monkeypatch.setattr(listing, "MOST_PAGES", 20)
    pages = iter(range(10**6))
    there.alter = lambda request, answer: (
        Answer({"supervisedFineTuningJobs": [{"name": f"a/j/{next(pages)}"}], "nextPageToken": f"{next(pages)}"})
        if request.endswith("supervisedFineTuningJobs")
        else answer
    )
    (out / "ledger.sqlite").unlink()
    with pytest.raises(NoAnswerError, match="does not end"):
        SERVICE.hand_in(out, server, there)


def test_a_redirect_is_not_followed(out: Path, server: Server, there: World) -> None:
    """Neither the API nor its store is followed to another place."""
    other = server.world(f"{there.name}-other")
    elsewhere = (("Location", server.base_url(other.name) + "/elsewhere"),)
    for match in ("GET /v1/.*", "PUT /store/.*"):
        there.faults[:] = [Fault(match, nth=nth, answer=Answer(b"", 307, elsewhere)) for nth in range(1, 30)]
        with pytest.raises(ProviderError):
            SERVICE.hand_in(out, server, there)
    assert other.requests == []


def test_evaluate(out: Path, server: Server, there: World) -> None:
    """A tune is asked below the path where models answer; one that is not deployed is an error, and nothing is deployed."""
    SERVICE.hand_in(out, server, there)
    [row] = watch(out, SERVICE.access(server, there), pace=HASTE)
    there.models[MODEL] = None
    options = EvaluateOptions(sample=4, allow_unknown_price=True, max_cost=1.0, accept_data_terms=True)
    agreed = Agreed(yes=True, accept_data_terms=True)
    there.faults += [refused(CHAT, 404, nth=nth) for nth in range(1, 5)]
    with pytest.raises((ProviderError, EligibilityError)):
        evaluate(out, options, consent=agreed, pace=HASTE)
    there.faults.clear()
    done = evaluate(out, options, consent=agreed, pace=HASTE)
    assert {system.name for system in done.evaluation.systems} == {"copy", MODEL, row.fine_tuned_model}
    asked = [sent for sent in there.requests if "chat/completions" in sent.path]
    assert {sent.path for sent in asked} == {f"/{there.name}/v1/inference/v1/chat/completions"}
    assert {json.loads(sent.body)["model"] for sent in asked} == {MODEL, row.fine_tuned_model}
