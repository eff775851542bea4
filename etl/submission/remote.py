"""A remote: one account at a provider, and the ledger in which everything that is sent to it is written down."""

from typing import NamedTuple

from saturi.etl.providers.client import Client
from saturi.etl.submission.ledger import Ledger


class Remote(NamedTuple):
    """The client of one account, and the ledger of the build that is submitted to it."""

    client: Client
    ledger: Ledger

    @property
    def account(self) -> str:
        """The id of the account, in every row of the ledger that belongs to it."""
        return self.client.account.id
