"""Find what is wrong with the lines of a block: most are proved good in one strict decode, the others are explained."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import UNSET

from etl.checking.diagnosis import Finding, diagnose
from etl.checking.limits import Limits
from etl.checking.report import Kind
from etl.example.tokens import Tokenizer, count_example
from etl.output.lines import MAX_LINE_BYTES
from schemas.line import AnyMessage, AssistantMessage, Line, ToolMessage

_DECODE = msgspec.json.Decoder(Line).decode
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# The first byte of U+2028 and U+2029, and of U+0085, in UTF-8: one byte is found ten times as fast as three.
_SEPARATORS = {b"\xe2": ("\u2028".encode(), "\u2029".encode()), b"\xc2": ("\u0085".encode(),)}
_JSON_SPACES = b" \t\r"


def examine(
    lines: Iterable[bytes], limits: Limits, tokenizer: Tokenizer, *, separated: bool
) -> Iterator[tuple[int, Finding]]:
    """
    Yield what is wrong with *lines*, each time with the number of the line (from 0).

    Args:
        lines: Lines without their newlines.
        limits: What they are held against.
        tokenizer: Counts the tokens of those that may be over their limit.
        separated: Whether any of them may have a separator, as `has_separators` tells.
    """
    longest = limits.max_example_tokens or MAX_LINE_BYTES  # a token is a byte at least
    for number, line in enumerate(lines):
        try:
            good = _is_good(_DECODE(line).messages)
        except _UNDECODABLE:
            good = False
        if not good or len(line) > longest or (separated and has_separators(line)):
            for finding in _explain(line, limits, tokenizer):
                yield number, finding


def has_separators(content: bytes) -> bool:
    """Whether *content* has U+2028, U+2029 or U+0085 that is not escaped."""
    return any(first in content and any(map(content.__contains__, whole)) for first, whole in _SEPARATORS.items())


def _is_good(messages: Sequence[AnyMessage]) -> bool:
    """Whether nothing is wrong with *messages*, which have the right form; False also where it takes a longer look."""
    calls: set[str] = set()
    for message in messages:
        content = message.content
        if type(message) is AssistantMessage and message.tool_calls is not UNSET:
            calls.update(call.id for call in message.tool_calls)
        elif type(message) is ToolMessage and message.tool_call_id not in calls:
            return False
        if content is None:
            if type(message) is AssistantMessage and message.tool_calls is UNSET and message.function_call is UNSET:
                return False
        elif "<|" in content or content.isspace() or not content:
            return False
    return type(messages[-1]) is AssistantMessage


def _explain(line: bytes, limits: Limits, tokenizer: Tokenizer) -> Iterator[Finding]:
    if not line.strip(_JSON_SPACES):
        yield Finding(Kind.BLANK_LINE, None, "the line is blank")
        return
    findings, texts = diagnose(line)
    yield from findings
    limit = limits.max_example_tokens
    if limit is not None and len(line) > limit and (tokens := count_example(texts, tokenizer.count)) > limit:
        about = "" if tokenizer.exact else "about "
        yield Finding(Kind.TOO_MANY_TOKENS, None, f"{about}{tokens:,} tokens, where {limit:,} is the most")
