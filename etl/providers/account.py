"""The account at a provider: its address, and where its key is. The key itself is read when a client is made, and kept nowhere."""

import os
import stat
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from etl.errors import OptionError
from schemas.ledger import AccountRow
from schemas.provider import Provider

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Account(Struct, frozen=True, kw_only=True):
    """
    A provider as one customer sees it.

    Args:
        provider: Its profile; the address in it is not looked at.
        base_url: Where its API is.
        project: The project within the customer's organisation, or empty.
        key_file: The file that holds the key, or None where the environment does.
    """

    provider: Provider
    base_url: str
    project: str = ""
    key_file: Path | None = None

    @property
    def row(self) -> AccountRow:
        """What the ledger keeps of it."""
        return AccountRow(id=self.id, provider=self.provider.name, base_url=self.base_url, project=self.project)

    @property
    def id(self) -> str:
        """What tells this account from others in the ledger; the key has no part in it."""
        return " ".join((self.provider.name, self.base_url, self.project)).rstrip()

    def read_key(self) -> str:
        """
        Return the key.

        Raises:
            OptionError: There is none, or others can read the file it is in.
        """
        if self.key_file is not None:
            return _key_in(self.key_file)
        name = self.provider.key_env
        key = os.environ.get(name, "").strip()
        if not key:
            problem = f"no key for {self.provider.name}: the environment has no {name}"
            raise OptionError(name, problem, "set it there, or name a file with key_file under [submit] in etl.toml")
        return key


def open_account(provider: Provider, base_url: str | None = None, key_file: Path | None = None) -> Account:
    """
    Return the account at *provider*, at *base_url* instead of the address in its profile if one is given.

    Raises:
        OptionError: There is no address, or one that cannot be.
    """
    address = base_url or provider.base_url
    if address is None:
        problem = f"{provider.name} has no address of its own"
        raise OptionError("--base-url", problem, "give that of your resource or gateway, like https://host/v1")
    address = address.rstrip("/")  # or the same job would have another key
    url = urlsplit(address)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise OptionError("--base-url", f"{address!r} is no address", "give one like https://host/v1")
    if url.username is not None or url.query:
        # It would be written into the ledger, and shown.
        raise OptionError("--base-url", "it holds a password or a query", "give the address alone; keys go elsewhere")
    # The SDK would take the project from there, too; it is part of what a job is.
    project = os.environ.get("OPENAI_PROJECT_ID", "") if provider.name == "openai" else ""
    return Account(provider=provider, base_url=address, project=project, key_file=key_file)


def _key_in(path: Path) -> str:
    try:
        if os.name == "posix" and path.stat().st_mode & _OTHERS:
            mode = stat.S_IMODE(path.stat().st_mode)
            raise OptionError(str(path), f"others can read the key (mode {mode:04o})", f"chmod 600 {path}")
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(str(path), "the key cannot be read", "check the file named by key_file") from error
    if not key or any(letter.isspace() for letter in key):
        raise OptionError(str(path), "it does not hold one key and nothing else", "put the key on the only line")
    return key
