"""Streams of AI-Hub: broken off, doubled, out of order, silent, hostile; what gets its name is whole."""

import io
import random
import struct
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from aihub import EXPIRED, HASTE, KEY, NO_FILE, PART_BYTES, AIHub, Fault, File, parts_of, running, tar_of, zip_bytes
from msgspec import structs
from runs import leftovers_of, tree_of

from saturi.etl.download.attempts import BrokenTransferError
from saturi.etl.download.fetch import fetch
from saturi.etl.download.news import Again, Finished, Moved, News
from saturi.etl.download.tar import Expected, Piece, pieces
from saturi.etl.errors import EligibilityError, EtlError, OptionError, ProviderError
from saturi.schemas.fetch import FetchResult

NAME = "TL_02._경상도_02._1인발화_질문에답하기.zip"
FOLDER = "139-1/Training/02.라벨링데이터"


@pytest.fixture
def content() -> bytes:
    """An archive of ten parts."""
    return zip_bytes(30, 9 * PART_BYTES)


@pytest.fixture
def hub(content: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[AIHub]:
    """AI-Hub with one archive."""
    monkeypatch.setenv("AIHUB_APIKEY", KEY)
    with running({71517: [File(2, FOLDER, NAME, content)]}) as hub:
        yield hub


def _fetch(hub: AIHub, folder: Path, news: list[News] | None = None) -> FetchResult:
    return fetch(
        71517, folder / "data", hub.options(), report=(news if news is not None else []).append, patience=HASTE
    )


def _archive(folder: Path) -> bytes:
    return (folder / "data" / FOLDER / NAME).read_bytes()


def _send(hub: AIHub, fault: Fault, times: int = 1) -> None:
    """Let *fault* befall the first *times* transfers after the approval check."""
    hub.fault = lambda number, attempt: fault if 2 <= attempt < 2 + times else Fault()  # noqa: ARG005 - one archive


def test_cut_at_random_bytes(hub: AIHub, content: bytes, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Broken off at any byte, a transfer begins again, and the archive is whole; nothing else is left."""
    cuts = request.config.getoption("--cuts")
    rng = random.Random(18)
    size = len(tar_of(parts_of(NAME, content))) - 2 * PART_BYTES
    for number in range(cuts):
        cut_at = rng.choice([rng.randrange(size), rng.randrange(2_000), size - rng.randrange(2_000)])
        _send(hub, Fault(cut_at=cut_at))
        hub.downloads.clear()
        news: list[News] = []
        _fetch(hub, tmp_path / f"{number}", news)
        assert _archive(tmp_path / f"{number}") == content
        assert sum(isinstance(one, Again) for one in news) == 1, cut_at
        assert leftovers_of(tmp_path / f"{number}") == []


def test_broken_in_every_attempt(hub: AIHub, tmp_path: Path) -> None:
    """A transfer that breaks in every attempt is given up with exit code 6, and no file has the archive's name."""
    _send(hub, Fault(cut_at=5_000), times=99)
    with pytest.raises(ProviderError, match=rf"^AI-Hub, {NAME}: .* {HASTE.attempts} times in all") as raised:
        _fetch(hub, tmp_path)
    assert raised.value.exit_code == 6
    assert [path for path in tree_of(tmp_path / "data") if path.endswith((".zip", ".tmp"))] == []


def test_one_of_two(hub: AIHub, content: bytes, tmp_path: Path) -> None:
    """Where one archive does not come, the others do, and the next run asks for that one only."""
    other = File(3, FOLDER, NAME.replace("경상", "강원"), content)
    hub.data_sets[71517].append(other)
    hub.fault = lambda number, attempt: Fault(cut_at=5_000) if number == 2 else Fault()  # noqa: ARG005 - every attempt at one
    with pytest.raises(ProviderError, match=NAME):
        _fetch(hub, tmp_path)
    assert (tmp_path / "data" / FOLDER / other.name).read_bytes() == content
    hub.fault = lambda number, attempt: Fault()  # noqa: ARG005 - all is well
    result = _fetch(hub, tmp_path)
    assert (result.fetched, result.present) == (1, 1)
    assert _archive(tmp_path) == content


def test_one_that_ai_hub_has_no_more(hub: AIHub, content: bytes, tmp_path: Path) -> None:
    """A refusal of one archive in the middle of a run names it, and the others come all the same."""
    others = [File(number, FOLDER, NAME.replace("경상", f"{number}"), content) for number in (3, 4, 5)]
    hub.data_sets[71517] = [File(2, FOLDER, NAME, zip_bytes(3)), *others]  # the smallest is asked for first
    hub.fault = lambda number, attempt: Fault(text=NO_FILE) if number == 3 else Fault()  # noqa: ARG005 - every attempt
    with pytest.raises(OptionError, match=r"^data set 71517, file 3: "):
        _fetch(hub, tmp_path)
    assert {path.name for path in (tmp_path / "data" / FOLDER).iterdir()} == {NAME, others[1].name, others[2].name}


def _reversed(content: bytes) -> bytes:
    return tar_of(parts_of(NAME, content)[::-1])


def _doubled(content: bytes) -> bytes:
    return tar_of(parts_of(NAME, content) * 2)


def _interleaved(content: bytes) -> bytes:
    return tar_of([part for part in parts_of(NAME, content) for _ in range(2)])


def _one_file(content: bytes) -> bytes:
    return tar_of([(f"./a/{NAME.replace('_', ' ')}", content)])


def _with_folders(content: bytes) -> bytes:
    folder = tarfile.TarInfo("a/b/")
    folder.type = tarfile.DIRTYPE
    return tar_of([folder, ("readme.txt", b"x"), *parts_of(NAME, content), ("a/license", b"x" * 700)])


def _pax(content: bytes) -> bytes:
    return tar_of(parts_of(f"{'긴 이름' * 40}.zip", content), tarfile.PAX_FORMAT)


def _long_names(content: bytes) -> bytes:
    return tar_of([(f"{'a/' * 90}{name}", data) for name, data in parts_of(NAME, content)])


def _without_end(content: bytes) -> bytes:
    parts = parts_of(NAME, content)
    return tar_of(parts)[: sum(512 + -(-len(data) // 512) * 512 for _, data in parts)]


def _single_part(content: bytes) -> bytes:
    return tar_of(parts_of(NAME, content, len(content)))


SHAPES = {
    "out-of-order": _reversed,
    "doubled": _doubled,
    "interleaved": _interleaved,
    "one-file": _one_file,
    "with-folders": _with_folders,
    "pax": _pax,
    "long-names": _long_names,
    "without-end": _without_end,
    "single-part": _single_part,
}


@pytest.mark.parametrize("exact", [True, False], ids=["exact", "rounded"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_tar_of_any_shape(hub: AIHub, content: bytes, tmp_path: Path, shape: str, exact: bool) -> None:
    """Parts in any order, twice, among folders or in one file, with names of any length, are the archive byte for byte."""
    hub.exact = exact
    _send(hub, Fault(body=SHAPES[shape](content)))
    news: list[News] = []
    result = _fetch(hub, tmp_path, news)
    assert _archive(tmp_path) == content
    assert [row.bytes for row in result.archives] == [len(content)]
    assert not any(isinstance(one, Again) for one in news)


def test_it_stops_at_the_exact_size(hub: AIHub, content: bytes, tmp_path: Path) -> None:
    """What follows the last byte of an archive is not waited for."""
    body = _doubled(content)
    _send(hub, Fault(body=body, silent_at=len(body) // 2))
    news: list[News] = []
    _fetch(hub, tmp_path, news)
    assert _archive(tmp_path) == content
    assert not any(isinstance(one, Again) for one in news)


@pytest.mark.parametrize("exact", [True, False], ids=["exact", "rounded"])
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda parts: parts[:-1], id="last-part-missing"),
        pytest.param(lambda parts: parts[1:], id="first-part-missing"),
        pytest.param(lambda parts: parts[:3] + parts[4:], id="part-missing"),
        pytest.param(lambda parts: [*parts[:-1], (parts[-1][0], parts[-1][1][:-30])], id="short"),
        pytest.param(lambda parts: [(name, bytes(len(data))) for name, data in parts], id="no-zip"),
        pytest.param(lambda _: [], id="nothing"),
    ],
)
def test_a_tar_that_ends_early(hub: AIHub, content: bytes, tmp_path: Path, spoil: object, exact: bool) -> None:
    """A tar that ends as it should, and holds no whole archive, is no archive: it is asked for again."""
    assert callable(spoil)
    hub.exact = exact
    _send(hub, Fault(body=tar_of(spoil(parts_of(NAME, content)))))
    news: list[News] = []
    _fetch(hub, tmp_path, news)
    assert _archive(tmp_path) == content
    assert sum(isinstance(one, Again) for one in news) == 1


@pytest.mark.parametrize("wrong", [-1, 1, -PART_BYTES, 1_000_000])
def test_a_wrong_size(hub: AIHub, content: bytes, tmp_path: Path, wrong: int) -> None:
    """Where AI-Hub tells another size than the archive has, nothing gets its name, and both are told."""
    hub.detail = {"파일 목록": {"fileList": [{"fileSn": 2, "fileSize": len(content) + wrong}]}}
    with pytest.raises(ProviderError, match=f"{NAME}: "):
        _fetch(hub, tmp_path)
    assert [path for path in tree_of(tmp_path / "data") if path.endswith((".zip", ".tmp"))] == []


def test_text_instead_of_a_tar(hub: AIHub, tmp_path: Path) -> None:
    """A sentence in the place of a tar, with status 200 from the second host, is the reason, also in the middle of a run."""
    _send(hub, Fault(body=EXPIRED.encode() + b" " * 600))
    with pytest.raises(EligibilityError, match="expired"):
        _fetch(hub, tmp_path)


def test_a_text_that_drips(hub: AIHub, tmp_path: Path) -> None:
    """A text in the place of a tar is read for a time only, however slowly it comes."""
    _send(hub, Fault(body=b"wait ", dripping=True), times=99)
    with pytest.raises(ProviderError, match=r"no tar came \(status 200: wait x|broke off"):
        fetch(71517, tmp_path / "data", hub.options(), patience=structs.replace(HASTE, answer_seconds=0.3, attempts=1))


def test_a_host_has_the_key_by_itself(hub: AIHub, content: bytes, tmp_path: Path) -> None:
    """A host that asked for the key gets it; another that AI-Hub redirects to does not, unless it asks."""
    with running({}) as other:
        other.faults.append(Fault(body=tar_of(parts_of(NAME, content))))
        elsewhere = Fault(location=f"{other.address}/stream/shellStream.do?uuid=0")
        hub.fault = lambda number, attempt: Fault(wants_key=("", 401)) if attempt < 3 else elsewhere  # noqa: ARG005
        _fetch(hub, tmp_path)
        assert [asked.key for asked in other.asked] == [None]
    assert [asked.key for asked in hub.asked if asked.path.startswith("/stream")] == [None, KEY]


def test_a_silent_stream(hub: AIHub, content: bytes, tmp_path: Path) -> None:
    """A stream that falls silent is broken off and begins again."""
    _send(hub, Fault(silent_at=6_000))
    news: list[News] = []
    patience = structs.replace(HASTE, read_seconds=0.3)
    fetch(71517, tmp_path / "data", hub.options(), report=news.append, patience=patience)
    assert _archive(tmp_path) == content
    assert [one.problem for one in news if isinstance(one, Again)] == ["nothing came for too long"]


def test_a_slow_stream(hub: AIHub, content: bytes, tmp_path: Path) -> None:
    """A stream in pieces of a few bytes is a stream."""
    _send(hub, Fault(piece_bytes=97))
    _fetch(hub, tmp_path)
    assert _archive(tmp_path) == content


def test_the_reader_does_not_wait_for_the_disk(hub: AIHub, tmp_path: Path) -> None:
    """While nothing can be written, the server gets rid of a whole archive of 16 MB, far more than sockets hold."""
    content = bytes(16 << 20) + zip_bytes(3)  # before a zip anything may stand
    hub.data_sets = {71517: [File(2, FOLDER, NAME, content)]}
    _send(hub, Fault(body=tar_of(parts_of(NAME, content, 1 << 20))))
    waited: list[bool] = []

    def report(news: News) -> None:
        if isinstance(news, Moved) and news.done and not waited:
            waited.append(hub.sent_whole.wait(30))

    fetch(71517, tmp_path / "data", hub.options(), report=report, patience=HASTE)
    assert waited == [True]
    assert _archive(tmp_path) == content


def test_two_at_once(hub: AIHub, content: bytes, tmp_path: Path) -> None:
    """Of six archives two come at once, and never more; each is told once."""
    names = [NAME.replace("02._경상", f"0{number}._경상") for number in range(6)]
    hub.data_sets = {71517: [File(number, FOLDER, name, content) for number, name in enumerate(names)]}
    meeting = threading.Barrier(2)
    hub.fault = lambda number, attempt: Fault(meets=meeting if len(hub.faults) else None)  # noqa: ARG005 - the check is alone
    news: list[News] = []
    _fetch(hub, tmp_path, news)
    assert hub.most_meeting == 2
    assert sorted(Path(one.archive.path).name for one in news if isinstance(one, Finished)) == names


def _header(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info


def _sized(name: str, field: bytes) -> bytes:
    """Return a header whose size is *field*."""
    header = bytearray(_header(name).tobuf(tarfile.GNU_FORMAT))
    header[124:136] = field.ljust(12, b"\0")
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    return bytes(header)


def _negative() -> bytes:
    return _sized("x.zip.part0", b"\xff" * 4 + struct.pack(">q", -5))


HOSTILE: dict[str, bytes | Callable[[], bytes]] = {
    "absolute": tar_of([("/etc/x.zip.part0", b"x")]),
    "parent": tar_of([("a/../../x.zip.part0", b"x")]),
    "backslash": tar_of([("..\\x.zip.part0", b"x")]),
    "drive": tar_of([("C:/x.zip.part0", b"x")]),
    "parent-folder": tar_of([_header("../", kind=tarfile.DIRTYPE)]),
    "symbolic-link": tar_of([_header("x.zip.part0", kind=tarfile.SYMTYPE, link="/etc/passwd")]),
    "hard-link": tar_of([_header("x.zip.part0", kind=tarfile.LNKTYPE, link="y")]),
    "device": tar_of([_header("x.zip.part0", kind=tarfile.CHRTYPE)]),
    "pipe": tar_of([_header("x.zip.part0", kind=tarfile.FIFOTYPE)]),
    "unknown-kind": tar_of([_header("x.zip.part0", kind=b"Z")]),
    "sparse": tar_of([_header("x.zip.part0", kind=tarfile.GNUTYPE_SPARSE)]) + bytes(512),
    "over-the-size": tar_of([_header("x.zip.part0", size=1 << 40)]),
    "behind-the-size": tar_of([("x.zip.part999999999", b"x")]),
    "overlap": tar_of([("x.zip.part0", bytes(600)), ("x.zip.part300", bytes(600))]),
    "other-size": tar_of([("x.zip.part0", bytes(600)), ("x.zip.part0", bytes(601))]),
    "thrice": tar_of([("x.zip.part0", bytes(30_000))] * 3),
    "large-stray": tar_of([_header("y.bin", size=1 << 30)]),
    "other-archive": tar_of([("x.zip.part0", b"x"), _header("y.zip.part1", size=1 << 21)]),
    "long-name": tar_of([_header("././@LongLink", size=1 << 40, kind=tarfile.GNUTYPE_LONGNAME)]) + bytes(1 << 20),
    "pax-header": tar_of([_header("x", size=1 << 40, kind=tarfile.XHDTYPE)]) + b"9 a=bcde\n" * 100_000,
    "global-header": tar_of([_header("x", size=1 << 40, kind=tarfile.XGLTYPE)]) + b"9 a=bcde\n" * 100_000,
    "chained-names": lambda: (
        (
            _header("././@LongLink", size=2, kind=tarfile.GNUTYPE_LONGNAME).tobuf(tarfile.GNU_FORMAT)
            + b"x\0".ljust(512, b"\0")
        )
        * 3_000
    ),
    "negative-size": _negative() + bytes(1024),
    "many-members": lambda: _header("x/", kind=tarfile.DIRTYPE).tobuf(tarfile.GNU_FORMAT) * 4_100,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_tar(hub: AIHub, tmp_path: Path, name: str) -> None:
    """What no archive of AI-Hub holds ends the transfer with exit code 6; nothing is written beside the record."""
    hub.data_sets = {71517: [File(2, FOLDER, NAME, bytes(40_000))]}
    body = HOSTILE[name]
    _send(hub, Fault(body=body() if callable(body) else body), times=99)
    with pytest.raises(ProviderError) as raised:
        _fetch(hub, tmp_path)
    assert raised.value.exit_code == 6
    files = {path for path, content in tree_of(tmp_path).items() if content is not None}
    assert files == {"data/fetch/.saturi", "data/fetch/fetch.json"}


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_tar(content: bytes, seed: int) -> None:
    """A tar with random damage in its headers gives pieces within the archive, or an error of ours."""
    rng = random.Random(seed)
    body = bytearray(rng.choice(list(SHAPES.values()))(content))
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(0, len(body), 512) if rng.random() < 0.7 else 0
        body[at + rng.randrange(min(512, len(body) - at))] = rng.randrange(256)
    source = io.BytesIO(bytes(body))
    expected = Expected("x", NAME, len(content), exact=bool(seed % 2))
    got: list[Piece] = []
    with suppress(BrokenTransferError, EtlError):
        got.extend(pieces(lambda: source.read(10_240), expected))
    assert all(piece.offset >= 0 and piece.offset + len(piece.data) <= len(content) for piece in got)


def test_a_zip_that_is_damaged_within(hub: AIHub, content: bytes, tmp_path: Path) -> None:
    """The whole directory of a zip is read before it gets its name, and not only its end."""
    at = zipfile.ZipFile(io.BytesIO(content)).start_dir
    spoilt = content[:at] + b"XX" + content[at + 2 :]
    _send(hub, Fault(body=tar_of(parts_of(NAME, spoilt))))
    news: list[News] = []
    _fetch(hub, tmp_path, news)
    assert _archive(tmp_path) == content
    assert next(one.problem for one in news if isinstance(one, Again)).startswith("what came is not whole")


def test_the_last_of_several_volumes(hub: AIHub, content: bytes, tmp_path: Path) -> None:
    """The last volume of a zip written in several is as whole as its size."""
    volume = bytearray(content[-4_000:])
    volume[-18:-14] = b"\x01\x00\x00\x00"  # the numbers of this disk, and of the one where the directory begins
    hub.data_sets = {71517: [File(2, FOLDER, NAME, bytes(volume))]}
    _fetch(hub, tmp_path)
    assert _archive(tmp_path) == bytes(volume)


def test_no_thread_is_left(hub: AIHub, tmp_path: Path) -> None:
    """After a run, whole or given up, no thread of it is left."""
    before = set(threading.enumerate())
    _send(hub, Fault(cut_at=5_000), times=99)
    with pytest.raises(ProviderError):
        _fetch(hub, tmp_path)
    ours = [thread for thread in set(threading.enumerate()) - before if "process_request" not in thread.name]
    assert ours == []
