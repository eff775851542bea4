"""
AI-Hub's download interface on loopback, as users have observed it.

502 for lists and refusals alike, one redirect, tars of parts without a length. Its archives are label zips with invented text.
"""

import io
import json
import random
import socket
import struct
import tarfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qs, urlsplit

from corpora import answers, write_zip

from saturi.etl.download.options import FetchOptions, Patience

KEY = "aihub-canary-0123456789"
HASTE = Patience(
    attempts=3,
    first_wait_seconds=0.001,
    longest_wait_seconds=0.002,
    connect_seconds=5.0,
    read_seconds=5.0,
    answer_seconds=5.0,
)
PART_BYTES = 4_096
"""Size of a part here, where AI-Hub's is 1 GiB."""

LABELS = "01-1.정식개방데이터/Training/02.라벨링데이터"
NOT_APPROVED = "다운로드 서비스는 홈페이지(https://aihub.or.kr)에서 신청 및 승인 후 이용 가능 합니다."
EXPIRED = "승인 유효기간 만료 되었습니다. 재신청 후 이용해 주시기 바랍니다."
ABROAD = "AI 허브는 해외에서의 데이터 다운로드를 제한하고 있습니다."
KEY_OR_APPROVAL = "인증실패, 권한이 거부되었습니다."
NO_FILE = "요청하신 데이터셋의 파일이 존재하지 않습니다."
OLD_VERSION = "aihubshell 신규 버전을 다운로드해 주시기 바랍니다."

Member = tuple[str, bytes]


class File(NamedTuple):
    """A file of a data set: its number, its folder in the list, its name, and its content."""

    number: int
    folder: str
    name: str
    content: bytes


class Fault(NamedTuple):
    """
    What is wrong with one answer to a download.

    Args:
        text: A body in place of the tar, from the first host, with `status`.
        body: A body in place of the tar, from the second.
        cut_at: Bytes of the body after which the connection breaks off.
        silent_at: Bytes after which nothing comes any more.
        dripping: Whether a byte a moment follows instead, and no end.
        location: Where it redirects to instead.
        wants_key: Text and status of the second host's answer to a request without the key.
        piece_bytes: Bytes sent at once.
        meets: Where another transfer is waited for, that goes on at the same time.
    """

    text: str | None = None
    status: int = 502
    body: bytes | None = None
    cut_at: int | None = None
    silent_at: int | None = None
    dripping: bool = False
    location: str | None = None
    wants_key: tuple[str, int] | None = None
    piece_bytes: int = 1 << 16
    meets: threading.Barrier | None = None


class Asked(NamedTuple):
    """A request, with the key that it brought."""

    path: str
    key: str | None


class AIHub(ThreadingHTTPServer):
    """
    AI-Hub with some data sets.

    Args:
        data_sets: The files of each, by its number.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, data_sets: dict[int, list[File]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.data_sets = data_sets
        self.key = KEY
        self.exact = True
        self.detail: Any = None
        self.list_text: str | None = None
        self.list_status = 502
        self.fault: Callable[[int, int], Fault] = lambda number, attempt: Fault()  # noqa: ARG005 - of every download
        self.asked: list[Asked] = []
        self.open = self.meeting = self.most_meeting = self.pieces = 0
        self.sent_whole = threading.Event()
        self.released = threading.Event()
        self.lock = threading.Lock()
        self.downloads: dict[int, int] = {}
        self.faults: list[Fault] = []

    @property
    def address(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"

    def options(self, **more: Any) -> FetchOptions:
        """Return the options of a download from here."""
        return FetchOptions(**{"base_url": self.address, "accept_terms": True, **more})

    def files(self) -> dict[int, File]:
        """Return all files by number."""
        return {file.number: file for files in self.data_sets.values() for file in files}

    def paths(self, kind: str) -> list[str]:
        """Return the paths of requests whose path begins with *kind*."""
        return [asked.path for asked in self.asked if asked.path.startswith(kind)]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that break: it is what clients do here."""


@contextmanager
def running(data_sets: dict[int, list[File]]) -> Iterator[AIHub]:
    """Yield AI-Hub in a thread of this process."""
    hub = AIHub(data_sets)
    thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.released.set()
        hub.shutdown()
        hub.server_close()
        thread.join()


def tar_of(members: Sequence[Member | tarfile.TarInfo], tar_format: Literal[1, 2] = tarfile.GNU_FORMAT) -> bytes:
    """Return a tar of *members*: names with contents, or headers without."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tar_format) as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                buffer.write(member.tobuf(tar_format))
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, io.BytesIO(member[1]))
    return buffer.getvalue()


def parts_of(name: str, content: bytes, part_bytes: int = PART_BYTES) -> list[Member]:
    """Return *content* as the parts in which AI-Hub sends the file *name*."""
    return [
        (f"folder/{name}.part{at}", content[at : at + part_bytes]) for at in range(0, len(content) or 1, part_bytes)
    ]


@cache
def zip_bytes(count: int, noise_bytes: int = 0) -> bytes:
    """Return a zip of *count* label files, and of so many bytes that cannot be packed."""
    members = list(answers(count))
    if noise_bytes:
        members.append(("noise.bin", random.Random(count).randbytes(noise_bytes)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "made.zip"
        write_zip(path, members)
        return path.read_bytes()


def dialect() -> dict[int, list[File]]:
    """Return two data sets of 2022, small, with labels and audio."""
    name = "TL_02._경상도_02._1인발화_질문에답하기.zip"
    root = "139-1.중·노년층 한국어 방언 데이터 (강원도, 경상도)"
    other = "139-2.중·노년층 한국어 방언 데이터 (충청도, 전라도, 제주도)"
    return {
        71517: [
            File(1, f"{root}/01-1.정식개방데이터/Training/01.원천데이터", name.replace("TL", "TS"), b"audio" * 9_000),
            File(2, f"{root}/{LABELS}", name, zip_bytes(40, 20_000)),
            File(3, f"{root}/{LABELS}", name.replace("TL_02._경상도", "TL_01._강원도"), zip_bytes(20)),
        ],
        71558: [File(4, f"{other}/{LABELS}", name.replace("경상도", "제주도"), zip_bytes(30, 9_000))],
    }


def tree_text(files: Sequence[File]) -> str:
    """Return AI-Hub's drawing of *files*."""
    lines = ["UTF-8", "output normally", "modify the character information", "===공지사항===", "점검 | 안내", "======"]
    seen: list[str] = []
    for file in files:
        folders = file.folder.split("/")
        for depth, folder in enumerate(folders):
            if seen[depth : depth + 1] != [folder]:
                seen[depth:] = [folder]
                lines.append("│  " * depth + f"├─{folder}")
        size = f"{len(file.content) / 1024:.0f} KB" if len(file.content) >= 1024 else f"{len(file.content)} B"
        lines.append("│  " * len(folders) + f"└─{file.name} | {size} | {file.number}")
    return "\n".join(lines) + "\n"


def detail_of(files: Sequence[File]) -> dict[str, Any]:
    """Return AI-Hub's details of *files*."""
    rows = [
        {
            "fileSn": file.number,
            "fileSize": len(file.content),
            "fileStreCours": f"{file.folder}/{file.name}",
            "streFileNm": file.name,
        }
        for file in files
    ]
    return {"result": "SUCCESS", "data": {"주요 정보": {"dataNm": "x"}, "파일 목록(API 다운로드)": {"fileList": rows}}}


class _Handler(BaseHTTPRequestHandler):
    server: AIHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the standard library
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer a request."""
        url, hub = urlsplit(self.path), self.server
        key = self.headers.get("apikey") or self.headers.get("X-API-KEY")
        with hub.lock:
            hub.asked.append(Asked(self.path, key))
        with suppress(ConnectionError, TimeoutError):
            match url.path.strip("/").removesuffix(".do").split("/"):
                case ["info", number]:
                    self._list(int(number))
                case ["mcp", "dataSetDetail"]:
                    self._detail(int(parse_qs(url.query)["dataSetSn"][0]), key)
                case ["down", "0.6", number]:
                    self._redirect(int(number), int(parse_qs(url.query)["fileSn"][0]), key)
                case ["stream", "shellStream"]:
                    self._stream(int(parse_qs(url.query)["uuid"][0]), key)
                case ["api", "keyValidate"]:
                    known = key == hub.key
                    code = {"msg": "login success", "code": 200} if known else {"msg": "login fail", "code": 401}
                    self._text(json.dumps(code), 200)
                case _:
                    self._text("페이지가 존재하지 않습니다.", 404)

    do_POST = do_GET  # noqa: N815 - a name in the standard library

    def _list(self, number: int) -> None:
        hub = self.server
        files = hub.data_sets.get(number)
        if hub.list_text is not None:
            self._text(hub.list_text, hub.list_status)
        elif files is None:
            self._text(NO_FILE, 502)
        else:
            self._text(tree_text(files), hub.list_status)

    def _detail(self, number: int, key: str | None) -> None:
        hub = self.server
        if not hub.exact or key != hub.key:
            self._text("{}", 401)
        else:
            self._text(json.dumps(detail_of(hub.data_sets[number]) if hub.detail is None else hub.detail), 200)

    def _redirect(self, data_set: int, number: int, key: str | None) -> None:
        hub = self.server
        with hub.lock:
            attempt = hub.downloads[number] = hub.downloads.get(number, 0) + 1
            fault = hub.fault(number, attempt)
            hub.faults.append(fault)
            uuid = len(hub.faults) - 1
        file = hub.files().get(number)
        if key != hub.key:
            self._text(KEY_OR_APPROVAL, 502)
        elif file is None or file not in hub.data_sets[data_set]:
            self._text(NO_FILE, 502)
        elif fault.text is not None:
            self._text(fault.text, fault.status)
        else:
            hub.faults[uuid] = fault._replace(
                body=fault.body if fault.body is not None else tar_of(parts_of(file.name, file.content))
            )
            self.send_response(302)
            self.send_header("Location", fault.location or f"/stream/shellStream.do?uuid={uuid}")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _stream(self, uuid: int, key: str | None) -> None:
        hub, fault = self.server, self.server.faults[uuid]
        if fault.wants_key is not None and key != hub.key:
            self._text(*fault.wants_key)
            return
        with hub.lock:
            hub.open += 1
            hub.meeting += fault.meets is not None
            hub.most_meeting = max(hub.most_meeting, hub.meeting)
        try:
            self.send_response(200)
            self.send_header("Content-Type", "application/x-tar")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self._body(fault)
        finally:
            with hub.lock:
                hub.open -= 1
                hub.meeting -= fault.meets is not None

    def _body(self, fault: Fault) -> None:
        body = fault.body or b""
        if fault.meets is not None:
            fault.meets.wait(30)
        end = min(len(body) if at is None else at for at in (fault.cut_at, fault.silent_at))
        at = 0
        while at < end:
            piece = body[at : min(at + fault.piece_bytes, end)]
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            at += len(piece)
            with self.server.lock:
                self.server.pieces += 1
        while fault.dripping and not self.server.released.wait(0.02):
            self.wfile.write(b"1\r\nx\r\n")
        if fault.silent_at is not None:
            self.server.released.wait(60)
        if fault.cut_at is not None or fault.silent_at is not None:
            self._reset()
            return
        self.wfile.write(b"0\r\n\r\n")
        self.server.sent_whole.set()

    def _text(self, text: str, status: int) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain;charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True
