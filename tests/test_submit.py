"""Plans, keys and consent: what is submitted, what is refused, and what is not repeated."""

import json
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from provider import MODELS, PROVIDERS, Server, World
from provider.faults import JOB, calling
from provider.world import MODEL
from submissions import HASTE, YES, YES_AGAIN, assert_submitted_once, hand_in, joined, make_build, options_for, profile

from saturi.etl.errors import (
    BuildError,
    EligibilityError,
    EtlError,
    JobFailedError,
    LockedError,
    OptionError,
    SpendingError,
    UnknownPriceError,
)
from saturi.etl.providers.profiles import read_providers
from saturi.etl.submission.consent import PriorConsent
from saturi.etl.submission.dry_run import requests_of
from saturi.etl.submission.options import SubmitOptions
from saturi.etl.submission.preflight import check_dates
from saturi.etl.submission.status import status
from saturi.etl.submission.submit import plan_submission, submit
from saturi.schemas.ledger import JobRow


def test_a_merged_plan(out: Path, server: Server, world: World) -> None:
    """By default all chunks of train become one file and one job, with the held out ones beside; its request is as agreed."""
    done = hand_in(out, server, world, suffix="dialect", seed=7)
    assert_submitted_once(out, world)
    [job] = world.jobs.values()
    assert job["hyperparameters"]["n_epochs"] == 2
    assert job["method"] == {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}}
    assert (job["suffix"], job["seed"], job["model"]) == ("dialect", 7, MODEL)
    assert job["metadata"] == {"saturi_key": done.plan.jobs[0].key, "saturi_attempt": "1"}
    assert {file.filename for file in world.files.values()} == {file.name for file in done.plan.files}


def test_a_plan_submitted_twice(out: Path, server: Server, world: World) -> None:
    """A plan already submitted is reported and not repeated, also by somebody whose ledger is lost."""
    assert hand_in(out, server, world).created == 1
    before = len(world.requests)
    assert hand_in(out, server, world).created == 0
    assert [sent.method for sent in world.requests[before:]] == ["GET"]
    (out / "ledger.sqlite").unlink()
    assert hand_in(out, server, world).created == 0
    assert_submitted_once(out, world)


def test_a_shard_a_job(out: Path, server: Server, world: World) -> None:
    """With per-shard each region and speech type is a job on its own chunks."""
    done = hand_in(out, server, world, plan="per-shard")
    assert [row.title for row in done.jobs] == ["gyeongsang answer", "gyeongsang repeat"]
    for row in done.jobs:
        pattern = row.title.replace(" ", "-") + "-*"
        job = world.jobs[row.job_id or ""]
        assert world.content(job["training_file"]) == joined(out, "train", pattern)
        assert job["validation_file"] is None or world.content(job["validation_file"]) == joined(
            out, "validation", pattern
        )


def test_a_chain(out: Path, server: Server, world: World) -> None:
    """With chained each job is from the model of the one before, which is waited for."""
    done = hand_in(out, server, world, plan="chained")
    first, second = (world.jobs[row.job_id or ""] for row in done.jobs)
    assert (first["model"], second["model"]) == (MODEL, first["fine_tuned_model"])
    assert hand_in(out, server, world, plan="chained").created == 0
    assert len(world.jobs) == 2


def test_a_chain_that_breaks(out: Path, server: Server, world: World) -> None:
    """A chain ends where a job fails; another run asks before it creates that one anew, and then goes on."""
    world.flagged = (4,)
    with pytest.raises(JobFailedError, match="Example 4"):
        hand_in(out, server, world, plan="chained")
    assert len(world.jobs) == 1
    world.flagged = ()
    with pytest.raises(SpendingError, match="--resubmit"):
        hand_in(out, server, world, plan="chained")
    assert hand_in(out, server, world, plan="chained", consent=YES_AGAIN).created == 2
    assert len(world.jobs) == 3


CHANGES: dict[str, dict[str, Any]] = {
    "epochs": {"epochs": 3},
    "suffix": {"suffix": "other"},
    "seed": {"seed": 1},
    "model": {"model": "gpt-4o-mini-2024-07-18"},
    "provider": {"provider": "nebius"},
    "plan": {"plan": "per-shard"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_makes_another_job(
    out: Path, server: Server, world: World, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other epochs, suffix, seed, model, provider or files are other jobs; the same again is the same."""
    monkeypatch.setenv("NEBIUS_API_KEY", "sk-other")
    world.models["gpt-4o-mini-2024-07-18"] = None
    hand_in(out, server, world)
    assert hand_in(out, server, world, **change).created >= 1
    assert hand_in(out, server, world, **change).created == 0
    keys = [job["metadata"]["saturi_key"] for job in world.jobs.values()]
    assert len(keys) == len(set(keys))


def test_a_changed_build(out: Path, server: Server, world: World, tmp_path: Path) -> None:
    """A build that was replaced since is another job, and the plan says that there were others."""
    hand_in(out, server, world)
    other = make_build(tmp_path / "other", text="나")
    shutil.copy(out / "ledger.sqlite", other)
    done = hand_in(other, server, world)
    assert done.created == 1
    assert any("the build was changed since 1 job of it" in note for note in done.plan.notes)


def test_two_at_once(out: Path, server: Server, world: World) -> None:
    """While one submission runs, another one of the same folder, and a build into it, are told to wait."""
    errors: list[EtlError] = []

    def second() -> None:
        try:
            hand_in(out, server, world)
        except LockedError as error:
            errors.append(error)

    def start() -> None:
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()

    world.faults.append(calling(JOB, "before", start))
    hand_in(out, server, world)
    assert len(errors) == 1
    assert_submitted_once(out, world)


REFUSALS: dict[str, tuple[dict[str, Any], PriorConsent, type[EtlError], str]] = {
    "nobody-agreed": ({}, PriorConsent(accept_data_terms=True), SpendingError, "nobody agreed to 1 job for"),
    "no-limit": ({"max_cost": None}, YES, SpendingError, "--yes and --max-cost"),
    "over-the-limit": ({"max_cost": 0.0}, YES, SpendingError, "--max-cost allows"),
    "no-terms": ({}, PriorConsent(yes=True), SpendingError, "--accept-data-terms"),
    "unknown-price": ({"model": "llama"}, YES, UnknownPriceError, "--allow-unknown-price"),
    "no-such-model": ({"model": "gpt-4o-2024-08-06"}, YES, EligibilityError, "does not exist"),
    "shut-down": ({"model": "gpt-4.1-nano"}, YES, EligibilityError, "shut down since 2026-10-23"),
    "no-such-provider": ({"provider": "nobody"}, YES, OptionError, "choose from"),
    "password-in-the-address": ({"base_url": "https://me:pw@host/v1"}, YES, OptionError, "password"),
    "no-address": ({"base_url": "host"}, YES, OptionError, "no address"),
}


@pytest.mark.parametrize(("more", "consent", "error", "words"), REFUSALS.values(), ids=REFUSALS)
def test_refusals(  # noqa: PLR0913, PLR0917 - a row of the table, and where it happens
    out: Path,
    server: Server,
    world: World,
    more: dict[str, Any],
    consent: PriorConsent,
    error: type[EtlError],
    words: str,
) -> None:
    """What is not eligible, not agreed to, or not known is refused before anything is sent."""
    world.models["llama"] = None
    with pytest.raises(error, match=words):
        hand_in(out, server, world, consent=consent, **more)
    assert {sent.method for sent in world.requests} <= {"GET"}


def test_an_unknown_price_allowed(out: Path, server: Server, world: World) -> None:
    """A model whose price nobody knows is trained only where that is allowed, with the epochs written out."""
    world.models["llama"] = None
    done = hand_in(out, server, world, model="llama", epochs=None, allow_unknown_price=True)
    assert done.plan.usd is None
    [job] = world.jobs.values()
    assert isinstance(job["hyperparameters"]["n_epochs"], int)


def test_terms_are_agreed_to_once(out: Path, server: Server, world: World) -> None:
    """Who has agreed to the terms of the data is not asked again."""
    hand_in(out, server, world)
    assert hand_in(out, server, world, epochs=3, consent=PriorConsent(yes=True)).created == 1


def test_a_model_the_provider_shuts_down(out: Path, server: Server, world: World) -> None:
    """The provider's own shutdown date counts: past, it refuses; to come, it is said."""
    world.models[MODEL] = "2026-01-01"
    with pytest.raises(EligibilityError, match="shut down since 2026-01-01"):
        hand_in(out, server, world)
    world.models[MODEL] = "2099-01-01"
    assert any("2099-01-01" in note for note in hand_in(out, server, world).plan.notes)


def test_a_provider_that_has_closed(out: Path) -> None:
    """From the day on which a provider takes no jobs any more, it is refused with all that it closes."""
    assert plan_submission(out, SubmitOptions(model=MODEL, providers=PROVIDERS, models=MODELS)).notes
    provider = read_providers()["openai"]
    assert provider.no_jobs_from is not None
    with pytest.raises(EligibilityError, match="2027-01-14: gpt-4o"):
        check_dates(provider, None, provider.no_jobs_from)


def test_a_damaged_build(out: Path, server: Server, world: World) -> None:
    """A chunk that is not as the manifest says stops everything before the provider is asked."""
    chunk = next((out / "chunks").rglob("*.jsonl"))
    chunk.write_bytes(chunk.read_bytes().replace("가".encode(), "나".encode(), 1))
    with pytest.raises(BuildError, match="is changed"):
        hand_in(out, server, world)
    assert world.requests == []


def test_no_build(tmp_path: Path) -> None:
    """A folder without a build is refused, and nothing is left in it."""
    with pytest.raises(BuildError):
        submit(tmp_path, SubmitOptions())
    assert list(tmp_path.iterdir()) == []


def test_too_few_examples(tmp_path: Path, server: Server, world: World) -> None:
    """A build with fewer examples than any provider takes is refused."""
    out = make_build(tmp_path / "small", rows=4)
    with pytest.raises(BuildError, match="10"):
        hand_in(out, server, world)
    assert world.requests == []


def test_the_limits_of_a_provider(out: Path, server: Server, world: World, tmp_path: Path) -> None:
    """Files and tokens over what a provider takes are refused with what to do instead."""
    for line, words in (("max_file_bytes = 1_000", "--plan"), ("max_billed_tokens = 10", "--epochs")):
        with pytest.raises(OptionError, match=words):
            hand_in(out, server, world, providers=profile(tmp_path, line))
    assert world.requests == []


def test_what_azure_asks_for(out: Path, server: Server, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """For Azure a byte order mark goes before the lines, and its own field into the request."""
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "sk-azure")
    hand_in(out, server, world, provider="azure")
    [job] = world.jobs.values()
    assert world.content(job["training_file"]) == b"\xef\xbb\xbf" + joined(out, "train")
    assert job["extra"] == {"trainingType": "GlobalStandard"}


def test_a_dry_run(out: Path, server: Server, world: World) -> None:
    """A dry run names the requests that a submission then makes, in their order, and makes none."""
    planned = requests_of(plan_submission(out, options_for(server, world)))
    assert world.requests == []
    hand_in(out, server, world)
    made = [(sent.method, sent.path.removeprefix(f"/{world.name}/v1")) for sent in world.requests]
    assert [(one.method, one.path.replace("[", "%5B").replace("]", "%5D")) for one in planned] == made
    body = json.loads(world.requests[-1].body)
    assert planned[-1].body is not None
    assert {**planned[-1].body, "training_file": 0, "validation_file": 0} == {
        **body,
        "training_file": 0,
        "validation_file": 0,
    }


def test_a_ledger_of_a_later_version(out: Path, server: Server, world: World) -> None:
    """A ledger that this version cannot read is left as it is, and nothing is sent."""
    with closing(sqlite3.connect(out / "ledger.sqlite")) as database, database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(BuildError, match="version 99"):
        hand_in(out, server, world)
    assert world.requests == []


def test_a_ledger_that_is_none(out: Path, server: Server, world: World) -> None:
    """A file in the place of the ledger that is none stops everything, with what to do."""
    (out / "ledger.sqlite").write_bytes(b"no ledger" * 1_000)
    with pytest.raises(BuildError, match="restore it"):
        hand_in(out, server, world)
    assert world.requests == []


@pytest.mark.parametrize("change", ["jobs SET state = 'lost'", "files SET pieces = '['"])
def test_a_ledger_with_a_damaged_row(out: Path, server: Server, world: World, change: str) -> None:
    """A row that cannot be read is damage, and said in a sentence."""
    hand_in(out, server, world)
    with closing(sqlite3.connect(out / "ledger.sqlite")) as database, database:
        database.execute(f"UPDATE {change}")
    with pytest.raises(BuildError, match="damaged"):
        status(out, pace=HASTE)


def test_the_ledger_says_everything(out: Path, server: Server, world: World) -> None:
    """The ledger has every job with its estimate, and every file with the chunks it was joined of."""
    done = hand_in(out, server, world)
    found = status(out, pace=HASTE)
    [row] = found.jobs
    assert msgspec.convert(msgspec.to_builtins(row), type=JobRow) == row
    assert row.billed_tokens == done.plan.jobs[0].billing.tokens
    assert row.billed_tokens is not None
    assert row.billed_tokens > 0
    assert {file.name for file in found.files} == {row.training, row.validation}
    train = next(file for file in found.files if file.name == row.training)
    assert sum(piece.bytes for piece in train.pieces) == train.bytes == len(joined(out, "train"))
