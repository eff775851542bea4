"""What is wrong with one message of a conversation: its role, its keys, its content, its calls."""

from collections.abc import Iterator
from typing import Any

import msgspec

from saturi.etl.checking.finding import Finding, kind_of, name_of
from saturi.etl.checking.report import Kind
from saturi.schemas.line import FunctionCall, ToolCall

KEYS = {
    "system": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "weight", "tool_calls", "function_call"},
    "tool": {"role", "content", "tool_call_id"},
    "function": {"role", "content", "name"},
}
"""Keys of a message, by its role."""


def findings_in_message(number: int, message: Any, calls: set[str]) -> Iterator[Finding]:
    """Yield what is wrong with one message; *calls* are the ids of the calls so far, those of this one are added."""
    if not isinstance(message, dict):
        yield Finding(Kind.NOT_AN_OBJECT, number, f"the message is {kind_of(message)}")
        return
    role = message.get("role")
    if not isinstance(role, str):
        yield Finding(Kind.NO_ROLE, number, f'"role" is {kind_of(role)}' if "role" in message else 'there is no "role"')
    elif role not in KEYS:
        yield Finding(Kind.UNKNOWN_ROLE, number, f"the role is {name_of(role)}")
    else:
        yield from unknown_keys(message, KEYS[role], number)
        yield from _in_content(number, message)
        yield from _in_calls(number, message, calls)
        if "name" in message and "name" in KEYS[role] and not isinstance(message["name"], str):
            yield Finding(Kind.BAD_NAME, number, f'"name" is {kind_of(message["name"])}')
        if role == "assistant" and "weight" in message:
            weight = message["weight"]
            if type(weight) is not int or weight not in (0, 1):
                yield Finding(Kind.BAD_WEIGHT, number, f'"weight" is {kind_of(weight)}, not 0 or 1')


def _in_content(number: int, message: dict[str, Any]) -> Iterator[Finding]:
    content = message.get("content")
    if content is None:
        if not (message["role"] == "assistant" and {"tool_calls", "function_call"} & message.keys()):
            has = '"content" is null' if "content" in message else 'there is no "content"'
            yield Finding(Kind.NO_CONTENT, number, has)
    elif not isinstance(content, str):
        yield Finding(Kind.CONTENT_NOT_TEXT, number, f'"content" is {kind_of(content)}')
    elif not content.strip():
        yield Finding(
            Kind.EMPTY_CONTENT, number, '"content" has nothing but spaces' if content else '"content" is empty'
        )


def _in_calls(number: int, message: dict[str, Any], calls: set[str]) -> Iterator[Finding]:
    role = message["role"]
    if role == "assistant" and "tool_calls" in message:
        try:
            made = msgspec.convert(message["tool_calls"], type=list[ToolCall])
        except msgspec.ValidationError as error:
            yield Finding(Kind.BAD_TOOL_CALL, number, f'"tool_calls": {error}')
        else:
            calls.update(call.id for call in made)
            if not made:
                yield Finding(Kind.BAD_TOOL_CALL, number, '"tool_calls" is an empty list')
    if role == "assistant" and "function_call" in message:
        try:
            msgspec.convert(message["function_call"], type=FunctionCall)
        except msgspec.ValidationError as error:
            yield Finding(Kind.BAD_TOOL_CALL, number, f'"function_call": {error}')
    answered = message.get("tool_call_id")
    if role == "tool" and not (isinstance(answered, str) and answered in calls):
        yield Finding(Kind.BAD_TOOL_CALL, number, '"tool_call_id" is of no call before it')
    if role == "function" and "name" not in message:
        yield Finding(Kind.BAD_NAME, number, 'there is no "name" of the function')


def unknown_keys(value: dict[str, Any], known: set[str], message: int | None) -> Iterator[Finding]:
    """Yield the keys of *value* that are not *known*; *message* is the number of the message it is."""
    for key in value:
        if key not in known:
            yield Finding(Kind.UNKNOWN_KEY, message, f"the key {name_of(key)}")
