"""The rows of the ledger: what was sent to a provider, or may have been."""

from typing import Literal

from msgspec import Struct

LEDGER_VERSION = 2

FileState = Literal["sending", "there", "deleting", "deleted"]
JobState = Literal["intended", "created", "refused", "abandoned"]
PlanShape = Literal["merged", "per-shard", "chained"]


SUCCEEDED, FAILED = "succeeded", "failed"
FINAL = frozenset({SUCCEEDED, FAILED, "cancelled"})
"""All statuses that a job can end with; with any other one it goes on."""


class AccountRow(Struct, frozen=True, kw_only=True):
    """An account at a provider; its key is nowhere."""

    id: str
    provider: str
    base_url: str
    project: str
    organization: str = ""


class Piece(Struct, frozen=True, kw_only=True):
    """One chunk of a file that is sent: its path in the output folder, with size and hash of the manifest."""

    path: str
    examples: int
    bytes: int
    sha256: str


class FileRow(Struct, frozen=True, kw_only=True):
    """
    A file at a provider; its name holds the hash of its content, so that it is known again.

    `sending` and `deleting` are intents: it may or may not be there. `pieces` are the chunks it was joined of; `upload_id`
    is the upload in parts that is on its way, if there is one.
    """

    account: str
    name: str
    sha256: str
    bytes: int
    pieces: tuple[Piece, ...]
    state: FileState = "sending"
    file_id: str | None = None
    upload_id: str | None = None


class JobRow(Struct, frozen=True, kw_only=True):
    """
    One attempt to create a job.

    `intended` is the intent: whether the job was created is not known until it is looked for. `refused` means that it
    certainly was not, `abandoned` that this stays unknown and that another attempt was agreed to. `training` and `validation`
    are names of files, `files` their ids where they are known; tokens and cost are the estimate of all epochs, in US
    dollars, null where no price is known. Times are seconds since 1970 by the clock of this machine, and only shown.
    """

    key: str
    attempt: int
    account: str
    title: str
    plan: PlanShape
    model: str
    epochs: int
    training: str
    validation: str | None
    examples: int
    billed_tokens: int | None
    usd_per_million_tokens: float | None
    manifest: str
    state: JobState = "intended"
    intended_at: float = 0.0
    job_id: str | None = None
    status: str | None = None
    cancel_asked_at: float | None = None
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    error_code: str | None = None
    error_message: str | None = None
    error_param: str | None = None
    created_at: float | None = None
    finished_at: float | None = None
