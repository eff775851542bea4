"""Answers of OpenAI's API as our structs: a field that does not fit is null, and an answer without an id is none."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from saturi.etl.providers import border
from saturi.etl.providers.exchange import CODE_CHARACTERS, Json, unusable
from saturi.schemas.remote import FileState, JobError, Page, RemoteEvent, RemoteFile, RemoteJob

Made = TypeVar("Made")

_BROKEN = frozenset({"error", "deleted", "deleting", "failed"})
_PENDING = frozenset({"pending", "running", "uploading", "processing", "notRunning", "importing"})


class OpenAIAnswers:
    """
    The objects in answers of one provider.

    Args:
        limits: Makes texts printable, short, and free of the key.
        statuses: Ours by the provider's, where they differ.
    """

    def __init__(self, limits: border.Border, statuses: Mapping[str, str]) -> None:
        self._border, self._statuses = limits, statuses

    def whole(self, make: Callable[[Json], Made | None], answer: Json) -> Made:
        """Return what *make* makes of *answer*, which must be something."""
        made = make(answer)
        if made is None:
            raise unusable("no id in it")
        return made

    def page(self, answer: Json, make: Callable[[Json], Made | None]) -> Page[Made]:
        """Return the page of a list, its rows made by *make*; those that it makes nothing of are left out."""
        rows = answer.get("data")
        if not isinstance(rows, list):
            raise unusable("no list in it")
        last = self.id(rows[-1]) if rows and isinstance(rows[-1], dict) else None
        return Page(border.rows_of(rows, make), last if answer.get("has_more") is not False else None)

    def id(self, answer: Json) -> str | None:
        """Return the id in *answer*, or None."""
        return self._border.name(answer.get("id"))

    def file(self, answer: Json) -> RemoteFile | None:
        """Return the file that *answer* shows, or None."""
        file_id, status = self.id(answer), self._border.text(answer.get("status"), CODE_CHARACTERS)
        if file_id is None:
            return None
        state: FileState = "broken" if status in _BROKEN else "pending" if status in _PENDING else "ready"
        name, size = self._border.name(answer.get("filename")), border.count(answer.get("bytes"))
        return RemoteFile(id=file_id, name=name, bytes=size, status=status, state=state)

    def job(self, answer: Json) -> RemoteJob | None:
        """Return the job that *answer* shows, or None."""
        job_id, status = self.id(answer), self._border.text(answer.get("status"), CODE_CHARACTERS)
        if job_id is None:
            return None
        names = ("model", "training_file", "validation_file", "suffix", "fine_tuned_model")
        return RemoteJob(
            id=job_id,
            status=self._statuses.get(status, status) if status else None,
            **{name: self._border.name(answer.get(name)) for name in names},
            epochs=_epochs(answer),
            seed=border.count(answer.get("seed")),
            metadata=self._border.texts(answer.get("metadata")),
            trained_tokens=border.count(answer.get("trained_tokens")),
            error=self._job_error(answer.get("error")),
            created_at=border.seconds(answer.get("created_at")),
            finished_at=border.seconds(answer.get("finished_at")),
        )

    def _job_error(self, error: Any) -> JobError | None:
        """Return the error of a job; a healthy one may carry an error without a code or a message."""
        if isinstance(error, str):
            error = {"message": error}
        if not isinstance(error, dict):
            return None
        code, param = (self._border.text(error.get(name), CODE_CHARACTERS) for name in ("code", "param"))
        message = self._border.text(error.get("message"))
        return JobError(code=code, message=message, param=param) if code or message else None

    def event(self, answer: Json) -> RemoteEvent | None:
        """Return the event that *answer* shows, or None."""
        event_id, data = self.id(answer), answer.get("data")
        if event_id is None:
            return None
        data = data if isinstance(data, dict) else {}
        return RemoteEvent(
            id=event_id,
            at=int(border.seconds(answer.get("created_at")) or 0),  # some leave out what the description requires
            level=self._border.text(answer.get("level"), CODE_CHARACTERS) or "info",
            message=self._border.text(answer.get("message")) or "",
            step=border.count(data.get("step")),
            train_loss=border.finite(data.get("train_loss")),
            # Over a part of the validation file at each step, over all of it now and then.
            valid_loss=border.finite(data.get("valid_loss", data.get("full_valid_loss"))),
        )


def _epochs(answer: Json) -> int | None:
    """Return the epochs of a job, which may be in either of two places; None where they are not shown as a number."""
    method = answer.get("method")
    supervised = method.get("supervised") if isinstance(method, dict) else None
    for place in (supervised, answer):
        settings = place.get("hyperparameters") if isinstance(place, dict) else None
        if isinstance(settings, dict) and (epochs := border.count(settings.get("n_epochs"))) is not None:
            return epochs
    return None


UNSUPPORTED_CODES = frozenset({"unsupported_parameter", "unsupported_value"})
"""Codes of a refusal that is about a parameter, which the message has to name."""


def code_and_message(refusal: Any) -> tuple[Any, Any]:
    """
    Return code and message of a *refusal*, any JSON.

    They are in an object under `error`, or, where a server is made with FastAPI, under `detail`: a text, such an object, or a
    list of fields with what is wrong with each.
    """
    if isinstance(refusal, dict) and refusal.get("error") is not None:
        refusal = refusal["error"]
    elif isinstance(refusal, dict) and refusal.get("detail") is not None:
        detail = refusal["detail"]
        refusal = detail.get("error", detail) if isinstance(detail, dict) else detail
    if isinstance(refusal, list):
        return None, _of_fields(refusal)
    if not isinstance(refusal, dict):
        return None, refusal
    code, message, parameter = (refusal.get(name) for name in ("code", "message", "param"))
    if isinstance(code, str) and code in UNSUPPORTED_CODES and f"'{parameter}'" not in str(message):
        message = f"{message} ('{parameter}')"
    return code, message


def _of_fields(problems: list[Any]) -> str | None:
    """Return what is wrong with each of some fields, as FastAPI lists it."""
    rows = [problem for problem in problems if isinstance(problem, dict) and isinstance(problem.get("msg"), str)]
    return "; ".join(f"{_field(row.get('loc'))}{row['msg']}" for row in rows) or None


def _field(place: Any) -> str:
    """Return the name of a field by its *place*, with a colon after it; nothing where it has none."""
    parts = [str(part) for part in place if part != "body"] if isinstance(place, list) else []
    return ".".join(parts) + ": " if parts else ""
