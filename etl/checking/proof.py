"""Lines that are proved good in one strict decode, and the findings of the others."""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import UNSET

from saturi.etl.checking.diagnosis import diagnose
from saturi.etl.checking.finding import Finding
from saturi.etl.checking.limits import Limits
from saturi.etl.checking.report import Kind
from saturi.etl.example.tokens import Tokenizer, count_example
from saturi.etl.output.lines import MAX_LINE_BYTES
from saturi.schemas.line import AnyMessage, AssistantMessage, Line, SystemMessage, ToolMessage, UserMessage

_DECODE = msgspec.json.Decoder(Line).decode
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# The first byte of U+2028 and U+2029, and of U+0085, in UTF-8: a search for one byte is ten times as fast as for three.
_SEPARATORS = {b"\xe2": ("\u2028".encode(), "\u2029".encode()), b"\xc2": ("\u0085".encode(),)}
_TOKEN_SIGNS = (b"<|", b"\\u00")  # as it stands, or perhaps as an escape
_JSON_SPACES = b" \t\r"


def examine(
    lines: Sequence[bytes], block: bytes, limits: Limits, tokenizer: Tokenizer
) -> Iterator[tuple[int, Finding]]:
    """
    Yield what is wrong with *lines*, each time with the number of the line (from 0).

    Args:
        lines: Lines without their newlines.
        block: All of them in one piece, which is looked through sooner.
        limits: What they are held against.
        tokenizer: Counts the tokens of those that may be over their limit.
    """
    longest = limits.max_example_tokens or MAX_LINE_BYTES  # a token is a byte at least
    marked = _is_marked(block)
    for number, line in enumerate(lines):
        if len(line) > longest or (marked and _is_marked(line)) or not _is_good(line):
            for finding in _explain(line, limits, tokenizer):
                yield number, finding


def _is_marked(content: bytes) -> bool:
    """Whether *content* has U+2028, U+2029 or U+0085 that is not escaped, or what may begin a control token."""
    return any(sign in content for sign in _TOKEN_SIGNS) or any(
        first in content and any(map(content.__contains__, whole)) for first, whole in _SEPARATORS.items()
    )


def _is_good(line: bytes) -> bool:
    """Whether nothing is wrong with *line*; False also where it takes a longer look."""
    try:
        example = _DECODE(line)
    except _UNDECODABLE:
        return False
    messages = example.messages
    # Each key has a colon, and a repeated one another; texts with colons, and messages with further keys, take a longer look.
    return (line.count(b":") == 1 + 2 * len(messages) or line.count(b'":') == _keys_of(example)) and _is_sound(messages)


def _keys_of(example: Line) -> int:
    """Return how many keys *example* has, if none is repeated; -1 where it has tools, of any form."""
    if example.tools is not UNSET or example.functions is not UNSET:
        return -1
    keys = 1 + (example.parallel_tool_calls is not UNSET)
    for message in example.messages:
        if isinstance(message, AssistantMessage):
            keys += 2 + (message.name is not UNSET) + (message.weight is not UNSET)
            keys += 0 if message.tool_calls is UNSET else 1 + 5 * len(message.tool_calls)
            keys += 0 if message.function_call is UNSET else 3
        elif isinstance(message, SystemMessage | UserMessage):
            keys += 2 + (message.name is not UNSET)
        else:
            keys += 3
    return keys


def _is_sound(messages: Sequence[AnyMessage]) -> bool:
    """Whether *messages*, which have the right form, are in order, and none is empty."""
    calls: set[str] = set()
    before: type[AnyMessage] | None = None
    learnt = False
    for message in messages:
        kind = type(message)
        if kind is before or (kind is SystemMessage and before is not None):
            return False
        before = kind
        content = message.content
        if content is not None and (not content or content.isspace()):
            return False
        if isinstance(message, AssistantMessage):
            learnt = learnt or message.weight != 0
            if message.tool_calls is not UNSET:
                calls.update(call.id for call in message.tool_calls)
            elif content is None and message.function_call is UNSET:
                return False
        elif isinstance(message, ToolMessage) and message.tool_call_id not in calls:
            return False
    return learnt and before is AssistantMessage


def _explain(line: bytes, limits: Limits, tokenizer: Tokenizer) -> Iterator[Finding]:
    if not line.strip(_JSON_SPACES):
        yield Finding(Kind.BLANK_LINE, None, "the line is blank")
        return
    findings, texts = diagnose(line, limits.refused_tokens)
    yield from findings
    limit = limits.max_example_tokens
    if limit is not None and len(line) > limit and (tokens := count_example(texts, tokenizer.count)) > limit:
        about = "" if tokenizer.exact else "about "
        yield Finding(Kind.TOO_MANY_TOKENS, None, f"{about}{tokens:,} tokens, where {limit:,} is the most")
