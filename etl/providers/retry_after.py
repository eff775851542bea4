"""How long a provider asks to wait, by the headers of its answer."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def wait_seconds(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """
    Return the seconds that `Retry-After` asks to wait, as a number or up to a date; None where it asks for none.

    A date is one of the provider's clock, so that it is held against the `Date` of the same answer, where there is one.

    Args:
        headers: Headers of an answer; their names in any case.
        now: The time of this machine; None for its clock.
    """
    asked = headers.get("retry-after")
    if asked is None:
        return None
    try:
        seconds = float(asked)
    except ValueError:
        until = _date(asked)
        if until is None:
            return None
        since = _date(headers.get("date", "")) or now or datetime.now(UTC)
        seconds = (until - since).total_seconds()
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
