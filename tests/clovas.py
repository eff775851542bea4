"""Submissions to CLOVA Studio as the provider on loopback imitates it: options, profiles, and what must hold afterwards."""

import json
from pathlib import Path
from typing import Any

from provider import Server, World
from provider.clova import MODEL, STORE, examples_of, flaw_of
from submissions import HASTE, YES

from saturi.etl.submission.execution import Submission
from saturi.etl.submission.options import SubmitOptions
from saturi.etl.submission.submit import submit


def profile_of(server: Server, world: World) -> Path:
    """Write the profile that puts the storage of *world* beside its API, and return it."""
    path = world.folder / "clova.toml"
    endpoint = server.base_url(world.name) + STORE.rstrip("/")
    names = 'bucket_env = "NCLOUD_BUCKET", access_key_env = "NCLOUD_ACCESS_KEY", secret_key_env = "NCLOUD_SECRET_KEY"'
    path.write_text(f'[clova]\nstorage = {{ endpoint = "{endpoint}", region = "kr-standard", {names} }}\n')
    return path


def options_for(server: Server, world: World, **more: Any) -> SubmitOptions:
    """Return the options of a submission to *world*, the unknown price agreed to."""
    given: dict[str, Any] = {"provider": "clova", "model": MODEL, "epochs": 2, "max_cost": 30.0}
    given |= {"base_url": server.base_url(world.name), "providers": profile_of(server, world)}
    return SubmitOptions(**{**given, "allow_unknown_price": True, **more})


def hand_in(out: Path, server: Server, world: World, **more: Any) -> Submission:
    """Submit *out* to *world* in haste, with everything agreed to."""
    consent = more.pop("consent", YES)
    return submit(out, options_for(server, world, **more), consent=consent, pace=HASTE)


def examples_in(out: Path) -> list[tuple[str, ...]]:
    """Return the texts of every example of train, in the order of the chunks."""
    chunks = sorted((out / "chunks" / "train").glob("*.jsonl"))
    lines = [line for path in chunks for line in path.read_bytes().split(b"\n")[:-1]]
    return [tuple(message["content"] for message in json.loads(line)["messages"]) for line in lines]


def assert_submitted_once(out: Path, world: World) -> None:
    """Check that *world* has one job, on a file that the service takes, whose rows are the examples of *out*; and no other file."""
    assert len(world.jobs) == 1
    [job] = world.jobs.values()
    content = world.content(job["training_file"])
    assert flaw_of(content) is None
    assert examples_of(content) == examples_in(out)
    assert len(world.files) == 1
