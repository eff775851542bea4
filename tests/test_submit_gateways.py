"""Providers that lack something of OpenAI's API, and what becomes of one job or file where another fails."""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from provider import MODELS, PROVIDERS, Fault, Server, World
from provider.faults import JOB, answer_lost, refused
from provider.world import MODEL
from runs import error_of, invoke
from submissions import HASTE, YES, YES_AGAIN, hand_in, profile

from saturi.etl.errors import BusyError, NoAnswerError, OptionError, ProviderError, SpendingError
from saturi.etl.providers.account import open_account
from saturi.etl.providers.profiles import read_providers
from saturi.etl.submission.cancellation import cancel
from saturi.etl.submission.ledger import LEDGER, Ledger
from saturi.etl.submission.news import JobEnded, JobEvent, JobProblem, JobStatus, News, NoAnswer
from saturi.etl.submission.options import SubmitOptions
from saturi.etl.submission.removal import clean
from saturi.etl.submission.status import status
from saturi.etl.submission.submit import submit
from saturi.etl.submission.watch import watch
from saturi.schemas.ledger import GONE, SUCCEEDED, JobRow


def watched(out: Path, **pace: Any) -> tuple[tuple[JobRow, ...], list[News]]:
    """Watch everything submitted from *out*, and return the rows and all news."""
    news: list[News] = []
    return watch(out, report=news.append, pace=structs.replace(HASTE, **pace)), news


# Jobs that cannot carry our key.


@pytest.mark.parametrize("filtered", [True, False], ids=["filter", "no-filter"])
def test_the_ledger_is_gone_and_no_metadata_is_kept(out: Path, server: Server, world: World, filtered: bool) -> None:
    """Behind a gateway that loses metadata, a plan whose ledger is gone is found again by files, model and settings."""
    world.loses_metadata, world.no_metadata_filter = True, not filtered
    hand_in(out, server, world, provider="custom", plan="per-shard", suffix="x", seed=7)
    jobs = list(world.jobs)
    (out / LEDGER).unlink()
    again = hand_in(out, server, world, provider="custom", plan="per-shard", suffix="x", seed=7)
    assert list(world.jobs) == jobs
    assert again.created == 0
    assert sorted(row.job_id or "" for row in again.jobs) == jobs


def test_an_answer_is_lost_and_no_metadata_is_kept(out: Path, server: Server, world: World) -> None:
    """A job whose answer was lost is found where the provider keeps no metadata, though it is listed late."""
    world.loses_metadata, world.late_lists = True, 2
    world.faults.append(answer_lost(JOB))
    with pytest.raises(NoAnswerError):
        hand_in(out, server, world, provider="custom")
    hand_in(out, server, world, provider="custom")
    assert len(world.jobs) == 1


@pytest.mark.parametrize(
    "change", [{"epochs": 3}, {"seed": 8}, {"suffix": "y"}], ids=["other-epochs", "other-seed", "other-suffix"]
)
def test_another_job_on_the_same_files(out: Path, server: Server, world: World, change: dict[str, Any]) -> None:
    """A job that differs in a setting is another one, though no metadata tells the two apart."""
    world.loses_metadata = True
    settings = {"epochs": 2, "seed": 7, "suffix": "x"}
    hand_in(out, server, world, provider="custom", **settings)
    (out / LEDGER).unlink()
    hand_in(out, server, world, provider="custom", **{**settings, **change})
    assert len(world.jobs) == 2


def test_jobs_of_others(out: Path, server: Server, world: World) -> None:
    """A job on other files is none of ours, whatever else it has in common."""
    world.loses_metadata = True
    hand_in(out, server, world, provider="custom")
    [job] = world.jobs.values()
    job["training_file"] = "file-of-others"
    (out / LEDGER).unlink()
    hand_in(out, server, world, provider="custom")
    assert len(world.jobs) == 2


# Requests that a provider does not have.


@pytest.mark.parametrize("code", [404, 405, 410, 501])
def test_no_look_at_models(out: Path, server: Server, world: World, code: int) -> None:
    """A provider that does not show the model is used, with a note."""
    world.faults += [refused("GET /models/.*", code) for _ in range(9)]
    done = hand_in(out, server, world, provider="custom")
    assert done.created == 1
    assert any("does not list" in note for note in done.plan.notes)


@pytest.mark.parametrize("code", [404, 405, 501])
def test_no_list_of_jobs(out: Path, server: Server, world: World, code: int) -> None:
    """A provider that does not list jobs is used."""
    world.faults += [refused("GET /fine_tuning/jobs", code) for _ in range(9)]
    assert hand_in(out, server, world, provider="custom").created == 1


@pytest.mark.parametrize("code", [400, 404, 405, 501])
def test_no_events(out: Path, server: Server, world: World, code: int) -> None:
    """A job without events is watched to its end, and asked for them once."""
    hand_in(out, server, world)
    world.faults += [refused("GET /fine_tuning/jobs/.*/events", code) for _ in range(500)]
    [row], news = watched(out)
    assert row.status == SUCCEEDED
    assert not [one for one in news if isinstance(one, JobEvent)]
    assert world.faults[0].seen == 1


def test_a_chain_without_events(out: Path, server: Server, world: World) -> None:
    """A chained plan gets past its first job where the provider has no events."""
    world.faults += [refused("GET /fine_tuning/jobs/.*/events", 404) for _ in range(500)]
    assert hand_in(out, server, world, plan="chained").created == 2


# Watching.


def test_a_provider_that_asks_to_wait_for_long(out: Path, server: Server, world: World) -> None:
    """A watch bears with a provider that asks to wait for longer than a read may take, and asks no sooner."""
    hand_in(out, server, world)
    world.faults.append(refused("GET /fine_tuning/jobs/[^/]*", 429, retry_after="1"))
    [row], news = watched(out, read_seconds=0.2)
    assert row.status == SUCCEEDED
    assert [one for one in news if isinstance(one, NoAnswer)]


def test_a_wait_longer_than_a_watch_goes_on(out: Path, server: Server, world: World) -> None:
    """A watch that would have to wait for longer than it bears ends with an error."""
    hand_in(out, server, world)
    world.faults.append(refused("GET /fine_tuning/jobs/[^/]*", 429, retry_after="500"))
    with pytest.raises(BusyError):
        watched(out, read_seconds=0.2, unreachable_seconds=0.1)


def test_a_success_whose_model_comes_later(out: Path, server: Server, world: World) -> None:
    """A job that succeeded is at its end when its model has a name, for a watch and for a chain."""
    world.late_models = 3
    hand_in(out, server, world)
    [row], _ = watched(out)
    assert row.fine_tuned_model == next(iter(world.jobs.values()))["fine_tuned_model"]


def test_a_success_whose_model_never_comes(out: Path, server: Server, world: World) -> None:
    """A watch does not wait for ever for the name of a model."""
    world.late_models = 10**9
    hand_in(out, server, world)
    [row], news = watched(out, model_seconds=0.05)
    assert (row.status, row.fine_tuned_model) == (SUCCEEDED, None)
    assert isinstance(news[-1], JobEnded)


def test_a_job_that_is_gone(out: Path, server: Server, world: World) -> None:
    """A job that the provider has no more is gone in watch, status and cancel, and ends nothing else."""
    hand_in(out, server, world, plan="per-shard")
    first, second = world.jobs
    del world.jobs[first]
    rows, news = watched(out)
    assert [row.status for row in rows] == [GONE, SUCCEEDED]
    assert [one.status for one in news if isinstance(one, JobEnded)].count(GONE) == 1
    assert [row.status for row in status(out, pace=HASTE).jobs] == [GONE, SUCCEEDED]
    assert cancel(out, consent=YES, pace=HASTE) == ()
    assert second in world.jobs
    with pytest.raises(SpendingError, match="and gone; add --resubmit"):
        hand_in(out, server, world, plan="per-shard")
    assert hand_in(out, server, world, plan="per-shard", consent=YES_AGAIN).created == 1


def test_a_job_that_is_missing_for_a_while(out: Path, server: Server, world: World) -> None:
    """A job that was just created may be missing at first, and is watched to its end."""
    hand_in(out, server, world)
    world.faults += [refused("GET /fine_tuning/jobs/[^/]*", 404) for _ in range(3)]
    [row], _ = watched(out, looks_seconds=(5.0,))
    assert row.status == SUCCEEDED


def test_a_job_that_cannot_be_looked_at(out: Path, server: Server, world: World) -> None:
    """A provider that refuses to show one job ends the watch only when the others are at their end."""
    hand_in(out, server, world, plan="per-shard")
    first, second = world.jobs
    world.faults += [refused(f"GET /fine_tuning/jobs/{first}", 403) for _ in range(50)]
    news: list[News] = []
    with pytest.raises(ProviderError, match="answer 403"):
        watch(out, report=news.append, pace=HASTE)
    assert [one.job_id for one in news if isinstance(one, JobProblem)] == [first]
    assert [one.job_id for one in news if isinstance(one, JobEnded)] == [second]


# Cancelling and cleaning.


@pytest.mark.parametrize("broken", [0, 1, 2], ids=["first", "second", "both"])
def test_each_job_is_cancelled(out: Path, server: Server, world: World, broken: int) -> None:
    """Every job is tried, those that are cancelled are reported, and the error at the end names those that are not."""
    world.steps = ("queued", "running")
    hand_in(out, server, world, plan="per-shard")
    jobs = list(world.jobs)
    refusing = jobs if broken == 2 else [jobs[broken]]
    world.faults += [refused(f"POST /fine_tuning/jobs/{job}/cancel", 403) for job in refusing for _ in range(9)]
    news: list[News] = []
    with pytest.raises(ProviderError) as failure:
        cancel(out, consent=YES, report=news.append, pace=HASTE)
    assert all(job in str(failure.value) for job in refusing)
    assert [one.job_id for one in news if isinstance(one, JobProblem)] == refusing
    cancelled = [job for job in jobs if job not in refusing]
    assert [one.job_id for one in news if isinstance(one, JobStatus)] == cancelled
    assert [job for job in jobs if world.jobs[job]["status"] == "cancelled"] == cancelled


def test_a_job_that_cannot_be_looked_at_is_cancelled(out: Path, server: Server, world: World) -> None:
    """A job is cancelled also where its status cannot be learnt before."""
    world.steps = ("queued", "running")
    hand_in(out, server, world)
    world.faults += [refused("GET /fine_tuning/jobs/[^/]*", 503) for _ in range(30)]
    with pytest.raises(ProviderError, match="not cancelled"):
        cancel(out, consent=YES, pace=structs.replace(HASTE, read_seconds=0.01))
    assert next(iter(world.jobs.values()))["status"] == "cancelled"


def test_cancel_at_the_command_line(out: Path, server: Server, world: World) -> None:
    """What is cancelled stands on stdout, what is not on stderr, and the exit code is 6."""
    world.steps = ("queued", "running")
    hand_in(out, server, world, plan="per-shard")
    first, second = world.jobs
    world.faults += [refused(f"POST /fine_tuning/jobs/{first}/cancel", 403) for _ in range(9)]
    run = invoke("cancel", "out", "--yes", "--providers", PROVIDERS, cwd=out.parent)
    assert (run.returncode, run.stdout) == (6, f"{second} cancelled\n")
    assert first in run.stderr


def test_each_file_is_deleted(out: Path, server: Server, world: World) -> None:
    """A file that cannot be deleted keeps no other from it, and is tried again by the next run."""
    hand_in(out, server, world)
    watched(out)
    first, *_ = world.files
    world.faults += [refused(f"DELETE /files/{first}", 403) for _ in range(9)]
    with pytest.raises(ProviderError, match="1 of 2 files deleted"):
        clean(out, consent=YES, pace=HASTE)
    assert list(world.files) == [first]
    world.faults.clear()
    clean(out, consent=YES, pace=HASTE)
    assert not world.files


# A ledger that is shown without a provider, or from a disk that cannot be written.


def test_a_status_without_the_provider(out: Path, server: Server, world: World) -> None:
    """Where a provider does not answer, its jobs are shown as the ledger has them, with the problem said once."""
    hand_in(out, server, world, plan="per-shard")
    world.faults += [refused("GET /fine_tuning/jobs/[^/]*", 403) for _ in range(9)]
    result = status(out, pace=HASTE)
    assert [row.job_id for row in result.jobs] == list(world.jobs)
    assert len(result.problems) == 1
    run = invoke("status", "out", "--providers", PROVIDERS, cwd=out.parent)
    assert run.returncode == 6
    assert all(job in run.stdout for job in world.jobs)
    assert "as the ledger has it" in run.stderr


def _mount(*command: str | Path) -> bool:
    """Run a command of mount(8), and return whether it did what it should."""
    return subprocess.run(list(map(str, command)), capture_output=True, check=False).returncode == 0


def test_a_status_of_a_ledger_that_cannot_be_written(out: Path, server: Server, world: World, tmp_path: Path) -> None:
    """A ledger on a disk that cannot be written is shown, with what the provider says now."""
    hand_in(out, server, world)
    (tmp_path / "disk").mkdir()
    if not _mount("mount", "-t", "tmpfs", "none", tmp_path / "disk"):
        pytest.skip("this user may not mount a file system")
    try:
        shutil.copytree(out, tmp_path / "disk" / "out")
        assert _mount("mount", "-o", "remount,ro", tmp_path / "disk")
        [row] = status(tmp_path / "disk" / "out", pace=HASTE).jobs
    finally:
        assert _mount("umount", tmp_path / "disk")
    assert (row.job_id, row.status) == (next(iter(world.jobs)), world.steps[0])


def test_what_keeps_a_ledger_from_being_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that another program holds says so, and not that space is needed."""
    monkeypatch.setattr("saturi.etl.submission.ledger._BUSY_SECONDS", 0.01)
    with Ledger(tmp_path / LEDGER) as ledger:
        other = sqlite3.connect(tmp_path / LEDGER, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OSError, match="another program holds it"):
            ledger.accept_terms(1.0)
        other.close()


# Addresses.


@pytest.mark.parametrize(
    "address",
    [
        "HTTPS://api.example.com/v1",
        "https://API.Example.COM/v1",
        "https://api.example.com:443/v1",
        "https://api.example.com//v1",
        "https://api.example.com/v1/",
        "https://api.example.com./v1//",
        "https://api.example.com:0443/v1",
    ],
)
def test_one_address_in_many_spellings(address: str) -> None:
    """The spelling of an address does not make another account of it."""
    custom = read_providers()["custom"]
    assert open_account(custom, address).id == "custom https://api.example.com/v1"


@pytest.mark.parametrize(
    "address", ["https://api.example.com:444/v1", "http://api.example.com/v1", "https://api.example.com/V1"]
)
def test_other_addresses(address: str) -> None:
    """Another port, scheme or path is another account."""
    custom = read_providers()["custom"]
    assert open_account(custom, address).id != "custom https://api.example.com/v1"


def test_the_same_content_elsewhere(out: Path, server: Server, world: World) -> None:
    """A plan notes that its content was sent to another account before."""
    hand_in(out, server, world)
    other = server.world(f"{world.name}-other")
    notes = hand_in(out, server, other).plan.notes
    assert [note for note in notes if "the same content was sent before" in note and world.name in note]


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("http://127.0.0.1:9/v1", True),
        ("http://127.8.8.8/v1", True),
        ("http://[::1]:9/v1", True),
        ("http://localhost/v1", True),
        ("http://saturi.localhost:1/v1", True),
        ("http://10.0.0.1/v1", False),
        ("http://127.0.0.1.example.com/v1", False),
        ("http://localhost.example.com/v1", False),
    ],
)
def test_addresses_of_this_machine(address: str, local: bool) -> None:
    """Only loopback is this machine; what goes elsewhere over http can be read by others."""
    account = open_account(read_providers()["custom"], address)
    assert (account.is_local, account.is_readable_by_others) == (local, not local)


def test_http_to_another_host(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Key and examples go unencrypted to another machine only where that is agreed to, and are asked for nothing before."""
    monkeypatch.setenv("OPENAI_API_KEY", "invented")
    options = SubmitOptions(
        provider="custom", base_url="http://provider.invalid/v1", model=MODEL, epochs=2, models=MODELS
    )
    with pytest.raises(SpendingError, match="others on the way can read the key"):
        submit(out, options, consent=YES, pace=HASTE)
    with pytest.raises(ProviderError):  # it goes there now, and there is nobody
        submit(
            out, structs.replace(options, allow_http=True), consent=YES, pace=structs.replace(HASTE, read_seconds=0.01)
        )


# Money.


def test_what_decides_on_a_cost(out: Path, server: Server, world: World) -> None:
    """Where a sum and its limit look alike to the cent, both are shown to the millionth of a dollar."""
    usd = hand_in(out, server, world).plan.usd
    assert usd is not None
    limit = usd - 1e-6
    with pytest.raises(SpendingError, match=rf"1 job at \${usd:.6f}, and --max-cost allows \${limit:.6f}"):
        hand_in(out, server, world, seed=3, max_cost=limit)


def test_an_unknown_profile_keeps_its_key(out: Path, tmp_path: Path, server: Server, world: World) -> None:
    """A profile that says that metadata is dropped sends none."""
    path = profile(tmp_path, 'metadata = "dropped"')
    world.loses_metadata = True
    hand_in(out, server, world, providers=path)
    [created] = [sent for sent in world.requests if (sent.method, sent.path.endswith("/jobs")) == ("POST", True)]
    assert "saturi_key" not in created.body
    (out / LEDGER).unlink()
    hand_in(out, server, world, providers=path)
    assert len(world.jobs) == 1


UNUSABLE: dict[str, Callable[[Path], object]] = {
    "a-folder": lambda path: path.mkdir(),
    "no-database": lambda path: path.write_bytes(b"no database, but a text of some length" * 9),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_what_is_no_ledger(kind: str, out: Path) -> None:
    """Whatever lies in the place of a ledger ends a command with one sentence that names it."""
    UNUSABLE[kind](out / LEDGER)
    run = invoke("status", "out", cwd=out.parent, OPENAI_API_KEY="invented")
    assert LEDGER in error_of(run, run.returncode)
    assert run.returncode in (3, 5)


def test_faults_are_seen() -> None:
    """The faults of this file match the requests they are made for."""
    assert Fault("GET /fine_tuning/jobs/[^/]*").hits("GET /fine_tuning/jobs/ftjob-1")
    assert not Fault("GET /fine_tuning/jobs/[^/]*").hits("GET /fine_tuning/jobs/ftjob-1/events")
    with pytest.raises(OptionError):
        open_account(read_providers()["custom"], "")
