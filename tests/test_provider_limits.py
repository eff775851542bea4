"""A provider that does not stop: lists without an end, answers without a limit, waits, and addresses of another host."""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import count
from pathlib import Path
from threading import Event

import pytest
from killings import PATIENCE_SECONDS
from msgspec import structs
from provider import Fault, Server, World
from provider.answers import Answer, error
from provider.faults import FILE, JOB, calling
from submissions import HASTE, YES, assert_submitted_once, hand_in, options_for

from saturi.etl.errors import EtlError, NoAnswerError, ProviderError
from saturi.etl.providers import listing as doors
from saturi.etl.providers.account import open_account
from saturi.etl.providers.client import Client
from saturi.etl.providers.profiles import read_providers
from saturi.etl.providers.recorder import Recorder
from saturi.etl.providers.waiting import NO_ANSWER
from saturi.etl.submission.news import NoAnswer
from saturi.etl.submission.removal import clean
from saturi.etl.submission.status import status
from saturi.etl.submission.submit import submit
from saturi.etl.submission.watch import watch
from saturi.schemas.remote import Page, RemoteEvent, RemoteFile

QUICK = structs.replace(HASTE, answer_seconds=0.3, store_seconds=0.3, read_seconds=0.3, unreachable_seconds=0.3)
LINES = b'{"messages":[]}\n'


@pytest.fixture
def client(server: Server, world: World) -> Iterator[Client]:
    """A client of the world of one test, in haste."""
    account = open_account(read_providers()["openai"], server.base_url(world.name))
    with Client(account, QUICK) as made:
        yield made


@pytest.fixture
def patient(server: Server, world: World) -> Iterator[Client]:
    """A client of the world of one test that waits for large answers on a busy machine."""
    account = open_account(read_providers()["openai"], server.base_url(world.name))
    with Client(account, structs.replace(HASTE, answer_seconds=120.0, read_seconds=120.0)) as made:
        yield made


def _is_list(request: str) -> bool:
    return request.startswith("GET ") and request.endswith(("/files", "/jobs", "/events"))


def _same_page(request: str, answer: Answer) -> Answer:
    assert isinstance(answer.body, dict)
    return answer._replace(body={**answer.body, "has_more": True}) if _is_list(request) else answer


def _first_page(world: World) -> Callable[[str, Answer], Answer]:
    """Return what answers every page of a list with the first one, and that there are more."""
    first: dict[str, Answer] = {}

    def alter(request: str, answer: Answer) -> Answer:
        if not _is_list(request):
            return answer
        if "after=" not in world.requests[-1].path:
            first[request] = _same_page(request, answer)
        return first[request]

    return alter


def test_a_list_that_repeats_itself(out: Path, server: Server, world: World) -> None:
    """Where every page is the first one and has more after it, each list is read once, and everything is done as usual."""
    world.alter = _first_page(world)
    assert hand_in(out, server, world).created == 1
    [row] = watch(out, pace=HASTE)
    assert row.status == "succeeded"
    assert len(clean(out, consent=YES, pace=HASTE).deleted) == 2
    assert len(world.requests) < 100


def test_a_list_with_a_new_row_on_every_page(out: Path, server: Server, world: World) -> None:
    """A list that goes on and on is given up at the deadline; events are left at those that came until then."""
    hand_in(out, server, world)
    numbers = count()

    def alter(request: str, answer: Answer) -> Answer:
        if not _is_list(request) or not isinstance(answer.body, dict):
            return answer
        row = {"id": f"row-{next(numbers)}", "filename": "x", "status": "x", "message": "x"}
        return Answer({"data": [row], "has_more": True})

    world.alter = alter
    pace = structs.replace(QUICK, answer_seconds=60.0, unreachable_seconds=60.0)  # each page comes in time
    with pytest.raises(NoAnswerError, match="a list that does not end"):
        clean(out, consent=YES, pace=pace)
    with pytest.raises(NoAnswerError, match="a list that does not end"):
        submit(out, options_for(server, world, epochs=3), consent=YES, pace=pace)
    [row] = watch(out, pace=pace)
    assert row.status == "succeeded"


class Endless(Recorder):
    """A port with lists without an end, which answers at once."""

    def __init__(self) -> None:
        super().__init__()
        self.pages = count()

    def list_files(self, after: str | None = None) -> Page[RemoteFile]:  # noqa: ARG002 - the port's signature
        """Return another file, and a cursor."""
        name = f"file-{next(self.pages)}"
        return Page((RemoteFile(id=name, name=name, bytes=1, status=None, state="ready"),), name)

    def list_events(self, job_id: str, after: str | None = None) -> Page[RemoteEvent]:  # noqa: ARG002 - as above
        """Return another event, and a cursor."""
        name = f"event-{next(self.pages)}"
        event = RemoteEvent(id=name, at=0, level="", message="", step=None, train_loss=None, valid_loss=None)
        return Page((event,), name)


def test_pages_of_a_list(server: Server, world: World) -> None:
    """A list of more than a thousand pages is given up, and of events no more than a hundred pages are read."""
    account = open_account(read_providers()["openai"], server.base_url(world.name))
    port = Endless()
    with Client(account, structs.replace(HASTE, read_seconds=600.0), port=port) as client:
        with pytest.raises(NoAnswerError, match="a list that does not end"):
            client.list_files()
        assert next(port.pages) == doors.MOST_PAGES
        assert len(client.list_events("ftjob-1")) == doors.MOST_EVENT_PAGES


DRIPS = {"body": False, "head": True}


@pytest.mark.parametrize("head", DRIPS.values(), ids=DRIPS)
def test_a_byte_now_and_then(client: Client, world: World, head: bool) -> None:
    """An answer that comes byte by byte is given up when its time is up, headers or body, of reads and of uploads."""
    endless = b" " * 1_000_000  # at this pace it takes hours
    world.alter = lambda _, answer: answer._replace(body=endless, drip_seconds=0.05, drip_head=head)
    with pytest.raises(NoAnswerError, match="none in time"):
        client.list_files()
    with pytest.raises(NoAnswerError, match="none in time"):
        client.send_file("saturi-0.jsonl", len(LINES), BytesIO(LINES), time.monotonic() + 0.5)


def test_a_provider_that_does_not_read(patient: Client, world: World) -> None:
    """A file that the provider does not take in is given up when the time for it is up."""
    given_up = Event()

    def stall() -> None:
        given_up.wait(PATIENCE_SECONDS)  # and then the right answer, which would be no error

    world.faults += [calling(FILE, "before", stall) for _ in range(9)]  # each time it is sent
    content = b"x" * 30_000_000
    with pytest.raises(NoAnswerError, match="none in time"):
        patient.send_file("saturi-0.jsonl", len(content), BytesIO(content), time.monotonic() + 0.5)
    given_up.set()


@pytest.mark.parametrize("status_code", [200, 500])
@pytest.mark.parametrize("declared", [True, False])
def test_an_answer_without_a_limit(patient: Client, world: World, status_code: int, declared: bool) -> None:
    """Of an answer over 64 MiB no more is read, whatever its status, and it is not asked for again."""
    pieces = b'{"data": [], "more": "' + b"x" * (65 << 20) + b'"}'
    seen: list[str] = []

    def alter(request: str, _: Answer) -> Answer:
        seen.append(request)
        return Answer(pieces, status_code, declared=declared)

    world.alter = alter
    with pytest.raises(NoAnswerError, match="more than 64 MiB"):
        patient.list_files()
    assert len(seen) == 1


def test_an_answer_that_is_packed(patient: Client, world: World) -> None:
    """A packed answer is read within the same limit, and one that is packed more than once is not read."""
    zeros = gzip.compress(b"[" + b"0," * (40 << 20) + b"0]")
    seen: list[str] = []
    for content, encoding in ((zeros, "gzip"), (gzip.compress(zeros), "gzip, gzip")):

        def alter(request: str, _: Answer, content: bytes = content, encoding: str = encoding) -> Answer:
            seen.append(request)
            return Answer(content, headers=(("Content-Encoding", encoding),))

        world.alter = alter
        with pytest.raises(NoAnswerError, match="more than"):
            patient.list_files()
    assert len(seen) == 2
    world.alter = lambda _, answer: Answer(
        gzip.compress(json.dumps(answer.body).encode()), headers=(("Content-Encoding", "gzip"),)
    )
    assert patient.list_files() == []


MOVES: dict[str, tuple[int, type[EtlError]]] = {
    "301": (301, NoAnswerError),
    "302": (302, NoAnswerError),
    "303": (303, NoAnswerError),
    "307": (307, ProviderError),
    "308": (308, ProviderError),
}


@pytest.mark.parametrize(("code", "kind"), MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("place", [FILE, JOB, "GET /files"], ids=["file", "job", "list"])
def test_a_redirect(out: Path, server: Server, world: World, place: str, code: int, kind: type[EtlError]) -> None:
    """No redirect is followed: the new address is named, and neither a file nor the key goes there."""
    other = server.world(f"{world.name}-other")
    address = f"{server.base_url(other.name)}/files"
    world.faults.append(Fault(place, answer=Answer({}, code, (("Location", address),))))
    with pytest.raises(kind, match="it has moved to") as refusal:
        hand_in(out, server, world)
    assert type(refusal.value) is kind
    assert address in str(refusal.value)
    assert other.requests == []
    assert world.jobs == {}


def test_a_provider_that_asks_for_no_wait(out: Path, server: Server, world: World) -> None:
    """A provider that asks to come back at once is asked no more often than one that asks for nothing."""
    pace = structs.replace(HASTE, first_wait_seconds=0.2, longest_wait_seconds=0.2, upload_seconds=0.5)
    for asked in ("0", "-1", "nan", "Fri, 27 Nov 2020 03:18:01 GMT"):
        busy = error(503, "busy")._replace(headers=(("Retry-After", asked),))
        world.faults[:] = [Fault(FILE, answer=busy) for _ in range(100)]
        with pytest.raises(NoAnswerError, match=r"answer 503|in time"):
            submit(out, options_for(server, world), consent=YES, pace=pace)
        tries = sum(fault.seen > 0 for fault in world.faults)
        assert tries <= 0.5 / 0.1 + 1  # a wait is at least half of its length


def test_a_wait_that_is_too_long(client: Client, world: World) -> None:
    """A provider that asks for a wait beyond the deadline is not waited for."""
    world.alter = lambda *_: error(429, "busy")._replace(headers=(("Retry-After", "100000"),))  # more than a day
    with pytest.raises(ProviderError, match="wait a while"):
        client.list_files()


def test_a_wait_is_reported(out: Path, server: Server, world: World) -> None:
    """While a request is repeated, that is reported with what is wrong, of any command."""
    problems: list[str] = []

    def report(news: object) -> None:
        if isinstance(news, NoAnswer) and news.problem != NO_ANSWER:
            problems.append(news.problem)
            assert news.doing.startswith(server.base_url(world.name))
            assert (news.again_seconds or 0) > 0
            assert (news.left_seconds or 0) > 0

    pace = structs.replace(HASTE, quiet_seconds=0.0)
    world.faults += [Fault("GET /files", answer=error(503, "busy"))]
    submit(out, options_for(server, world), consent=YES, pace=pace, report=report)
    assert_submitted_once(out, world)
    world.faults += [Fault("GET /fine_tuning/jobs/.*", answer=error(503, "busy"))]
    status(out, pace=pace, report=report)
    assert len(problems) == 2
    assert all("answer 503: busy" in problem for problem in problems)
