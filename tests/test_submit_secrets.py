"""The key stands in nothing that is written, and no speaker and no file name in anything that is sent."""

import json
import logging
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, member, stem, write_zip
from provider import MODELS, PROVIDERS, Fault, Server, World
from provider.answers import error
from provider.faults import FILE, JOB, answer_lost, refused
from provider.world import MODEL
from runs import ROOT, commands, invoke

CANARY = "sk-canary-7f3a9c51d2e84b60"


def run(here: Path, *lines: list[str]) -> tuple[list[int], subprocess.CompletedProcess[str]]:
    """Run command *lines* in *here*, the key in their environment, as talkative as they can be; return their exit codes, too."""
    variables = {"OPENAI_API_KEY": CANARY, "OPENAI_LOG": "debug", "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT)}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI")}
    done = subprocess.run(
        commands(*lines),
        cwd=here,
        env=inherited | variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "HTTP Request: " in done.stderr  # as the library says it
    return json.loads(done.stdout.splitlines()[-1]), done


def submitting(server: Server, world: World, *more: str) -> list[str]:
    """Return the arguments of a submission of `out` to *world*."""
    address = server.base_url(world.name)
    agreed = ["--yes", "--max-cost", "5", "--accept-data-terms", "--epochs", "1"]
    agreed += ["--providers", str(PROVIDERS), "--models", str(MODELS)]
    return ["submit", "out", "--base-url", address, "--model", MODEL, *agreed, *more]


def assert_nowhere(secret: str, folder: Path, *runs: subprocess.CompletedProcess[str]) -> None:
    """Check that *secret* is in no file below *folder*, in no name of one, and in no output of *runs*."""
    for path in folder.rglob("*"):
        assert secret not in path.name
        assert path.is_dir() or secret.encode() not in path.read_bytes(), path
    for one in runs:
        assert secret not in one.stdout + one.stderr


@pytest.mark.usefixtures("out")
def test_the_key(tmp_path: Path, server: Server, world: World) -> None:
    """Through successes, refusals that say the key back, and lost answers, the key is in no file and no output."""
    world.key = CANARY
    said_back = error(401, f"Incorrect API key provided: {CANARY}.", "invalid_api_key")
    world.faults += [Fault("GET .*", answer=said_back), refused(FILE, 400)]
    world.faults += [refused(JOB, 403, "training_not_available"), answer_lost(JOB)]
    submissions = [submitting(server, world) for _ in range(5)]  # four meet a fault, one each
    others = [[verb, "out"] for verb in ("status", "cancel", "clean")]
    watching = ["watch", "out", "--every", "0.05", "--json"]
    codes, done = run(tmp_path, *submissions, submitting(server, world, "--dry-run", "--json"), *others, watching)
    assert codes[:5] == [6, 6, 7, 6, 0], done.stderr
    assert codes[-1] == 0, done.stderr
    assert "Incorrect API key provided: (key)" in done.stderr
    assert "answer 400" in done.stderr
    assert_nowhere(CANARY, tmp_path, done)
    assert any(f"Bearer {CANARY}" in dict(sent.headers).values() for sent in world.requests)


@pytest.mark.usefixtures("out")
def test_a_key_in_a_file(tmp_path: Path, server: Server, world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A key file that others can read, or that is gone, is refused; one with mode 0600 does, and goes before the environment."""
    caplog.set_level(logging.DEBUG)
    world.key = CANARY
    (tmp_path / "etl.toml").write_text('[submit]\nkey_file = "key"\n')
    (tmp_path / "key").write_text(CANARY + "\n")
    (tmp_path / "key").chmod(0o644)
    readable = invoke(*submitting(server, world), cwd=tmp_path, OPENAI_API_KEY="")
    assert (readable.returncode, "chmod 600" in readable.stderr) == (2, True)
    (tmp_path / "key").chmod(0o600)
    done = invoke(*submitting(server, world), cwd=tmp_path, OPENAI_API_KEY="sk-wrong")
    assert done.returncode == 0, done.stderr
    watching = invoke("watch", "out", "--every", "0.05", cwd=tmp_path, OPENAI_API_KEY="")
    assert watching.returncode == 0, watching.stderr
    (tmp_path / "key").unlink()
    gone = invoke(*submitting(server, world, "--seed", "1"), cwd=tmp_path, OPENAI_API_KEY="sk-wrong")
    assert gone.returncode == 2
    assert_nowhere(CANARY, tmp_path, readable, done, watching, gone)
    assert "HTTP Request: " in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.usefixtures("out")
def test_no_key(tmp_path: Path, server: Server, world: World) -> None:
    """Without a key nothing is asked, and the variable is named; a dry run needs none."""
    found = invoke(*submitting(server, world), cwd=tmp_path, OPENAI_API_KEY="")
    assert (found.returncode, found.stdout) == (2, "")
    assert "OPENAI_API_KEY" in found.stderr
    assert world.requests == []
    assert invoke(*submitting(server, world, "--dry-run"), cwd=tmp_path, OPENAI_API_KEY="").returncode == 0


def test_no_speaker_and_no_file_name(tmp_path: Path, server: Server, world: World) -> None:
    """Of speakers, collectors, their fields, and names of archives, members and folders nothing is sent."""
    canary = "kanarienvogel"
    folder = tmp_path / f"{canary}-corpus"
    rows = []
    for number in range(1, 200):
        who = {"speakerId": f"{canary}{number}", "gender": canary, "job": canary, "residenceProvince": "gs"}
        more = {"fileName": canary, "speaker": [who], "collector": {"collectorId": canary}}
        name, content = member(stem("say", str(number), 1), f"가 {number}", f"나 {number}", **more)
        rows.append((f"{canary}/{name}", content))
    write_zip(folder / canary / ANSWER_ZIP, rows)
    built = invoke("build", folder, "--out", "out", "--workers", "1", "--validation", "0.3", cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    shutil.rmtree(folder)
    done = invoke(*submitting(server, world, "--suffix", "saturi"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(world.files) == 2
    assert_nowhere(canary, world.folder)
    for sent in world.requests:
        assert canary not in repr(sent)
        assert "speakergs" not in repr(sent)
        assert str(tmp_path) not in repr(sent)
    for file in world.folder.iterdir():
        assert b"speaker" not in file.read_bytes()


def test_the_key_is_no_argument(tmp_path: Path) -> None:
    """No command has an option for the key itself."""
    for name in ("submit", "status", "watch", "cancel", "clean"):
        text = invoke(name, "--help", cwd=tmp_path).stdout
        assert ("--key" in text or "--api-key" in text) is False
