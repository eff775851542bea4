"""Everything that is wrong with one line. Every line may be given to it; it is slow, and most lines are proved good before."""

import json
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from saturi.etl.checking.finding import Finding, kind_of, name_of
from saturi.etl.checking.messages import KEYS, findings_in_message, unknown_keys
from saturi.etl.checking.parsing import JsonObject, parse_line, repeated_keys
from saturi.etl.checking.report import Kind
from saturi.etl.checking.texts import findings_in_texts

_KEYS_OF_A_LINE = {"messages", "tools", "parallel_tool_calls", "functions"}


class Diagnosis(NamedTuple):
    """What is wrong with a line, and its messages (role and content) where they have the right form."""

    findings: list[Finding]
    texts: list[tuple[str, str]]


def diagnose(line: bytes, refused_tokens: Collection[str] = ()) -> Diagnosis:
    """
    Return everything that is wrong with a line.

    Args:
        line: Has no newline, and is no blank one.
        refused_tokens: Control tokens of which the provider takes none.
    """
    parsed = parse_line(line)
    if isinstance(parsed, Finding):
        return Diagnosis([parsed], [])
    text, example = parsed
    messages = example.get("messages") if isinstance(example, dict) else None
    messages = messages if isinstance(messages, list) else []
    try:
        findings = [
            *_in_line(example),
            *_repeated_keys(example, messages),
            *findings_in_texts(text, _plain(example), list(map(_plain, messages)), refused_tokens),
        ]
    except RecursionError:
        return Diagnosis([Finding(Kind.INVALID_JSON, None, "brackets in brackets, too deep to be read")], [])
    return Diagnosis(findings, [pair for pair in map(_texts, messages) if pair is not None])


def _plain(value: Any) -> str:
    """Return *value* as JSON without escapes."""
    return json.dumps(value, ensure_ascii=False)


def _in_line(example: Any) -> Iterator[Finding]:
    if not isinstance(example, dict):
        yield Finding(Kind.NOT_AN_OBJECT, None, f"the line is {kind_of(example)}")
        return
    yield from unknown_keys(example, _KEYS_OF_A_LINE, None)
    yield from _in_tools(example)
    messages = example.get("messages")
    if not isinstance(messages, list):
        has = f'"messages" is {kind_of(messages)}' if "messages" in example else 'there is no "messages"'
        yield Finding(Kind.NO_MESSAGES, None, has)
    elif not messages:
        yield Finding(Kind.EMPTY_MESSAGES, None, '"messages" is an empty list')
    else:
        calls: set[str] = set()
        for number, message in enumerate(messages):
            yield from findings_in_message(number, message, calls)
        yield from _in_order(messages)


def _in_tools(example: dict[str, Any]) -> Iterator[Finding]:
    for name in ("tools", "functions"):
        value = example.get(name, [])
        if not (isinstance(value, list) and all(isinstance(tool, dict) for tool in value)):
            yield Finding(Kind.BAD_TOOLS, None, f'"{name}" is no list of objects')
    if not isinstance(example.get("parallel_tool_calls", True), bool):
        yield Finding(Kind.BAD_TOOLS, None, '"parallel_tool_calls" is no boolean')


def _in_order(messages: list[Any]) -> Iterator[Finding]:
    """Yield what is wrong with the conversation as a whole, if each of its messages has a role."""
    roles = [message.get("role") if isinstance(message, dict) else None for message in messages]
    if not all(isinstance(role, str) and role in KEYS for role in roles):
        return  # the right role may be that of the assistant
    for number, role in enumerate(roles):
        if number and role == "system":
            yield Finding(Kind.ROLE_ORDER, number, "a system message that is not the first")
        elif number and role == roles[number - 1] and role in ("user", "assistant"):
            yield Finding(Kind.ROLE_ORDER, number, f"two messages of the {role} in a row")
    if "assistant" not in roles:
        yield Finding(Kind.NO_ASSISTANT, None, "no message is the assistant's")
    elif roles[-1] != "assistant":
        yield Finding(Kind.ASSISTANT_NOT_LAST, len(roles) - 1, f"the last message is {roles[-1]}'s")
    weights = [message.get("weight", 1) for message, role in zip(messages, roles, strict=True) if role == "assistant"]
    if weights and all(type(weight) is int and weight == 0 for weight in weights):
        yield Finding(Kind.NOTHING_LEARNT, None, "every message of the assistant has weight 0")


def _repeated_keys(example: Any, messages: list[Any]) -> Iterator[Finding]:
    """Yield the keys that are in one object more than once, message by message, then in what is around them."""
    for number, message in enumerate(messages):
        for key in repeated_keys(message):
            yield Finding(Kind.REPEATED_KEY, number, f"the key {name_of(key)} more than once in an object")
    if isinstance(example, JsonObject):
        around = [
            *example.repeated,
            *(key for name in example if name != "messages" for key in repeated_keys(example[name])),
        ]
        for key in around:
            yield Finding(Kind.REPEATED_KEY, None, f"the key {name_of(key)} more than once in an object")


def _texts(message: Any) -> tuple[str, str] | None:
    """Return role and content of *message*, or None where it has none."""
    if not isinstance(message, dict):
        return None
    role, content = message.get("role"), message.get("content")
    return (role, content) if isinstance(role, str) and isinstance(content, str) else None
