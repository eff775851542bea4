"""
The journal of answers: what was answered is asked no more, whatever breaks; only answers are in it, and none is ever changed.

It is a SQLite file in write-ahead mode: an answer that was recorded survives the end of the process, and a power cut costs
the last ones at most.
"""

import hashlib
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import msgspec
from msgspec import structs

from saturi.etl.errors import BuildError, StorageError
from saturi.schemas.evaluation import Answer, ChatRequest

JOURNAL = "journal.sqlite"
_VERSION = 1
_BUSY_SECONDS = 30.0
_FIELDS = tuple(field.name for field in structs.fields(Answer))
_TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, model TEXT NOT NULL, {", ".join(_FIELDS)}) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS terms (accepted_at REAL);
PRAGMA user_version = {_VERSION};
COMMIT
"""


class Journal:
    """
    The journal at *path*; made where there is none.

    Raises:
        BuildError: It is of a later version, or damaged; so do all methods.
        StorageError: It cannot be read or written; so do all methods.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._translated(), ExitStack() as unless_opened:
            self._database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
            unless_opened.callback(self._database.close)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            [(version,)] = self._database.execute("PRAGMA user_version").fetchall()
            if version > _VERSION:
                problem = f"of version {version}, this is for {_VERSION}"
                raise BuildError(str(path), problem, "use the version that made it")
            if version < _VERSION:
                self._database.executescript(_TABLES)
            unless_opened.pop_all()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def find(self, key: bytes) -> Answer | None:
        """Return the answer under *key*, or None."""
        rows = self._read(f"SELECT {', '.join(_FIELDS)} FROM answers WHERE key = ?", key)  # noqa: S608 - our own fields
        if not rows:
            return None
        with self._translated():
            return msgspec.convert(dict(zip(_FIELDS, rows[0], strict=True)), type=Answer, strict=False)

    def record(self, key: bytes, model: str, answer: Answer) -> None:
        """Write *answer* down under *key*, unless there is one."""
        values = (key, model, *(getattr(answer, name) for name in _FIELDS))
        marks = ", ".join("?" * len(values))
        with self._translated():
            self._database.execute(f"INSERT OR IGNORE INTO answers VALUES ({marks})", values)  # noqa: S608 - likewise

    def adopt(self, path: Path) -> None:
        """Take over every answer of the journal at *path*, which keeps them."""
        with Journal(path):  # what is wrong with it is said of it
            pass
        with self._translated():
            self._database.execute("ATTACH DATABASE ? AS other", (str(path),))
            try:
                self._database.execute("INSERT OR IGNORE INTO main.answers SELECT * FROM other.answers")
            finally:
                self._database.execute("DETACH DATABASE other")

    def terms_accepted(self) -> bool:
        """Return whether the terms of the data were agreed to."""
        return bool(self._read("SELECT 1 FROM terms"))

    def accept_terms(self) -> None:
        """Write down that the terms of the data were agreed to."""
        with self._translated():
            self._database.execute("INSERT INTO terms VALUES (?)", (time.time(),))

    def _read(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with self._translated(), closing(self._database.execute(statement, values)) as cursor:
            return cursor.fetchall()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Translate what SQLite says."""
        try:
            yield
        except sqlite3.OperationalError as error:
            advice = "free some space, or check the folder and its permissions, and run the same command again"
            raise StorageError(self.path, f"cannot be used ({error})", advice) from error
        except (sqlite3.DatabaseError, msgspec.MsgspecError, ValueError) as error:
            if isinstance(error, BuildError):
                raise
            advice = "restore it from a copy, or move it away: what was answered is then asked, and paid for, again"
            raise BuildError(str(self.path), f"damaged ({error})", advice) from error


def key_of(account: str, request: ChatRequest) -> bytes:
    """Return the key of the answer to *request* at *account*, the id of one: another address may be another model."""
    return hashlib.sha256(account.encode() + b"\n" + msgspec.json.encode(request, order="sorted")).digest()
