"""Answers of Together as our structs: a field that does not fit is null, and an answer without an id is none."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from saturi.etl.providers import border
from saturi.etl.providers.exchange import CODE_CHARACTERS, Json, unusable
from saturi.schemas.ledger import FAILED, SUCCEEDED
from saturi.schemas.remote import FileState, JobError, JobEstimate, RemoteEvent, RemoteFile, RemoteJob

NOT_ASKED_FOR = frozenset({None, "PENDING"})
"""Words for a file that nobody has asked to look at, or for which that has not begun."""

_BROKEN = frozenset({"FAILED", "INVALID_FORMAT"})
_PENDING = frozenset({None, "PENDING", "QUEUED", "RUNNING"})
_ERRORS = frozenset({"job_error", "job_user_error", "billing_limit"})
_LEGACY = "legacy_"  # before the level of an event of an older form


class TogetherAnswers:
    """
    The objects in answers of one account.

    Args:
        limits: Makes texts printable, short, and free of the key.
        statuses: Ours by the provider's, where they differ.
    """

    def __init__(self, limits: border.Border, statuses: Mapping[str, str]) -> None:
        self._border, self._statuses = limits, statuses

    def file(self, answer: Json) -> RemoteFile | None:
        """
        Return the file that *answer* shows, or None.

        One of no bytes that nobody has asked to look at was begun and not sent; it is broken, and can be sent again.
        """
        file_id, word = self._border.name(answer.get("id")), self._word(answer.get("processing_status"))
        if file_id is None:
            return None
        report = answer.get("validation_report")
        report = report if isinstance(report, dict) else {}
        size = border.count(answer.get("bytes"))
        is_refused = word in _BROKEN or report.get("valid") is False
        is_unsent = word in NOT_ASKED_FOR and not size
        state: FileState = "broken" if is_refused or is_unsent else "pending" if word in _PENDING else "ready"
        error = self._border.text(report.get("error")) if is_refused else None
        return RemoteFile(
            id=file_id,
            name=self._border.name(answer.get("filename")),
            bytes=size or None,  # 0 until it was looked at
            status=f"{word or 'invalid'} ({error or 'no reason given'})" if is_refused else word,
            state=state,
        )

    def rows(self, answer: Json) -> list[Any]:
        """Return the rows of a list, which has them all: there are no pages."""
        rows = answer.get("data")
        if not isinstance(rows, list):
            raise unusable("no list in it")
        return rows

    def job(self, answer: Json) -> RemoteJob | None:
        """Return the job that *answer* shows, or None; its error is in its events."""
        job_id, word = self._border.name(answer.get("id")), self._word(answer.get("status"))
        if job_id is None:
            return None
        status = self._statuses.get(word, word) if word else None
        events = answer.get("events")
        checkpoint = self._border.name(answer.get("from_checkpoint"))
        return RemoteJob(
            id=job_id,
            status=status,
            model=checkpoint.partition(":")[0] if checkpoint else self._border.name(answer.get("model")),
            training_file=self._border.name(answer.get("training_file")),
            validation_file=self._border.name(answer.get("validation_file")),
            suffix=self._border.name(answer.get("suffix")),
            epochs=border.count(answer.get("n_epochs")),
            seed=border.count(answer.get("random_seed")),
            metadata={},
            fine_tuned_model=self._border.name(answer.get("model_output_name")) if status == SUCCEEDED else None,
            trained_tokens=None,  # whether `token_count` is that of one epoch or of all is not documented
            error=self.error(events if isinstance(events, list) else []) if status == FAILED else None,
            created_at=border.seconds(answer.get("created_at")),
            finished_at=border.seconds(answer.get("updated_at")) if status in (SUCCEEDED, FAILED) else None,
        )

    def error(self, events: list[Any]) -> JobError | None:
        """Return what the last of *events* that is an error says, or None."""
        errors = [row for row in events if isinstance(row, dict) and self._is_error(row)]
        if not errors:
            return None
        code, message = self._word(errors[-1].get("type")), self._border.text(errors[-1].get("message"))
        return JobError(code=code, message=message, param=None) if code or message else None

    def events(self, rows: list[Any]) -> tuple[RemoteEvent, ...]:
        """
        Return the events of *rows*, the newest first; they have no ids of their own, and the same moment may have several.

        An id is moment, kind and number among those alike, and so stays when others follow.
        """
        moments = [(border.seconds(row.get("created_at")) or 0.0, row) for row in rows if isinstance(row, dict)]
        if moments and moments[0][0] > moments[-1][0]:  # in which order they are listed is not documented
            moments.reverse()
        seen: Counter[str] = Counter()
        events = [self._event(at, row, seen) for at, row in sorted(moments, key=lambda moment: moment[0])]
        return tuple(reversed(events))

    def _event(self, at: float, row: Json, seen: Counter[str]) -> RemoteEvent:
        kind = self._word(row.get("type")) or "event"
        name = f"{at:.3f}-{kind}"
        seen[name] += 1
        return RemoteEvent(
            id=f"{name}-{seen[name]}",
            at=int(at),
            level=(self._word(row.get("level")) or "info").lower().removeprefix(_LEGACY),
            message=self._border.text(row.get("message")) or kind,
            step=border.count(row.get("step")),
            train_loss=None,
            valid_loss=None,
        )

    def estimate(self, answer: Json) -> JobEstimate:
        """Return what *answer* says of the price of a job."""
        counts = [border.finite(answer.get(f"estimated_{name}_token_count")) for name in ("train", "eval")]
        tokens = None if counts[0] is None else border.count(float(round(sum(count or 0 for count in counts))))
        usd, limit = (border.finite(answer.get(name)) for name in ("estimated_total_price", "user_limit"))
        is_there = answer.get("estimation_available") is True and usd is not None and usd >= 0
        reason = self._word(answer.get("unavailable_reason")) or "no reason given"
        return JobEstimate(
            usd=usd if is_there else None,
            tokens=tokens if is_there else None,
            allowed=answer.get("allowed_to_proceed") is not False,
            limit_usd=limit,
            reason=None if is_there else reason,
        )

    def _is_error(self, row: Json) -> bool:
        words = [self._word(row.get(name)) or "" for name in ("type", "level")]
        return words[0].lower() in _ERRORS or words[1].lower() == "error"

    def _word(self, value: Any) -> str | None:
        return self._border.text(value, CODE_CHARACTERS)
