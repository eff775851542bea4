"""Access to the accounts that a ledger names: where keys and profiles are, and a remote for each account when it is needed."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import structs

from saturi.etl.providers.account import Account
from saturi.etl.providers.client import Client
from saturi.etl.providers.pace import Pace
from saturi.etl.providers.profiles import find_provider, read_providers
from saturi.etl.settings.fields import Options
from saturi.etl.settings.paths import path_of
from saturi.etl.storage.location import Location
from saturi.etl.submission.keeping import ledger_of
from saturi.etl.submission.ledger import Ledger, read_ledger
from saturi.etl.submission.news import Reporter, report_waits
from saturi.etl.submission.remote import Remote
from saturi.schemas.provider import Provider


class Access(Options, frozen=True, kw_only=True):
    """
    A ledger, and how to get into the accounts that it names.

    Args:
        ledger: File of the ledger; None for the one on the local side of the build.
        key_file: File with the key, for its owner's eyes only; None for the environment.
        providers: File of the user's own, laid over the profiles of this package.

    Raises:
        OptionError: A path is empty.
    """

    ledger: Path | None = None
    key_file: Path | None = None
    providers: Path | None = None

    def __post_init__(self) -> None:
        for name, path in (("--ledger", self.ledger), ("key_file", self.key_file), ("--providers", self.providers)):
            if path is not None:
                structs.force_setattr(self, name.removeprefix("--"), path_of(path, name))


class Remotes(dict[str, Remote]):
    """A remote for each account of a ledger, by its id, made when it is first asked for."""

    def __init__(self, stack: ExitStack, ledger: Ledger, access: Access, pace: Pace, report: Reporter) -> None:
        super().__init__()
        self.ledger, self.pace = ledger, pace
        self._stack, self._access, self._report = stack, access, report
        self._accounts = {row.id: row for row in ledger.accounts()}
        self._providers = read_providers(access.providers)

    def provider(self, account_id: str) -> Provider:
        """Return the profile of the provider of an account, for which no remote is made."""
        return find_provider(self._accounts[account_id].provider, self._providers)

    def __missing__(self, account_id: str) -> Remote:
        row = self._accounts[account_id]
        account = Account(
            provider=self.provider(account_id),
            base_url=row.base_url,
            organization=row.organization,
            project=row.project,
            key_file=self._access.key_file,
        )
        client = self._stack.enter_context(Client(account, self.pace, report_waits(self._report)))
        self[account_id] = Remote(client, self.ledger)
        return self[account_id]


@contextmanager
def open_remotes(
    out: Location, access: Access | None, report: Reporter, pace: Pace | None, *, only_read: bool = False
) -> Iterator[Remotes]:
    """
    Yield a remote for each account in the ledger of the build in *out*.

    Args:
        out: Folder of the build, or its URL.
        access: Where the ledger, keys and profiles are.
        report: Takes news while a provider is waited for.
        pace: Waits and deadlines.
        only_read: Whether a ledger will do that cannot be written; what the provider says is then not kept.

    Raises:
        BuildError: Nothing was submitted from there.
    """
    with ExitStack() as stack:
        access = access or Access()
        ledger = stack.enter_context(read_ledger(ledger_of(out, access.ledger), only_read=only_read))
        yield Remotes(stack, ledger, access, pace or Pace(), report)
