"""An account: what it holds, what it was sent, and what shall go wrong with it."""

import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct, field

from .answers import Answer, Json
from .faults import Fault

STEPS = ("validating_files", "queued", "running", "succeeded")
MODEL = "gpt-4.1-mini-2025-04-14"
HOUR = 3600


class StoredFile(Struct):
    """A file of the account; its content is on disk at *path*."""

    id: str
    filename: str
    bytes: int
    path: Path
    created_at: int
    purpose: str = "fine-tune"
    status: str = "processed"

    def as_json(self) -> Json:
        """Return the file as the API shows it."""
        shown = {name: getattr(self, name) for name in ("id", "filename", "bytes", "created_at", "purpose", "status")}
        return {"object": "file", **shown}


class Sent(Struct, frozen=True):
    """One request as it came: its line, its headers, and its body, a file's content left out."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: str = ""


class World(Struct):
    """
    One account.

    Args:
        folder: Where the content of its files lies.
        steps: The statuses a job goes through, one further each time it is looked at; the last one stays.
        models: Every model there is, with its shutdown date or None.
        flagged: Lines of a training file (from 1) that the API finds fault with.
        late_lists: How many times a job is left out of the lists after it was created.
        empty_errors: Healthy jobs carry `error: {}`.
        loses_metadata: Jobs are created without the metadata that was sent.
        late_models: How many times a job that succeeded is shown without its model.
        no_metadata_filter: The filter of the list of jobs is ignored, as some gateways do.
        wrong_bytes: How many of the next files are stored with a byte too few.
        studio: It answers as Unsloth Studio does; see `studio`.
        clova: It answers as CLOVA Studio and its storage do; see `clova`.
        fireworks: It answers as Fireworks and its store do; see `fireworks`.
        together: It answers as Together and its store do; see `together`.
        collides: There, a file that was begun and never sent is in the way of another of its content.
        estimate: There, the answer to who asks for the price of a job; None for one by its lines.
        address: Its own base URL, where it gives out others below it.
        swallowed: Names of jobs are lost, and every job is called something else.
        busy: How many creations of a job Studio turns away, since something else trains there.
        chats: What each model that was asked for a chat answers to a text; see `chat`.
        key: The only key that is accepted; None for any.
        alter: Makes another answer of each answer, by its `METHOD /path`; None to leave them.
    """

    name: str
    folder: Path
    steps: tuple[str, ...] = STEPS
    models: dict[str, str | None] = field(default_factory=lambda: {MODEL: "2999-01-14"})
    flagged: tuple[int, ...] = ()
    late_lists: int = 0
    empty_errors: bool = False
    loses_metadata: bool = False
    late_models: int = 0
    no_metadata_filter: bool = False
    wrong_bytes: int = 0
    upload_seconds: int = HOUR
    studio: bool = False
    clova: bool = False
    fireworks: bool = False
    together: bool = False
    collides: bool = False
    estimate: Json | None = None
    address: str = ""
    swallowed: bool = False
    busy: int = 0
    chats: dict[str, Callable[[str], str]] = field(default_factory=dict)
    key: str | None = None
    alter: Callable[[str, Answer], Answer] | None = None
    faults: list[Fault] = field(default_factory=list)
    files: dict[str, StoredFile] = field(default_factory=dict)
    uploads: dict[str, Json] = field(default_factory=dict)
    parts: dict[str, StoredFile] = field(default_factory=dict)
    jobs: dict[str, Json] = field(default_factory=dict)
    events: dict[str, list[Json]] = field(default_factory=dict)
    checkpoints: dict[str, list[Json]] = field(default_factory=dict)
    ages: dict[str, int] = field(default_factory=dict)
    hidden: dict[str, int] = field(default_factory=dict)
    requests: list[Sent] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def new_id(self, prefix: str) -> str:
        """Return an id that no other object has."""
        return f"{prefix}{next(self.numbers):08d}"

    def content(self, file_id: str) -> bytes:
        """Return the content of a file."""
        return self.files[file_id].path.read_bytes()

    def fault_for(self, request: str) -> Fault | None:
        """Return what goes wrong with *request*, a `METHOD /path`."""
        with self.lock:
            return next((fault for fault in self.faults if fault.hits(request)), None)

    def count(self, method: str, path: str) -> int:
        """Return how many requests there were of *method* for *path*."""
        return sum((sent.method, sent.path.partition("?")[0]) == (method, path) for sent in self.requests)


def now() -> int:
    """Return the time as the API tells it, in whole seconds."""
    return int(time.time())
