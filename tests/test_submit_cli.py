"""The commands of the provider's side, as their users start them: what is asked, what is said, and exit codes."""

import json
import os
import pty
import select
import subprocess
from pathlib import Path

import forked
import pytest
from provider import MODELS, PROVIDERS, Server, World
from provider.faults import refused
from provider.world import MODEL
from runs import command, error_of, invoke
from submissions import assert_submitted_once

KNOWN = ("--providers", str(PROVIDERS), "--models", str(MODELS))


def submission(server: Server, world: World, *more: str) -> list[str]:
    """Return the arguments of a submission of `out` to *world*."""
    return [
        "submit",
        "out",
        "--base-url",
        server.base_url(world.name),
        "--model",
        MODEL,
        "--epochs",
        "2",
        *KNOWN,
        *more,
    ]


def answering(cwd: Path, line: list[str], *answers: str) -> tuple[int | None, str]:
    """Run the command *line* on a terminal where somebody types *answers*; return exit code and all that was shown."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "120"}
    terminal = os.ttyname(theirs)
    process = forked.start(forked.Script(forked.COMMAND_LINE, tuple(line), cwd, environment, (terminal,) * 3))
    shown, left = b"", list(answers)
    while process.exitcode is None or select.select([ours], [], [], 0)[0]:
        if not select.select([ours], [], [], 0.01)[0]:
            continue
        shown += os.read(ours, 4096)
        if left and b"Type " in shown.rpartition(b"\n")[2] and shown.endswith(b": "):
            os.write(ours, left.pop(0).encode() + b"\n")
    os.close(ours)
    os.close(theirs)
    return process.exitcode, shown.decode()


@pytest.mark.usefixtures("out")
def test_a_submission_on_a_terminal(tmp_path: Path, server: Server, world: World) -> None:
    """On a terminal the plan with its price comes first, then the terms, and each is agreed to by a typed word; then quiet."""
    code, shown = answering(tmp_path, submission(server, world), "agree", "no")
    assert code == 7
    assert -1 < shown.find("Plan: merged") < shown.find("may not leave Korea") < shown.find("Type submit")
    assert "nobody agreed to 1 job for $" in shown
    assert world.jobs == {}
    assert world.files == {}
    code, shown = answering(tmp_path, submission(server, world), "submit")
    assert code == 0, shown
    assert "Type submit to create 1 job for $" in shown
    assert shown.count("Type ") == 1
    code, shown = answering(tmp_path, submission(server, world))
    assert code == 0, shown
    assert "submitted before as ftjob-" in shown
    assert "Type " not in shown
    assert_submitted_once(tmp_path / "out", world)


@pytest.mark.usefixtures("out")
def test_the_plan_comes_before_the_provider_is_asked(tmp_path: Path, server: Server, world: World) -> None:
    """Plan, price and terms are shown before the first request; what the answers decide is shown after them."""
    world.faults += [refused("GET /fine_tuning/jobs", 401)]
    run = invoke(*submission(server, world, "--plan", "per-shard"), cwd=tmp_path)
    assert run.returncode == 6, run.stderr
    plan, terms, asked = (run.stderr.find(words) for words in ("2 jobs, 4 files", "may not leave Korea", "Asking "))
    assert -1 < plan < terms < asked
    assert "To create" not in run.stderr
    agreed = ("--yes", "--max-cost", "9", "--accept-data-terms", "--plan", "per-shard")
    assert "To create: 2 of 2 jobs, for $" in invoke(*submission(server, world, *agreed), cwd=tmp_path).stderr
    again = invoke(*submission(server, world, *agreed), cwd=tmp_path)
    assert again.stderr.find("Asking ") < again.stderr.find("submitted before as ftjob-")
    assert "To create" not in again.stderr


@pytest.mark.usefixtures("out")
def test_a_dry_run_of_what_would_be_refused(tmp_path: Path, server: Server, world: World) -> None:
    """A dry run over --max-cost shows the plan, says that submit would refuse it, names no next step, and ends with 7."""
    run = invoke(*submission(server, world, "--dry-run", "--max-cost", "0.000001"), cwd=tmp_path)
    assert run.returncode == 7
    assert "Plan: merged" in run.stdout
    assert "Next:" not in run.stdout
    assert "submit would refuse this: it costs $" in run.stderr


@pytest.mark.usefixtures("out")
def test_nobody_there_to_answer(tmp_path: Path, server: Server, world: World) -> None:
    """Without a terminal, --yes, --max-cost and --accept-data-terms are needed, or the exit code is 7 and nothing is sent."""
    refused = invoke(*submission(server, world), "--yes", "--max-cost", "9", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (7, "")
    assert "add --accept-data-terms" in refused.stderr
    for arguments in (["--yes"], ["--max-cost", "9"], ["--yes", "--max-cost", "0.000001"]):
        refused = invoke(*submission(server, world), "--accept-data-terms", *arguments, cwd=tmp_path)
        assert refused.returncode == 7
        assert "--max-cost" in refused.stderr
    assert {sent.method for sent in world.requests} == {"GET"}
    (tmp_path / "etl.toml").write_text("[submit]\naccept_data_terms = true\nmax_cost = 9\nseed = 5\n")
    done = invoke(*submission(server, world), "--yes", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["created"] == 1
    assert [job["seed"] for job in world.jobs.values()] == [5]


def test_the_whole_way(out: Path, tmp_path: Path, server: Server, world: World) -> None:
    """Submit, status, watch, cancel and clean, one after the other, each say what there is and end with 0."""
    agreed = ("--yes", "--max-cost", "9", "--accept-data-terms", "--plan", "per-shard")
    done = invoke(*submission(server, world, *agreed), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "gyeongsang repeat" in done.stdout
    found = invoke("status", "out", "--json", cwd=tmp_path)
    assert [row["state"] for row in json.loads(found.stdout)["jobs"]] == ["created", "created"]
    refused = error_of(invoke("cancel", "out", cwd=tmp_path), 7)
    assert "--yes" in refused
    lines = invoke("watch", "out", "--every", "0.05", "--json", cwd=tmp_path)
    assert lines.returncode == 0, lines.stderr
    news = [json.loads(line) for line in lines.stdout.splitlines()]
    assert {one["news"] for one in news} == {"event", "status", "ended"}
    again = invoke("watch", "out", cwd=tmp_path)
    assert again.returncode == 0
    assert again.stdout.count("model: ft:") == 2
    assert "no job to cancel" in invoke("cancel", "out", cwd=tmp_path).stdout
    assert invoke("clean", "out", "--yes", cwd=tmp_path).returncode == 0
    assert world.files == {}
    assert out.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="other systems have no such device")
@pytest.mark.usefixtures("out")
def test_a_watch_whose_output_is_lost(tmp_path: Path, server: Server, world: World) -> None:
    """A watch whose news cannot be written ends with 5 and one sentence, and not as if somebody had read them."""
    agreed = ("--yes", "--max-cost", "9", "--accept-data-terms")
    assert invoke(*submission(server, world, *agreed), cwd=tmp_path).returncode == 0
    line = ("watch", "out", "--every", "0.05", "--json")
    run = forked.run(forked.COMMAND_LINE, *line, cwd=tmp_path, stdout=Path("/dev/full"))
    assert run.returncode == 5, run.stderr
    assert "the result cannot be written there" in run.stderr


@pytest.mark.usefixtures("out")
def test_a_job_that_fails(tmp_path: Path, server: Server, world: World) -> None:
    """A watch of a job that fails names the lines with archive and member, and ends with 6."""
    world.flagged = (4, 13)
    agreed = ("--yes", "--max-cost", "9", "--accept-data-terms")
    assert invoke(*submission(server, world, *agreed), cwd=tmp_path).returncode == 0
    run = invoke("watch", "out", "--every", "0.05", cwd=tmp_path)
    assert run.returncode == 6
    assert "line 4 is chunks/train/gyeongsang-answer-00000.jsonl:4, from " in run.stdout
    assert ".zip!say_set1" in run.stdout


@pytest.mark.usefixtures("out")
def test_a_terminal_that_cannot_print_everything(tmp_path: Path, server: Server, world: World) -> None:
    """On a console in another encoding curves are drawn with letters, and nothing breaks."""
    agreed = ("--yes", "--max-cost", "9", "--accept-data-terms")
    done = invoke(*submission(server, world, *agreed), cwd=tmp_path, PYTHONIOENCODING="cp949")
    assert done.returncode == 0, done.stderr
    run = invoke("watch", "out", "--every", "0.05", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert run.returncode == 0, run.stderr
    assert "loss @" in run.stdout


USAGE = {
    "no-plan": ["--plan", "all"],
    "no-epochs": ["--epochs", "0"],
    "long-suffix": ["--suffix", "x" * 65],
    "no-seed": ["--seed", "-1"],
    "no-cost": ["--max-cost", "nan"],
    "no-provider": ["--provider", "nobody"],
    "no-address": ["--provider", "azure", "--base-url", "nowhere"],
    "no-file": ["--providers", "nowhere.toml"],
}


@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE)
@pytest.mark.usefixtures("out")
def test_wrong_options(tmp_path: Path, arguments: list[str]) -> None:
    """An option with a value it cannot have is refused with 2, and no ledger is made."""
    run = invoke("submit", "out", *arguments, cwd=tmp_path, OPENAI_API_KEY="none", AZURE_OPENAI_API_KEY="none")
    assert run.returncode == 2, run.stderr
    assert arguments[0] in run.stderr or arguments[1] in run.stderr or arguments[-2] in run.stderr
    assert not (tmp_path / "out" / "ledger.sqlite").exists()


def test_nothing_large_is_loaded() -> None:
    """Neither the help nor the public API loads the SDK."""
    for code in (
        "from saturi import submit, watch, SubmitOptions",
        "import click.testing; from saturi.etl.console.dispatch import cli; click.testing.CliRunner().invoke(cli, ['--help'])",
    ):
        probe = f"import sys; {code}; sys.exit('openai' in sys.modules or 'polars' in sys.modules)"
        run = subprocess.run([*command()[:1], "-c", probe], cwd=Path(__file__).parents[1], check=False)
        assert run.returncode == 0, code
