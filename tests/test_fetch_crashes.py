"""Downloads that are killed or interrupted at any moment: what has its name is whole, and the same command goes on."""

import json
import random
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aihub import HASTE, KEY, PART_BYTES, AIHub, Fault, File, running, zip_bytes
from killings import catches_signals, kill_group, killed_when, started, wait_until
from runs import leftovers_of, tree_of

from saturi.etl.download.fetch import fetch

FOLDER = "139-1/Training/02.라벨링데이터"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[AIHub]:
    """AI-Hub with five archives, which come in some two hundred pieces."""
    monkeypatch.setenv("AIHUB_APIKEY", KEY)
    names = [f"TL_0{number}._경상도_02._1인발화_질문에답하기.zip" for number in range(5)]
    files = [File(n, FOLDER, name, zip_bytes(10 + n, (1 + 3 * n) * PART_BYTES)) for n, name in enumerate(names)]
    with running({71517: files}) as hub:
        hub.fault = lambda number, attempt: Fault(piece_bytes=1_000)  # noqa: ARG005 - the same for all
        yield hub


def _command(hub: AIHub) -> tuple[str, ...]:
    return ("fetch", "71517", "--to", "data", "--accept-terms", "--base-url", hub.address)


def _whole(hub: AIHub, data: Path) -> set[int]:
    """Return the numbers of the archives that have their names, after checking that each is whole, and of a row of the record."""
    record = data / "fetch" / "fetch.json"
    rows = json.loads(record.read_bytes())["archives"] if record.exists() else []
    recorded = {row["file_number"] for row in rows}
    there = {number for number, file in hub.files().items() if (data / file.folder / file.name).exists()}
    for number in there:
        file = hub.files()[number]
        assert (data / file.folder / file.name).read_bytes() == file.content
    assert there <= recorded
    return there


def test_killed_at_any_moment(hub: AIHub, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Killed at any moment, again and again, the same command goes on, and no finished archive is asked for again."""
    rng = random.Random(18)
    data, killed = tmp_path / "data", 0
    while killed < request.config.getoption("--fetch-kills"):
        before = hub.pieces
        after, delay = rng.randrange(240), rng.choice([0, 0, rng.random() / 50])

        def reached(most: int = before + after, delay: float = delay) -> bool:
            if hub.pieces < most:
                return False
            time.sleep(delay)
            return True

        finished, downloads = _whole(hub, data), dict(hub.downloads)
        killed += killed_when(reached, *_command(hub), cwd=tmp_path)
        assert all(hub.downloads[number] == downloads[number] for number in finished)
        if len(_whole(hub, data)) == len(hub.files()):
            for path in data.rglob("*.zip"):  # from the beginning
                path.unlink()
            (data / "fetch" / "fetch.json").unlink()
    fetch(71517, data, hub.options(), patience=HASTE)
    assert _whole(hub, data) == set(hub.files())
    assert leftovers_of(data) == []


def test_interrupted(hub: AIHub, tmp_path: Path) -> None:
    """A signal ends a download that is silent, says how to go on, and leaves nothing half written under a name."""
    hub.fault = lambda file_number, attempt: Fault(silent_at=3_000)  # noqa: ARG005 - the same for all
    with started(*_command(hub), cwd=tmp_path) as process:
        wait_until(
            process, lambda: hub.open == 3
        )  # the approval check, of which the server has not heard the end, and two transfers
        wait_until(process, lambda: catches_signals(process))
        kill_group(process, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    assert re.search("^Interrupted. Run the same command again", errors, flags=re.MULTILINE)
    assert "Traceback" not in errors
    assert not [path for path in tree_of(tmp_path / "data") if path.endswith(".zip")]
    hub.released.set()
    hub.fault = lambda file_number, attempt: Fault()  # noqa: ARG005 - all is well
    fetch(71517, tmp_path / "data", hub.options(), patience=HASTE)
    assert leftovers_of(tmp_path / "data") == []
