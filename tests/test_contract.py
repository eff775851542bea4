"""The contract: what every provider is held to, whatever its wire format; the same scenarios at each of them."""

import random
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from coverings import some_of
from killings import PATIENCE_SECONDS
from provider import Fault, Server, World
from provider.faults import FILE, JOB, Moment, answer_lost, calling, refused, reset
from provider.together import SIGNATURE
from services import SERVICES, Service
from submissions import ENVIRONMENT, HASTE, KEY, YES_AGAIN
from submitter import DONE, FAILED, KILLED, Errand, Victim, start

from saturi.etl.errors import BusyError, EtlError, NoAnswerError, OptionError, ProviderError, SpendingError
from saturi.etl.submission.cancellation import cancel
from saturi.etl.submission.consent import PriorConsent
from saturi.etl.submission.dry_run import requests_of
from saturi.etl.submission.ledger import LEDGER, Ledger
from saturi.etl.submission.news import JobEnded, News
from saturi.etl.submission.removal import clean
from saturi.etl.submission.status import status
from saturi.etl.submission.submit import plan_submission
from saturi.etl.submission.watch import watch
from saturi.schemas.ledger import FAILED as JOB_FAILED
from saturi.schemas.ledger import FINAL, GONE, SUCCEEDED

MOMENTS: tuple[Moment, ...] = ("before", "body", "after")
ANY = ".*"
BUSY = 429
NEVER_SHOWN = (KEY, ENVIRONMENT["NCLOUD_SECRET_KEY"], ENVIRONMENT["NCLOUD_ACCESS_KEY"], SIGNATURE)


@pytest.fixture(params=SERVICES, ids=lambda service: service.name)
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A form of the API, with what it asks for in the environment."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    found: Service = request.param
    return found


@pytest.fixture
def there(service: Service, server: Server, tmp_path: Path) -> World:
    """An account there, for one test."""
    return service.world(server, tmp_path.name)


@pytest.fixture
def steps(service: Service, pytestconfig: pytest.Config) -> Sequence[int]:
    """The requests of a submission by their numbers, the first is 1; by default other ones of each service."""
    return some_of(range(1, service.requests + 1), pytestconfig, every=4, first=SERVICES.index(service))


def assert_no_secret(folder: Path) -> None:
    """Check that no secret is in a file below *folder*."""
    for path in folder.rglob("*"):
        content = b"" if path.is_dir() else path.read_bytes()
        assert [secret for secret in NEVER_SHOWN if secret.encode() in content] == [], path


def test_plan(service: Service, large: Path, server: Server, there: World) -> None:
    """A plan and its dry run ask nothing, need no key, and show none; the requests are those that are then made."""
    plan = plan_submission(large, service.options(server, there))
    requests = requests_of(plan)
    assert there.requests == []
    assert [secret for secret in NEVER_SHOWN if secret in repr(requests)] == []
    service.hand_in(large, server, there)
    created = [
        request for request in requests if re.fullmatch(JOB, f"{request.method} {request.path.partition('?')[0]}")
    ]
    assert len(created) == len(there.jobs) == 1


def test_submit(service: Service, large: Path, server: Server, there: World) -> None:
    """A build becomes one job, and none more when it is submitted again; the ledger names the account, and no file a secret."""
    assert service.hand_in(large, server, there).created == 1
    service.assert_once(large, there)
    with Ledger(large / LEDGER) as ledger:
        [account] = ledger.accounts()
        [job] = ledger.jobs()
    assert account.base_url == server.base_url(there.name)
    assert job.job_id in there.jobs
    assert service.hand_in(large, server, there).created == 0
    service.assert_once(large, there)
    assert_no_secret(large)


def test_another_machine(service: Service, large: Path, built_large: Path, server: Server, there: World) -> None:
    """The job is found by those who have not its ledger."""
    service.hand_in(large, server, there)
    elsewhere = Path(shutil.copytree(built_large, large.parent / "elsewhere"))
    assert service.hand_in(elsewhere, server, there).created == 0
    service.assert_once(large, there)


@pytest.mark.parametrize("fault", [answer_lost(JOB), refused(JOB, 500), refused(JOB, 503), reset(JOB)], ids=str)
def test_lost_answer(service: Service, large: Path, server: Server, there: World, fault: Fault) -> None:
    """Where nobody knows whether a job was created it is looked for, and another one made only with a yes."""
    there.faults.append(Fault(fault.match, fault.moment, answer=fault.answer, body_bytes=fault.body_bytes))
    there.late_lists = 1
    with pytest.raises(NoAnswerError):
        service.hand_in(large, server, there)
    if there.jobs:
        assert service.hand_in(large, server, there).created == 0
    else:
        with pytest.raises(SpendingError, match="--resubmit"):
            service.hand_in(large, server, there)
        assert service.hand_in(large, server, there, consent=YES_AGAIN).created == 1
    service.assert_once(large, there)


def test_killed_at_each_step(
    service: Service, built_large: Path, server: Server, tmp_path: Path, steps: Sequence[int]
) -> None:
    """Killed after any request was carried out, before its answer came, the same command again ends with one job."""
    for nth in steps:
        world = service.world(server, f"{tmp_path.name}-{nth}")
        out = Path(shutil.copytree(built_large, tmp_path / f"out-{nth}"))
        victim = Victim()
        world.faults.append(calling(ANY, "after", victim.kill, nth=nth))
        assert victim.start(Errand(out, service.options(server, world))) == KILLED, nth
        hand_in_again(service, out, server, world)
        service.assert_once(out, world)


def hand_in_again(service: Service, out: Path, server: Server, world: World) -> None:
    """Submit again, with a yes to another job where none was created: only a person can say whether it was on its way."""
    failure = failure_of(lambda: service.hand_in(out, server, world))
    if failure is not None:
        assert "--resubmit" in str(failure), failure
        assert world.jobs == {}
        service.hand_in(out, server, world, consent=YES_AGAIN)


def test_twice_at_once(service: Service, large: Path, server: Server, there: World) -> None:
    """Of two submissions of one build at once, one goes on, and there is one job."""
    errand = Errand(large, service.options(server, there))
    processes = [start(errand) for _ in range(2)]
    for process in processes:
        process.join(PATIENCE_SECONDS)
    codes = {process.exitcode for process in processes}
    assert DONE in codes
    assert codes <= {DONE, FAILED}
    service.assert_once(large, there)


def test_busy(service: Service, built_large: Path, server: Server, tmp_path: Path, steps: Sequence[int]) -> None:
    """What is busy or broken for a moment is asked again, but for the creation of a job, which is sent once."""
    for nth in steps:
        world = service.world(server, f"{tmp_path.name}-{nth}")
        out = Path(shutil.copytree(built_large, tmp_path / f"out-{nth}"))
        code = (BUSY, 503)[nth % 2]
        world.faults.append(refused(ANY, code, nth=nth, retry_after="0"))
        failure = failure_of(lambda out=out, world=world: service.hand_in(out, server, world))  # type: ignore[misc]  # bound at once
        if failure is not None:
            assert isinstance(failure, BusyError if code == BUSY else NoAnswerError), (nth, failure)
            assert world.jobs == {}
            service.hand_in(out, server, world, consent=YES_AGAIN)
        service.assert_once(out, world)


def failure_of(call: Callable[[], object]) -> EtlError | None:
    """Return what *call* raises, or None."""
    try:
        call()
    except EtlError as error:
        return error
    return None


def test_refused_file(service: Service, large: Path, server: Server, there: World) -> None:
    """A file that is refused is no job; the next run sends it again."""
    there.faults.append(refused(FILE, 400))
    with pytest.raises(ProviderError, match="400"):
        service.hand_in(large, server, there)
    assert there.jobs == {}
    service.hand_in(large, server, there)
    service.assert_once(large, there)


def test_refused_job(service: Service, large: Path, server: Server, there: World) -> None:
    """A job that is refused does not exist, and is created by the next run without a question."""
    there.faults.append(refused(JOB, 400))
    with pytest.raises(ProviderError):
        service.hand_in(large, server, there)
    assert service.hand_in(large, server, there).created == 1
    service.assert_once(large, there)


def test_a_line_led_back(service: Service, large: Path, server: Server, there: World) -> None:
    """A line that a failed job names is led back to its chunk, and by the lineage to archive and member."""
    there.flagged = (40,)
    service.hand_in(large, server, there)
    news: list[News] = []
    [row] = watch(large, service.access(server, there), report=news.append, pace=HASTE)
    assert row.status == JOB_FAILED
    [ended] = [one for one in news if isinstance(one, JobEnded)]
    [flaw] = ended.flaws
    example = 40 - service.header_lines
    sizes = [path.read_bytes().count(b"\n") for path in sorted((large / "chunks" / "train").glob("*.jsonl"))]
    assert sizes[0] < example
    assert (flaw.line, flaw.chunk_line) == (example, example - sizes[0])
    assert flaw.member is not None


def test_cancel(service: Service, large: Path, server: Server, there: World) -> None:
    """A job is cancelled with a yes, and not without; one that has ended stays as it is."""
    service.hand_in(large, server, there)
    access = service.access(server, there)
    with pytest.raises(SpendingError):
        cancel(large, access=access, pace=HASTE)
    [row] = cancel(large, access=access, consent=PriorConsent(yes=True), pace=HASTE)
    assert row.status in {"cancelled", GONE}
    assert all(job["status"] == "cancelled" for job in there.jobs.values())
    assert service.hand_in(large, server, there, consent=YES_AGAIN).created == 1
    rows = watch(large, access, pace=HASTE)
    assert {row.status for row in rows} <= FINAL | {GONE}
    assert cancel(large, access=access, consent=PriorConsent(yes=True), pace=HASTE) == ()
    assert any(row.status == SUCCEEDED for row in status(large, access, pace=HASTE).jobs)


def test_followed_to_its_end(service: Service, large: Path, server: Server, there: World) -> None:
    """A job is followed to its end, and has the name of a model then; its files are deleted when it is over, and not before."""
    service.hand_in(large, server, there)
    access = service.access(server, there)
    clean(large, access, consent=PriorConsent(yes=True), pace=HASTE)
    service.assert_once(large, there)
    [row] = watch(large, access, pace=HASTE)
    assert row.status == SUCCEEDED
    assert row.fine_tuned_model
    done = clean(large, access, consent=PriorConsent(yes=True), pace=HASTE)
    assert bool(done.kept) == (service.name == "unsloth")
    assert bool(there.files) == bool(done.kept)


def test_chained(service: Service, large: Path, server: Server, there: World) -> None:
    """A chain trains each tune further, or is refused before anything is asked where that cannot be."""
    if not service.chains:
        with pytest.raises(OptionError, match="--plan"):
            service.hand_in(large, server, there, plan="chained")
        assert there.requests == []
        return
    done = service.hand_in(large, server, there, plan="chained")
    first, second = there.jobs.values()
    assert done.created == 2
    assert second["model"] == first["fine_tuned_model"]


def test_random_faults(
    service: Service,
    built_large: Path,
    server: Server,
    tmp_path: Path,
    pytestconfig: pytest.Config,
) -> None:
    """After any fault or kill and the same command again there is one job, and no secret on the disk or in a sentence."""
    for number in range(max(1, pytestconfig.getoption("--faults") // 20)):
        rng = random.Random(f"{service.name} {number}")
        world = service.world(server, f"{tmp_path.name}-{number}")
        out = Path(shutil.copytree(built_large, tmp_path / f"out-{number}"))
        nth, world.late_lists = rng.randint(1, service.requests), rng.choice((0, 0, 1, 2))
        victim = Victim()
        kill = calling(ANY, rng.choice(MOMENTS), victim.kill, nth=nth)
        kinds = [kill, refused(ANY, rng.choice((400, 401, 403, 429, 500, 503)), nth=nth), answer_lost(ANY, nth=nth)]
        fault = rng.choice([*kinds, reset(ANY, rng.randrange(20_000), nth=nth)])
        world.faults.append(fault)
        if fault is kill:
            assert victim.start(Errand(out, service.options(server, world))) == KILLED, number
        else:
            message = str(failure_of(lambda out=out, world=world: service.hand_in(out, server, world)))  # type: ignore[misc]  # bound at once
            assert [secret for secret in NEVER_SHOWN if secret in message] == [], number
        assert fault.seen >= nth, number
        world.faults.clear()
        hand_in_again(service, out, server, world)
        service.assert_once(out, world)
        assert_no_secret(out)
        shutil.rmtree(out)
