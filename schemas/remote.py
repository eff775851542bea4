"""Objects at a provider, as every adapter returns them: what did not fit a field when it came in is null there."""

from datetime import date
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct

Row = TypeVar("Row")

FileState = Literal["ready", "pending", "broken"]
"""Whether a file can be trained on, is still being looked at, or never will be."""


class Page(Struct, Generic[Row], frozen=True):
    """Some rows of a list, in the provider's order, and the cursor of the page after them; None where there is none."""

    rows: tuple[Row, ...]
    after: str | None = None


class RemoteFile(Struct, frozen=True, kw_only=True):
    """A file; `status` is the provider's own word for its state, `bytes` is null where the provider gives no size."""

    id: str
    name: str | None
    bytes: int | None
    status: str | None
    state: FileState


class JobError(Struct, frozen=True, kw_only=True):
    """Why a job failed, in the provider's words; `param` is the field of the request that it is about."""

    code: str | None
    message: str | None
    param: str | None


class RemoteJob(Struct, frozen=True, kw_only=True):
    """
    A fine-tuning job; times are seconds since 1970, `status` is one of ours where the profile has it.

    `epochs` and `seed` are those of its settings, null where they are not shown, or chosen by the provider.
    """

    id: str
    status: str | None
    model: str | None
    training_file: str | None
    validation_file: str | None
    suffix: str | None
    epochs: int | None = None
    seed: int | None = None
    metadata: dict[str, str]
    fine_tuned_model: str | None
    trained_tokens: int | None
    error: JobError | None
    created_at: float | None
    finished_at: float | None


class RemoteEvent(Struct, frozen=True, kw_only=True):
    """An event of a job; step and losses are null where it has none, `at` is seconds since 1970."""

    id: str
    at: int
    level: str
    message: str
    step: int | None
    train_loss: float | None
    valid_loss: float | None


class RemoteModel(Struct, frozen=True, kw_only=True):
    """A model; the day from which it is shut down is null where the provider gives none."""

    id: str
    shutdown_date: date | None


class JobEstimate(Struct, frozen=True, kw_only=True):
    """
    What a provider says that a job costs before it is created, null where it does not say that.

    Args:
        usd: The price, in US dollars.
        tokens: Tokens that are billed.
        allowed: Whether the account may have the job created.
        limit_usd: The most that the account may spend.
        reason: Why there is no price.
    """

    usd: float | None
    tokens: int | None
    allowed: bool
    limit_usd: float | None
    reason: str | None


class JobRequest(Struct, frozen=True, kw_only=True):
    """
    A job to create.

    Args:
        model: The model to train.
        training_file, validation_file: Ids of files.
        epochs: Passes over the examples.
        metadata: Texts that the job carries; empty where the provider keeps none.
        is_tune: Whether the model is one that a job before has made.
        suffix: Put into the name of the model.
        seed: Makes the job repeatable.
        extra: What else goes into the body of the request, by the profile.
    """

    model: str
    training_file: str
    validation_file: str | None
    epochs: int
    metadata: dict[str, str]
    is_tune: bool = False
    suffix: str | None = None
    seed: int | None = None
    extra: dict[str, Any] = {}  # any JSON value: what a provider asks for
