"""Submissions to the server of our own: builds to submit, clients in a hurry, and what must hold afterwards."""

import shutil
from pathlib import Path
from typing import Any

from corpora import ANSWER_ZIP, REPEAT_ZIP, member, stem, write_zip
from provider import MODELS, PROVIDERS, Server, World
from provider.clova import ACCESS, BUCKET, SECRET
from provider.fireworks import ACCOUNT
from provider.world import MODEL
from runs import one_thread

from saturi.etl.pipeline.build import build
from saturi.etl.providers.pace import Pace
from saturi.etl.settings.options import BuildOptions
from saturi.etl.submission.consent import PriorConsent
from saturi.etl.submission.execution import Submission
from saturi.etl.submission.options import SubmitOptions
from saturi.etl.submission.submit import submit

KEY = "sk-canary-0123456789abcdef"
ENVIRONMENT = {
    **dict.fromkeys(
        ("OPENAI_API_KEY", "UNSLOTH_API_KEY", "CLOVA_API_KEY", "FIREWORKS_API_KEY", "TOGETHER_API_KEY"), KEY
    ),
    "FIREWORKS_ACCOUNT_ID": ACCOUNT,
    "NCLOUD_BUCKET": BUCKET,
    "NCLOUD_ACCESS_KEY": ACCESS,
    "NCLOUD_SECRET_KEY": SECRET,
}
"""What every provider on loopback asks for."""

OPEN_MODEL = "unsloth/Qwen2.5-1.5B-Instruct"
HASTE = Pace(
    first_wait_seconds=0.002,
    longest_wait_seconds=0.02,
    answer_seconds=5.0,
    store_seconds=5.0,
    read_seconds=5.0,
    upload_seconds=10.0,
    looks_seconds=(0.0, 0.01, 0.01, 0.02),
    poll_seconds=0.002,
    unreachable_seconds=5.0,
)
"""Everything that is in minutes elsewhere is in hundredths of a second here."""

YES = PriorConsent(yes=True, accept_data_terms=True)
YES_AGAIN = PriorConsent(yes=True, accept_data_terms=True, resubmit=True)


def make_build(folder: Path, *, rows: int = 60, text: str = "가", max_chunk_examples: int = 25) -> Path:
    """Return the output of a build of two shards, each in several chunks, some of it held out; nothing else is in *folder*."""
    corpus = folder / "corpus"
    say = (member(stem("say", str(n), 1), f"{text} 묵었나 {n}", f"{text} 먹었니 {n}") for n in range(1, rows + 1))
    st = (member(stem("st", str(n), n), f"{text} 왔나 {n}", f"{text} 왔니 {n}") for n in range(1, rows + 1))
    write_zip(corpus / ANSWER_ZIP, say)
    write_zip(corpus / REPEAT_ZIP, st)
    options = BuildOptions(validation=0.25, max_chunk_examples=max_chunk_examples)
    build([corpus], folder / "out", options, make_executor=one_thread, workers=1)
    shutil.rmtree(folder / "out" / "stage")
    return folder / "out"


def options_for(server: Server, world: World, **more: Any) -> SubmitOptions:
    """Return the options of a submission to *world*."""
    given: dict[str, Any] = {"model": MODEL, "epochs": 2, "max_cost": 30.0, "base_url": server.base_url(world.name)}
    return SubmitOptions(**{**given, "providers": PROVIDERS, "models": MODELS, **more})


def profile(folder: Path, *lines: str) -> Path:
    """Write a file of profiles into *folder* that says *lines* of openai, and otherwise what `PROVIDERS` does; return it."""
    path = folder / "profile.toml"
    path.write_text("\n".join([PROVIDERS.read_text(encoding="utf-8"), *lines, ""]), encoding="utf-8")
    return path


def hand_in(out: Path, server: Server, world: World, **more: Any) -> Submission:
    """Submit *out* to *world* in haste, with everything agreed to."""
    consent = more.pop("consent", YES)
    return submit(out, options_for(server, world, **more), consent=consent, pace=HASTE)


def joined(out: Path, split: str, pattern: str = "*") -> bytes:
    """Return the chunks of a split, one after the other."""
    return b"".join(path.read_bytes() for path in sorted((out / "chunks" / split).glob(f"{pattern}.jsonl")))


def assert_submitted_once(out: Path, world: World) -> None:
    """Check that *world* has one job, that it is on the chunks of *out*, byte for byte, and that no file is there twice."""
    assert len(world.jobs) == 1
    [job] = world.jobs.values()
    assert world.content(job["training_file"]) == joined(out, "train")
    assert world.content(job["validation_file"]) == joined(out, "validation")
    names = [file.filename for file in world.files.values()]
    assert len(names) == len(set(names))
