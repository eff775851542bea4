"""A build in object storage: all that is done with one on a disk, with nothing written into the bucket."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import pytest
from corpora import write_both_generations
from object_storage import Fault, Storage, object_storage, put_tree
from provider import MODELS, PROVIDERS, Server, World
from provider.world import MODEL
from runs import error_of, invoke, one_thread, tree_of
from submissions import HASTE, YES, assert_submitted_once, hand_in, options_for, profile

import saturi
from saturi.etl.errors import BuildError, ForeignFolderError, LockedError
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.output.side import local_side
from saturi.etl.pipeline.build import build
from saturi.etl.settings.options import BuildOptions
from saturi.etl.storage import client
from saturi.etl.submission.access import Access
from saturi.etl.submission.keeping import holding
from saturi.etl.submission.status import status
from saturi.etl.submission.submit import submit
from saturi.schemas.terms import DropReason

FULL = "full"
"""A build with its stage, of which something was dropped."""


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """A server whose bucket holds the build of the folder `local` beside it, under the same name."""
    folder = tmp_path_factory.mktemp("storage")
    corpus = write_both_generations(folder / "corpus")
    build(
        [corpus],
        folder / FULL,
        BuildOptions(clean=False, max_chunk_examples=6, validation=0.2, max_rejects=0.5),
        make_executor=one_thread,
        workers=1,
    )
    with object_storage(folder / "server") as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        put_tree(server, folder / FULL, FULL)
        yield server


@pytest.fixture
def local(storage: Storage) -> Path:
    """The folder of the build that is in the bucket, too."""
    return storage.folder.parents[1] / FULL


@pytest.fixture
def url(storage: Storage) -> str:
    """The URL of that build."""
    return f"{storage.url}/{FULL}"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where local sides lie in a test; afterwards the bucket holds what it held before."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    before = tree_of(storage.folder / FULL)
    storage.requests.clear()
    yield tmp_path / "share" / "saturi"
    storage.faults = lambda _method, _key: None
    assert tree_of(storage.folder / FULL) == before
    assert storage.asked().keys() <= {"GET", "HEAD"}


def uploaded(storage: Storage, out: Path, name: str) -> str:
    """Put the build in *out* into the bucket under *name*, without what commands write beside it; return its URL."""
    shutil.rmtree(storage.folder / name, ignore_errors=True)
    return put_tree(storage, out, name)


def answers_to(*words: str, local: Path, url: str, cwd: Path) -> list[tuple[int, str]]:
    """Return exit code and stdout of the command for the build on the disk and for the one in the bucket, OUT in both names."""
    runs = [(out, invoke(*(word.replace("OUT", str(out)) for word in words), cwd=cwd)) for out in (local, url)]
    for _, run in runs:
        assert "Traceback" not in run.stderr
    assert runs[0][1].returncode == runs[1][1].returncode, runs[1][1].stderr
    return [(run.returncode, run.stdout.replace(str(out), "OUT")) for out, run in runs]


COMMANDS = {
    "verify": ("verify", "OUT"),
    "verify-json": ("verify", "OUT", "--json"),
    "check": ("check", "OUT"),
    "check-json": ("check", "OUT", "--json"),
    "check-file": ("check", "OUT/CHUNK"),
    "estimate": ("estimate", "OUT"),
    "estimate-all": ("estimate", "OUT", "--all", "--json"),
    "show": ("show", "OUT", "--json"),
    "show-dropped": ("show", "OUT", "--dropped", DropReason.DUPLICATE, "--json"),
    "show-stage": ("show", "OUT", "--dropped", DropReason.DUPLICATE, "--stage", "OUT/stage"),
    "explain": ("explain", "OUT", "--member", "MEMBER", "--text"),
    "diff": ("diff", "OUT", "LOCAL"),
    "report": ("report", "OUT", "--terminal", "--lang", "en"),
    "submit": ("submit", "OUT", "--dry-run", "--json"),
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_command_says_the_same(words: tuple[str, ...], local: Path, url: str, tmp_path: Path) -> None:
    """Every command says of a build in object storage what it says of the same build on a disk."""
    chunk = FinishedBuild.open(local).manifest.chunks[0].path
    member = FinishedBuild.open(local).lineage().select("member").first().collect().item()
    given = [word.replace("CHUNK", chunk).replace("MEMBER", member).replace("LOCAL", str(local)) for word in words]
    on_disk, in_storage = answers_to(*given, local=local, url=url, cwd=tmp_path)
    assert on_disk[1]
    assert in_storage == on_disk


def test_the_api_reads_urls(local: Path, url: str) -> None:
    """A finished build, its frames and its verification are the same by its URL."""
    assert FinishedBuild.open(url).manifest == FinishedBuild.open(local).manifest
    assert saturi.load(url).equals(saturi.load(local))
    assert saturi.verify(url) == saturi.verify(local)
    assert saturi.inspect(url, make_executor=one_thread) == saturi.inspect(local, make_executor=one_thread)


@pytest.mark.parametrize(
    "reader", [saturi.verify, saturi.check, saturi.load, saturi.report], ids=lambda one: one.__name__
)
def test_each_chunk_is_read_once(reader: Callable[[str], object], storage: Storage, local: Path, url: str) -> None:
    """To verify a build, check its lines, read its examples or report on it, each chunk comes over the network once."""
    reader(url)
    chunks = FinishedBuild.open(local).manifest.chunks
    read = sum(request.sent_bytes for request in storage.requests if "/chunks/" in request.key and request.range)
    assert read == sum(chunk.bytes for chunk in chunks)


def test_the_local_side(url: str, home: Path) -> None:
    """The local side of a URL has a readable name, and one that no other URL has; that of a folder is the folder."""
    side = local_side(url)
    assert side.parent == home
    assert re.fullmatch(r"bucket-full-[0-9a-f]{8}", side.name)
    assert local_side(f"{url}/") == side
    assert local_side("s3://bucket/full-") != local_side("s3://bucket/full/") != local_side("gs://bucket/full")
    assert local_side("s3://버킷/가나/다").name.startswith("버킷-가나-다-")
    assert local_side("out") == Path("out")


def test_a_local_side_of_another_url(url: str) -> None:
    """A local side that says that it is of another URL is not written to."""
    side = local_side(url)
    side.mkdir(parents=True)
    (side / "url").write_text("s3://elsewhere\n", encoding="utf-8")
    with pytest.raises(ForeignFolderError, match="kept for another URL"), holding(FinishedBuild.open(url).given):
        pass


@pytest.fixture
def remote(storage: Storage, built: Path) -> str:
    """The URL of a build that is large enough to be submitted, without a stage."""
    return uploaded(storage, built, "small")


def test_a_submission_is_found_again(
    storage: Storage, remote: str, built: Path, server: Server, world: World, tmp_path: Path
) -> None:
    """What was submitted from a URL is known from any working directory, and nobody creates the job twice."""
    chunks = sum(chunk.bytes for chunk in FinishedBuild.open(built).manifest.chunks)
    storage.requests.clear()
    done = submit(remote, options_for(server, world), consent=YES, pace=HASTE)
    assert done.created == 1
    assert_submitted_once(built, world)
    read = sum(request.sent_bytes for request in storage.requests if "/chunks/" in request.key and request.range)
    assert read == 2 * chunks
    side = local_side(remote)
    assert (side / "manifest.json").read_bytes() == (built / "manifest.json").read_bytes()
    assert (side / "url").read_text(encoding="utf-8") == f"{remote}\n"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    known = ("--providers", str(PROVIDERS))
    found = invoke("status", remote, *known, "--json", cwd=elsewhere)
    assert [row["state"] for row in json.loads(found.stdout)["jobs"]] == ["created"]
    arguments = ("--base-url", server.base_url(world.name), "--model", MODEL, "--epochs", "2", *known)
    agreed = ("--models", str(MODELS), "--yes", "--max-cost", "30", "--accept-data-terms")
    again = invoke("submit", remote, *arguments, *agreed, cwd=elsewhere)
    assert again.returncode == 0, again.stderr
    assert f"the ledger is kept in {side / 'ledger.sqlite'}" in again.stderr
    assert "0 jobs created, 1 submitted before" in again.stdout
    watched = invoke("watch", remote, *known, "--every", "0.05", cwd=elsewhere)
    assert watched.returncode == 0, watched.stderr
    assert f"Next: saturi evaluate {remote}" in watched.stdout
    cleaned = invoke("clean", remote, *known, "--yes", cwd=elsewhere)
    assert "2 files deleted" in cleaned.stdout
    assert invoke("cancel", remote, *known, "--yes", cwd=elsewhere).stdout.startswith("no job to cancel")
    assert len(world.jobs) == 1


def test_a_submission_in_parts(remote: str, built: Path, server: Server, world: World, tmp_path: Path) -> None:
    """A file that is sent in parts, read from the bucket by ranges, arrives byte for byte."""
    in_parts = profile(tmp_path, "uploads_threshold_bytes = 4_000", "max_part_bytes = 3_000")
    assert submit(remote, options_for(server, world, providers=in_parts), consent=YES, pace=HASTE).created == 1
    assert_submitted_once(built, world)


def test_a_ledger_elsewhere(
    remote: str, out: Path, server: Server, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger that is named holds the jobs of a build on the disk and of its copy in a bucket, for one submission at a time."""
    ledger = tmp_path / "ledgers" / "mine.sqlite"
    ledger.parent.mkdir()
    assert hand_in(out, server, world, ledger=ledger).created == 1
    assert not (out / "ledger.sqlite").exists()
    with holding(FinishedBuild.open(out).folder, ledger), pytest.raises(LockedError, match="another ledger"):
        submit(remote, options_for(server, world, ledger=ledger), consent=YES, pace=HASTE)
    assert submit(remote, options_for(server, world, ledger=ledger), consent=YES, pace=HASTE).created == 0
    assert not local_side(remote).exists()
    assert len(status(remote, Access(ledger=ledger, providers=PROVIDERS)).jobs) == 1
    monkeypatch.chdir(tmp_path)
    (tmp_path / "etl.toml").write_text('[submit]\nledger = "ledgers/mine.sqlite"\n', encoding="utf-8")
    found = invoke("status", remote, "--providers", PROVIDERS, cwd=tmp_path)
    assert f"--ledger {ledger}" in found.stdout
    assert invoke("report", remote, "--terminal", "--ledger", ledger, cwd=tmp_path).returncode == 0
    (tmp_path / "etl.toml").unlink()
    assert "nothing was submitted from here" in error_of(invoke("status", out, cwd=tmp_path), 3)


def test_an_evaluation_lies_on_the_local_side(remote: str, built: Path, tmp_path: Path) -> None:
    """The scores of a build in object storage lie on its local side, and are in its report and its card."""
    shown = invoke("evaluate", remote, "--json", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    folder = local_side(remote) / "evaluation" / "validation"
    scores = json.loads((folder / "scores.json").read_bytes())
    assert scores["systems"] == json.loads(shown.stdout)["systems"]
    assert scores["test_set"]["manifest_sha256"] == FinishedBuild.open(built).manifest_sha256
    assert list(saturi.report(remote).evaluations) == ["validation"]
    page = invoke("report", remote, "--lang", "en", cwd=tmp_path)
    assert page.returncode == 0, page.stderr
    assert f"Report: {local_side(remote) / 'report.html'}" in page.stderr


@pytest.mark.parametrize("to", ["hf", "mlx", "parquet", "axolotl"])
def test_an_export_downloads_what_it_needs(to: str, storage: Storage, remote: str, out: Path, tmp_path: Path) -> None:
    """An export of a build in object storage is that of the same build on a disk, and no chunk comes over the network twice."""
    there, here = saturi.export(remote, to), saturi.export(out, to)
    assert tree_of(there) == tree_of(here)
    assert there == local_side(remote) / "export" / to
    assert saturi.verify(local_side(remote)).damage == []
    storage.requests.clear()
    assert saturi.export(remote, to) == there
    assert [request for request in storage.requests if "/chunks/" in request.key] == []
    assert tmp_path in there.parents


@pytest.mark.usefixtures("hasty")
def test_an_export_that_breaks_off(storage: Storage, remote: str, out: Path) -> None:
    """What was downloaded for an export that failed is not downloaded again by the next one."""
    *first, last = (f"small/{chunk.path}" for chunk in FinishedBuild.open(out).manifest.chunks)
    storage.faults = lambda _method, key: Fault.FORBIDDEN if key == last else None
    with pytest.raises(BuildError, match="the storage refuses: 403"):
        saturi.export(remote, "hf")
    assert not (local_side(remote) / "manifest.json").exists()
    storage.faults = lambda _method, _key: None
    storage.requests.clear()
    assert tree_of(saturi.export(remote, "hf")) == tree_of(saturi.export(out, "hf"))
    assert not {request.key for request in storage.requests} & set(first)
    assert not (local_side(remote) / ".work").exists()


def test_an_export_of_another_build(storage: Storage, remote: str, large: Path) -> None:
    """When the bucket holds another build, its export takes the place of the one before, and nothing of that stays."""
    saturi.export(remote, "hf")
    uploaded(storage, large, "small")
    folder = saturi.export(remote, "hf")
    assert tree_of(folder) == tree_of(saturi.export(large, "hf"))
    assert tree_of(local_side(remote) / "chunks") == tree_of(large / "chunks")


def test_damage_is_found(storage: Storage, built: Path, tmp_path: Path) -> None:
    """A chunk that is changed, missing or extra in the bucket is said to be so, and nothing else is done with the build."""
    url = uploaded(storage, built, "damaged")
    first, second, *_ = sorted((storage.folder / "damaged" / "chunks" / "train").iterdir())
    first.write_bytes(first.read_bytes() + b"{}\n")
    second.rename(second.with_name("new.jsonl"))
    damage = {(one.path.rpartition("/")[2], one.problem) for one in saturi.verify(url).damage}
    assert damage == {(first.name, "changed"), (second.name, "missing"), ("new.jsonl", "extra")}
    assert invoke("verify", url, cwd=tmp_path).returncode == 4
    assert "is changed and 2 more" in error_of(invoke("estimate", url, cwd=tmp_path), 3)
    with pytest.raises(BuildError, match="is changed"):
        saturi.export(url, "hf")
    assert not (local_side(url) / "manifest.json").exists()


def test_an_object_that_changes(storage: Storage, remote: str, tmp_path: Path) -> None:
    """A chunk that becomes another one while it is read is met with one sentence."""
    [chunk, *_] = sorted((storage.folder / "small" / "chunks" / "train").iterdir())

    def change(method: str, key: str) -> Fault | None:
        if method == "GET" and key.endswith(chunk.name):
            chunk.write_bytes(chunk.read_bytes().replace(b"\n", b" \n", 1))
        return None

    storage.faults = change
    assert f"{chunk.name} is unreadable (changes while it is read)" in error_of(
        invoke("check", remote, cwd=tmp_path), 3
    )


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are repeated after moments."""
    monkeypatch.setattr(client, "_WAITS_SECONDS", (0.01, 0.02, 0.05))


@pytest.mark.usefixtures("hasty")
def test_faults_that_pass(storage: Storage, url: str, local: Path) -> None:
    """What the storage does once, of whatever kind, is not seen in what a command says."""
    passing = cycle((Fault.RESET, Fault.TRUNCATED, Fault.LOST, Fault.ERROR, Fault.FORBIDDEN, Fault.SLOW_DOWN))
    failed: dict[str, Fault] = {}

    def once(_method: str, key: str) -> Fault | None:
        if "/chunks/" not in key or key in failed:
            return None
        failed[key] = next(passing)
        return failed[key]

    storage.faults = once
    assert saturi.verify(url) == saturi.verify(local)
    assert len(set(failed.values())) == len(Fault) - 1


@pytest.mark.usefixtures("hasty")
def test_a_storage_that_goes_away(storage: Storage, url: str, tmp_path: Path) -> None:
    """A storage that does not answer any more is no damage of a build: the sentence says what it answers, with 3."""
    storage.faults = lambda _method, key: Fault.FORBIDDEN if "/chunks/" in key else None
    sentence = error_of(invoke("verify", url, cwd=tmp_path), 3)
    assert "cannot be read (the storage refuses: 403" in sentence
    assert "check bucket, endpoint and credentials" in sentence


def _no_build(storage: Storage) -> str:
    return f"{storage.url}/nothing"


def _no_bucket(_storage: Storage) -> str:
    return "s3://no-such-bucket/out"


def _refused(storage: Storage) -> str:
    storage.faults = lambda _method, _key: Fault.FORBIDDEN
    return f"{storage.url}/{FULL}"


@pytest.mark.parametrize(
    ("place", "problem"),
    [(_no_build, "there is no finished build"), (_no_bucket, "no such bucket"), (_refused, "the storage refuses: 403")],
    ids=["no-build", "no-bucket", "wrong-key"],
)
@pytest.mark.parametrize("command", ["verify", "estimate", "export", "submit", "report"])
def test_first_contact(
    command: str, place: Callable[[Storage], str], problem: str, storage: Storage, home: Path, tmp_path: Path
) -> None:
    """A wrong name or key is met at once, in one sentence, with 3, and leaves nothing behind."""
    more = {"export": ("--to", "hf"), "submit": ("--yes",), "report": ("--terminal",)}.get(command, ())
    sentence = error_of(invoke(command, place(storage), *more, cwd=tmp_path, OPENAI_API_KEY="sk-invented"), 3)
    assert problem in sentence
    assert not home.exists()
    assert len(storage.requests) <= 1


def test_a_check_of_nothing(storage: Storage, tmp_path: Path) -> None:
    """A URL with nothing at it, or below it, does not exist."""
    assert "does not exist" in error_of(invoke("check", f"{storage.url}/none.jsonl", cwd=tmp_path), 3)


LOCAL_ONLY = {
    "sample": ("sample", "s3://bucket/x"),
    "init": ("init", "s3://bucket/etl.toml"),
    "fetch": ("fetch", "--to", "s3://bucket/x"),
    "doctor": ("doctor", "s3://bucket/x"),
    "ledger": ("status", "s3://bucket/x", "--ledger", "s3://bucket/ledger.sqlite"),
    "page": ("report", "s3://bucket/x", "--to", "s3://bucket/report.html"),
}


@pytest.mark.parametrize("words", LOCAL_ONLY.values(), ids=LOCAL_ONLY)
def test_a_url_where_a_path_is_needed(words: tuple[str, ...], tmp_path: Path) -> None:
    """What stays on this machine is not called like an object, and a URL is refused with a sentence."""
    assert "it is a URL, and has to be a path" in error_of(invoke(*words, cwd=tmp_path), 2)
    assert list(tmp_path.iterdir()) == []
