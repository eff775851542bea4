"""A provider whose answers are of wrong form: what enters is clean and of its type, and nothing else happens."""

import json
import logging
import random
import re
import shutil
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct, structs
from provider import Server, World
from provider.answers import Answer, Json
from provider.mutations import ESCAPES, mutate
from provider.world import MODEL
from services import SERVICES, Service
from submissions import ENVIRONMENT, HASTE, KEY, YES, assert_submitted_once, hand_in, options_for, profile

from saturi.etl.errors import EtlError, NoAnswerError
from saturi.etl.providers.account import open_account
from saturi.etl.providers.client import Client
from saturi.etl.providers.port import Part
from saturi.etl.providers.profiles import read_providers
from saturi.etl.submission.cancellation import cancel
from saturi.etl.submission.ledger import Ledger
from saturi.etl.submission.news import JobEvent, News
from saturi.etl.submission.removal import clean
from saturi.etl.submission.status import status
from saturi.etl.submission.submit import submit
from saturi.etl.submission.watch import watch
from saturi.schemas.remote import JobRequest

LOG = logging.getLogger(__name__)
BRIEF = structs.replace(
    HASTE, read_seconds=0.02, upload_seconds=0.3, unreachable_seconds=0.05, answer_seconds=2.0, store_seconds=2.0
)
RAW = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f\ud800-\udfff]")
LINES = b'{"messages":[]}\n'
FILE = "saturi-0.jsonl"


def texts_of(value: Any) -> Iterator[str]:
    """Yield every text in *value*."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Struct):
        yield from texts_of(structs.asdict(value))
    elif isinstance(value, dict):
        yield from texts_of([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts_of(one)


def assert_clean(value: Any) -> None:
    """Check that *value* is of the types it is declared with, finite, and that its texts may be printed and kept."""
    json.dumps(msgspec.to_builtins(value), allow_nan=False)
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, Struct):
            assert msgspec.convert(msgspec.to_builtins(one), type=type(one)) == one
    for text in texts_of(value):
        assert RAW.search(text) is None, text
        assert KEY not in text
        assert len(text) < 15_000  # 2,000 characters, each perhaps as an escape
        text.encode()


REQUEST = JobRequest(model=MODEL, training_file="file-1", validation_file=None, epochs=1, metadata={"saturi_key": "k"})

CALLS: dict[str, Callable[[Client], object]] = {
    "list_files": lambda client: client.list_files(),
    "find_file": lambda client: client.find_file(FILE, len(LINES)),
    "get_file": lambda client: client.get_file("file-1"),
    "send_file": lambda client: client.send_file(FILE, len(LINES), BytesIO(LINES), time.monotonic() + 0.05),
    "delete_file": lambda client: client.delete_file("file-1"),
    "begin_upload": lambda client: client.begin_upload(FILE, len(LINES), 1, time.monotonic() + 0.05),
    "send_part": lambda client: client.send_part(
        "a part", "upload_1", Part(1, len(LINES)), BytesIO(LINES), time.monotonic() + 0.05
    ),
    "complete_upload": lambda client: client.complete_upload(
        "upload_1", ["part_1"], "0" * 32, (FILE, len(LINES)), time.monotonic() + 0.05
    ),
    "cancel_upload": lambda client: client.cancel_upload("upload_1"),
    "create_job": lambda client: client.create_job(REQUEST),
    "list_jobs": lambda client: client.list_jobs({"saturi_key": "k"}),
    "has_jobs": lambda client: client.has_jobs(),
    "get_job": lambda client: client.get_job("ftjob-1"),
    "cancel_job": lambda client: client.cancel_job("ftjob-1"),
    "list_events": lambda client: client.list_events("ftjob-1"),
    "get_model": lambda client: client.get_model(MODEL),
}

_JOB: Json = {
    "id": "ftjob-1",
    "object": "fine_tuning.job",
    "created_at": 1,
    "finished_at": 2,
    "status": "failed",
    "model": MODEL,
    "training_file": "file-1",
    "validation_file": None,
    "fine_tuned_model": "ft:x",
    "trained_tokens": 7,
    "metadata": {"saturi_key": "k", "saturi_attempt": "1"},
    "error": {"code": "invalid_training_file", "message": "Example 4 is empty", "param": "training_file"},
}
_FILE: Json = {"id": "file-1", "object": "file", "filename": FILE, "bytes": len(LINES), "status": "processed"}
_EVENT: Json = {
    "id": "ftevent-1",
    "created_at": 1,
    "level": "info",
    "message": "Step 1",
    "type": "metrics",
    "data": {"step": 1, "train_loss": 1.5, "valid_loss": 1.6},
}


def _list(*rows: Json) -> Json:
    return {"object": "list", "data": list(rows), "has_more": False}


GOOD: dict[str, Json] = {
    r"GET /files": _list(_FILE, {**_FILE, "id": "file-2"}),
    r"(GET|POST) /files.*": _FILE,
    r"DELETE /files/.*": {"id": "file-1", "deleted": True},
    r"POST /uploads/.*/parts": {"id": "part_1", "object": "upload.part"},
    r"POST /uploads/.*/complete": {"id": "upload_1", "status": "completed", "file": _FILE},
    r"POST /uploads.*": {"id": "upload_1", "status": "pending", "file": None},
    r"GET /fine_tuning/jobs": _list(_JOB, {**_JOB, "id": "ftjob-2"}),
    r"GET /fine_tuning/jobs/.*/events": _list(_EVENT, {**_EVENT, "id": "ftevent-2"}),
    r".* /fine_tuning/jobs.*": _JOB,
    r"GET /models/.*": {"id": MODEL, "object": "model", "shutdown_date": "2999-01-01"},
}
"""A good answer to each request."""


def good_answer(request: str) -> Answer:
    """Return a good answer to *request*, whatever it is about."""
    return next(Answer(body) for pattern, body in GOOD.items() if re.fullmatch(pattern, request))


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Client]:
    """A client of a world in which there is an answer to everything."""
    environment = pytest.MonkeyPatch()
    environment.setenv("OPENAI_API_KEY", KEY)
    account = open_account(read_providers()["openai"], server.base_url("hostile-calls"))
    with Client(account, BRIEF) as made:
        yield made
    environment.undo()


@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_is_answered_in_another_form(
    client: Client, server: Server, pytestconfig: pytest.Config, call: str
) -> None:
    """Of an answer of wrong form each call makes clean values of their types, or an error in one sentence."""
    world = server.world("hostile-calls")
    errors = 0
    for seed in range(pytestconfig.getoption("--faults") * 2 // 5):
        rng = random.Random(f"{call} {seed}")
        world.alter = lambda request, _, rng=rng: mutate(good_answer(request), rng)
        try:
            assert_clean(CALLS[call](client))
        except EtlError as error:
            assert_clean(str(error))
            errors += 1
    LOG.info("%s: %d errors", call, errors)
    world.alter = lambda request, _: good_answer(request)
    assert_clean(CALLS[call](client))


@pytest.mark.parametrize("part", range(4))
def test_a_provider_that_goes_mad(
    built: Path, server: Server, tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    """After any answers of wrong form the ledger can be read, no job is there twice, and the next run gets through."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    in_parts = profile(tmp_path, "uploads_threshold_bytes = 4_000", "max_part_bytes = 3_000")
    for number in range(part, pytestconfig.getoption("--faults") // 5, 4):
        rng = random.Random(number)
        world = server.world(f"mad-{tmp_path.name}-{number}")
        out = Path(shutil.copytree(built, tmp_path / "out"))
        options = options_for(server, world, **({"providers": in_parts} if rng.random() < 0.5 else {}))
        share = rng.choice((0.05, 0.2, 1.0))

        def alter(_: str, answer: Answer, rng: random.Random = rng, share: float = share) -> Answer:
            return mutate(answer, rng) if rng.random() < share else answer

        world.alter = alter
        news: list[News] = []
        _attempt(lambda: submit(out, options, consent=YES, pace=BRIEF, report=news.append))  # noqa: B023 - called at once
        for verb in (status, watch, cancel, clean):
            _attempt(lambda: verb(out, pace=BRIEF, report=news.append))  # noqa: B023 - as above
        assert_clean([*news])
        world.alter = None
        assert len(world.jobs) <= 1, number
        with Ledger(out / "ledger.sqlite") as ledger:
            assert_clean([*ledger.jobs(), *ledger.files()])
        if not world.jobs:  # it may be that the request was on its way, which only a person can say
            _attempt(lambda: submit(out, options, consent=YES, pace=HASTE))  # noqa: B023 - as above
        if world.jobs:
            submit(out, options, consent=YES, pace=HASTE)
            assert_submitted_once(out, world)
        shutil.rmtree(out)
        shutil.rmtree(world.folder)


@pytest.mark.parametrize("service", [one for one in SERVICES if one.name != "openai"], ids=lambda one: one.name)
def test_a_wire_that_goes_mad(
    service: Service,
    built_large: Path,
    server: Server,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same holds in every other wire format, of its store, too: nothing is there twice, and nothing hostile gets in."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for number in range(max(1, pytestconfig.getoption("--faults") // 30)):
        rng = random.Random(f"{service.name} {number}")
        world = service.world(server, f"mad-{tmp_path.name}-{number}")
        out = Path(shutil.copytree(built_large, tmp_path / f"out-{number}"))
        options, share = service.options(server, world), (1.0, 0.05, 0.2)[number % 3]

        def alter(_: str, answer: Answer, rng: random.Random = rng, share: float = share) -> Answer:
            return mutate(answer, rng) if rng.random() < share else answer

        world.alter = alter
        news: list[News] = []
        _attempt(lambda: submit(out, options, consent=YES, pace=BRIEF, report=news.append))  # noqa: B023 - called at once
        access = service.access(server, world)
        for verb in (status, watch, cancel, clean):
            _attempt(lambda: verb(out, access=access, pace=BRIEF, report=news.append))  # noqa: B023 - as above
        assert_clean([*news])
        world.alter = None
        assert len(world.jobs) <= 1, number
        with Ledger(out / "ledger.sqlite") as ledger:
            assert_clean([*ledger.jobs(), *ledger.files()])
        if not world.jobs:
            _attempt(lambda: submit(out, options, consent=YES, pace=HASTE))  # noqa: B023 - as above
        if world.jobs:
            submit(out, options, consent=YES, pace=HASTE)
            service.assert_once(out, world)


def _attempt(call: Callable[[], object]) -> None:
    """Make *call*, which may fail in a sentence."""
    try:
        call()
    except EtlError as error:
        assert_clean(str(error))


def test_a_loss_that_is_no_number(out: Path, server: Server, world: World) -> None:
    """Events of a run that diverges, with NaN and infinite losses, are reported without these, and the watch goes on."""
    hand_in(out, server, world)

    def diverge(request: str, answer: Answer) -> Answer:
        if not request.endswith("/events"):
            return answer
        values = cycle((b"NaN", b"-Infinity", b"1e999"))
        content = json.dumps(answer.body).encode()
        return answer._replace(body=re.sub(rb'loss": [0-9.]+', lambda _: b'loss": ' + next(values), content))

    world.alter = diverge
    news: list[News] = []
    [row] = watch(out, pace=HASTE, report=news.append)
    assert row.status == "succeeded"
    events = [one for one in news if isinstance(one, JobEvent)]
    assert len([event for event in events if event.step is not None]) == 10
    assert {event.train_loss for event in events} == {None}


def test_a_file_without_an_id(out: Path, server: Server, world: World) -> None:
    """A file that the provider answers without an id is not taken for one that is there; the next run finds it."""
    world.alter = lambda request, answer: (
        Answer({"object": "file", "status": "processed"}) if request == "POST /files" else answer
    )
    with pytest.raises(NoAnswerError, match="no id in it"):
        hand_in(out, server, world)
    assert [file.state for file in status(out, pace=HASTE).files] == ["sending"]
    world.alter = None
    assert hand_in(out, server, world).created == 1
    assert_submitted_once(out, world)


def test_a_job_under_another_id(out: Path, server: Server, world: World) -> None:
    """A job that is answered under another id stays the one that was created."""
    [created] = hand_in(out, server, world).jobs
    world.alter = lambda _, answer: answer._replace(body={**json.loads(json.dumps(answer.body)), "id": "ftjob-other"})
    assert status(out, pace=HASTE).jobs[0].job_id == created.job_id
    world.alter = None
    assert watch(out, pace=HASTE)[0].status == "succeeded"


def test_texts_of_a_provider(out: Path, server: Server, world: World) -> None:
    """Controls, line ends and the key in any text of a provider are escapes or masked when they enter."""
    hand_in(out, server, world)
    bad = f"{ESCAPES} {KEY}"
    error = {"code": bad, "message": bad, "param": bad}

    def forge(request: str, answer: Answer) -> Answer:
        assert isinstance(answer.body, dict)
        if request.endswith("/events"):
            rows = [{**row, "message": bad, "level": bad} for row in answer.body["data"]]
            return answer._replace(body={**answer.body, "data": rows})
        return answer._replace(body={**answer.body, "status": "failed", "error": error, "fine_tuned_model": bad})

    world.alter = forge
    news: list[News] = []
    [row] = watch(out, pace=HASTE, report=news.append)
    assert_clean([row, *news])
    assert row.fine_tuned_model is None
    for text in (row.error_code, row.error_message, row.error_param):
        assert text is not None
        assert text.startswith(r"\x1b]52;c;aGFja2Vk\x07\x1b[2J\x9b31m saturi: forged\u2028")
        assert text.endswith("(key)")
    world.alter = lambda *_: Answer({"error": error}, 400)
    with pytest.raises(EtlError) as refusal:
        hand_in(out, server, world, epochs=3)
    assert_clean(str(refusal.value))
