"""A corpus in object storage: what is below a URL gives what the same files give on a disk, and no byte comes twice."""

import io
import random
import struct
import unicodedata
import zipfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from corpora import (
    ANSWER_ZIP,
    CONVERSATION_ZIP,
    MANY_MEMBERS,
    REPEAT_ZIP,
    Member,
    answers,
    conversation,
    member,
    stem,
    write_loose,
    write_many,
    write_parts,
    write_zip,
    zip_bytes,
)
from object_storage import Fault, Storage, put_tree, random_faults, undisturbed
from runs import counts_of, invoke, one_thread, result_of, saturi

from saturi.etl.corpus.archive import Defect, read_members
from saturi.etl.corpus.archive import Member as ReadMember
from saturi.etl.corpus.batches import Batch
from saturi.etl.corpus.discover import Corpus, Form, discover
from saturi.etl.corpus.scan import Scan, scan
from saturi.etl.errors import EmptyCorpusError, EtlError, InputError, MissingPathError
from saturi.etl.inspection.survey import inspect
from saturi.etl.output.files import MARKER
from saturi.etl.pipeline.build import build
from saturi.etl.pipeline.reading import scan_rules
from saturi.etl.read.batch import read_batch
from saturi.etl.read.tasks import ReadTask, StagedBatch, UnreadBatch
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import RejectReason

OPTIONS = BuildOptions(validation=0.2, max_rejects=1)
ODD = "제주 #1 100%~[x]? 🍊"


def _conversation(number: int) -> Member:
    return conversation(
        f"DGDQ2000{number:04}", ("뭐 하노", "뭐 하니", "1"), (f"밥 묵나 {number}", f"밥 먹니 {number}", "2")
    )


def _tree(folder: Path) -> Path:
    """Write a corpus that has everything, and return its folder."""
    labels = folder / "Training" / "02.라벨링데이터"
    damaged = bytearray(zip_bytes([*answers(9), ("readme.txt", b"")]))
    damaged[200:220] = bytes(20)
    write_zip(labels / REPEAT_ZIP, [member(stem("st", str(n), n), f"묵었나 {n}", f"먹었니 {n}") for n in range(1, 12)])
    (labels / ANSWER_ZIP).write_bytes(damaged)
    write_parts(folder / "Validation" / ANSWER_ZIP.replace("TL", "VL"), answers(10, "나", first=50))
    write_zip(folder / CONVERSATION_ZIP, [_conversation(number) for number in range(4)])
    write_loose(folder / ODD, answers(5, "다", first=80))
    write_loose(folder / ODD / unicodedata.normalize("NFD", "더 아래"), [*answers(3, "라", first=90), ("a.txt", b"x")])
    half = folder / "half" / "VL_x.zip"
    write_parts(half, answers(4, "마", first=95))
    half.write_bytes(b"PK")
    write_zip(folder / "01.원천데이터" / "TS_x.zip", [("a.wav", b"x")])
    write_zip(folder / "out" / "inner.zip", answers(1))
    (folder / "out" / MARKER).touch()
    (folder / "labels.7z").write_bytes(b"x")
    (folder / "._x.zip").write_bytes(b"x")
    return folder


class Tree(NamedTuple):
    """A corpus that has everything, and the build of it on a disk."""

    folder: Path
    out: Path


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    found = Tree(_tree(tmp_path_factory.mktemp("tree") / "aihub"), tmp_path_factory.mktemp("disk") / "out")
    build(found.folder, found.out, OPTIONS, make_executor=one_thread)
    return found


def _facts(corpus: Corpus) -> list[object]:
    """Return what of a corpus does not depend on where it lies."""
    archives = [(one.name, one.form, one.hints, one.deidentified) for one in corpus.archives]
    return [archives, corpus.ignored_archives, corpus.ignored_files, corpus.notes]


def _scans(corpus: str | Path) -> list[Scan]:
    return [scan(archive, scan_rules(OPTIONS)) for archive in discover(corpus).archives]


def _batches(corpus: str | Path) -> list[Batch]:
    return [batch for one in _scans(corpus) for batch in one.batches]


def _members(corpus: str | Path) -> list[ReadMember | None]:
    return [one for batch in _batches(corpus) for one in read_members(batch)]


def _ranges(storage: Storage, name: str) -> list[tuple[int, int]]:
    """Return the ranges that were asked for of the objects whose key ends with *name*, in order."""
    ranges = (request.range for request in storage.requests if request.key.endswith(name) and request.range)
    borders = (one.removeprefix("bytes=").split("-") for one in ranges)
    return sorted((int(start), int(last) + 1) for start, last in borders)


def test_a_bucket_gives_the_bytes_of_a_disk(storage: Storage, tree: Tree, tmp_path: Path) -> None:
    """The same corpus gives the same chunks, manifest and rejects, whether it lies on a disk or in object storage."""
    url = put_tree(storage, tree.folder, "data/aihub")
    assert _facts(discover(url)) == _facts(discover(tree.folder))
    build(url, tmp_path / "bucket", OPTIONS, make_executor=one_thread)
    assert counts_of(tree.out)["rejected"]
    assert result_of(tmp_path / "bucket") == result_of(tree.out)
    assert (tmp_path / "bucket" / "lineage.parquet").read_bytes() == (tree.out / "lineage.parquet").read_bytes()


def test_processes_read_a_bucket(storage: Storage, tree: Tree, tmp_path: Path) -> None:
    """The command line builds a URL with a worker process, as it builds a folder."""
    url = put_tree(storage, tree.folder, "aihub")
    more = ("--validation", "0.2", "--max-rejects", "1", "--workers", "1")
    run = saturi("build", url, "--out", "bucket", *more, cwd=tmp_path, **storage.environment)
    assert run.returncode == 0, run.stderr
    assert result_of(tmp_path / "bucket") == result_of(tree.out)


def test_an_inspection_of_a_bucket_is_that_of_a_disk(storage: Storage, tree: Tree, tmp_path: Path) -> None:
    """What is in a corpus, and what its directories say, does not depend on where it lies."""
    url = put_tree(storage, tree.folder, "aihub")
    assert inspect(url, make_executor=one_thread) == inspect(tree.folder, make_executor=one_thread)
    runs = [invoke("build", place, "--dry-run", "--json", cwd=tmp_path) for place in (url, tree.folder)]
    assert runs[0].stdout == runs[1].stdout
    assert "rows" not in runs[0].stderr


def test_no_byte_of_an_archive_comes_twice(storage: Storage, tmp_path: Path) -> None:
    """Scan and batches ask for each byte of an archive once, also where it is in parts, and of every batch at once."""
    large = [(f"{number}.json", bytes(1_000_000)) for number in range(20)]
    write_zip(tmp_path / "aihub" / "TL_large.zip", large, zipfile.ZIP_STORED)
    write_many(tmp_path / "aihub")
    write_parts(tmp_path / "aihub" / "VL_x.zip", answers(40))
    url = put_tree(storage, tmp_path / "aihub", "aihub")
    batches = _batches(url)
    assert Counter(batch.archive.name for batch in batches) == {"TL_large.zip": 1, ANSWER_ZIP: 3, "VL_x.zip": 1}
    assert sum(one is not None for batch in batches for one in read_members(batch)) == 20 + MANY_MEMBERS + 40
    for key in [path.relative_to(storage.folder).as_posix() for path in storage.folder.glob("aihub/*")]:
        ranges = _ranges(storage, key)
        assert ranges[0][0] == 0
        assert ranges[-1][1] == (storage.folder / key).stat().st_size
        assert all(one[1] == after[0] for one, after in pairwise(ranges))
    assert len(_ranges(storage, ANSWER_ZIP)) == 2 + 3  # the end, the directory, three batches
    assert max(stop - start for start, stop in _ranges(storage, "TL_large.zip")) <= 16 << 20
    assert storage.asked() == {"GET": len(storage.requests)}


def test_a_second_build_asks_for_directories_alone(storage: Storage, tree: Tree, tmp_path: Path) -> None:
    """Of an unchanged corpus nothing is read again but lists and directories."""
    url = put_tree(storage, tree.folder, "aihub")
    build(url, tmp_path / "out", OPTIONS, make_executor=one_thread)
    storage.requests.clear()
    again = build(url, tmp_path / "out", OPTIONS, make_executor=one_thread)
    assert again.facts.segments_made == 0
    lists = [request for request in storage.requests if not request.range]
    assert len(lists) == 1 + 2  # the corpus, and each folder of loose files
    assert len(storage.requests) == len(lists) + 5 * 2 + 1  # five archives, and the zip that turns out to be none


def test_members_far_apart_come_without_what_is_between(storage: Storage, tmp_path: Path) -> None:
    """Audio between label files is not read, and the label files are what they are on a disk."""
    audio = bytes(3 << 20)
    members = [one for pair in zip(answers(5), [(f"{n}.wav", audio) for n in range(5)], strict=True) for one in pair]
    write_zip(tmp_path / "aihub" / ANSWER_ZIP, members, zipfile.ZIP_STORED)
    url = put_tree(storage, tmp_path / "aihub", "aihub")
    assert _members(url) == _members(tmp_path / "aihub")
    assert sum(request.sent_bytes for request in storage.requests) < len(audio)
    assert len(_ranges(storage, ANSWER_ZIP)) == 2 + 5


def _with_long_headers() -> bytes:
    """Return a zip whose local headers hold fields that its directory does not know of."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in answers(3):
            info = zipfile.ZipInfo(name)
            info.extra = struct.pack("<HH", 0x7075, 60_000) + b"e" * 60_000
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
            info.extra = b""
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_odd_and_damaged_zips_are_read_as_on_a_disk(storage: Storage, tmp_path: Path) -> None:
    """Every zip, whatever was done to its bytes, gives the members, defects and refusal that it gives on a disk."""
    whole = zip_bytes(answers(3))
    commented = whole[:-2] + struct.pack("<H", 60_000) + bytes(60_000)
    swapped = zip_bytes([*answers(2), *answers(2)])  # each member twice
    contents = [whole, commented, swapped, _with_long_headers(), b"junk" * 50_000 + whole, whole[:-30], b"", whole[:50]]
    chance = random.Random(7)
    for _ in range(30):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(whole))] = chance.choice([0, 1, 0x7F, 0xFF, chance.randrange(256)])
        contents.append(bytes(damaged))
    for number, content in enumerate(contents):
        path = tmp_path / f"{number}" / "x.zip"
        path.parent.mkdir()
        path.write_bytes(content)
        url = put_tree(storage, path.parent, path.parent.name)
        assert _outcome(url) == _outcome(path.parent), number


def _outcome(corpus: str | Path) -> object:
    """Return the members of a corpus, or its refusal without the place it is about."""
    try:
        return _members(corpus)
    except EtlError as error:
        return type(error), error.args[1:]


@pytest.mark.parametrize("loose", [False, True], ids=["zip", "loose"])
def test_a_changed_object_is_not_read_on(storage: Storage, tmp_path: Path, *, loose: bool) -> None:
    """An object that is replaced after the scan is not read, and is read by the next build."""
    if loose:
        write_loose(tmp_path / "aihub", answers(1))
    else:
        write_zip(tmp_path / "aihub" / ANSWER_ZIP, answers(1))
    url = put_tree(storage, tmp_path / "aihub", "aihub")
    [batch] = _batches(url)
    [key] = storage.keys()
    path = storage.folder / key
    before = path.read_bytes()
    path.write_bytes(before + b" " if loose else before[:100] + b"x" + before[101:])
    (tmp_path / "stage").mkdir()
    (tmp_path / "stage" / MARKER).touch()
    result = read_batch(ReadTask(batch, str(tmp_path / "stage")))
    if loose:
        assert isinstance(result, StagedBatch)
        assert result.header.rejected == {RejectReason.UNREADABLE: 1}
    else:
        assert isinstance(result, UnreadBatch)
        assert result.problem == "has changed since the build began"
        path.write_bytes(before)
    build(url, tmp_path / "out", OPTIONS, stage=tmp_path / "stage", make_executor=one_thread)
    assert counts_of(tmp_path / "out")["decoded"] == 1


def test_broken_answers_are_asked_for_again(storage: Storage, tree: Tree, tmp_path: Path) -> None:
    """Faults of a server, broken bodies among them, change nothing of the result."""
    url = put_tree(storage, tree.folder, "aihub")
    seen: set[str] = set()

    def truncate_first(_method: str, key: str) -> Fault | None:
        new = key not in seen and key != "aihub/"
        seen.add(key)
        return Fault.TRUNCATED if new else None

    storage.faults = truncate_first
    build(url, tmp_path / "bucket", OPTIONS, make_executor=one_thread)
    storage.faults = random_faults(3, 0.1)
    members = _members(f"{url}/Training")
    storage.faults = undisturbed
    assert members == _members(tree.folder / "Training")
    assert result_of(tmp_path / "bucket") == result_of(tree.out)


def test_an_archive_that_goes_is_left_out_where_that_is_allowed(storage: Storage, tmp_path: Path) -> None:
    """An object that is deleted while it is read ends a build, or is left out of it with its problem, as on a disk."""
    write_zip(tmp_path / "aihub" / ANSWER_ZIP, answers(3))
    write_zip(tmp_path / "aihub" / REPEAT_ZIP, answers(3, first=9))
    url = put_tree(storage, tmp_path / "aihub", "aihub")
    gone = storage.folder / "aihub" / REPEAT_ZIP
    content = gone.read_bytes()
    asked: list[str] = []

    def delete_when_read(_method: str, key: str) -> None:
        asked.append(key)
        if asked.count(f"aihub/{REPEAT_ZIP}") == 3:  # behind its end and its directory
            gone.unlink(missing_ok=True)

    storage.faults = delete_when_read
    with pytest.raises(InputError, match="no such object"):
        build(url, tmp_path / "out", OPTIONS, make_executor=one_thread)
    gone.write_bytes(content)
    asked.clear()
    allowed = BuildOptions(allow_bad_archives=True, max_rejects=1)
    build(url, tmp_path / "allowed", allowed, make_executor=one_thread)
    assert counts_of(tmp_path / "allowed")["decoded"] == 3


def test_loose_objects_that_cannot_be_read_are_rejects(storage: Storage, tmp_path: Path) -> None:
    """Of loose objects one that is gone is a reject, and one that is too large is not even asked for."""
    write_loose(tmp_path / "aihub", [*answers(3), ("large.json", b" " * 3_000_000)])
    url = put_tree(storage, tmp_path / "aihub", "aihub")
    [batch] = _batches(url)
    *_, gone = storage.keys()
    (storage.folder / gone).unlink()
    contents = [one.content for one in read_members(batch) if one is not None]
    reasons = [one.reason for one in contents if isinstance(one, Defect)]
    assert sorted(reasons) == [RejectReason.TOO_LARGE, RejectReason.UNREADABLE]
    assert not any(request.key.endswith("large.json") for request in storage.requests)


def test_a_refusal_of_loose_objects_takes_its_time_once(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the storage refuses one object to the last, the others of a batch are asked for once each."""
    monkeypatch.setattr("saturi.etl.storage.client._WAITS_SECONDS", (0.01, 0.01))
    write_loose(tmp_path / "aihub", answers(5))
    url = put_tree(storage, tmp_path / "aihub", "aihub")
    [batch] = _batches(url)
    storage.requests.clear()
    storage.faults = lambda _method, _key: Fault.FORBIDDEN
    contents = [one.content for one in read_members(batch) if one is not None]
    assert {one.reason for one in contents if isinstance(one, Defect)} == {RejectReason.UNREADABLE}
    assert len(storage.requests) == 3 + 4


def test_a_zip_and_a_part_are_corpora(storage: Storage, tmp_path: Path) -> None:
    """A URL may be that of a zip, or of one of several parts, whose siblings are found; what lies above tells the region."""
    write_zip(tmp_path / "tree" / "Validation" / "제주도" / "x.zip", answers(1))
    part = write_parts(tmp_path / "tree" / "Validation" / "제주도" / "y.zip", answers(9))
    write_parts(tmp_path / "tree" / "Validation" / "제주도" / "below" / "y.zip", answers(9))
    url = put_tree(storage, tmp_path / "tree", "tree") + "/Validation/제주도"
    folder = tmp_path / "tree" / "Validation" / "제주도"
    assert _facts(discover(f"{url}/x.zip")) == _facts(discover(folder / "x.zip"))
    assert _facts(discover(f"{url}/{part.name}")) == _facts(discover(part))
    assert [one.form for one in discover([f"{url}/y.zip.part0", f"{url}/x.zip"]).archives] == [Form.ZIP, Form.PARTS]
    assert len(discover([url, f"{url}/x.zip", folder]).archives) == 6


def test_markers_of_folders_are_no_files(storage: Storage, tmp_path: Path) -> None:
    """Objects without bytes that consoles leave for folders are nothing, whatever the folders are called."""
    write_loose(tmp_path / "aihub" / "a.json", answers(2))
    write_zip(tmp_path / "aihub" / "b.zip" / "x.zip", answers(2))
    url = put_tree(storage, tmp_path / "aihub", "aihub")
    storage.markers += ["aihub/", "aihub/a.json/", "aihub/b.zip/", "aihub/empty/"]
    assert _facts(discover(url)) == _facts(discover(tmp_path / "aihub"))
    assert len(_members(url)) == 4


def test_many_objects_are_one_folder(storage: Storage, tmp_path: Path) -> None:
    """Loose label files of several pages of a list are one archive, in the order of their names in NFC."""
    members = [(f"{name}{number}.json", b"{}") for number in range(510) for name in ("가", "나")]
    members += [(unicodedata.normalize("NFD", f"다{number}.json"), b"{}") for number in range(3)]
    write_loose(tmp_path / "aihub", members)
    url = put_tree(storage, tmp_path / "aihub", "aihub")
    [one], [other] = _scans(url), _scans(tmp_path / "aihub")
    assert [batch.place.names for batch in one.batches] == [batch.place.names for batch in other.batches]
    assert [batch.extent for batch in one.batches] == [batch.extent for batch in other.batches]


@pytest.mark.parametrize("marker", [MARKER, f"{MARKER}/owner.json", ".claims/00000001"])
def test_the_folder_of_a_build_is_refused(storage: Storage, tmp_path: Path, marker: str) -> None:
    """The output of a build is no corpus, and no part of one, in object storage as on a disk."""
    write_zip(tmp_path / "aihub" / "out" / "x.zip", answers(1))
    (tmp_path / "aihub" / "out" / "manifest.json").write_bytes(b"{}")
    url = put_tree(storage, tmp_path / "aihub", "aihub")
    place = storage.folder / "aihub" / "out" / marker
    place.parent.mkdir(exist_ok=True)
    place.touch()
    with pytest.raises(InputError, match="the folder of a build, not a corpus"):
        discover(f"{url}/out")
    with pytest.raises(EmptyCorpusError, match="nothing is in it"):
        discover(url)


@pytest.mark.parametrize(
    ("name", "error", "problem"),
    [
        ("s3://missing/aihub", MissingPathError, "there is no such bucket, or nothing of this name in it"),
        ("s3://bucket/aihab", MissingPathError, "there is no such bucket, or nothing of this name in it"),
        ("s3://bucket/aihub/y.zip", MissingPathError, "there is no such bucket, or nothing of this name in it"),
        ("s3://bucket/aihub/x.rar", InputError, "not read, since only zips are"),
        ("s3://bucket/aihub/x.txt", InputError, "neither a folder nor a zip"),
    ],
)
def test_what_is_no_corpus_is_named(
    storage: Storage, tmp_path: Path, name: str, error: type[InputError], problem: str
) -> None:
    """A URL that leads nowhere, or to something else, is refused in a sentence, after a few requests."""
    write_loose(tmp_path / "aihub", [("x.rar", b"x"), ("x.txt", b"x")])
    put_tree(storage, tmp_path / "aihub", "aihub")
    with pytest.raises(error, match=problem):
        discover(name)
    assert len(storage.requests) <= 3


@pytest.mark.parametrize("name", ["aihub", "x.zip"])
def test_first_contact_does_not_wait(storage: Storage, tmp_path: Path, name: str) -> None:
    """A storage that refuses, or does not answer, is met by the first request, and no key is shown."""
    storage.faults = lambda _method, _key: Fault.FORBIDDEN
    run = invoke("build", f"{storage.url}/{name}", "--out", "out", cwd=tmp_path)
    assert run.returncode == 3
    assert f"s3://bucket/{name}: cannot be read (the storage refuses: 403" in run.stderr
    assert len(storage.requests) == 1
    assert "invented" not in run.stderr


def test_an_endpoint_that_does_not_answer_is_named(tmp_path: Path, storage: Storage) -> None:
    """Where nobody listens, a build ends with a sentence."""
    environment = {**storage.environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    run = saturi("build", "s3://bucket/aihub", "--out", "out", cwd=tmp_path, **environment)
    assert run.returncode == 3
    assert "s3://bucket/aihub: cannot be read (the storage cannot be reached); check the name" in run.stderr
