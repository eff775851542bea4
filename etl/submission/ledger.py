"""
The ledger: a record of everything sent to providers, in SQLite, on this machine (see `keeping`).

The intent is written before each request, the outcome after it, each on the disk before the next step; so whatever may
have happened is known after any crash.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args

import msgspec
from msgspec import Struct, structs

from saturi.etl.errors import BuildError, StorageError
from saturi.etl.output.files import sync_folder
from saturi.schemas.ledger import LEDGER_VERSION, AccountRow, FileRow, JobRow, LossRow

Row = TypeVar("Row", bound=Struct)

LEDGER = "ledger.sqlite"
_IN_MEMORY = ":memory:"
_BUSY_SECONDS = 30.0
_COLUMN_TYPES = {frozenset({int}): "INTEGER", frozenset({float}): "REAL"}  # of all others TEXT
_TABLES: dict[str, tuple[type[Struct], str]] = {
    "accounts": (AccountRow, "id"),
    "files": (FileRow, "account, name"),
    "jobs": (JobRow, "key, attempt"),
    "losses": (LossRow, "account, job_id, event_id"),
}
_CHANGES = {
    1: "ALTER TABLE accounts ADD COLUMN organization TEXT NOT NULL DEFAULT ''",
    2: "CREATE TABLE losses (account TEXT, job_id TEXT, event_id TEXT, step INTEGER, train_loss REAL, valid_loss REAL, "
    "PRIMARY KEY (account, job_id, event_id))",
}
"""What makes of a ledger of each earlier version one of the next."""


_NOT_WRITABLE = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR})
_ADVICE = {
    sqlite3.SQLITE_BUSY: "another program holds it: wait until that ends, and run the same command again",
    sqlite3.SQLITE_LOCKED: "another program holds it: wait until that ends, and run the same command again",
    sqlite3.SQLITE_FULL: "free some space, and run the same command again",
    sqlite3.SQLITE_IOERR: "check the disk, and run the same command again",
}
"""By SQLite's primary result code (sqlite.org/rescode.html)."""


class Ledger:
    """
    The ledger at *path*, made where there is none; without a path one in memory.

    Args:
        path: The file.
        only_read: Open it only for reading where it cannot be written; changes are then returned and not kept.

    Raises:
        BuildError: It is of a later version, or no ledger; so do all methods.
        StorageError: It cannot be read or written; so do all methods.
    """

    def __init__(self, path: Path | None, *, only_read: bool = False) -> None:
        self.path = path or Path(_IN_MEMORY)
        with self._translated(), ExitStack() as unless_opened:
            self._database = sqlite3.connect(path or _IN_MEMORY, timeout=_BUSY_SECONDS, isolation_level=None)
            unless_opened.callback(self._database.close)
            # Every statement is a transaction that is on the disk before the next line runs.
            self._database.execute("PRAGMA synchronous = FULL")
            self._keeps = not only_read or self._can_write()
            self._prepare()
            if path is not None and self._keeps:
                sync_folder(path.parent)
            unless_opened.pop_all()

    def _can_write(self) -> bool:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute(f"PRAGMA user_version = {self._version()}")  # a write that changes nothing
            self._database.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            if _code(error) not in _NOT_WRITABLE:
                raise
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            return False
        return True

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The data terms, agreed to once.

    def terms_accepted(self) -> bool:
        """Return whether the terms of the data were agreed to."""
        return bool(self._rows("SELECT 1 FROM terms"))

    def accept_terms(self, at: float) -> None:
        """Write down that the terms of the data were agreed to."""
        self._write("INSERT INTO terms (accepted_at) VALUES (?)", at)

    # Accounts.

    def accounts(self) -> list[AccountRow]:
        """Return every account that anything was sent to."""
        return self._structs(AccountRow, "SELECT * FROM accounts ORDER BY rowid")

    def save_account(self, row: AccountRow) -> None:
        """Write down that something will be sent to an account."""
        self._save("accounts", row)

    # Files.

    def files(self, account: str | None = None) -> list[FileRow]:
        """Return the files of *account*, or of all."""
        rows = self._structs(FileRow, "SELECT * FROM files ORDER BY rowid")
        return [row for row in rows if account in (None, row.account)]

    def file(self, account: str, name: str) -> FileRow | None:
        """Return the file *name* of *account*, or None."""
        return next((row for row in self.files(account) if row.name == name), None)

    def save_file(self, row: FileRow) -> None:
        """Write *row* in the place of the one of that file before."""
        self._save("files", row)

    # Jobs.

    def jobs(self) -> list[JobRow]:
        """Return every attempt at every job, in the order in which they were made."""
        return self._structs(JobRow, "SELECT * FROM jobs ORDER BY rowid")

    def attempts(self, key: str) -> list[JobRow]:
        """Return the attempts at the job *key*, the first one first."""
        return sorted((row for row in self.jobs() if row.key == key), key=lambda row: row.attempt)

    def save_job(self, row: JobRow) -> None:
        """Write *row*, another attempt or one made before."""
        self._save("jobs", row)

    def update_job(self, row: JobRow, **changes: Any) -> JobRow:
        """Write only *changes*, so that what another process writes of the same job stays, and return the row with them."""
        if not self._keeps:
            return structs.replace(row, **changes)
        names = ", ".join(f"{name} = ?" for name in changes)
        statement = f"UPDATE jobs SET {names} WHERE key = ? AND attempt = ?"  # noqa: S608 - names of our own fields
        self._write(statement, *changes.values(), row.key, row.attempt)
        return structs.replace(row, **changes)

    # Losses, for reports.

    def losses(self) -> list[LossRow]:
        """Return the loss of every job at every step that was seen."""
        return self._structs(LossRow, "SELECT * FROM losses ORDER BY account, job_id, step, event_id")

    def save_losses(self, rows: Iterable[LossRow]) -> None:
        """Write *rows*; those that are there already stay one each."""
        for row in rows:
            self._save("losses", row)

    def _save(self, table: str, row: Struct) -> None:
        values = [_value(getattr(row, name)) for name in row.__struct_fields__]
        names = ", ".join(row.__struct_fields__)
        marks = ", ".join("?" * len(values))
        _, key = _TABLES[table]
        updates = ", ".join(f"{name} = excluded.{name}" for name in row.__struct_fields__)
        self._write(
            f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {updates}",  # noqa: S608 - names of our own fields
            *values,
        )

    def _prepare(self) -> None:
        """Bring the tables to this version."""
        version = self._version()
        if version > LEDGER_VERSION:
            problem = f"of version {version}, this is for {LEDGER_VERSION}"
            raise BuildError(str(self.path), problem, "use the version that made it")
        if version == LEDGER_VERSION:
            return
        self._database.execute("BEGIN IMMEDIATE")
        for statement in _statements(
            self._version()
        ):  # read again, since another process may have done the same meanwhile
            self._database.execute(statement)
        self._database.execute(f"PRAGMA user_version = {LEDGER_VERSION}")
        self._database.execute("COMMIT")

    def _version(self) -> int:
        [(version,)] = self._database.execute("PRAGMA user_version").fetchall()
        return int(version)

    def _rows(self, statement: str) -> list[dict[str, Any]]:
        with self._translated():
            cursor = self._database.execute(statement)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _structs(self, kind: type[Row], statement: str) -> list[Row]:
        with self._translated():
            return [_struct(kind, row) for row in self._rows(statement)]

    def _write(self, statement: str, *values: Any) -> None:
        with self._translated():
            self._database.execute(statement, values)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Translate the errors of SQLite."""
        try:
            yield
        except sqlite3.OperationalError as error:
            advice = _ADVICE.get(_code(error), "check the folder and its permissions, and run the same command again")
            raise StorageError(self.path, f"cannot be used ({error})", advice) from error
        except (sqlite3.DatabaseError, msgspec.MsgspecError) as error:
            advice = "restore it from a copy: without it, jobs that were created may be created again"
            raise BuildError(str(self.path), f"damaged ({error})", advice) from error


def read_ledger(path: Path, *, only_read: bool = False) -> Ledger:
    """
    Return the ledger at *path*.

    Raises:
        BuildError: There is none: nothing was submitted.
    """
    if not path.exists():
        raise BuildError(str(path), "nothing was submitted from here", "give the folder of a build, or submit it first")
    return Ledger(path, only_read=only_read)


def _code(error: sqlite3.Error) -> int:
    """Return the primary result code of *error*, the low byte of the extended one; 0 where it is Python's own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _statements(version: int) -> list[str]:
    """Return what brings a ledger of *version*, 0 for an empty one, to this version."""
    if version:
        return [_CHANGES[number] for number in range(version, LEDGER_VERSION)]
    tables = [f"CREATE TABLE {name} ({_columns(kind)}, PRIMARY KEY ({key}))" for name, (kind, key) in _TABLES.items()]
    return [*tables, "CREATE TABLE terms (accepted_at REAL)"]


def _columns(kind: type[Struct]) -> str:
    fields = structs.fields(kind)
    return ", ".join(f"{field.name} {column_type(field.type)}" for field in fields)


def column_type(kind: Any) -> str:
    """Return the type of a column for values of *kind*, by the types it is a union of and not by how that is spelled."""
    members = frozenset(get_args(kind) or (kind,)) - {NoneType}
    return _COLUMN_TYPES.get(members, "TEXT")


def _value(value: Any) -> Any:
    """Return *value* as a column holds it: text or a number; anything else as JSON."""
    plain = value is None or isinstance(value, str | int | float)
    return value if plain else msgspec.json.encode(value).decode()


def _struct(kind: type[Row], row: dict[str, Any]) -> Row:
    """Return *row* as a struct of *kind*."""
    pieces = {"pieces": msgspec.json.decode(row["pieces"])} if "pieces" in row else {}
    # Not strictly: Python 3.14 spelled the types of columns otherwise, and there have been ledgers with numbers as texts.
    return msgspec.convert({**row, **pieces}, type=kind, strict=False)
