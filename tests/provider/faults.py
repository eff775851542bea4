"""Faults on demand: what goes wrong with which request, once."""

import re
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from .answers import Answer, error

Moment = Literal["before", "body", "after"]

FILE, PART, COMPLETE, JOB, CHAT = (
    "POST /files|PUT /s3/.*|PUT /store/.*",
    "POST /uploads/.*/parts",
    "POST /uploads/.*/complete",
    "POST /fine_tuning/jobs|POST /fine-tunes|POST /tuning/v2/tasks|POST /v1/.*/supervisedFineTuningJobs",
    "POST /chat/completions|POST /inference/.*|POST /v3/.*chat-completions.*",
)
"""What a request is for, in every wire format."""


class Fault(Struct):
    """
    One thing that goes wrong, the *nth* time that a request matches.

    Args:
        match: A pattern of `METHOD /path`, the path without the base URL's; the whole of it must match.
        moment: Before the request is carried out, while its body is read, or after it was carried out.
        nth: Which of the matching requests is hit, from 1.
        answer: What is sent in place of the right answer; without one the connection is reset.
        body_bytes: How much of the body is read before the connection is reset.
        stall_seconds: How long nothing is sent before the connection is reset or the answer goes out.
        act: Called at that moment, with nothing held.
    """

    match: str
    moment: Moment = "before"
    nth: int = 1
    answer: Answer | None = None
    body_bytes: int | None = None
    stall_seconds: float = 0.0
    act: Callable[[], None] | None = None
    proceeds: bool = False  # nothing else goes wrong: the right answer is sent
    seen: int = 0

    def hits(self, request: str) -> bool:
        """Return whether *request*, another `METHOD /path`, is the one."""
        if re.fullmatch(self.match, request) is None:
            return False
        self.seen += 1
        return self.seen == self.nth


def refused(match: str, status: int, code: str | None = None, *, retry_after: str | None = None, nth: int = 1) -> Fault:
    """Return the fault of answering *status* without carrying anything out."""
    answer = error(status, f"fault: {status}", code)
    if retry_after is not None:
        answer = answer._replace(headers=(("Retry-After", retry_after),))
    return Fault(match, answer=answer, nth=nth)


def reset(match: str, body_bytes: int = 0, *, nth: int = 1) -> Fault:
    """Return the fault of a connection that breaks after *body_bytes* of the request's body."""
    return Fault(match, "body", nth, body_bytes=body_bytes)


def answer_lost(match: str, *, nth: int = 1) -> Fault:
    """Return the fault of a connection that breaks after the request was carried out."""
    return Fault(match, "after", nth)


def timeout(match: str, seconds: float, *, carried_out: bool, nth: int = 1) -> Fault:
    """Return the fault of an answer that does not come for *seconds*."""
    return Fault(match, "after" if carried_out else "before", nth, stall_seconds=seconds)


def calling(match: str, moment: Moment, act: Callable[[], None], *, nth: int = 1) -> Fault:
    """Return no fault of the server's: *act* is called, and the right answer is sent."""
    return Fault(match, moment, nth, act=act, proceeds=True)
