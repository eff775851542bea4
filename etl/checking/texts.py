"""What some readers do not take for text: control tokens, halves of surrogate pairs, separators."""

import re
from collections.abc import Collection, Iterator, Sequence

from saturi.etl.checking.finding import Finding, times
from saturi.etl.checking.report import Kind

SEPARATORS = re.compile("[\u2028\u2029\u0085]")
SPECIAL_TOKEN = re.compile(r"<\|[A-Za-z0-9_]{1,40}\|>")

_HALF_A_PAIR = re.compile("[\ud800-\udfff]")


def findings_in_texts(raw: str, plain: str, messages: Sequence[str], refused: Collection[str]) -> Iterator[Finding]:
    """
    Yield what is in the texts of a line.

    Args:
        raw: The line as it stands.
        plain: The line without escapes.
        messages: Its messages as JSON without escapes.
        refused: Control tokens of which a provider takes none.
    """
    yield from _tokens(plain, messages, refused)
    if halves := _HALF_A_PAIR.findall(plain):
        yield Finding(
            Kind.LONE_SURROGATE, _first(_HALF_A_PAIR, messages), f"half of a surrogate pair, {times(len(halves))}"
        )
    if separators := SEPARATORS.findall(raw):  # an escape is none
        names = ", ".join(f"U+{ord(letter):04X}" for letter in sorted(set(separators)))
        yield Finding(Kind.SEPARATOR, _first(SEPARATORS, messages), f"{names}, {times(len(separators))}")


def _tokens(plain: str, messages: Sequence[str], refused: Collection[str]) -> Iterator[Finding]:
    outside = SPECIAL_TOKEN.findall(plain)
    for number, message in enumerate(messages):
        tokens = SPECIAL_TOKEN.findall(message)
        yield from _token_findings(tokens, number, refused)
        for token in tokens:
            outside.remove(token)
    yield from _token_findings(outside, None, refused)


def _token_findings(tokens: Sequence[str], message: int | None, refused: Collection[str]) -> Iterator[Finding]:
    control = [token for token in tokens if token in refused]
    if control:
        names = ", ".join(sorted(set(control)))
        yield Finding(Kind.CONTROL_TOKEN, message, f"{names}, {times(len(control))}")
    if len(tokens) > len(control):
        yield Finding(Kind.SPECIAL_TOKEN, message, f"text like <|…|>, {times(len(tokens) - len(control))}")


def _first(sign: re.Pattern[str], messages: Sequence[str]) -> int | None:
    """Return the number of the first message that has *sign* in it, or None."""
    return next((number for number, message in enumerate(messages) if sign.search(message)), None)
