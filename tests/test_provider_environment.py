"""The environment of a submission: keys, organisations, proxies, certificates, addresses, and what of it goes to whom."""

import importlib.util
import os
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from provider import Server, World
from runs import invoke
from submissions import HASTE, KEY, hand_in, profile

from saturi.etl.errors import OptionError
from saturi.etl.network.http import proxy_for
from saturi.etl.providers.account import Account, open_account
from saturi.etl.providers.client import Client
from saturi.etl.providers.profiles import read_providers
from saturi.etl.submission.ledger import Ledger
from saturi.etl.submission.status import status

OPENAI = read_providers()["openai"]
HERE = "http://127.0.0.1:9/v1"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without any setting of the network, and with a key."""
    for name in (*PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return monkeypatch


BAD = {
    "socks": ("ALL_PROXY", "socks://127.0.0.1:9"),
    "socks5": ("ALL_PROXY", "socks5://127.0.0.1:9"),
    "port": ("HTTPS_PROXY", "http://127.0.0.1:x"),
    "large-port": ("HTTP_PROXY", "http://127.0.0.1:99999"),
    "scheme": ("http_proxy", "ftp://127.0.0.1"),
    "no-host": ("ALL_PROXY", "http://"),
    "half-bracket": ("HTTPS_PROXY", "http://[::1"),
    "blank": ("HTTPS_PROXY", "http://a b"),
    "no-file": ("SSL_CERT_FILE", "/nowhere/bundle.pem"),
    "no-certificates": ("SSL_CERT_FILE", __file__),
    "folder-as-file": ("SSL_CERT_FILE", "/"),
    "device-as-file": ("SSL_CERT_FILE", "/dev/null"),
    "no-folder": ("SSL_CERT_DIR", "/nowhere"),
}
if importlib.util.find_spec("socksio") is not None:
    del BAD["socks"], BAD["socks5"]


@pytest.mark.parametrize(("name", "value"), BAD.values(), ids=BAD)
def test_a_setting_of_the_network(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A variable that holds no proxy or no certificates is named, before anything is asked."""
    environment.setenv(name, value)
    with pytest.raises(OptionError, match=rf"^{name}: "):
        Client(open_account(OPENAI, HERE), HASTE)


def test_settings_that_are_odd_and_harmless(
    environment: pytest.MonkeyPatch, out: Path, server: Server, world: World
) -> None:
    """Odd exceptions in NO_PROXY are no reason to stop, and those that are for the host are heeded."""
    environment.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    odd = f".corp, ,*.x.y,[::1]:80,10.0.0.0/99,::,  127.0.0.1:{server.server_port}"
    for exceptions in ("*", "x,*", "127.0.0.1", odd, "127.0.0.0/8"):
        environment.setenv("NO_PROXY", exceptions)
        assert hand_in(out, server, world).jobs


EXCEPTIONS = {
    "domain": ("kr", "http://api.host.kr/v1", True),
    "domain-with-dot": (".host.kr", "http://api.host.kr/v1", True),
    "domain-with-star": ("*.host.kr", "http://api.host.kr/v1", True),
    "part-of-a-name": ("st.kr", "http://host.kr/v1", False),
    "other-port": ("host.kr:81", "http://host.kr/v1", False),
    "port": ("HOST.kr:80", "http://host.kr/v1", True),
    "other-network": ("10.0.0.0/8", "http://127.0.0.1/v1", False),
    "network-of-a-name": ("10.0.0.0/8", "http://host.kr/v1", False),
    "ipv6": ("[::1]", "http://[::1]:8080/v1", True),
    "ipv6-bare": ("::1", "http://[::1]:8080/v1", True),
}


@pytest.mark.parametrize(("exceptions", "address", "direct"), EXCEPTIONS.values(), ids=EXCEPTIONS)
def test_an_exception(environment: pytest.MonkeyPatch, exceptions: str, address: str, direct: bool) -> None:
    """NO_PROXY names hosts, domains with all below them, networks, and any of these at a port."""
    environment.setenv("HTTP_PROXY", "proxy.invalid:3128")
    environment.setenv("NO_PROXY", exceptions)
    assert proxy_for(httpx2.URL(address)) == (None if direct else "http://proxy.invalid:3128")


def test_a_proxy(environment: pytest.MonkeyPatch, out: Path, server: Server, world: World) -> None:
    """With a proxy every request goes there, for whatever host."""
    environment.setenv("http_proxy", f"127.0.0.1:{server.server_port}")
    address = f"http://provider.invalid/{world.name}/v1"
    assert hand_in(out, server, world, base_url=address, allow_http=True).created == 1
    assert all(sent.path.startswith("http://provider.invalid/") for sent in world.requests)


class Socks(socketserver.StreamRequestHandler):
    """A SOCKS5 proxy for one connection, without authentication."""

    def handle(self) -> None:
        """Connect, and pass everything on."""
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\x05\x00")
        kind = self.rfile.read(4)[3]
        host = self.rfile.read(4 if kind == 1 else self.rfile.read(1)[0])
        name = socket.inet_ntoa(host) if kind == 1 else host.decode()
        port = int.from_bytes(self.rfile.read(2), "big")
        with socket.create_connection((name, port)) as there:
            self.wfile.write(b"\x05\x00\x00\x01" + bytes(6))
            back = threading.Thread(target=self._pass, args=(there, self.connection))
            back.start()
            self._pass(self.connection, there)
            back.join()

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket) -> None:
        try:
            while block := source.recv(65_536):
                target.sendall(block)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return


@pytest.fixture
def socks() -> Iterator[int]:
    """The port of a SOCKS proxy on loopback."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks) as proxy:
        proxy.daemon_threads = True
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield proxy.server_address[1]
        proxy.shutdown()


@pytest.mark.skipif(importlib.util.find_spec("socksio") is None, reason="socksio, an extra, is not installed")
@pytest.mark.parametrize("scheme", ["socks", "socks5", "socks5h"])
def test_a_socks_proxy(
    environment: pytest.MonkeyPatch, out: Path, server: Server, world: World, socks: int, scheme: str
) -> None:
    """With the extra a SOCKS proxy is used, also under the scheme by which desktops name theirs."""
    environment.setenv("ALL_PROXY", f"{scheme}://127.0.0.1:{socks}")
    assert hand_in(out, server, world).created == 1


def test_certificates(environment: pytest.MonkeyPatch) -> None:
    """Certificates that are there are used, from a file or a folder."""
    paths = ssl.get_default_verify_paths()
    for name, path in (("SSL_CERT_FILE", paths.openssl_cafile), ("SSL_CERT_DIR", paths.openssl_capath)):
        if Path(path).exists():
            environment.setenv(name, path)
            Client(open_account(OPENAI, HERE), HASTE).close()
            environment.delenv(name)


NO_HEADERS = {
    "hangul": "invented키",
    "mark": "\ufeffinvented",
    "line": "in\nvented",
    "blank": "in vented",
    "c1": "in\x85v",
}


@pytest.mark.parametrize("value", NO_HEADERS.values(), ids=NO_HEADERS)
@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"])
def test_what_cannot_be_sent(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A key, an organisation or a project that cannot stand in a header is refused at once, and is not shown."""
    environment.setenv(name, value)
    with pytest.raises(OptionError, match=f"^{name}: it holds characters that cannot be sent") as refusal:
        Client(open_account(OPENAI, HERE), HASTE)
    assert "vented" not in str(refusal.value)


KEY_FILES = {
    "mark": ("\ufeff" + KEY + "\r\n").encode(),
    "hangul": "키".encode(),
    "utf-16": KEY.encode("utf-16"),
    "two": b"one two",
    "empty": b"",
    "nul": b"key\x00",
}


@pytest.mark.parametrize("content", KEY_FILES.values(), ids=KEY_FILES)
def test_a_key_file(tmp_path: Path, content: bytes) -> None:
    """A key file as Windows editors write it is taken without its mark; one that holds no key is refused at once."""
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    account = Account(provider=OPENAI, base_url=HERE, key_file=path)
    if KEY.encode() in content:
        assert account.read_key() == KEY
    else:
        with pytest.raises(OptionError):
            account.read_key()


@pytest.mark.skipif(os.name != "posix", reason="pipes with names are of POSIX")
def test_a_key_file_that_is_none(tmp_path: Path) -> None:
    """A pipe, a device, a folder and a name that cannot be are refused, and not waited for."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path, Path("/dev/null"), Path("a\x00b"), tmp_path / "none"):
        with pytest.raises(OptionError):
            Account(provider=OPENAI, base_url=HERE, key_file=path).read_key()


ADDRESSES: tuple[str, ...] = (
    "",
    " ",
    "host",
    "ftp://h/v1",
    "http://h:abc/v1",
    "http://[::1/v1",
    "http://h/v1\nX: y",
    "http://h:99999/v1",
)
ADDRESSES += (
    "http:///v1",
    "http://a..b/v1",
    "http://h/\x1b[2J",
    "http://h/v1#part",
    "http://u:p@h/v1",
    "http://h/v1?k=v",
)
ADDRESSES += ("http://u:secret@h:abc/v1", "http://h:0/v1", f"http://{'x' * 64}/v1", "https://h /v1", "http://h/\u202e")


@pytest.mark.parametrize("address", ADDRESSES, ids=range(len(ADDRESSES)))
def test_an_odd_address(address: str) -> None:
    """What is no address is refused in one printable line."""
    with pytest.raises(OptionError, match=r"^--base-url: ") as refusal:
        Client(open_account(OPENAI, address), HASTE)
    assert str(refusal.value).isprintable()
    assert "secret" not in str(refusal.value)


def test_an_empty_address_at_the_command_line(tmp_path: Path, out: Path) -> None:
    """An empty address is not the default: the exit code is 2, also of a dry run."""
    run = invoke("submit", out, "--base-url", "", "--dry-run", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert "--base-url: " in run.stderr


CANARIES = {
    "OPENAI_ORG_ID": "org-canary",
    "OPENAI_PROJECT_ID": "proj-canary",
    "OPENAI_CUSTOM_HEADERS": "X-Canary: custom-canary\nAuthorization: Bearer auth-canary\nContent-Type: text/canary",
    "OPENAI_ADMIN_KEY": "admin-canary",
    "OPENAI_WEBHOOK_SECRET": "webhook-canary",
    "OPENAI_BASE_URL": "http://canary.invalid/v1",
    "OPENAI_API_VERSION": "version-canary",
    "AZURE_OPENAI_ENDPOINT": "http://canary.invalid",
    "AZURE_OPENAI_AD_TOKEN": "token-canary",
}


@pytest.fixture
def canaries(environment: pytest.MonkeyPatch) -> None:
    """Everything that the SDK reads from the environment."""
    for name, value in CANARIES.items():
        environment.setenv(name, value)


@pytest.mark.usefixtures("canaries")
def test_what_other_providers_get(environment: pytest.MonkeyPatch, out: Path, server: Server, world: World) -> None:
    """Of what is set for OpenAI nothing goes to another provider but the key that its profile names."""
    environment.setenv("NEBIUS_API_KEY", "sk-nebius")
    assert hand_in(out, server, world, provider="nebius").created == 1
    assert "canary" not in repr(world.requests)
    assert KEY not in repr(world.requests)


@pytest.mark.usefixtures("canaries")
def test_what_goes_to_openai(environment: pytest.MonkeyPatch, out: Path, server: Server, world: World) -> None:
    """Organisation and project go with every request, are part of the account in the ledger, and of what a job is."""
    done = hand_in(out, server, world)
    for sent in world.requests:
        headers = {name.lower(): value for name, value in sent.headers}
        assert (headers["openai-organization"], headers["openai-project"]) == ("org-canary", "proj-canary")
        assert headers["authorization"] == f"Bearer {KEY}"
    for canary in ("custom-canary", "auth-canary", "text/canary", "admin-canary", "webhook-canary", "version-canary"):
        assert canary not in repr(world.requests)
    with Ledger(out / "ledger.sqlite") as ledger:
        [account] = ledger.accounts()
    assert (account.organization, account.project) == ("org-canary", "proj-canary")
    environment.setenv("OPENAI_ORG_ID", "org-other")
    world.requests.clear()
    status(out, pace=HASTE)
    assert "org-other" not in repr(world.requests)
    assert hand_in(out, server, world).jobs[0].key != done.jobs[0].key


def test_where_the_environment_is_looked_into(
    environment: pytest.MonkeyPatch, out: Path, server: Server, world: World, tmp_path: Path
) -> None:
    """The variables of organisation and project are those of the profile."""
    environment.setenv("TEAM", "team-7")
    hand_in(out, server, world, providers=profile(tmp_path, 'organization_env = "TEAM"'))
    assert all(
        ("openai-organization", "team-7") in [(n.lower(), v) for n, v in sent.headers] for sent in world.requests
    )
