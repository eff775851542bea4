"""Numbers and names in the form in which people read them."""

from saturi.etl.corpus.names import base_name


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


def short_origin(archive: str, member: str | None, sentence: int | None) -> str:
    """Return where a pair is from, without the folders of archive and label file, which are long and mostly alike."""
    file = "" if member is None else f"!{base_name(member)}"
    return f"{base_name(archive)}{file}" + ("" if sentence is None else f", sentence {sentence}")


def duration(seconds: float) -> str:
    """Return a length of time for people: `0:42`, `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
