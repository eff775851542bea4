"""Jobs watched to their end, cancelled, and cleaned up after."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs
from provider import Fault, Server, World
from provider.faults import JOB, answer_lost, refused, reset
from submissions import HASTE, YES, YES_AGAIN, hand_in

from saturi.etl.errors import BuildError, EtlError, LockedError, NoAnswerError, OptionError, SpendingError
from saturi.etl.submission.cancellation import cancel
from saturi.etl.submission.news import JobEnded, JobEvent, JobStatus, News, NoAnswer
from saturi.etl.submission.origins import lines_in
from saturi.etl.submission.removal import clean
from saturi.etl.submission.status import status
from saturi.etl.submission.watch import watch
from saturi.schemas.ledger import SUCCEEDED, JobRow


def watched(out: Path) -> tuple[tuple[JobRow, ...], list[News]]:
    """Watch everything submitted from *out*, and return the rows and all that was told."""
    reports: list[News] = []
    return watch(out, report=reports.append, pace=HASTE), reports


def test_to_the_end(out: Path, server: Server, world: World) -> None:
    """A watch tells every event once and in order, with losses, every status, and in the end model, tokens and cost."""
    hand_in(out, server, world)
    [row], reports = watched(out)
    events = [news for news in reports if isinstance(news, JobEvent)]
    assert [event.event_id for event in events] == [event["id"] for event in world.events[row.job_id or ""]]
    losses = [(event.step, event.train_loss, event.valid_loss) for event in events if event.train_loss is not None]
    assert losses[0] == (1, 1.0, 1.1)
    assert len(losses) == 10
    statuses = [news.status for news in reports if isinstance(news, JobStatus)]
    assert statuses == ["validating_files", "queued", "running", "succeeded"]
    end = reports[-1]
    assert isinstance(end, JobEnded)
    assert (end.status, end.model) == (SUCCEEDED, row.fine_tuned_model)
    # The server bills what the estimate says.
    assert end.trained_tokens == end.billed_tokens == row.trained_tokens
    assert end.trained_usd == end.usd == (row.billed_tokens or 0) * 5 / 1e6


def test_statuses_nobody_knows(out: Path, server: Server, world: World) -> None:
    """Only succeeded, failed and cancelled end a job; an empty error on a healthy job is none."""
    world.steps = ("pending", "validating_files", "paused", "resting", "running", "succeeded")
    world.empty_errors = True
    hand_in(out, server, world)
    [row], reports = watched(out)
    assert [news.status for news in reports if isinstance(news, JobStatus)] == list(world.steps)
    assert (row.status, row.error_code, row.error_message) == (SUCCEEDED, None, None)


def test_a_watch_that_loses_the_connection(out: Path, server: Server, world: World) -> None:
    """Where the provider does not answer for a while, the watch says so, goes on, and misses nothing."""
    hand_in(out, server, world)
    world.faults += [refused("GET /fine_tuning/jobs/.*", 503) for _ in range(40)]
    reports: list[News] = []
    pace = structs.replace(HASTE, read_seconds=0.01)
    [row] = watch(out, report=reports.append, pace=pace)
    assert any(isinstance(news, NoAnswer) for news in reports)
    assert len([news for news in reports if isinstance(news, JobEvent)]) == len(world.events[row.job_id or ""])
    assert row.status == SUCCEEDED


def test_a_provider_that_is_gone(out: Path, server: Server, world: World) -> None:
    """A watch that gets no answer for too long ends with an error, and can be begun again."""
    hand_in(out, server, world)
    world.faults += [reset("GET /fine_tuning/jobs/.*") for _ in range(10_000)]
    pace = structs.replace(HASTE, read_seconds=0.01, unreachable_seconds=0.1)
    with pytest.raises(NoAnswerError):
        watch(out, pace=pace)
    world.faults.clear()
    [row], _ = watched(out)
    assert row.status == SUCCEEDED


def test_a_chain_that_is_still_submitted(out: Path, server: Server, world: World) -> None:
    """A watch begun while a chain is being submitted follows the jobs that are created meanwhile, too."""
    chain = threading.Thread(target=hand_in, args=(out, server, world), kwargs={"plan": "chained"})
    chain.start()
    while chain.is_alive() and not world.jobs:
        time.sleep(0.001)
    rows, reports = watched(out)
    chain.join()
    assert [row.status for row in rows] == [SUCCEEDED, SUCCEEDED]
    assert {row.job_id for row in rows} == world.jobs.keys()
    assert len([news for news in reports if isinstance(news, JobEnded)]) == 2


class Stopped(Exception):  # noqa: N818 - no error: somebody went home
    """Whoever watched is gone."""


def test_a_watch_begun_again(out: Path, server: Server, world: World) -> None:
    """A watch that was stopped at any news tells the whole story when it is begun again."""
    hand_in(out, server, world)
    stops = 0
    reports: list[News] = []
    for after in (1, 3, 7, None):
        reports.clear()

        def tell(news: News, after: int | None = after) -> None:
            reports.append(news)
            if after is not None and len(reports) >= after:
                raise Stopped

        try:
            [row] = watch(out, report=tell, pace=HASTE)
        except Stopped:
            stops += 1
    assert stops == 3
    ids = [news.event_id for news in reports if isinstance(news, JobEvent)]
    assert ids == [event["id"] for event in world.events[row.job_id or ""]]


FAILURES = {
    "one-example": ((4,), [4]),
    "flagged-lines": ((4, 30, 41), [4, 30, 41]),
}


@pytest.mark.parametrize(("flagged", "lines"), FAILURES.values(), ids=FAILURES)
def test_a_failed_job(out: Path, server: Server, world: World, flagged: tuple[int, ...], lines: list[int]) -> None:
    """The lines that a failed job's error names are led back to chunk, archive and member."""
    world.flagged = flagged
    hand_in(out, server, world)
    [row], reports = watched(out)
    end = reports[-1]
    assert isinstance(end, JobEnded)
    assert (row.status, row.error_code) == ("failed", "invalid_training_file")
    assert [flaw.line for flaw in end.flaws] == lines
    sent = world.content(world.jobs[row.job_id or ""]["training_file"]).split(b"\n")
    for flaw in end.flaws:
        assert flaw.chunk is not None
        assert flaw.chunk_line is not None
        assert (out / flaw.chunk).read_bytes().split(b"\n")[flaw.chunk_line - 1] == sent[flaw.line - 1]
        number = sent[flaw.line - 1].decode().split("나 ")[1].split('"')[0]
        assert f"speakergs{number}_" in (flaw.member or "")
        assert (flaw.archive or "").endswith(".zip")


GONE = {
    "no-manifest": lambda out: (out / "manifest.json").unlink(),
    "no-lineage": lambda out: (out / "lineage.parquet").unlink(),
    "damaged-lineage": lambda out: (out / "lineage.parquet").write_bytes(b"PAR1"),
}


@pytest.mark.parametrize("damage", GONE.values(), ids=GONE)
def test_a_failed_job_of_a_build_that_is_gone(
    out: Path, server: Server, world: World, damage: Callable[[Path], object]
) -> None:
    """Where the build was replaced or damaged since, a line is led back to its chunk, and no origin is made up."""
    world.flagged = (4,)
    hand_in(out, server, world)
    damage(out)
    _, reports = watched(out)
    end = reports[-1]
    assert isinstance(end, JobEnded)
    [flaw] = end.flaws
    assert (flaw.chunk_line, flaw.archive, flaw.member) == (4, None, None)


@pytest.mark.parametrize("cut", [0, 10, -1], ids=["empty", "begun", "one-byte-short"])
def test_a_failed_job_with_a_damaged_lineage(out: Path, server: Server, world: World, cut: int) -> None:
    """Where the lineage is damaged, a failed job is reported with its lines in the chunks, and the watch ends as usual."""
    world.flagged = (4,)
    hand_in(out, server, world)
    lineage = out / "lineage.parquet"
    lineage.write_bytes(lineage.read_bytes()[:cut])
    rows, reports = watched(out)
    end = reports[-1]
    assert isinstance(end, JobEnded)
    assert [row.status for row in rows] == ["failed"]
    assert [(flaw.line, flaw.chunk_line, flaw.archive) for flaw in end.flaws] == [(4, 4, None)]


MESSAGES = {
    "example": ("Invalid file format. Example 100, message 2 is empty", [100]),
    "flagged": ("Flagged lines: 4, 13", [4, 13]),
    "line": ("Invalid JSON on line 7.", [7]),
    "lines-and": ("Errors on lines 7, 8 and 9", [7, 8, 9]),
    "none": ("The job failed for no reason at 10 o'clock", []),
}


@pytest.mark.parametrize(("message", "lines"), MESSAGES.values(), ids=MESSAGES)
def test_lines_in_a_message(message: str, lines: list[int]) -> None:
    """Line numbers are read from the words providers use, and from no other number."""
    assert lines_in(message) == lines
    assert lines_in("Training file has 5 examples, but must have at least 10 examples", "invalid_n_examples") == []


def test_cancelling(out: Path, server: Server, world: World) -> None:
    """Jobs are cancelled only where that is agreed to, one or all, and those that have ended are left alone."""
    world.steps = ("running",)
    done = hand_in(out, server, world, plan="per-shard")
    with pytest.raises(SpendingError, match="--yes"):
        cancel(out, pace=HASTE)
    with pytest.raises(OptionError, match="no job 'ftjob-x'"):
        cancel(out, "ftjob-x", consent=YES, pace=HASTE)
    assert {job["status"] for job in world.jobs.values()} == {"running"}
    first = done.jobs[0].job_id
    assert [(row.job_id, row.status) for row in cancel(out, first, consent=YES, pace=HASTE)] == [(first, "cancelled")]
    assert len(cancel(out, consent=YES, pace=HASTE)) == 1
    assert cancel(out, consent=YES, pace=HASTE) == ()
    assert {job["status"] for job in world.jobs.values()} == {"cancelled"}


def test_cancelling_what_ends_meanwhile(out: Path, server: Server, world: World) -> None:
    """A job that ends before it can be cancelled is shown as it ended."""
    hand_in(out, server, world)
    world.steps = ("validating_files", "succeeded")
    [row] = cancel(out, consent=YES, pace=HASTE)
    assert row.status == SUCCEEDED


def test_cleaning(out: Path, server: Server, world: World) -> None:
    """Files are deleted only where that is agreed to, and only those that no job needs, ours or not."""
    world.steps = ("running",)
    hand_in(out, server, world)
    assert len(clean(out, consent=YES, pace=HASTE).needed) == 2
    cancel(out, consent=YES, pace=HASTE)
    [file_id, *_] = world.files
    world.jobs["ftjob-other"] = {**next(iter(world.jobs.values())), "id": "ftjob-other", "status": "running"}
    world.jobs["ftjob-other"]["training_file"], world.jobs["ftjob-other"]["validation_file"] = file_id, None
    world.hidden["ftjob-other"] = 0
    with pytest.raises(SpendingError, match="--yes"):
        clean(out, pace=HASTE)
    assert len(world.files) == 2
    done = clean(out, consent=YES, pace=HASTE)
    assert (len(done.deleted), len(done.needed)) == (1, 1)
    assert list(world.files) == [file_id]


def test_cleaning_after_a_lost_answer(out: Path, server: Server, world: World) -> None:
    """While nobody knows whether a job was created, its files stay; files whose upload was never confirmed are found."""
    world.faults.append(answer_lost(JOB))
    world.late_lists = 1_000
    with pytest.raises(NoAnswerError):
        hand_in(out, server, world)
    assert clean(out, consent=YES, pace=HASTE).deleted == ()
    world.late_lists = 0
    for job_id in world.hidden:
        world.hidden[job_id] = 0
    hand_in(out, server, world)
    watched(out)
    assert len(clean(out, consent=YES, pace=HASTE).deleted) == 2
    assert world.files == {}
    assert hand_in(out, server, world, epochs=3).created == 1


def test_cleaning_while_lists_are_slow(out: Path, server: Server, world: World) -> None:
    """The files of a job that was just created stay, though the list of jobs does not show it yet."""
    world.late_lists = 1_000
    hand_in(out, server, world)
    assert len(clean(out, consent=YES, pace=HASTE).needed) == 2
    assert len(world.files) == 2


def test_cleaning_while_submitting(out: Path, server: Server, world: World) -> None:
    """No file is deleted between its upload and the creation of its job."""
    met: list[EtlError] = []

    def tidy() -> None:
        try:
            clean(out, consent=YES, pace=HASTE)
        except EtlError as error:
            met.append(error)

    world.faults.append(Fault("GET /files", nth=2, act=tidy, proceeds=True))
    assert hand_in(out, server, world).created == 1
    assert [type(error) for error in met] == [LockedError]
    assert len(world.files) == 2


def test_status(out: Path, server: Server, world: World) -> None:
    """The status asks the provider, once a job that has not ended, and says of what nobody knows the outcome."""
    hand_in(out, server, world)
    assert status(out, pace=HASTE).jobs[0].status == "validating_files"
    watched(out)
    before = len(world.requests)
    [row] = status(out, pace=HASTE).jobs
    assert (row.status, len(world.requests)) == (SUCCEEDED, before)
    world.faults.append(reset(JOB))
    with pytest.raises(NoAnswerError):
        hand_in(out, server, world, epochs=3)
    assert [row.state for row in status(out, pace=HASTE).jobs] == ["created", "intended"]
    hand_in(out, server, world, epochs=3, consent=YES_AGAIN)
    assert [row.state for row in status(out, pace=HASTE).jobs] == ["created", "abandoned", "created"]


@pytest.mark.parametrize("verb", [status, watch, cancel, clean], ids=lambda verb: verb.__name__)
def test_nothing_was_submitted(out: Path, verb: Callable[[Path], object]) -> None:
    """Where nothing was submitted, there is nothing to ask, and that is said."""
    with pytest.raises(BuildError, match="nothing was submitted"):
        verb(out)
    assert not (out / "ledger.sqlite").exists()


def test_watching_while_submitting(out: Path, server: Server, world: World) -> None:
    """A watch may run beside a submission of the same folder."""
    hand_in(out, server, world)
    rows: list[JobRow] = []
    thread = threading.Thread(target=lambda: rows.extend(watch(out, pace=HASTE)))
    world.faults.append(Fault("GET /models/.*", act=thread.start, proceeds=True))
    hand_in(out, server, world, epochs=3)
    thread.join()
    assert rows[0].status == SUCCEEDED
    assert [row.state for row in status(out, pace=HASTE).jobs] == ["created", "created"]
