"""The ledger as a file: its columns, and ledgers of earlier versions."""

import sqlite3
from pathlib import Path
from typing import Any, Optional, Union

import pytest
from msgspec import structs
from provider import Server, World
from submissions import HASTE, hand_in

from saturi.etl.submission.ledger import Ledger, column_type
from saturi.etl.submission.status import status
from saturi.schemas.ledger import LEDGER_VERSION, JobRow

SPELLINGS: dict[str, tuple[Any, str]] = {
    "int": (int, "INTEGER"),
    "int-or-none": (int | None, "INTEGER"),
    "none-or-int": (None | int, "INTEGER"),
    "optional-int": (Optional[int], "INTEGER"),  # noqa: UP045 - another spelling of the same type
    "union-of-float": (Union[None, float], "REAL"),  # noqa: UP007 - another spelling of the same type
    "text": (str | None, "TEXT"),
    "number-or-text": (int | str, "TEXT"),
    "tuple": (tuple[int, ...], "TEXT"),
}


@pytest.mark.parametrize(("kind", "column"), SPELLINGS.values(), ids=SPELLINGS)
def test_the_type_of_a_column(kind: Any, column: str) -> None:
    """The type of a column follows the type of its field, however that is spelled."""
    assert column_type(kind) == column


def _make_old(path: Path, column: str) -> None:
    """Rewrite the ledger at *path* as the first version had it, with numbers in columns of the type *column*."""
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE losses")
        database.execute("ALTER TABLE accounts DROP COLUMN organization")
        names = [field.name for field in structs.fields(JobRow)]
        columns = ", ".join(f"{name} {column}" for name in names)
        database.execute(f"CREATE TABLE old ({columns}, PRIMARY KEY (key, attempt))")
        database.execute("INSERT INTO old SELECT * FROM jobs")
        database.execute("DROP TABLE jobs")
        database.execute("ALTER TABLE old RENAME TO jobs")
        database.execute("PRAGMA user_version = 1")
    database.close()


@pytest.mark.parametrize("column", ["", "TEXT"], ids=["as-it-was", "numbers-as-texts"])
def test_an_old_ledger(out: Path, server: Server, world: World, column: str) -> None:
    """A ledger of the first version opens with all its rows, also where its numbers are texts, and nothing is sent again."""
    hand_in(out, server, world)
    before = status(out, pace=HASTE)
    _make_old(out / "ledger.sqlite", column)
    assert status(out, pace=HASTE).files == before.files
    assert hand_in(out, server, world).created == 0
    with Ledger(out / "ledger.sqlite") as ledger:
        [row] = ledger.jobs()
        changed = {"status": None, "intended_at": 0.0}  # of a time in a text only fifteen digits are left
        assert structs.replace(row, **changed) == structs.replace(before.jobs[0], **changed)
        assert [account.organization for account in ledger.accounts()] == [""]
    with sqlite3.connect(out / "ledger.sqlite") as database:
        assert database.execute("PRAGMA user_version").fetchone() == (LEDGER_VERSION,)
    database.close()


def test_a_ledger_in_memory() -> None:
    """A ledger without a path is written nowhere, and holds what is saved in it."""
    with Ledger(None) as ledger:
        ledger.accept_terms(1.0)
        assert ledger.terms_accepted()
        assert ledger.jobs() == []
