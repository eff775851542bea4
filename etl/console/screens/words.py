"""Numbers in the form in which people read them."""


def reasons(counts: dict[str, int]) -> str:
    """Return *counts* as a phrase, the largest first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} {number:,}" for reason, number in ordered)


def short(count: float) -> str:
    """Return a number for people, to three figures: `1.48M`."""
    for unit in ("", "k", "M"):
        if count < 999.5:  # noqa: PLR2004 - what rounds to 1000 is the next unit's
            return f"{count:.0f}" if not unit else f"{count:.3g}{unit}"
        count /= 1000
    return f"{count:,.3g}G"


def size(count: float) -> str:
    """Return a number of bytes for people: `9.1 GB`."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:  # noqa: PLR2004 - steps of the decimal prefixes
            return f"{count:.0f} {unit}" if unit in ("B", "kB") else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def duration(seconds: float) -> str:
    """Return a length of time for people: `0:42`, `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
