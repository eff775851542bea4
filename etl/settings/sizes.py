"""Sizes in bytes as people write them."""

import re

MIB = 1024 * 1024
_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)\s*(k|m|g)?(i)?b?", re.IGNORECASE)
_POWERS = (("G", 3), ("M", 2), ("K", 1))
_EXPONENT = {"": 0, "k": 1, "m": 2, "g": 3}


def parse_bytes(text: str) -> int:
    """
    Return the number of bytes that *text* names: `500KB`, `100MB`, `64MiB`, `1.5 GB`, `4096`.

    Raises:
        ValueError: It names none.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None or (match[3] and not match[2]):
        message = f"{text!r} is no size: write 500KB, 100MB or 64MiB"
        raise ValueError(message)
    unit: int = (1024 if match[3] else 1000) ** _EXPONENT[(match[2] or "").lower()]
    return round(float(match[1]) * unit)


def spell_bytes(number: int) -> str:
    """Return *number* as `parse_bytes` reads it, with the largest unit that leaves it whole: `100MB`, `2MiB`."""
    units = [
        (f"{letter}{suffix}", base**power) for base, suffix in ((1000, "B"), (1024, "iB")) for letter, power in _POWERS
    ]
    return next((f"{number // size}{unit}" for unit, size in units if number and number % size == 0), f"{number}")
