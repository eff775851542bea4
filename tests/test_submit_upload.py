"""Files on their way: in parts, found again, given up, and never in memory."""

import hashlib
import logging
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from clovas import profile_of
from msgspec import structs
from provider import Fault, Server, World
from provider.answers import Answer
from provider.clova import MODEL as CLOVA_MODEL
from provider.faults import COMPLETE, FILE, PART, answer_lost, refused, reset
from runs import ROOT, manifest_of
from submissions import ENVIRONMENT, HASTE, YES, assert_submitted_once, hand_in, options_for, profile

from saturi.etl.errors import BuildError, NoAnswerError, ProviderError
from saturi.etl.submission.news import News, Uploading
from saturi.etl.submission.submit import submit

PART_BYTES = 2_000
MIB = 1 << 20
LOG = logging.getLogger(__name__)


@pytest.fixture
def in_parts(tmp_path: Path) -> Path:
    """A file of profiles by which even small files go in parts."""
    return profile(tmp_path, "uploads_threshold_bytes = 10_000", f"max_part_bytes = {PART_BYTES}")


def test_in_parts(out: Path, server: Server, world: World, in_parts: Path) -> None:
    """A file over the threshold goes in parts that end with a line, and is whole at the end; a smaller one goes whole."""
    hand_in(out, server, world, providers=in_parts)
    assert_submitted_once(out, world)
    parts = [part.path.read_bytes() for part in world.parts.values()]
    assert len(parts) > 3
    assert all(len(part) <= PART_BYTES and part.endswith(b"\n") for part in parts)
    assert world.count("POST", f"/{world.name}/v1/files") == 1
    assert [upload["status"] for upload in world.uploads.values()] == ["completed"]


HARMLESS = {
    "part-503": refused(PART, 503, nth=2),
    "part-429": refused(PART, 429, retry_after="0.01"),
    "part-reset": reset(PART, 1_000, nth=3),
    "part-answer-lost": answer_lost(PART, nth=2),
    "complete-answer-lost": answer_lost(COMPLETE),
    "complete-503": refused(COMPLETE, 503),
    "begin-answer-lost": answer_lost("POST /uploads"),
}


@pytest.mark.parametrize("fault", HARMLESS.values(), ids=HARMLESS)
def test_faults_of_parts(out: Path, server: Server, world: World, in_parts: Path, fault: Fault) -> None:
    """What breaks a part or the end of an upload is repeated: the file is there once, every byte."""
    world.faults.append(structs.replace(fault))
    hand_in(out, server, world, providers=in_parts)
    assert_submitted_once(out, world)


def test_an_upload_that_fails_is_cancelled(out: Path, server: Server, world: World, in_parts: Path) -> None:
    """An upload in parts that is refused is cancelled, so that its parts do not stay."""
    world.faults.append(refused(PART, 400, nth=2))
    with pytest.raises(ProviderError, match="answer 400"):
        hand_in(out, server, world, providers=in_parts)
    assert [upload["status"] for upload in world.uploads.values()] == ["cancelled"]
    hand_in(out, server, world, providers=in_parts)
    assert_submitted_once(out, world)


def test_an_upload_left_behind_is_cancelled(out: Path, server: Server, world: World, in_parts: Path) -> None:
    """Where even the cancelling failed, the next run does it."""
    world.faults += [refused(PART, 400, nth=2), reset("POST /uploads/.*/cancel")]
    with pytest.raises(ProviderError):
        hand_in(out, server, world, providers=in_parts)
    hand_in(out, server, world, providers=in_parts)
    assert [upload["status"] for upload in world.uploads.values()] == ["cancelled", "completed"]


def test_bytes_that_changed_on_the_way(out: Path, server: Server, world: World, in_parts: Path) -> None:
    """Parts that are not what was hashed are refused by the provider, by the MD5."""
    world.faults.append(Fault(COMPLETE, act=lambda: _spoil(world), proceeds=True))
    with pytest.raises(ProviderError, match="md5"):
        hand_in(out, server, world, providers=in_parts)
    assert world.jobs == {}


def _spoil(world: World) -> None:
    part = next(iter(world.parts.values()))
    part.path.write_bytes(part.path.read_bytes()[::-1])


def test_wrong_bytes_that_stay(out: Path, server: Server, world: World) -> None:
    """Where a file of wrong size cannot be deleted either, the size is what is said first, and the next run gets through."""
    world.wrong_bytes = 1
    world.faults.append(refused("DELETE /files/.*", 403))
    with pytest.raises(
        ProviderError, match=r"bytes were sent, .* arrived; it is not used, and could not be deleted .*403"
    ):
        hand_in(out, server, world)
    assert world.jobs == {}
    assert hand_in(out, server, world).created == 1


def test_a_deadline(out: Path, server: Server, world: World, in_parts: Path) -> None:
    """An upload that is not done in time is given up and cancelled; a new run begins anew."""
    pace = structs.replace(HASTE, upload_seconds=0.2)
    world.faults += [Fault(PART, stall_seconds=0.15, proceeds=True) for _ in range(10)]
    with pytest.raises(NoAnswerError, match="in time"):
        submit(out, options_for(server, world, providers=in_parts), consent=YES, pace=pace)
    assert "pending" not in {upload["status"] for upload in world.uploads.values()}
    hand_in(out, server, world, providers=in_parts)
    assert_submitted_once(out, world)


def test_a_chunk_changed_while_it_is_sent(out: Path, server: Server, world: World) -> None:
    """A chunk that is changed after it was hashed is noticed before its last byte is sent; no file comes to be."""
    chunk = max((out / "chunks" / "train").iterdir())

    def change() -> None:
        chunk.write_bytes(chunk.read_bytes()[::-1])

    world.faults.append(Fault("GET /files", act=change, proceeds=True))
    with pytest.raises(BuildError, match="changed while it was sent"):
        hand_in(out, server, world)
    assert world.files == {}


def test_a_file_that_is_there(out: Path, server: Server, world: World) -> None:
    """A file that is at the provider already is used again, unless it is broken or of another size."""
    hand_in(out, server, world)
    hand_in(out, server, world, epochs=3)
    assert world.count("POST", f"/{world.name}/v1/files") == 2
    for file in world.files.values():
        file.status = "error"
    hand_in(out, server, world, epochs=4)
    assert world.count("POST", f"/{world.name}/v1/files") == 4


def test_a_file_that_is_looked_at_first(out: Path, server: Server, world: World) -> None:
    """A file that is `pending` is waited for; one that turns out as `error` is said, and no job is created."""

    def pending() -> None:
        file = next(iter(world.files.values()))
        file.status = "pending"
        answer = Answer(file.as_json())
        world.faults[0].answer = answer
        world.faults.append(Fault(f"GET /files/{file.id}", act=lambda: setattr(file, "status", "error"), proceeds=True))

    world.faults.append(Fault(FILE, "after", act=pending))
    with pytest.raises(ProviderError, match="says error"):
        hand_in(out, server, world)
    assert world.jobs == {}


def test_a_file_of_which_no_size_is_said(out: Path, server: Server, world: World) -> None:
    """A provider that says null for the size of a file gets it once, and a job."""
    file = {"id": "file-00000001", "object": "file", "bytes": None, "filename": "x", "status": "processed"}
    world.faults.append(Fault("POST /files", "after", answer=Answer(file)))
    assert hand_in(out, server, world).created == 1
    assert_submitted_once(out, world)


def test_progress(out: Path, server: Server, world: World) -> None:
    """Progress counts the bytes of each file from few to all."""
    reports: list[News] = []
    submit(out, options_for(server, world), consent=YES, report=reports.append, pace=HASTE)
    uploads = [news for news in reports if isinstance(news, Uploading)]
    for file in world.files.values():
        done = [news.done for news in uploads if news.file == file.filename]
        assert done == sorted(done)
        assert done[-1] == file.bytes


WATCHED = """
import sys
from pathlib import Path
from saturi.etl.submission.options import SubmitOptions
from saturi.etl.submission.consent import PriorConsent
from saturi.etl.submission.submit import submit
out, base_url, providers, more = *sys.argv[1:4], dict(pair.split("=") for pair in sys.argv[4:])
options = SubmitOptions(base_url=base_url, providers=Path(providers), max_cost=0, allow_unknown_price=True, **more)
submit(out, options, consent=PriorConsent(yes=True, accept_data_terms=True))
[peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(int(peak.split()[1]) * 1024)
"""


def make_large_build(built: Path, out: Path, size: int) -> Path:
    """Write a build of *size* bytes, in chunks of 50 MB with lines of 5 kB and a manifest like that of *built*; return it."""
    manifest = manifest_of(built)
    contents = (("system", "표준어로"), ("user", "가" * 1_600), ("assistant", "나"))
    messages = [{"role": role, "content": content} for role, content in contents]
    head, _, tail = msgspec.json.encode({"messages": messages}).partition("나".encode())
    lines = 50_000_000 // (len(head + tail) + 9)
    chunks = []
    for number in range(size // 50_000_000):
        path = f"chunks/train/gyeongsang-answer-{number:05}.jsonl"
        content = b"".join(b"%s%08d%s\n" % (head, number * lines + line, tail) for line in range(lines))
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(content)
        facts = {"path": path, "examples": lines, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        chunks.append(manifest["chunks"][0] | facts)
    examples, total = lines * len(chunks), sum(chunk["bytes"] for chunk in chunks)
    shard = manifest["shards"][0] | {"examples": examples, "bytes": total, "chunks": len(chunks)}
    manifest |= {"shards": [shard], "chunks": chunks, "counts": manifest["counts"] | {"examples": examples}}
    (out / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    return out


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize(
    "way",
    [pytest.param("whole", marks=pytest.mark.thorough), "in-parts", pytest.param("csv", marks=pytest.mark.thorough)],
)
def test_memory(
    built: Path, tmp_path: Path, server: Server, clova: World, pytestconfig: pytest.Config, way: str
) -> None:
    """The process that submits 120 MB, or with --large 600 MB in parts and 500 MB whole or as CSV, stays under 200 MiB."""
    world, is_csv = clova, way == "csv"
    world.clova = is_csv
    most = 600_000_000 if way == "in-parts" else 500_000_000  # as much as goes through Files
    out = make_large_build(built, tmp_path / "out", most if pytestconfig.getoption("--large") else 120_000_000)
    world.models["llama"] = None
    threshold = 100_000_000 if way == "in-parts" else 9_000_000_000
    providers = profile_of(server, world) if is_csv else profile(tmp_path, f"uploads_threshold_bytes = {threshold}")
    more = ["provider=clova", f"model={CLOVA_MODEL}"] if is_csv else ["model=llama"]
    run = subprocess.run(
        [sys.executable, "-c", WATCHED, str(out), server.base_url(world.name), str(providers), *more],
        cwd=ROOT,
        env={**ENVIRONMENT, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr
    LOG.info("%s: %d MiB", way, int(run.stdout) // MIB)
    assert int(run.stdout) < 200 * MIB
    [job] = world.jobs.values()
    size = sum(path.stat().st_size for path in (out / "chunks" / "train").iterdir())
    sent = world.files[job["training_file"]].bytes
    assert sent < size if is_csv else sent == size
    for file in world.folder.iterdir():
        file.unlink()
