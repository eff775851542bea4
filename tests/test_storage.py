"""Object storage: objects as paths, over HTTP to a server on loopback, with what such servers do on bad days."""

import io
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from object_storage import KEYS, Fault, Storage

from saturi.etl.errors import OptionError
from saturi.etl.storage.client import ChangedError, impatient, traffic
from saturi.etl.storage.credentials import shared_settings
from saturi.etl.storage.location import ObjectPath, location_of

TEXT = "밥 먹언?".encode()
NAMES = ("a.json", "한글 이름/a%b#c~[x].json", "x/y/z z.jsonl", "emoji 🍊.zip")


@pytest.fixture
def bucket(storage: Storage) -> ObjectPath:
    return ObjectPath(storage.url)


@pytest.mark.parametrize("name", NAMES)
def test_an_object_is_what_was_written(storage: Storage, bucket: ObjectPath, name: str) -> None:
    """Whatever a key is called, its object is there under that name, whole, with its size."""
    path = bucket / "whole" / name
    assert not path.exists()
    path.write(TEXT)
    facts = path.facts()
    assert path.read_bytes() == (storage.folder / "whole" / name).read_bytes() == TEXT
    assert facts is not None
    assert facts.size == len(TEXT)
    assert bytes(path.read_range(3, 6, facts.etag)) == TEXT[3:6]
    assert [below for below, _ in (bucket / "whole").below() if below == path] == [path]
    path.delete()
    assert not path.exists()
    path.delete()


def test_a_large_content_is_stored_in_parts(bucket: ObjectPath) -> None:
    """A content above the size of a part is read back byte for byte, and counted both ways."""
    content, before = os.urandom(20 << 20), traffic()
    path = bucket / "large"
    path.write(io.BytesIO(content))
    with path.open_raw() as file:
        assert io.BufferedReader(file).read() == content
    assert traffic().since(before)[1:] == (len(content), len(content))


def test_a_list_has_all_of_its_pages(storage: Storage, bucket: ObjectPath) -> None:
    """A list of more than a page holds every object once."""
    (storage.folder / "many").mkdir()
    for number in range(2_345):
        (storage.folder / "many" / f"{number}.json").touch()
    assert sorted(path.name for path, _ in (bucket / "many").below()) == sorted(f"{n}.json" for n in range(2_345))


def test_a_list_that_begins_again_is_an_error(storage: Storage, bucket: ObjectPath) -> None:
    """A server that does not heed where a page begins is no endless list."""
    (storage.folder / "again").mkdir()
    for number in range(1_001):
        (storage.folder / "again" / f"{number}.json").touch()
    storage.restarts = True
    with pytest.raises(OSError, match="the storage begins its list again and again"):
        list((bucket / "again").below())


def test_the_marker_of_a_folder_is_not_in_it(storage: Storage, bucket: ObjectPath) -> None:
    """What consoles leave where a folder was made is nothing below that folder."""
    storage.markers = ["made/"]
    assert list((bucket / "made").below()) == []
    assert not (bucket / "made").is_dir()
    (bucket / "made" / "one").write(TEXT)
    assert [path.name for path, _ in (bucket / "made").below()] == ["one"]
    assert (bucket / "made").is_dir()


def test_a_key_that_is_no_path_is_named(storage: Storage, bucket: ObjectPath) -> None:
    """An object whose key has two slashes in a row ends a list with a sentence, at once."""
    storage.markers = ["odd//name"]
    with pytest.raises(OSError, match="the name of an object there is no path: it has //"):
        list((bucket / "odd").below())
    assert len(storage.requests) == 1


class _OddServer(BaseHTTPRequestHandler):
    """A server with one object, which answers in the way that its bucket is called."""

    def do_GET(self) -> None:
        """Answer."""
        bucket = self.path.split("/")[1]
        if bucket == "metadata":
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        self.send_response(HTTPStatus.MOVED_PERMANENTLY if bucket == "moved" else HTTPStatus.OK)
        self.send_header("Content-Length", "100")
        self.send_header("ETag", '"one"')
        self.end_headers()
        self.wfile.write(b"x" * 100)

    do_PUT = do_GET  # noqa: N815 - the name that its base calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base's name
        """Log nothing."""


@pytest.fixture(scope="module")
def odd_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _OddServer) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("bucket", "sentence"),
    [
        ("moved", "the bucket is in another region: see AWS_REGION"),
        ("whole", "the storage answers a range with other bytes"),
        ("clear", "its address is without encryption, and AWS_ALLOW_HTTP is not set"),
        ("keyless", "there are no keys, in the environment or elsewhere"),
    ],
)
def test_what_stays_wrong_is_said_once(
    bucket: str, sentence: str, odd_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong region, a server without ranges, an address in clear and missing keys are sentences, met by the first request."""
    environment = {**KEYS, "AWS_ENDPOINT_URL": "http://192.0.2.1" if bucket == "clear" else odd_server}
    if bucket == "keyless":
        environment |= dict.fromkeys(KEYS, "") | {
            "AWS_METADATA_ENDPOINT": f"{odd_server}/metadata",
            "HOME": str(tmp_path),
        }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
        if not value:
            monkeypatch.delenv(name)
    before = traffic()
    with impatient() if bucket == "keyless" else nullcontext(), pytest.raises(OSError, match=sentence):
        (ObjectPath(f"s3://{bucket}") / "name").read_range(10, 20, "one")
    assert traffic().since(before).requests == 1


@pytest.mark.parametrize(
    "call", [ObjectPath.facts, ObjectPath.read_bytes, ObjectPath.is_dir, ObjectPath.delete, ObjectPath.open_raw]
)
def test_without_the_library(call: Callable[[ObjectPath], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is not installed, whatever is asked of object storage says so."""
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(OptionError, match="object storage needs the package obstore; run `pip install 'saturi"):
        call(ObjectPath("s3://without") / "name")


def test_of_two_writers_one_creates(storage: Storage, bucket: ObjectPath) -> None:
    """An object that is there is not created again, but where the server lies."""
    assert [(bucket / "once").create(TEXT) for _ in range(2)] == [True, False]
    storage.lies = True
    assert (bucket / "once").create(TEXT)
    storage.lies = False


def test_a_changed_object_is_not_read_on(bucket: ObjectPath) -> None:
    """A range of an object that was replaced since is an error and no mixture."""
    path = bucket / "changes"
    path.write(b"before")
    facts = path.facts()
    assert facts is not None
    path.write(b"behind")
    with pytest.raises(ChangedError):
        path.read_range(0, 3, facts.etag)


def _done(call: Callable[[], None]) -> bool:
    call()
    return True


CALLS: dict[str, Callable[[ObjectPath], object]] = {
    "get": lambda path: path.read_bytes() == TEXT,
    "head": lambda path: path.is_file(),
    "list": lambda path: [below for below, _ in path.parent.below()] == [path],
    "put": lambda path: _done(partial(path.write, TEXT)),
    "copy": lambda path: _done(partial(path.copy_to, path.with_name("copy"))),
    "delete": lambda path: _done(path.with_name("copy").delete),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", Fault)
def test_what_passes_is_asked_again(storage: Storage, bucket: ObjectPath, fault: Fault, call: str) -> None:
    """A request that meets a fault once has its result all the same."""
    path = bucket / f"{fault.name}-{call}" / "name"
    path.write(TEXT)
    faults = [fault]
    storage.faults = lambda _method, _key: faults.pop() if faults else None
    assert CALLS[call](path)
    assert not faults


def test_a_refusal_is_met_at_once(storage: Storage, bucket: ObjectPath) -> None:
    """First contact does not wait for a key to become good, and its error names no key."""
    storage.faults = lambda _method, _key: Fault.FORBIDDEN
    with impatient(), pytest.raises(PermissionError, match="the storage refuses: 403"):
        (bucket / "name").facts()
    assert len(storage.requests) == 1


@pytest.mark.usefixtures("bucket")
def test_a_bucket_that_is_not_there_is_not_found() -> None:
    """A missing bucket is a missing file, to read and to list."""
    missing = ObjectPath("s3://missing") / "name"
    with pytest.raises(FileNotFoundError):
        missing.read_bytes()
    with pytest.raises(FileNotFoundError):
        list(missing.below())


@pytest.mark.parametrize(
    "url",
    [
        "http://bucket/name",
        "s3:///name",
        "s3://key:secret@bucket/name",
        "s3://bucket/name?key=secret",
        "s3://",
        "s3://bucket/a/../b",
        "s3://bucket/a\nb",
    ],
)
def test_a_url_with_more_than_a_name_is_refused(url: str) -> None:
    """A URL is a scheme, a bucket and a name; what else it holds, perhaps a secret, is not repeated."""
    with pytest.raises(OptionError) as caught:
        ObjectPath(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["no address", "http://key:secret@127.0.0.1", "ftp://127.0.0.1", "http://127.0.0.1:9/?key=secret"]
)
def test_an_address_that_is_none_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment gives as the address of a storage has to be one; it is not repeated."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    with pytest.raises(OptionError, match="set AWS_ENDPOINT_URL to https") as caught:
        (ObjectPath("s3://astray") / "name").facts()
    assert address not in str(caught.value)


def test_paths_are_told_apart_from_urls() -> None:
    """A location is an object where it is a URL, and travels as text and between processes."""
    path = location_of("s3://bucket/a//b/")
    assert isinstance(path, ObjectPath)
    assert (str(path), path.name, str(path.parent), path.parts) == (
        "s3://bucket/a/b",
        "b",
        "s3://bucket/a",
        ("bucket", "a", "b"),
    )
    assert pickle.loads(pickle.dumps(path)) == path  # noqa: S301 - our own
    assert location_of("a/b") == Path("a/b")


def test_keys_come_from_the_shared_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile's keys, region and endpoint are used where the environment has none."""
    (tmp_path / "credentials").write_text("[lab]\naws_access_key_id = invented\naws_secret_access_key = other\n")
    (tmp_path / "config").write_text("[profile lab]\nregion = kr-1\nendpoint_url = http://127.0.0.1:9\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "lab")
    assert shared_settings() == {
        "access_key_id": "invented",
        "secret_access_key": "other",
        "region": "kr-1",
        "endpoint": "http://127.0.0.1:9",
    }
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from the environment")
    assert "access_key_id" not in shared_settings()
