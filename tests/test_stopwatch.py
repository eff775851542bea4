"""The profile of a build: seconds by stage, from the workers to `build.json` and to the terminal."""

import json
import time
from pathlib import Path

from runs import facts_of, invoke, result_of

from saturi.etl.runtime.stopwatch import Stopwatch, lap, timed

READING = {"scan_archive", "find", "inflate", "crc", "decode", "rows", "columns", "segment write", "read_batch"}
SELECTING = {"judge", "compare", "find_shared", "limit", "count_shared"}
WRITING = {
    "take",
    "render",
    "tokens",
    "block write",
    "render_stretch",
    "chunk write",
    "write_section",
    "write_table",
}


def test_laps_add_up() -> None:
    """The laps of a stage are summed, and all stages together are the time that has passed."""
    began = time.perf_counter()
    watch = Stopwatch()
    for stage in ("inflate", "decode", "inflate"):
        watch.lap(stage)
    passed = time.perf_counter() - began
    assert set(watch.seconds) == {"inflate", "decode"}
    assert 0 < sum(watch.seconds.values()) <= passed


def test_what_no_stage_claims() -> None:
    """The time after the last lap is counted as the rest, and a lap outside is nobody's."""
    with timed("rest") as stages:
        lap("decode")
    lap("decode")
    assert set(stages) == {"decode", "rest"}


def test_a_profile(here: Path) -> None:
    """With --profile every stage of every step is in build.json and on stderr, and their sum is not over what the workers had."""
    run = invoke("build", "corpus", "--out", "out", "--workers", "2", "--profile", "--json", cwd=here)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["label_files"] == 40
    facts = facts_of(here / "out")
    assert facts["stages"].keys() == READING | SELECTING | WRITING
    assert 0 < sum(facts["stages"].values()) <= 2 * facts["seconds"]
    table = run.stderr[run.stderr.index("Where the time went") :]
    for stage in facts["stages"]:
        assert stage in table
    assert "all workers" in table


def test_no_profile(here: Path) -> None:
    """Without --profile no stage is measured, and with it the result has the same bytes."""
    for out, more in (("without", []), ("with", ["--profile"])):
        assert invoke("build", "corpus", "--out", out, "--workers", "1", *more, cwd=here).returncode == 0
    assert facts_of(here / "without")["stages"] == {}
    assert result_of(here / "without") == result_of(here / "with")
