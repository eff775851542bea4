"""Submissions while each thing goes wrong by itself: what the run says, and what the next one makes of it."""

from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest
from msgspec import structs
from provider import Fault, Server, World
from provider.answers import Answer
from provider.faults import FILE, JOB, answer_lost, refused, reset, timeout
from submissions import HASTE, YES, YES_AGAIN, assert_submitted_once, hand_in, make_build, options_for, profile

from saturi.etl.errors import EligibilityError, EtlError, NoAnswerError, ProviderError, SpendingError
from saturi.etl.submission.consent import PriorConsent
from saturi.etl.submission.status import status
from saturi.etl.submission.submit import submit

LISTS = "GET /files"
IMPATIENT = structs.replace(HASTE, answer_seconds=0.2)
TOO_LONG = 0.6

MakeFault = Callable[[], Fault]


HARMLESS = {
    "429": lambda: refused(FILE, 429),
    "429-retry-after-seconds": lambda: refused(FILE, 429, retry_after="0.01"),
    "429-retry-after-date": lambda: refused(FILE, 429, retry_after=formatdate(usegmt=True)),
    "429-retry-after-nonsense": lambda: refused(FILE, 429, retry_after="soon"),
    "500-on-upload": lambda: refused(FILE, 500),
    "503-on-upload": lambda: refused(FILE, 503),
    "503-on-list": lambda: refused(LISTS, 503),
    "500-on-jobs-list": lambda: refused("GET /fine_tuning/jobs", 500),
    "reset-at-the-first-byte": lambda: reset(FILE, 0),
    "reset-in-the-middle": lambda: reset(FILE, 5_000),
    "upload-answer-lost": lambda: answer_lost(FILE),
    "second-upload-answer-lost": lambda: answer_lost(FILE, nth=2),
    "cut-off": lambda: Fault(LISTS, answer=Answer(b'{"object": "list", "da')),
}


@pytest.mark.parametrize("fault", HARMLESS.values(), ids=HARMLESS)
def test_faults_of_reads_and_uploads(out: Path, server: Server, world: World, fault: MakeFault) -> None:
    """What breaks a read or an upload is repeated in the same run: one job, each file once, every byte."""
    world.faults.append(fault())
    assert hand_in(out, server, world).created == 1
    assert_submitted_once(out, world)


REFUSED = {
    "403": (
        lambda: refused(JOB, 403, "training_not_available"),
        EligibilityError,
        "2027-01-06: nobody can create a job",
    ),
    "quota-on-job": (lambda: refused(JOB, 429, "insufficient_quota"), EligibilityError, "used up"),
    "quota-on-upload": (lambda: refused(FILE, 429, "insufficient_quota"), EligibilityError, "used up"),
    "429-on-job": (lambda: refused(JOB, 429), ProviderError, "wait a while"),
    "400-on-job": (lambda: refused(JOB, 400), ProviderError, "answer 400"),
    "401-on-models": (lambda: refused("GET /models/.*", 401), ProviderError, "check the key in OPENAI_API_KEY"),
    "422-on-upload": (lambda: refused(FILE, 422), ProviderError, "answer 422"),
    "a-page-on-list": (lambda: Fault(LISTS, answer=Answer(b"<html>")), NoAnswerError, "text/html instead of JSON"),
    "413-on-upload": (lambda: refused(FILE, 413), ProviderError, "answer 413"),
}


@pytest.mark.parametrize(("fault", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_refusals(out: Path, server: Server, world: World, fault: MakeFault, error: type[EtlError], words: str) -> None:
    """What is refused for good is asked once, said in a sentence, and leaves the next run free to try again."""
    happened = fault()
    world.faults.append(happened)
    with pytest.raises(error, match=words):
        hand_in(out, server, world)
    assert happened.seen == 1
    assert world.jobs == {}
    assert hand_in(out, server, world).created == 1
    assert_submitted_once(out, world)


CREATED = {
    "answer-lost": lambda: answer_lost(JOB),
    "answer-late": lambda: timeout(JOB, TOO_LONG, carried_out=True),
    "a-page": lambda: Fault(JOB, "after", answer=Answer(b"<html>proxy</html>")),
    "cut-off": lambda: Fault(JOB, "after", answer=Answer(b'{"id": "ftj')),
    "500-after-all": lambda: Fault(JOB, "after", answer=Answer({"error": {"message": "oops"}}, 500)),
    "empty-object": lambda: Fault(JOB, "after", answer=Answer({})),
}


@pytest.mark.parametrize("fault", CREATED.values(), ids=CREATED)
def test_a_job_whose_answer_was_lost(out: Path, server: Server, world: World, fault: MakeFault) -> None:
    """A job that was created though nobody was told is found by the next run, even if the lists show it late."""
    world.faults.append(fault())
    world.late_lists = 2
    pace = HASTE if fault().stall_seconds == 0 else IMPATIENT
    with pytest.raises(NoAnswerError):
        submit(out, options_for(server, world), consent=YES, pace=pace)
    assert hand_in(out, server, world).created == 0
    assert_submitted_once(out, world)
    assert hand_in(out, server, world).created == 0
    assert world.count("POST", f"/{world.name}/v1/fine_tuning/jobs") == 1


NOT_CREATED = {
    "reset": lambda: reset(JOB, 0),
    "500": lambda: refused(JOB, 500),
    "409": lambda: refused(JOB, 409),
}


@pytest.mark.parametrize("fault", NOT_CREATED.values(), ids=NOT_CREATED)
def test_a_job_that_nobody_knows_of(out: Path, server: Server, world: World, fault: MakeFault) -> None:
    """Where a job may or may not be, the next run looks for it, and creates it only if that is agreed to."""
    world.faults.append(fault())
    with pytest.raises(NoAnswerError):
        hand_in(out, server, world)
    with pytest.raises(SpendingError, match="--resubmit"):
        hand_in(out, server, world)
    assert world.jobs == {}
    assert hand_in(out, server, world, consent=YES_AGAIN).created == 1
    assert_submitted_once(out, world)
    assert hand_in(out, server, world, consent=YES_AGAIN).created == 0


def test_a_job_that_shows_up_in_the_end(out: Path, server: Server, world: World) -> None:
    """A job that was given up and shows up after another was created is put into the ledger, and not repeated."""
    world.faults.append(answer_lost(JOB))
    world.late_lists = len(HASTE.looks_seconds)
    with pytest.raises(NoAnswerError):
        hand_in(out, server, world)
    [lost] = world.jobs
    world.hidden[lost] = 10_000
    assert hand_in(out, server, world, consent=YES_AGAIN).created == 1
    assert len(world.jobs) == 2
    world.hidden[lost] = 0
    assert hand_in(out, server, world).created == 0
    assert len(world.jobs) == 2
    assert lost in [row.job_id for row in status(out, pace=HASTE).jobs]


def test_a_job_that_shows_up_after_another_failed(out: Path, server: Server, world: World) -> None:
    """A job that was given up and shows up after the one in its place failed is taken, and no third one is asked for."""
    world.faults.append(answer_lost(JOB))
    world.late_lists = 10_000
    with pytest.raises(NoAnswerError):
        hand_in(out, server, world)
    [lost] = world.jobs
    [second] = [row.job_id for row in hand_in(out, server, world, consent=YES_AGAIN).jobs]
    world.jobs[second or ""]["status"] = "failed"
    world.hidden[lost] = 0
    again = hand_in(out, server, world)
    assert (again.created, [row.job_id for row in again.jobs]) == (0, [lost])


def test_a_job_found_with_a_status_of_the_providers_own(
    out: Path, server: Server, world: World, tmp_path: Path
) -> None:
    """A job that is found again after it was cancelled has ended, whatever the provider calls that."""
    named = profile(tmp_path, 'statuses = { canceled = "cancelled" }')
    world.faults.append(answer_lost(JOB))
    with pytest.raises(NoAnswerError):
        hand_in(out, server, world, providers=named)
    [job] = world.jobs.values()
    job["status"] = "canceled"
    world.steps = ("canceled",)
    with pytest.raises(SpendingError, match="cancelled"):
        hand_in(out, server, world, providers=named)


def test_agreeing_to_another_and_to_no_cost(out: Path, server: Server, world: World) -> None:
    """Who agrees to another job and then not to its cost has given up nothing: the first one is looked for again."""
    world.faults.append(answer_lost(JOB))
    world.late_lists = len(HASTE.looks_seconds)
    with pytest.raises(NoAnswerError):
        hand_in(out, server, world)
    with pytest.raises(SpendingError, match="nobody agreed to 1 job"):
        hand_in(out, server, world, consent=PriorConsent(accept_data_terms=True, resubmit=True))
    assert hand_in(out, server, world).created == 0
    assert_submitted_once(out, world)


def test_wrong_bytes(out: Path, server: Server, world: World) -> None:
    """A file that arrives with another size is deleted there and said; the next run sends it again."""
    world.wrong_bytes = 1
    with pytest.raises(ProviderError, match="bytes were sent"):
        hand_in(out, server, world)
    assert world.jobs == {}
    assert world.files == {}
    hand_in(out, server, world)
    assert_submitted_once(out, world)


def test_a_gateway_without_the_filter(out: Path, server: Server, world: World, tmp_path: Path) -> None:
    """Where the list of jobs ignores the filter, no job of somebody else is taken for ours."""
    world.no_metadata_filter = True
    other = make_build(tmp_path / "other", text="나")
    assert hand_in(other, server, world).created == 1
    assert hand_in(out, server, world).created == 1
    assert len(world.jobs) == 2


def test_a_timeout_of_a_read(out: Path, server: Server, world: World) -> None:
    """A read that is not answered in time is repeated."""
    world.faults.append(timeout(LISTS, TOO_LONG, carried_out=False))
    submit(out, options_for(server, world), consent=YES, pace=IMPATIENT)
    assert_submitted_once(out, world)


def test_nobody_there(out: Path, server: Server, world: World) -> None:
    """Where nobody answers at all, nothing is left behind that would have to be looked for."""
    pace = structs.replace(HASTE, read_seconds=0.05)
    options = structs.replace(options_for(server, world), base_url="http://127.0.0.1:9/v1")
    with pytest.raises(ProviderError, match="cannot be reached"):
        submit(out, options, consent=YES, pace=pace)
    assert hand_in(out, server, world).created == 1


def test_what_some_leave_out(out: Path, server: Server, world: World) -> None:
    """A provider that answers with nulls where the description requires a value gets a job, once."""
    fields = (
        "created_at",
        "error",
        "hyperparameters",
        "metadata",
        "seed",
        "method",
        "object",
        "result_files",
        "finished_at",
    )

    def forget() -> None:
        for job in world.jobs.values():
            job.update(dict.fromkeys(fields))

    world.faults.append(Fault(JOB, "after", act=forget, proceeds=True))
    assert hand_in(out, server, world).created == 1
    assert hand_in(out, server, world).created == 0
    assert_submitted_once(out, world)
