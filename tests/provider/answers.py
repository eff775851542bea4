"""What the server says: JSON bodies, lists in pages, and errors in the API's shape."""

from collections.abc import Sequence
from typing import Any, NamedTuple

Json = dict[str, Any]


class Answer(NamedTuple):
    """
    A status with its body and, where there are some, headers of its own.

    `drip_seconds` is the time between one byte and the next; `drip_head` is whether that holds from the first byte of the
    headers on. Without `declared` the length is not declared, so that only the end of the connection ends the body.
    """

    body: Json | bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    drip_seconds: float = 0.0
    drip_head: bool = False
    declared: bool = True


class RefusalError(Exception):
    """A request that the API refuses, with the status and the fields of its error."""

    def __init__(self, status: int, message: str, code: str | None = None, param: str | None = None) -> None:
        super().__init__(status, message, code, param)

    @property
    def answer(self) -> Answer:
        """The refusal as it is sent."""
        status, message, code, param = self.args
        return error(status, message, code, param)


def error(status: int, message: str, code: str | None = None, param: str | None = None) -> Answer:
    """Return an error in the API's shape."""
    kind = "server_error" if status >= 500 else "insufficient_quota" if status == 429 else "invalid_request_error"
    return Answer({"error": {"message": message, "type": kind, "param": param, "code": code}}, status)


def page(rows: Sequence[Json], query: dict[str, str], default_limit: int) -> Answer:
    """Return the page of *rows*, in their order, that *query* asks for with `after` and `limit`."""
    ids = [row["id"] for row in rows]
    after = query.get("after")
    if after is not None and after not in ids:
        raise RefusalError(400, f"No such object: {after}", param="after")
    start = 0 if after is None else ids.index(after) + 1
    limit = int(query.get("limit", default_limit))
    shown = list(rows[start : start + limit])
    ends = {"first_id": shown[0]["id"], "last_id": shown[-1]["id"]} if shown else {"first_id": None, "last_id": None}
    return Answer({"object": "list", "data": shown, **ends, "has_more": start + limit < len(rows)})
