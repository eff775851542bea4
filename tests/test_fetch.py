"""Downloads from AI-Hub on loopback: lists, plans, agreement, approval, whole zips, and the run after."""

import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aihub import (
    ABROAD,
    EXPIRED,
    HASTE,
    KEY,
    KEY_OR_APPROVAL,
    NO_FILE,
    NOT_APPROVED,
    OLD_VERSION,
    AIHub,
    Fault,
    dialect,
    running,
    tar_of,
)
from click.testing import CliRunner, Result
from rich.cells import cell_len
from rich.console import Console
from runs import saturi, tree_of

from saturi.etl.console.dispatch import cli
from saturi.etl.console.lines import print_text
from saturi.etl.console.screens.fetch import fetching
from saturi.etl.console.screens.transfers import TransferBars
from saturi.etl.corpus.discover import discover
from saturi.etl.download.addresses import redirect_target
from saturi.etl.download.connections import broken
from saturi.etl.download.data_sets import KNOWN
from saturi.etl.download.fetch import fetch
from saturi.etl.download.news import News, Planned, Remark
from saturi.etl.download.plan import list_archives, plan_fetch
from saturi.etl.download.terms import TERMS
from saturi.etl.errors import (
    DiskFullError,
    EligibilityError,
    EmptyCorpusError,
    ForeignFolderError,
    LockedError,
    OptionError,
    ProviderError,
    SpendingError,
    StorageError,
)
from saturi.etl.output.holding import locked


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[AIHub]:
    """AI-Hub with two data sets, whose key is in the environment."""
    monkeypatch.setenv("AIHUB_APIKEY", KEY)
    with running(dialect()) as hub:
        yield hub


def _zips(folder: Path) -> dict[str, bytes]:
    """Return every file below *folder* but the record."""
    return {
        path: content
        for path, content in tree_of(folder).items()
        if content is not None and not path.startswith("fetch/")
    }


def _expected(hub: AIHub, *numbers: int) -> dict[str, bytes]:
    files = hub.files()
    return {f"{files[number].folder}/{files[number].name}": files[number].content for number in numbers}


def test_label_archives(hub: AIHub, tmp_path: Path) -> None:
    """All label archives of the data sets named are there byte for byte, below their folders, and no audio."""
    result = fetch([71517, "71558"], tmp_path / "data", hub.options(), patience=HASTE)
    assert _zips(tmp_path / "data") == _expected(hub, 2, 3, 4)
    assert (result.fetched, result.present) == (3, 0)
    assert {row.path: row.bytes for row in result.archives} == {
        path: len(content) for path, content in _expected(hub, 2, 3, 4).items()
    }


def test_the_next_run(hub: AIHub, tmp_path: Path) -> None:
    """The next run compares what is there with its hashes, and asks for no archive again."""
    fetch([71517], tmp_path / "data", hub.options(), patience=HASTE)
    before, downloads = tree_of(tmp_path / "data"), len(hub.paths("/down"))
    result = fetch([71517], tmp_path / "data", hub.options(), patience=HASTE)
    assert (result.fetched, result.present) == (0, 2)
    assert tree_of(tmp_path / "data") == before
    assert len(hub.paths("/down")) == downloads


@pytest.mark.parametrize("same_size", [True, False])
def test_a_file_that_has_changed(hub: AIHub, tmp_path: Path, same_size: bool) -> None:
    """A file that is not as it was fetched is named, and left as it is."""
    fetch([71558], tmp_path / "data", hub.options(), patience=HASTE)
    [path] = (tmp_path / "data").rglob("*.zip")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"x" if same_size else content + b"x")
    before = tree_of(tmp_path / "data")
    with pytest.raises(StorageError, match="not as it was fetched"):
        fetch([71558], tmp_path / "data", hub.options(), patience=HASTE)
    assert tree_of(tmp_path / "data") == before


def test_a_build_knows_nothing_of_it(hub: AIHub, tmp_path: Path) -> None:
    """A corpus finds the zips in the folder of the data, and neither the record nor anything else."""
    fetch([71517, 71558], tmp_path / "data", hub.options(), patience=HASTE)
    corpus = discover(tmp_path / "data")
    assert [Path(archive.name).name for archive in corpus.archives] == sorted(
        Path(path).name for path in _expected(hub, 2, 3, 4)
    )
    assert (corpus.ignored_archives, corpus.ignored_files, corpus.notes) == (0, 0, ())


def test_the_record(hub: AIHub, tmp_path: Path) -> None:
    """The record has size and SHA-256 of each archive, and no key."""
    fetch([71517], tmp_path / "data", hub.options(), patience=HASTE)
    content = (tmp_path / "data/fetch/fetch.json").read_text(encoding="utf-8")
    record = json.loads(content)
    assert [(row["file_number"], row["data_set"]) for row in record["archives"]] == [(3, 71517), (2, 71517)]
    for path, stored in tree_of(tmp_path).items():
        assert KEY not in path
        assert KEY.encode() not in (stored or b"")


CHOICES = {
    "all": (("*",), [1, 2, 3]),
    "folder": (("*라벨*",), [2, 3]),
    "name": (("tl_01*",), [3]),
    "decomposed": (("*\u1100\u1161\u11bc\u110b\u116f\u11ab*TL_01*",), [3]),
    "two": (("TS_*", "TL_01*"), [1, 3]),
    "one-sign": (("TL_0?._강원도_02._1인발화_질문에답하기.zip",), [3]),
}


@pytest.mark.parametrize(("match", "numbers"), CHOICES.values(), ids=CHOICES)
def test_a_choice(hub: AIHub, tmp_path: Path, match: tuple[str, ...], numbers: list[int]) -> None:
    """`--match` chooses archives by path or name, audio, too; brackets in it are brackets."""
    plan = plan_fetch([71517], tmp_path / "data", hub.options(match=match), patience=HASTE)
    assert [archive.file_number for archive in plan.archives] == numbers
    assert not (tmp_path / "data").exists()


def test_a_choice_with_brackets(hub: AIHub, tmp_path: Path) -> None:
    """Archives of 2020 have square brackets in their names, and are labels by them."""
    file = hub.data_sets[71558][0]._replace(name="[라벨]제주도_학습데이터_1.zip", folder="제주/1.Training")
    hub.data_sets = {121: [file, file._replace(number=5, name="[원천]제주도_학습데이터_1.zip")]}
    for match in ((), ("[라벨]*",), ("*[라벨]제주도*",)):
        plan = plan_fetch(["제주"], tmp_path, hub.options(generation="2020", match=match), patience=HASTE)
        assert [archive.file_number for archive in plan.archives] == [4]


NAMES = {
    "number": (["71558"], None, [71558]),
    "region": (["제주"], None, [71558, 121]),
    "english": (["jeju"], "2022", [71558]),
    "title": (["139-1"], None, [71517]),
    "generation": ([], "2022", [71517, 71558]),
    "old-generation": ([], "2020", [118, 119, 120, 121, 122]),
    "twice": (["강원", "71517", "118"], None, [71517, 118]),
    "within": (["71517", "118"], "2020", [118]),
}


@pytest.mark.parametrize(("names", "generation", "numbers"), NAMES.values(), ids=NAMES)
def test_data_sets(hub: AIHub, names: list[str], generation: str | None, numbers: list[int]) -> None:
    """Data sets are chosen by number, by a part of their name, and by generation."""
    hub.data_sets = dict.fromkeys(numbers, hub.data_sets[71558])
    lists = list_archives(names, hub.options(generation=generation), patience=HASTE)
    assert [listed.data_set for listed in lists] == numbers


@pytest.mark.parametrize("names", [["seoul"], [""], [" "], ["0"], ["-5"], ["1" * 30], []])
def test_no_data_set(hub: AIHub, names: list[str]) -> None:
    """What is no data set is refused with those that are, and nothing is asked."""
    with pytest.raises(OptionError, match="71517") as raised:
        list_archives(names, hub.options())
    assert raised.value.exit_code == 2
    assert hub.asked == []


def test_no_match(hub: AIHub, tmp_path: Path) -> None:
    """Where nothing is like the pattern, or no archive is of labels, that is said."""
    with pytest.raises(OptionError, match="--match"):
        plan_fetch([71517], tmp_path, hub.options(match=("x*",)), patience=HASTE)
    hub.data_sets = {71517: hub.data_sets[71517][:1]}
    with pytest.raises(EmptyCorpusError, match="no archive of labels"):
        plan_fetch([71517], tmp_path, hub.options(), patience=HASTE)


def test_a_list_needs_no_key(hub: AIHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key there are lists, with rounded sizes that are said to be that, and no key is sent."""
    monkeypatch.delenv("AIHUB_APIKEY")
    news: list[News] = []
    [listed] = list_archives(71517, hub.options(), report=news.append, patience=HASTE)
    assert all(archive.rounded for archive in listed.archives)
    for archive in listed.archives:
        assert len(hub.files()[archive.file_number].content) <= archive.bytes
    assert [asked.key for asked in hub.asked] == [None]
    [listed] = list_archives(71517, hub.options(), patience=HASTE)
    with pytest.raises(OptionError, match="AIHUB_APIKEY"):
        fetch(71517, "data", hub.options(), patience=HASTE)
    for name in ("nope", 99999):  # what is wrong with the arguments comes first
        with pytest.raises(OptionError, match="data set"):
            fetch(name, "data", hub.options(), patience=HASTE)
    assert any(isinstance(one, Remark) for one in news) is False  # a list is no plan


def test_the_plan(hub: AIHub, tmp_path: Path) -> None:
    """The plan has exact bytes, the time at 2 MB/s, and the space for the size once and a part."""
    plan = plan_fetch([71517], tmp_path / "data", hub.options(), patience=HASTE)
    sizes = [len(content) for content in _expected(hub, 2, 3).values()]
    assert (plan.bytes, plan.rounded) == (sum(sizes), False)
    assert plan.needed_bytes == sum(sizes) + max(sizes)
    assert plan.free_bytes > 0
    assert hub.paths("/down") == []


@pytest.mark.parametrize(
    "detail", [None, {}, {"data": []}, {"파일 목록": {"fileList": [{"fileSn": "x", "fileSize": -1}]}}]
)
def test_rounded_sizes(hub: AIHub, tmp_path: Path, detail: object) -> None:
    """Without exact sizes the plan has the most they can be, says so, and the archives come whole all the same."""
    hub.exact, hub.detail = detail is not None, detail
    news: list[News] = []
    fetch([71517], tmp_path / "data", hub.options(), report=news.append, patience=HASTE)
    [plan] = [one.plan for one in news if isinstance(one, Planned)]
    assert plan.rounded
    assert plan.bytes >= sum(map(len, _expected(hub, 2, 3).values()))
    assert any("rounded" in one.sentence for one in news if isinstance(one, Remark))
    assert _zips(tmp_path / "data") == _expected(hub, 2, 3)


def test_sizes_in_other_forms(hub: AIHub, tmp_path: Path) -> None:
    """Sizes may be texts, or lie in objects of one value; whatever tells of the approval is shown."""
    rows = [
        {"fileSn": {"value": str(file.number)}, "fileSize": {"value": len(file.content)}}
        for file in hub.data_sets[71517]
    ]
    files = {"fileList": {"value": rows}}
    hub.detail = {"data": {"파일 목록(API 다운로드)": files, "승인 유효기간": {"value": "2027-01-31"}}}
    plan = plan_fetch([71517], tmp_path, hub.options(), patience=HASTE)
    assert not plan.rounded
    assert plan.approvals == {"71517": "2027-01-31"}


def test_terms_are_agreed_to_once(hub: AIHub, tmp_path: Path) -> None:
    """Without agreement nothing is downloaded; it is asked for once a folder."""
    asked: list[bool] = []

    def agree(*, answer: bool) -> bool:
        asked.append(answer)
        return answer

    options = hub.options(accept_terms=False)
    for no in (None, lambda: agree(answer=False)):
        with pytest.raises(SpendingError, match="terms of use"):
            fetch([71558], tmp_path / "data", options, agree=no, patience=HASTE)
    assert hub.paths("/down") == []
    fetch([71558], tmp_path / "data", options, agree=lambda: agree(answer=True), patience=HASTE)
    fetch([71517], tmp_path / "data", options, agree=lambda: agree(answer=False), patience=HASTE)
    assert asked == [False, True]


REFUSALS = {
    "no-approval": (NOT_APPROVED, EligibilityError, 7, "apply at .*dataSetSn=71517"),
    "expired": (EXPIRED, EligibilityError, 7, "the approval has expired"),
    "abroad": (ABROAD, EligibilityError, 7, "with an address in Korea"),
    "key-or-approval": (KEY_OR_APPROVAL, EligibilityError, 7, "AI-Hub does not say which"),
    "no-file": (NO_FILE, OptionError, 2, "no such data set or file"),
    "old-version": (OLD_VERSION, ProviderError, 6, "newer version of saturi"),
    "unknown": ("점검 중입니다.\x1b[2J", ProviderError, 6, r"점검 중입니다\.\\x1b\[2J"),
    "html": ("<html><script>x</script><h1>오류</h1>", ProviderError, 6, r"502: 오류\)"),
    "nothing": ("", ProviderError, 6, "502: nothing"),
    "long": ("가" * 5_000, ProviderError, 6, "가{300}…"),
}


STATUSES = [*((case, 502) for case in REFUSALS), *(("key-or-approval", status) for status in (200, 403)), ("html", 200)]


@pytest.mark.parametrize(("name", "status"), STATUSES)
def test_a_refusal(hub: AIHub, tmp_path: Path, name: str, status: int) -> None:
    """A sentence in the body becomes a reason and what to do, whatever the status, before anything is written."""
    text, error, code, words = REFUSALS[name]
    hub.fault = lambda number, attempt: Fault(text=text, status=status)  # noqa: ARG005 - the same for all
    with pytest.raises(error, match=words.replace("502", str(status))) as raised:
        fetch([71517], tmp_path / "data", hub.options(), patience=HASTE)
    assert raised.value.exit_code == code
    assert _zips(tmp_path / "data") == {}
    # Only the smallest archive was asked for, and what is final only once.
    assert {path.partition("fileSn=")[2] for path in hub.paths("/down")} == {"3"}
    final = code != 6 or "newer" in words
    assert len(hub.paths("/down")) == (1 if final else HASTE.answer_attempts)


def test_a_wrong_key(hub: AIHub, tmp_path: Path) -> None:
    """A key that AI-Hub does not know is named by where it is, without its text."""
    hub.key = "another"
    with pytest.raises(OptionError, match=r"^AIHUB_APIKEY: AI-Hub does not know this key") as raised:
        fetch([71517], tmp_path / "data", hub.options(), patience=HASTE)
    assert KEY not in str(raised.value)


def test_a_key_that_is_said_back(hub: AIHub, tmp_path: Path) -> None:
    """A sentence that repeats the key is shown without it."""
    hub.fault = lambda number, attempt: Fault(text=f"bad {KEY}")  # noqa: ARG005 - the same for all
    with pytest.raises(ProviderError, match=r"bad \(key\)"):
        fetch([71517], tmp_path / "data", hub.options(), patience=HASTE)


def test_lists_that_fail(hub: AIHub) -> None:
    """A data set that is not offered is no data set; an answer without a list is asked for again, then shown."""
    with pytest.raises(OptionError, match="no such data set"):
        list_archives(999, hub.options(), patience=HASTE)
    hub.list_text, hub.list_status = "Forbidden", 403
    with pytest.raises(OptionError, match="does not offer it"):
        list_archives(71517, hub.options(), patience=HASTE)
    hub.list_text, hub.list_status = "Bad Gateway", 502
    asked = len(hub.asked)
    with pytest.raises(ProviderError, match=r"no list came \(status 502: Bad Gateway\), 3 times"):
        list_archives(71517, hub.options(), patience=HASTE)
    assert len(hub.asked) - asked == HASTE.answer_attempts


def test_the_key_goes_to_the_first_host_only(hub: AIHub, tmp_path: Path) -> None:
    """The host that AI-Hub redirects to gets no key, and no list is asked for with it."""
    fetch([71517], tmp_path / "data", hub.options(), patience=HASTE)
    for kind, key in (("/info", None), ("/stream", None), ("/down", KEY), ("/mcp", KEY)):
        assert {asked.key for asked in hub.asked if asked.path.startswith(kind)} == {key}
    assert not [asked.path for asked in hub.asked if KEY in asked.path]


@pytest.mark.parametrize("answer", [("", 401), ("Forbidden", 403), (KEY_OR_APPROVAL, 502), ("No API key", 200)])
def test_a_host_that_asks_for_the_key(hub: AIHub, tmp_path: Path, answer: tuple[str, int]) -> None:
    """Where the second host asks for the key, by status or in words, it gets it, which is said once."""
    hub.fault = lambda number, attempt: Fault(wants_key=answer)  # noqa: ARG005 - the same for all
    news: list[News] = []
    fetch([71517], tmp_path / "data", hub.options(), report=news.append, patience=HASTE)
    assert _zips(tmp_path / "data") == _expected(hub, 2, 3)
    assert [one.sentence for one in news if isinstance(one, Remark)] == [
        "127.0.0.1, where AI-Hub redirects to, asks for the key, and gets it from now on"
    ]


def test_a_host_that_refuses_for_another_reason(hub: AIHub, tmp_path: Path) -> None:
    """The second host gets no key where it refuses for a reason of its own."""
    hub.fault = lambda number, attempt: Fault(wants_key=(EXPIRED, 502))  # noqa: ARG005 - the same for all
    with pytest.raises(EligibilityError, match="expired"):
        fetch([71517], tmp_path / "data", hub.options(), patience=HASTE)
    assert [asked.key for asked in hub.asked if asked.path.startswith("/stream")] == [None]


PLACES = {
    "other-site": "http://localhost:{port}/stream/shellStream.do?uuid=0",
    "below-other-site": "http://127.0.0.1.example:{port}/",
    "other-scheme": "https://127.0.0.1:{port}/stream/shellStream.do?uuid=0",
    "password": "http://a:b@127.0.0.1:{port}/",
    "file": "file:///etc/passwd",
    "no-address": "http://[",
}


@pytest.mark.parametrize("location", PLACES.values(), ids=PLACES)
def test_a_redirect_elsewhere(hub: AIHub, tmp_path: Path, location: str) -> None:
    """A redirect to another site than AI-Hub's is refused, and nothing is asked there."""
    address = location.format(port=hub.server_port)
    hub.fault = lambda number, attempt: Fault(location=address)  # noqa: ARG005 - the same for all
    with pytest.raises(ProviderError, match="redirects to"):
        fetch([71517], tmp_path / "data", hub.options(), patience=HASTE)
    assert hub.paths("/stream") == []
    assert len(hub.paths("/down")) == 1


REDIRECTS = {
    "stream": ("https://stream.aihub.or.kr/shellStream.do?uuid=x", True),
    "site": ("https://aihub.or.kr/x", True),
    "relative": ("/x", True),
    "port": ("https://stream.aihub.or.kr:8443/x", True),
    "capitals": ("https://STREAM.AIHUB.OR.KR/x", True),
    "unencrypted": ("http://stream.aihub.or.kr/x", False),
    "end-of-a-name": ("https://notaihub.or.kr/x", False),
    "beginning-of-a-name": ("https://aihub.or.kr.example/x", False),
    "password": ("https://aihub.or.kr@example/x", False),
    "country": ("https://or.kr/x", False),
}


@pytest.mark.parametrize(("location", "allowed"), REDIRECTS.values(), ids=REDIRECTS)
def test_a_redirect_of_the_real_address(location: str, allowed: bool) -> None:
    """From AI-Hub's own address a redirect leads to its hosts, encrypted, and nowhere else."""
    address = "https://api.aihub.or.kr/down/0.6/71517.do?fileSn=1"
    if allowed:
        assert redirect_target(address, location).startswith("https://")
    else:
        with pytest.raises(ProviderError, match="redirects to"):
            redirect_target(address, location)


def test_a_full_disk(hub: AIHub, tmp_path: Path) -> None:
    """Where the disk is too small, that is said before anything is downloaded."""
    hub.detail = {"파일 목록": {"fileList": [{"fileSn": 4, "fileSize": 1 << 49}]}}
    with pytest.raises(DiskFullError, match="bytes needed"):
        fetch([71558], tmp_path / "data", hub.options(), patience=HASTE)
    assert hub.paths("/down") == []


def test_files_of_the_user(hub: AIHub, tmp_path: Path) -> None:
    """A file, a link or a folder of the user's in the place of one of ours is named and stays."""
    [path] = _expected(hub, 4)
    target = tmp_path / "data" / path
    target.parent.mkdir(parents=True)
    target.write_bytes(b"")
    with pytest.raises(ForeignFolderError, match="--repair"):
        fetch([71558], tmp_path / "data", hub.options(), patience=HASTE)
    shutil.rmtree(tmp_path / "data")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / path.split("/", maxsplit=1)[0]).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ForeignFolderError, match="a link to elsewhere"):
        fetch([71558], tmp_path / "data", hub.options(), patience=HASTE)
    (tmp_path / "other" / "fetch").mkdir(parents=True)
    (tmp_path / "other" / "fetch" / "mine.txt").write_text("mine")
    with pytest.raises(ForeignFolderError, match="not made by saturi"):
        fetch([71558], tmp_path / "other", hub.options(), patience=HASTE)
    assert hub.paths("/down") == []


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"version": 2}', b"\xff", b'{"archives": [{}]}'])
def test_a_record_that_is_none(hub: AIHub, tmp_path: Path, content: bytes) -> None:
    """A record that cannot be read is named, and nothing is downloaded over what may be there."""
    fetch([71558], tmp_path / "data", hub.options(), patience=HASTE)
    (tmp_path / "data/fetch/fetch.json").write_bytes(content)
    before = tree_of(tmp_path / "data")
    with pytest.raises(StorageError, match=r"fetch\.json"):
        fetch([71558], tmp_path / "data", hub.options(), patience=HASTE)
    assert tree_of(tmp_path / "data") == before


def test_two_data_sets_of_one_path(hub: AIHub, tmp_path: Path) -> None:
    """Archives of two data sets that would take each other's place are refused, in one run and in two."""
    hub.data_sets = {119: hub.data_sets[71558], 120: [hub.data_sets[71558][0]._replace(number=9)]}
    with pytest.raises(OptionError, match="119 and 120 both have"):
        fetch([119, 120], tmp_path / "data", hub.options(), patience=HASTE)
    fetch([119], tmp_path / "data", hub.options(), patience=HASTE)
    before = tree_of(tmp_path / "data")
    with pytest.raises(ForeignFolderError, match="fetched from data set 119"):
        fetch([120], tmp_path / "data", hub.options(), patience=HASTE)
    assert tree_of(tmp_path / "data") == before


@pytest.mark.parametrize("change", [{"number": 9}, {"content": b"x" * 99}], ids=["number", "size"])
def test_an_archive_that_ai_hub_replaced(hub: AIHub, tmp_path: Path, change: dict[str, Any]) -> None:
    """An archive that was fetched stays, and it is said that AI-Hub has another one now."""
    fetch([71558], tmp_path / "data", hub.options(), patience=HASTE)
    hub.data_sets[71558] = [hub.data_sets[71558][0]._replace(**change)]
    news: list[News] = []
    result = fetch([71558], tmp_path / "data", hub.options(), report=news.append, patience=HASTE)
    assert result.present == 1
    assert sum("AI-Hub has another one now" in one.sentence for one in news if isinstance(one, Remark)) == 1


UNKNOWN = {"no-size": ("?", None), "nothing-in-the-details": ("47 KB", 0), "neither": ("?", 0)}


@pytest.mark.parametrize(("listed", "size"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_size_that_is_not_told(hub: AIHub, tmp_path: Path, listed: str, size: int | None) -> None:
    """A size that cannot be read, or is 0 only in the details, is not known, and the archive comes whole all the same."""
    [file] = hub.data_sets[71558]
    hub.list_text = f"└─139-2\n   └─{file.name} | {listed} | 4\n"
    hub.detail = {"파일 목록": {"fileList": [{"fileSn": 4, "fileSize": size}]}}
    screen = io.StringIO()
    with fetching(Console(file=screen, width=200)) as report:
        [row] = fetch([71558], tmp_path / "data", hub.options(), report=report, patience=HASTE).archives
    assert (tmp_path / "data" / row.path).read_bytes() == file.content
    assert ("1 of a size that AI-Hub does not tell" in screen.getvalue()) == (listed == "?")


def test_rows_that_are_left_out(hub: AIHub) -> None:
    """Rows of a list that name no file are counted; a list of nothing else is none."""
    news: list[News] = []
    rows = "├─TL_a.zip | 1 MB | x\n├─TL_b.zip | 1 MB\n"
    hub.list_text = f"{rows}├─TL_c.zip | 1 MB | 3\n"
    [listed] = list_archives(71558, hub.options(), report=news.append, patience=HASTE)
    assert [archive.path.rpartition("/")[2] for archive in listed.archives] == ["TL_c.zip"]
    assert [one.sentence for one in news if isinstance(one, Remark)] == [
        "data set 71558: 2 rows of AI-Hub's list name no file that can be stored, and are left out"
    ]
    hub.list_text = rows
    with pytest.raises(ProviderError, match="none of its 2 rows"):
        list_archives(71558, hub.options(), patience=HASTE)


def test_one_at_a_time(hub: AIHub, tmp_path: Path) -> None:
    """While another process fetches into a folder, it is refused."""
    (tmp_path / "data/fetch").mkdir(parents=True)
    with locked(tmp_path / "data/fetch"), pytest.raises(LockedError):
        fetch([71558], tmp_path / "data", hub.options(), patience=HASTE)


def test_names_that_lead_nowhere(hub: AIHub, tmp_path: Path) -> None:
    """Whatever names a list holds, files lie below the folder of the data, two of one name apart."""
    [file] = hub.data_sets[71558]
    names = [
        "../../x.zip",
        "TL_a.zip",
        "TL_A.zip",
        "C:\\TL_b.zip",
        "/TL_c.zip",
        "TL_d.zip (2023-01-02 수정)",
        "TL_" + "가" * 300 + ".zip",
    ]
    files = [file._replace(number=10 + n, name=name, folder="fetch") for n, name in enumerate(names)]
    hub.data_sets = {71558: files}
    body = tar_of([("x.part0", file.content)])
    hub.fault = lambda number, attempt: Fault(body=body)  # noqa: ARG005 - the same for all
    result = fetch([71558], tmp_path / "below/data", hub.options(match=("*",)), patience=HASTE)
    assert len({row.path for row in result.archives}) == len(names)
    assert len(list((tmp_path / "below/data/fetch_").iterdir())) == len(names)
    assert {path.name for path in tmp_path.iterdir()} == {"below"}


def _run(*arguments: str) -> Result:
    """Run `fetch` with *arguments* in this process, on a wide screen."""
    return CliRunner(env={"COLUMNS": "120"}).invoke(cli, ["fetch", *arguments])


def test_the_command(hub: AIHub, tmp_path: Path) -> None:
    """The command prints a line for each archive and the next step; without agreement it ends with 7."""
    address = ["--base-url", hub.address]
    refused = saturi("fetch", "71517", "--to", "data", *address, cwd=tmp_path)
    assert refused.returncode == 7
    done = saturi("fetch", "71517", "--to", "data", "--accept-terms", *address, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Next: saturi inspect data" in done.stdout
    assert done.stderr.count(", whole\n") == 2
    for run in (refused, done):
        assert "NIA" in run.stderr
        assert KEY not in run.stdout + run.stderr


def test_what_the_command_prints(hub: AIHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists and plans are printed, and nothing is written for them; the terms are shown once; `--json` is for machines."""
    monkeypatch.chdir(tmp_path)
    address = ["--base-url", hub.address]
    listed = _run("--list", "71517", *address)
    assert "3 files, 2 with labels" in listed.stdout
    planned = _run("71517", "--to", "data", "--match", "*라벨*", "--dry-run", *address)
    assert "2 archives, " in planned.stdout
    assert list(tmp_path.iterdir()) == []
    fetch(71517, tmp_path / "data", hub.options(), patience=HASTE)
    again = _run("71517", "--to", "data", "--json", *address)
    assert "NIA" not in again.stderr
    assert {name: json.loads(again.stdout)[name] for name in ("fetched", "present")} == {"fetched": 0, "present": 2}
    assert not any(KEY in run.output for run in (listed, planned, again))


def test_a_list_without_a_data_set() -> None:
    """It is of the data sets that are known, by number and name, and asks nobody."""
    run = _run("--list", "--base-url", "http://127.0.0.1:9")
    assert run.exit_code == 0
    assert [known for known in KNOWN if not re.search(rf"{known.number} .*{re.escape(known.title)}", run.stdout)] == []


@pytest.mark.parametrize(
    "arguments",
    [["--repair", ".", "71517"], ["--repair", ".", "--list"], ["--list", "--dry-run", "71517"], ["--list", "--json"]],
    ids=["repair-data-set", "repair-list", "list-dry-run", "no-data-set"],
)
def test_options_that_exclude_each_other(arguments: list[str]) -> None:
    """What cannot be done at once, or to nothing, is refused with exit code 2."""
    run = _run(*arguments)
    assert (run.exit_code == 2) or isinstance(run.exception, OptionError)


def test_progress_on_a_terminal(hub: AIHub, tmp_path: Path) -> None:
    """On a terminal there are bars with the time left, and in the end a line for each archive."""
    screen = io.StringIO()
    hub.fault = lambda number, attempt: Fault(cut_at=9_000) if (number, attempt) == (2, 1) else Fault()
    with fetching(Console(file=screen, force_terminal=True, width=200)) as report:
        fetch([71517], tmp_path / "data", hub.options(), report=report, patience=HASTE)
    shown = screen.getvalue()
    assert [words for words in ("in all", "ETA", "2 archives, ", "again in ", "needs ") if words not in shown] == []
    assert shown.count(", whole") == 2


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_narrow_terminal(width: int) -> None:
    """On a terminal of any width a bar fits on its line, whose name gives way, and the terms are folded between words."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=width, color_system=None)
    bars = TransferBars(console)
    assert bars.move("TL_02._경상도_02._1인발화_질문에답하기.zip", 1 << 20, 345 << 20)
    bars.stop()
    lines = re.sub(r"\x1b\[[0-9?]*[A-Za-z]", "", screen.getvalue()).replace("\r", "\n").splitlines()
    assert any("TL_" in line and "ETA" in line for line in lines)
    assert all(cell_len(line) <= width for line in lines)
    shown = io.StringIO()
    print_text(Console(file=shown, force_terminal=True, width=width), TERMS)
    assert all(cell_len(line) <= width for line in shown.getvalue().splitlines())
    assert shown.getvalue().split() == " ".join(TERMS).split()


def test_a_key_in_a_file(hub: AIHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key may be in a file that only its owner can read, named under [fetch]; the one of [submit] is another."""
    monkeypatch.delenv("AIHUB_APIKEY")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "key").chmod(0o644)
    command = ("71558", "--accept-terms", "--base-url", hub.address)
    for table, problem in (("submit", "no key for AI-Hub"), ("fetch", "others can read the key")):
        (tmp_path / "etl.toml").write_text(f'[{table}]\nkey_file = "key"\n')
        assert problem in str(_run(*command).exception)
    assert all(asked.key is None for asked in hub.asked)
    (tmp_path / "key").chmod(0o600)
    assert _run(*command).exit_code == 0
    assert _zips(tmp_path / "data") == _expected(hub, 4)


def test_options_in_a_file(hub: AIHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`[fetch]` in etl.toml chooses data sets and archives."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "etl.toml").write_text('[fetch]\ngeneration = "2022"\nmatch = ["TS_*", "*제주*"]\n', encoding="utf-8")
    run = _run("--dry-run", "--json", "--base-url", hub.address)
    assert [archive["file_number"] for archive in json.loads(run.stdout)["archives"]] == [1, 4]


@pytest.mark.parametrize(
    "address", ["http://192.0.2.1", "x", "http://", "ftp://127.0.0.1", "http://a:b@127.0.0.1", "http://[::1"]
)
def test_an_address(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """An address that is none, or to which the key would go unencrypted, is refused."""
    monkeypatch.setenv("AIHUB_APIKEY", KEY)
    with pytest.raises(OptionError, match=r"^--base-url: "):
        list_archives(71517, AIHub.options(_Nowhere(), base_url=address), patience=HASTE)  # type: ignore[arg-type]  # no server


class _Nowhere:
    address = "http://127.0.0.1:9"


def test_a_certificate_that_is_not_trusted() -> None:
    """A certificate that is not one to trust is named, with what to do, and not tried again."""
    with pytest.raises(ProviderError, match="SSL_CERT_FILE"), broken():
        raise httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed")


def test_no_server() -> None:
    """Where there is no connection, that is said."""
    with pytest.raises(ProviderError, match="there is no connection, 3 times in all"):
        list_archives(71517, AIHub.options(_Nowhere()), patience=HASTE)  # type: ignore[arg-type]  # no server
