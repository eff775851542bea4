"""The account at a provider: its address, and where its key is. The key itself is read when a client is made, and kept nowhere."""

import os
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from saturi.etl.errors import OptionError
from saturi.etl.output.printable import printable
from saturi.etl.settings.keys import as_header, key_in
from saturi.schemas.ledger import AccountRow
from saturi.schemas.provider import Provider

_PORTS = {"http": 80, "https": 443}


class Account(Struct, frozen=True, kw_only=True):
    """
    A provider as one customer sees it.

    Args:
        provider: Its profile; the address in it is not looked at.
        base_url: Where its API is.
        organization, project: The customer's organisation, and the project in it, that requests name; or empty.
        key_file: The file that holds the key, or None where the environment does.
    """

    provider: Provider
    base_url: str
    organization: str = ""
    project: str = ""
    key_file: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether its address is one of this machine (loopback)."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")

    @property
    def keeps_data_here(self) -> bool:
        """
        Whether nothing that is sent there leaves this machine.

        Raises:
            OptionError: A variable of the environment names a proxy that cannot be used.
        """
        from saturi.etl.network.http import stays_here  # noqa: PLC0415 - httpx2, which only those wait for who talk to a provider

        return not self.provider.passes_on and stays_here(self.base_url)

    @property
    def is_readable_by_others(self) -> bool:
        """Whether what is sent there crosses a network unencrypted."""
        return urlsplit(self.base_url).scheme == "http" and not self.is_local

    @property
    def row(self) -> AccountRow:
        """The account as the ledger keeps it."""
        return AccountRow(
            id=self.id,
            provider=self.provider.name,
            base_url=self.base_url,
            project=self.project,
            organization=self.organization,
        )

    @property
    def id(self) -> str:
        """What distinguishes this account in the ledger; the key has no part in it."""
        organization = f"organization={self.organization}" if self.organization else ""
        parts = (self.provider.name, self.base_url, self.project, organization)
        return " ".join(part for part in parts if part)

    def read_key(self) -> str:
        """
        Return the key.

        Raises:
            OptionError: There is none, others can read the file it is in, or it cannot be sent.
        """
        if self.key_file is not None:
            return key_in(self.key_file)
        name = self.provider.key_env
        key = os.environ.get(name, "").strip()
        if not key:
            problem = f"no key for {self.provider.name}: the environment has no {name}"
            raise OptionError(name, problem, "set it there, or name a file with key_file under [submit] in etl.toml")
        return as_header(name, key)


def open_account(provider: Provider, base_url: str | None = None, key_file: Path | None = None) -> Account:
    """
    Return the account at *provider*, at *base_url* instead of the address in its profile if one is given.

    Raises:
        OptionError: There is no address, or one that cannot be; or organisation or project cannot be sent.
    """
    address = provider.base_url if base_url is None else base_url
    if address is None:
        problem = f"{provider.name} has no address of its own"
        raise OptionError("--base-url", problem, "give that of your resource or gateway, like https://host/v1")
    # Organisation and project of the environment are part of what a job is, for the provider they belong to and no other.
    return Account(
        provider=provider,
        base_url=_normal(_checked(address)),
        organization=_from_environment(provider.organization_env),
        project=_from_environment(provider.project_env),
        key_file=key_file,
    )


def _normal(url: SplitResult) -> str:
    """Return the one spelling of an address that has many, so that the same job has the same key."""
    host = (url.hostname or "").removesuffix(".")
    host = f"[{host}]" if ":" in host else host
    port = "" if url.port in (None, _PORTS[url.scheme]) else f":{url.port}"
    path = "/".join(part for part in url.path.split("/") if part)
    return f"{url.scheme}://{host}{port}/{path}".rstrip("/")


def _checked(address: str) -> SplitResult:
    """Return the parts of *address*, which is one."""
    try:
        url = urlsplit(address)
        host = (url.hostname or "").encode("idna")
        possible = url.scheme in ("http", "https") and bool(host) and url.port != 0
    except ValueError:  # no port, half of the brackets of an IPv6 address, or a host with an empty part
        possible = False
    shown = printable(address, 200) if "@" not in address else "(not shown, since it may hold a password)"
    if not possible or printable(address) != address or any(letter.isspace() for letter in address):
        raise OptionError("--base-url", f"'{shown}' is no address", "give one like https://host/v1")
    if url.username is not None or url.query or url.fragment:
        # It would be written into the ledger, and shown.
        raise OptionError("--base-url", "it holds a password or a query", "give the address alone; keys go elsewhere")
    return url


def _from_environment(name: str | None) -> str:
    value = os.environ.get(name, "").strip() if name else ""
    return as_header(name or "", value) if value else ""
