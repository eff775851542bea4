"""Say what is wrong with one line, in full. Every line may be given to it; it is slow, and most lines are proved good before."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

import msgspec

from etl.checking.report import Kind
from schemas.line import FunctionCall, ToolCall

SEPARATORS = re.compile("[\u2028\u2029\u0085]")
SPECIAL_TOKEN = re.compile(r"<\|[A-Za-z0-9_]{1,40}\|>")

_KEYS_OF_A_LINE = {"messages", "tools", "parallel_tool_calls", "functions"}
_KEYS_OF_A_MESSAGE = {
    "system": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "weight", "tool_calls", "function_call"},
    "tool": {"role", "content", "tool_call_id"},
    "function": {"role", "content", "name"},
}
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")


class Finding(NamedTuple):
    """A kind of problem, the message it is in (from 0) or None for the line as a whole, and the facts in words."""

    kind: Kind
    message: int | None
    detail: str


class Parsed(NamedTuple):
    """What is wrong with a line, and its messages (role and content) where they have the right form."""

    findings: list[Finding]
    texts: list[tuple[str, str]]


def diagnose(line: bytes) -> Parsed:
    """Return everything that is wrong with *line*, which has no newline and is no blank one."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        return Parsed([Finding(Kind.INVALID_UTF8, None, f"byte {error.start + 1} of the line is no UTF-8")], [])
    try:
        example = json.loads(text, parse_constant=_refuse)
        plain = json.dumps(example, ensure_ascii=False)
    except json.JSONDecodeError as error:
        return Parsed([Finding(Kind.INVALID_JSON, None, f"{_why(error)} at letter {error.pos + 1}")], [])
    except RecursionError:
        return Parsed([Finding(Kind.INVALID_JSON, None, "brackets in brackets, too deep to be read")], [])
    except ValueError:  # NaN, and what else Python's parser takes; a number of thousands of digits
        return Parsed([Finding(Kind.INVALID_JSON, None, "a number that JSON does not have, or of too many digits")], [])
    findings = list(_in_line(example))
    messages = example.get("messages") if isinstance(example, dict) else None
    said = [_texts(message) for message in messages] if isinstance(messages, list) else []
    findings += _in_text(text, plain, said)
    return Parsed(findings, [pair for pair in said if pair is not None])


def _why(error: json.JSONDecodeError) -> str:
    """Return why *error* was raised; where it names no letter, and no remedy of its own."""
    if error.msg.startswith("Unexpected UTF-8 BOM"):
        return "Another byte order mark, as where files were joined,"
    return error.msg.removesuffix(" at")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _in_line(example: Any) -> Iterator[Finding]:
    if not isinstance(example, dict):
        yield Finding(Kind.NOT_AN_OBJECT, None, f"the line is {_kind_of(example)}")
        return
    yield from _unknown_keys(example, _KEYS_OF_A_LINE, None)
    yield from _in_tools(example)
    messages = example.get("messages")
    if not isinstance(messages, list):
        has = f'"messages" is {_kind_of(messages)}' if "messages" in example else 'there is no "messages"'
        yield Finding(Kind.NO_MESSAGES, None, has)
    elif not messages:
        yield Finding(Kind.EMPTY_MESSAGES, None, '"messages" is an empty list')
    else:
        calls: set[str] = set()
        for number, message in enumerate(messages):
            yield from _in_message(number, message, calls)
        yield from _in_order(messages)


def _in_tools(example: dict[str, Any]) -> Iterator[Finding]:
    for name in ("tools", "functions"):
        value = example.get(name, [])
        if not (isinstance(value, list) and all(isinstance(tool, dict) for tool in value)):
            yield Finding(Kind.BAD_TOOLS, None, f'"{name}" is no list of objects')
    if not isinstance(example.get("parallel_tool_calls", True), bool):
        yield Finding(Kind.BAD_TOOLS, None, '"parallel_tool_calls" is no boolean')


def _in_message(number: int, message: Any, calls: set[str]) -> Iterator[Finding]:
    """Yield what is wrong with one message; *calls* are the ids of the calls so far, those of this one are added."""
    if not isinstance(message, dict):
        yield Finding(Kind.NOT_AN_OBJECT, number, f"the message is {_kind_of(message)}")
        return
    role = message.get("role")
    if not isinstance(role, str):
        yield Finding(
            Kind.NO_ROLE, number, f'"role" is {_kind_of(role)}' if "role" in message else 'there is no "role"'
        )
    elif role not in _KEYS_OF_A_MESSAGE:
        yield Finding(Kind.UNKNOWN_ROLE, number, f"the role is {_named(role)}")
    else:
        yield from _unknown_keys(message, _KEYS_OF_A_MESSAGE[role], number)
        yield from _in_content(number, message)
        yield from _in_calls(number, message, calls)
        if "name" in message and "name" in _KEYS_OF_A_MESSAGE[role] and not isinstance(message["name"], str):
            yield Finding(Kind.BAD_NAME, number, f'"name" is {_kind_of(message["name"])}')
        if role == "assistant" and "weight" in message:
            weight = message["weight"]
            if type(weight) is not int or weight not in (0, 1):
                yield Finding(Kind.BAD_WEIGHT, number, f'"weight" is {_kind_of(weight)}, not 0 or 1')


def _in_content(number: int, message: dict[str, Any]) -> Iterator[Finding]:
    content = message.get("content")
    if content is None:
        if not (message["role"] == "assistant" and {"tool_calls", "function_call"} & message.keys()):
            has = '"content" is null' if "content" in message else 'there is no "content"'
            yield Finding(Kind.NO_CONTENT, number, has)
    elif not isinstance(content, str):
        yield Finding(Kind.CONTENT_NOT_TEXT, number, f'"content" is {_kind_of(content)}')
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


def _in_order(messages: list[Any]) -> Iterator[Finding]:
    roles = [message.get("role") if isinstance(message, dict) else None for message in messages]
    if not all(isinstance(role, str) and role in _KEYS_OF_A_MESSAGE for role in roles):
        return  # said before; the right role may be that of the assistant
    if "assistant" not in roles:
        yield Finding(Kind.NO_ASSISTANT, None, "no message is the assistant's")
    elif roles[-1] != "assistant":
        yield Finding(Kind.ASSISTANT_NOT_LAST, len(roles) - 1, f"the last message is {roles[-1]}'s")


def _in_text(raw: str, plain: str, said: list[tuple[str, str] | None]) -> Iterator[Finding]:
    """Yield what some readers do not take for text: in the line as it stands (*raw*), without escapes (*plain*), or in *said*."""
    contents = [pair[1] if pair else "" for pair in said]
    for number, content in enumerate(contents):
        if found := SPECIAL_TOKEN.findall(content):
            yield Finding(Kind.SPECIAL_TOKEN, number, f"text like <|…|>, {_times(len(found))}")
    if found := _HALF_A_PAIR.findall(plain):
        where = [number for number, content in enumerate(contents) if _HALF_A_PAIR.search(content)]
        yield Finding(
            Kind.LONE_SURROGATE, where[0] if where else None, f"half of a surrogate pair, {_times(len(found))}"
        )
    if found := SEPARATORS.findall(raw):  # an escape is none
        where = [number for number, content in enumerate(contents) if SEPARATORS.search(content)]
        names = ", ".join(f"U+{ord(letter):04X}" for letter in sorted(set(found)))
        yield Finding(Kind.SEPARATOR, where[0] if where else None, f"{names}, {_times(len(found))}")


def _texts(message: Any) -> tuple[str, str] | None:
    """Return role and content of *message*, or None where it has none."""
    if not isinstance(message, dict):
        return None
    role, content = message.get("role"), message.get("content")
    return (role, content) if isinstance(role, str) and isinstance(content, str) else None


def _unknown_keys(value: dict[str, Any], known: set[str], message: int | None) -> Iterator[Finding]:
    for key in value:
        if key not in known:
            yield Finding(Kind.UNKNOWN_KEY, message, f"the key {_named(key)}")


def _named(name: str) -> str:
    """Return *name* where it is one, and its length where it may as well be text of the corpus."""
    return repr(name) if _PLAIN_KEY.fullmatch(name) else f"a text of {len(name)} letters"


def _kind_of(value: Any) -> str:
    """Return the kind of a JSON value in words, and never the value."""
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return kinds.get(type(value), "null")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
