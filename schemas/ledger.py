"""The rows of the ledger: everything that was sent to a provider, or may have been."""

from typing import Literal

from msgspec import Struct

LEDGER_VERSION = 3

FileState = Literal["sending", "there", "deleting", "deleted"]
JobState = Literal["intended", "created", "refused", "abandoned"]
PlanShape = Literal["merged", "per-shard", "chained"]


SUCCEEDED, FAILED = "succeeded", "failed"
GONE = "gone"
"""Ours, for a job of which the provider says that there is none; it is asked again all the same."""

FINAL = frozenset({SUCCEEDED, FAILED, "cancelled"})
"""Every status in which a job has ended; a job in any other status has not."""


class AccountRow(Struct, frozen=True, kw_only=True):
    """An account at a provider; the ledger never holds its key."""

    id: str
    provider: str
    base_url: str
    project: str
    organization: str = ""


class Piece(Struct, frozen=True, kw_only=True):
    """One chunk of a file that is sent: its path in the output folder, and its facts in the manifest."""

    path: str
    examples: int
    bytes: int
    sha256: str


class FileRow(Struct, frozen=True, kw_only=True):
    """
    A file at a provider; its name holds the hash of its content, by which it is recognised.

    `sending` and `deleting` are intents: the file may or may not exist at the provider. `pieces` are the chunks it consists
    of; `upload_id` is the id of an upload in parts that is under way, or null.
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

    `intended` is the intent: the job may or may not exist. `refused` means that it does not exist, `abandoned` that its
    existence could not be determined and another attempt was agreed to. `training` and `validation` are names of files.
    Tokens are the estimate of all epochs, null where they or the price are not known. Times are seconds since 1970 by the
    clock of this machine, for display only.
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


class LossRow(Struct, frozen=True, kw_only=True):
    """The loss of a job at one step, as an event of it says; null where it does not."""

    account: str
    job_id: str
    event_id: str
    step: int
    train_loss: float | None
    valid_loss: float | None


class Submitted(Struct, frozen=True, kw_only=True):
    """What `submit --json` prints: the rows of all jobs of the plan, and how many of them were created now."""

    created: int
    jobs: tuple[JobRow, ...]
