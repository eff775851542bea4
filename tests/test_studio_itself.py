"""
Unsloth Studio itself, on this machine and without a GPU: what it is asked, what it answers, and how the imitation compares.

It runs where `--unsloth PYTHON` names the Python that it is installed for (`make test-unsloth` installs it, without torch), offline
and in a folder of its own. Its jobs begin and then fail, since there is nothing to train with; what leads to a model and to
chats is not seen here.
"""

import json
import os
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
from msgspec import structs
from provider import Server, World

from saturi.etl.errors import ProviderError, SpendingError
from saturi.etl.providers.pace import Pace
from saturi.etl.submission.consent import PriorConsent
from saturi.etl.submission.execution import Submission
from saturi.etl.submission.ledger import LEDGER, Ledger
from saturi.etl.submission.news import JobEvent, News
from saturi.etl.submission.options import SubmitOptions
from saturi.etl.submission.removal import clean
from saturi.etl.submission.submit import submit
from saturi.etl.submission.watch import watch
from saturi.schemas.ledger import FAILED

START_SECONDS = 180
PASSWORD = "invented-password-1"  # noqa: S105 - of a Studio that lives as long as these tests
PACE = Pace(poll_seconds=0.5, looks_seconds=(0.0, 1.0, 1.0), first_wait_seconds=0.2, longest_wait_seconds=1.0)
DIRECT: dict[str, Any] = {"timeout": 60, "trust_env": False}


class Studio(NamedTuple):
    """A Studio that runs: its address, a key for it, and a folder that it takes for a model."""

    base_url: str
    key: str
    model: str


@pytest.fixture(scope="module")
def studio_itself(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Unsloth Studio, with a key."""
    python: Path | None = pytestconfig.getoption("--unsloth")
    if python is None:
        pytest.skip("no --unsloth PYTHON: Unsloth Studio is installed by `make test-unsloth`")
    home, port = tmp_path_factory.mktemp("studio"), _free_port()
    code = "import importlib.util as u; print(u.find_spec('studio').submodule_search_locations[0])"
    package = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    process = subprocess.Popen(
        [python.absolute(), "run.py", "--host", "127.0.0.1", "--port", str(port), "--api-only"],
        cwd=Path(package, "backend"),
        env={
            **os.environ,
            "HOME": str(home),
            "UNSLOTH_STUDIO_HOME": str(home / "studio"),
            "UNSLOTH_STUDIO_PASSWORD": PASSWORD,
            "HF_HUB_OFFLINE": "1",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, process)
        owner = {"username": "unsloth", "password": PASSWORD}
        token = httpx2.post(f"{address}/api/auth/login", json=owner, **DIRECT).json()["access_token"]
        made = httpx2.post(f"{address}/api/auth/api-keys", json={"name": "saturi"}, headers=_with(token), **DIRECT)
        yield Studio(f"{address}/v1", made.json()["key"], str(_tiny_model(home / "model")))
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
        process.wait()


@pytest.fixture
def at_studio(studio_itself: Studio, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """Unsloth Studio, its key in the environment."""
    monkeypatch.setenv("UNSLOTH_API_KEY", studio_itself.key)
    return studio_itself


def train(out: Path, studio: Studio, **more: Any) -> Submission:
    """Submit *out* to *studio*, with nothing agreed to."""
    consent = more.pop("consent", PriorConsent())
    given: dict[str, Any] = {"provider": "unsloth", "model": studio.model, "base_url": studio.base_url, "epochs": 2}
    return submit(out, SubmitOptions(**{**given, **more}), consent=consent, pace=PACE)


def test_a_job_from_its_creation_to_its_end(out: Path, at_studio: Studio) -> None:
    """A job is created with nothing agreed to, watched to its end, and fails in Studio's words for want of torch."""
    done = train(out, at_studio, suffix="from  start to end", seed=7)
    assert (done.created, done.plan.usd) == (1, 0.0)
    assert any("does not list" in note for note in done.plan.notes)
    news: list[News] = []
    [row] = watch(out, report=news.append, pace=PACE)
    assert (row.status, row.error_code) == (FAILED, "training_failed")
    events = [one for one in news if isinstance(one, JobEvent)]
    assert events[0].message == "Fine-tuning job started"
    assert events[-1].level == "error"


def test_a_job_whose_answer_was_lost(out: Path, at_studio: Studio) -> None:
    """A job of which the ledger has only the intent is found in Studio's list, and so is one without any ledger."""
    [row] = train(out, at_studio, suffix="an answer  lost", seed=11).jobs
    with Ledger(out / LEDGER) as ledger:
        ledger.save_job(structs.replace(row, state="intended", job_id=None, status=None))
    with suppress(SpendingError):  # it may have failed by now
        train(out, at_studio, suffix="an answer  lost", seed=11)
    with Ledger(out / LEDGER) as ledger:
        assert [one.job_id for one in ledger.jobs()] == [row.job_id]
    watch(out, pace=PACE)
    (out / LEDGER).unlink()
    with pytest.raises(SpendingError, match=f"submitted before, as {row.job_id}, and failed"):
        train(out, at_studio, suffix="an answer  lost", seed=11)


def test_one_after_another(out: Path, at_studio: Studio) -> None:
    """The jobs of a plan are created one after another, and the file that is there is used again."""
    done = train(out, at_studio, plan="per-shard", suffix="in turn", seed=13)
    assert done.created == 2
    first, second = (row.job_id for row in done.jobs)
    assert first != second
    watch(out, pace=PACE)
    before = _get(at_studio, "/files")["data"]
    train(out, at_studio, plan="per-shard", suffix="in turn", seed=14)
    watch(out, pace=PACE)
    assert _get(at_studio, "/files")["data"] == before


def test_what_it_refuses(out: Path, at_studio: Studio) -> None:
    """What Studio does not know, or cannot have, is one sentence in its own words, and no job is left in doubt."""
    own = out.parent / "profile.toml"
    own.write_text("[unsloth]\nextra_body = { nonsense = 1 }\n", encoding="utf-8")
    with pytest.raises(ProviderError, match=r"answer 400: Unknown parameter\(s\): nonsense"):
        train(out, at_studio, providers=own)
    with pytest.raises(ProviderError, match="answer 409: Offline mode"):
        train(out, at_studio, model="unsloth/Qwen2.5-0.5B-Instruct")
    with Ledger(out / LEDGER) as ledger:
        assert {row.state for row in ledger.jobs()} == {"refused"}


def test_files_stay(out: Path, at_studio: Studio) -> None:
    """Cleaning leaves the files at Studio and names them."""
    train(out, at_studio, suffix="files", seed=17)
    watch(out, pace=PACE)
    kept = set(clean(out, consent=PriorConsent(yes=True), pace=PACE).kept)
    assert kept <= {file["filename"] for file in _get(at_studio, "/files")["data"]}


JOB = {
    "suffix": "a  b",
    "seed": 7,
    "train_on_completions": True,
    "metadata": {"a": "b"},
    "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
}
LINE = json.dumps({"messages": [{"role": "user", "content": "묵었나"}, {"role": "assistant", "content": "먹었니"}]})


def test_the_imitation(at_studio: Studio, server: Server, studio: World) -> None:
    """The provider of the tests answers a course of requests with the same statuses, fields and words as Studio itself."""
    imitation = Studio(server.base_url(studio.name), "any", "/a/folder")
    studio.steps = ("validating_files", "running", "running", "running", "running", "running")
    assert _course(imitation) == _course(at_studio)


def _course(studio: Studio) -> list[Any]:
    """Return the form of the answers to requests good and bad; of a list that of its first row."""
    answers = [
        _ask(studio, "GET", "/models/unsloth/Qwen2.5-1.5B-Instruct"),
        _ask(studio, "POST", "/uploads", {}),
        _ask(studio, "DELETE", "/files/file-1"),
        _ask(studio, "GET", "/files/file-1"),
        _send(studio, "a.zip", "fine-tune"),
        _send(studio, "a.jsonl", "assistants"),
    ]
    file = _send(studio, "saturi-" + 64 * "a" + ".jsonl", "fine-tune")
    good = {**JOB, "model": studio.model, "training_file": file[1]["id"], "validation_file": file[1]["id"]}
    answers += [
        file,
        _ask(studio, "GET", "/files?limit=1"),
        _ask(studio, "GET", "/files?after=file-nowhere"),
        _ask(studio, "POST", "/fine_tuning/jobs", {**good, "nonsense": 1}),
        _ask(studio, "POST", "/fine_tuning/jobs", {"training_file": file[1]["id"]}),
        _ask(studio, "POST", "/fine_tuning/jobs", {**good, "training_file": "file-1"}),
        _create(studio, {**good, "model": "nowhere"}),
        created := _create(studio, good),
        _ask(studio, "POST", "/fine_tuning/jobs", good),
        _ask(studio, "GET", "/fine_tuning/jobs?limit=1"),
        _ask(studio, "GET", "/fine_tuning/jobs/ftjob_1"),
        _ask(studio, "POST", f"/fine_tuning/jobs/{created[1]['id']}/pause"),
        _ask(studio, "POST", f"/fine_tuning/jobs/{created[1]['id']}/cancel"),
        _ask(studio, "POST", f"/fine_tuning/jobs/{created[1]['id']}/cancel"),
    ]
    return [(status, _form(body)) for status, body in answers]


def _create(studio: Studio, job: Any) -> tuple[int, Any]:
    """Create a job, or have it refused for good, as soon as the one of the test before is tidied up."""
    for _ in range(60):
        status, body = _ask(studio, "POST", "/fine_tuning/jobs", job)
        if status != 409 or body["error"]["code"] is not None:
            break
        time.sleep(1)
    return status, body


def _form(body: Any) -> Any:
    """Return what of a body does not depend on ids, times and paths."""
    if "error" in body and isinstance(body["error"], dict):
        return {name: body["error"][name] for name in ("type", "param", "code")}
    if "data" in body:
        return (sorted(body), [sorted(row) for row in body["data"][:1]])
    shown = {name: body.get(name) for name in ("object", "seed", "suffix", "metadata", "purpose")}
    return (sorted(body), shown, (body.get("model") or "")[:4])


def _ask(studio: Studio, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    return _answer(httpx2.request(method, studio.base_url + path, json=body, headers=_with(studio.key), **DIRECT))


def _send(studio: Studio, name: str, purpose: str) -> tuple[int, Any]:
    form: dict[str, Any] = {"data": {"purpose": purpose}, "files": {"file": (name, f"{LINE}\n".encode())}}
    return _answer(httpx2.post(f"{studio.base_url}/files", headers=_with(studio.key), **form, **DIRECT))


def _answer(response: httpx2.Response) -> tuple[int, Any]:
    return response.status_code, response.json()


def _with(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _get(studio: Studio, path: str) -> Any:
    return _ask(studio, "GET", path)[1]


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx2.get(f"{address}/api/health", **DIRECT).raise_for_status()
        except httpx2.HTTPError:
            assert process.poll() is None, "Unsloth Studio did not start"
            assert time.monotonic() < deadline, "Unsloth Studio does not answer"
            time.sleep(0.5)
        else:
            return


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _tiny_model(folder: Path) -> Path:
    """Make a folder that has the files of a model, and return it."""
    folder.mkdir()
    config = {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 16, "vocab_size": 64}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    header = json.dumps({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    return folder
