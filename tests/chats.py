"""Chat lines: good ones of every form, made by hypothesis, and ways to break one, each for one reason."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

Line = dict[str, Any]

_SYSTEM = {"role": "system", "content": "가"}
_USER = {"role": "user", "content": "가"}
_TOOL = {"role": "tool", "content": "가", "tool_call_id": "zz"}

# No "<": what looks like a special token is a way to break a line.
TEXT = st.text(
    st.characters(exclude_characters="<\u2028\u2029\u0085", exclude_categories=["Cs"]), min_size=1, max_size=30
).filter(lambda text: bool(text.strip()))
CALL = st.fixed_dictionaries(
    {
        "id": st.text("abc", min_size=1, max_size=5),
        "type": st.just("function"),
        "function": st.fixed_dictionaries({"name": st.text("xyz", min_size=1), "arguments": st.just("{}")}),
    }
)


def _message(role: str, **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Line]:
    return st.fixed_dictionaries({"role": st.just(role), "content": TEXT}, optional=optional)


USER = _message("user", name=TEXT)
ASSISTANT = _message("assistant", name=TEXT, weight=st.sampled_from([0, 1]))
LEARNT = _message("assistant", name=TEXT, weight=st.just(1))


@st.composite
def answered_calls(draw: st.DrawFn) -> list[Line]:
    """Return a message that calls tools, and the answer to each call."""
    calls = draw(st.lists(CALL, min_size=1, max_size=2))
    content = draw(st.none() | TEXT)
    content_field = {} if content is None and draw(st.booleans()) else {"content": content}
    answers = [{"role": "tool", "content": draw(TEXT), "tool_call_id": call["id"]} for call in calls]
    return [{"role": "assistant", **content_field, "tool_calls": calls}, *answers]


@st.composite
def good_lines(draw: st.DrawFn) -> Line:
    """Return a line that no provider would refuse, and of which there is nothing to warn."""
    messages: list[Line] = draw(st.lists(_message("system", name=TEXT), max_size=1))
    for _ in range(draw(st.integers(0, 2))):
        messages += [draw(USER), draw(ASSISTANT)]
    messages.append(draw(USER))
    if draw(st.booleans()):
        messages += draw(answered_calls())
    more = draw(st.fixed_dictionaries({}, optional={"parallel_tool_calls": st.booleans(), "tools": st.just([{}])}))
    return {"messages": [*messages, draw(LEARNT)], **more}


def encode(line: Any, *, ascii_only: bool = False) -> bytes:
    """Return *line* as JSON, compact, with its letters as they are or as escapes."""
    return json.dumps(line, ensure_ascii=ascii_only, separators=(",", ":")).encode()


def chat(source: str, target: str = "표준어", **more: Any) -> Line:
    """Return a conversation with the user saying *source* and the assistant *target*; *more* is of its last message."""
    return {"messages": [{"role": "user", "content": source}, {"role": "assistant", "content": target, **more}]}


def write_lines(path: Path, lines: list[bytes]) -> Path:
    """Write *lines*, each with a newline, to *path*, and return it."""
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def fillers(count: int = 10) -> list[bytes]:
    """Return good lines that differ from each other and from all others here."""
    return [encode(chat(f"채움 {number}")) for number in range(count)]


def _changed(**fields: Any) -> Callable[[Line], bytes]:
    """Return a way to break the last message: *fields* take the place of its own; None takes one away."""

    def change(line: Line) -> bytes:
        last = {**line["messages"][-1], **fields}
        kept = {key: value for key, value in last.items() if value is not Ellipsis}
        return encode({**line, "messages": [*line["messages"][:-1], kept]})

    return change


def _answers(line: Line) -> list[Line]:
    """Return the messages of *line* from the first of the assistant on."""
    roles = [message["role"] for message in line["messages"]]
    answers: list[Line] = line["messages"][roles.index("assistant") :]
    return answers


def _content_twice(line: Line) -> bytes:
    *before, last = map(encode, line["messages"])
    return b'{"messages":[' + b",".join([*before, last[:-1] + b',"content":"x"}']) + b"]}"


def _raw(before: str, after: bytes) -> Callable[[Line], bytes]:
    """Return a way to break the last content, with a mark put in and replaced by other bytes."""
    return lambda line: _changed(content=f"앞{before}뒤")(line).replace(before.encode(), after)


ERRORS: dict[str, tuple[str, int | None, Callable[[Line], bytes]]] = {
    "blank": ("blank_line", None, lambda _: b""),
    "spaces": ("blank_line", None, lambda _: b" \t\r"),
    "not-utf-8": ("invalid_utf8", None, _raw("MARK", b"\xff")),
    "surrogate-in-utf-8": ("invalid_utf8", None, _raw("MARK", b"\xed\xa0\x80")),
    "cp949": ("invalid_utf8", None, lambda _: '{"messages":"사투리"}'.encode("cp949")),
    "cut": ("invalid_json", None, lambda line: encode(line)[:-1]),
    "two-on-a-line": ("invalid_json", None, lambda line: encode(line) * 2),
    "trailing-comma": ("invalid_json", None, lambda line: encode(line)[:-1] + b",}"),
    "not-a-number": ("invalid_json", None, lambda line: encode(line)[:-1] + b',"x":NaN}'),
    "control-character": ("invalid_json", None, _raw("MARK", b"\x01")),
    "deep": ("invalid_json", None, lambda _: b"[" * 100_000),
    "list": ("not_an_object", None, lambda line: encode([line])),
    "null": ("not_an_object", None, lambda _: b"null"),
    "message-no-object": ("not_an_object", 0, lambda line: encode({"messages": ["x", *line["messages"]]})),
    "unknown-key": ("unknown_key", None, lambda line: encode({**line, "id": 1})),
    "unknown-key-in-message": ("unknown_key", -1, _changed(speaker="x")),
    "weight-of-a-user": (
        "unknown_key",
        0,
        lambda line: encode({"messages": [{**_USER, "weight": 1}, *_answers(line)]}),
    ),
    "tools-no-list": ("bad_tools", None, lambda line: encode({**line, "tools": {}})),
    "no-messages": ("no_messages", None, lambda _: b"{}"),
    "messages-no-list": ("no_messages", None, lambda _: b'{"messages":{"role":"user"}}'),
    "empty-messages": ("empty_messages", None, lambda _: b'{"messages":[]}'),
    "no-role": ("no_role", -1, _changed(role=...)),
    "role-no-text": ("no_role", -1, _changed(role=["assistant"])),
    "unknown-role": ("unknown_role", -1, _changed(role="model")),
    "no-content": ("no_content", -1, _changed(content=...)),
    "null-content": ("no_content", -1, _changed(content=None)),
    "empty-content": ("empty_content", -1, _changed(content="")),
    "blank-content": ("empty_content", -1, _changed(content=" \n\u3000")),
    "content-parts": ("content_not_text", -1, _changed(content=[{"type": "text", "text": "x"}])),
    "content-number": ("content_not_text", -1, _changed(content=1)),
    "name-no-text": ("bad_name", -1, _changed(name=1)),
    "weight-2": ("bad_weight", -1, _changed(weight=2)),
    "weight-half": ("bad_weight", -1, _changed(weight=0.5)),
    "weight-true": ("bad_weight", -1, _changed(weight=True)),
    "weight-text": ("bad_weight", -1, _changed(weight="1")),
    "weight-null": ("bad_weight", -1, _changed(weight=None)),
    "no-calls": ("bad_tool_call", -1, _changed(tool_calls=[])),
    "call-without-id": ("bad_tool_call", -1, _changed(tool_calls=[{"type": "function", "function": {}}])),
    "arguments-no-text": ("bad_tool_call", -1, _changed(function_call={"name": "x", "arguments": {}})),
    "answer-to-no-call": ("bad_tool_call", 0, lambda line: encode({"messages": [_TOOL, _USER, *_answers(line)]})),
    "answer-by-a-list": (
        "bad_tool_call",
        0,
        lambda line: encode({"messages": [{**_TOOL, "tool_call_id": [1]}, _USER, *_answers(line)]}),
    ),
    "no-assistant": ("no_assistant", None, lambda _: encode({"messages": [{"role": "user", "content": "가"}]})),
    "assistant-not-last": ("assistant_not_last", -1, lambda line: encode({"messages": [*line["messages"], _USER]})),
    "half-a-pair": ("lone_surrogate", -1, _raw("MARK", rb"\ud800")),
    "other-half": ("lone_surrogate", -1, _raw("MARK", rb"\udc00")),
    "half-in-a-name": ("lone_surrogate", -1, lambda line: _changed(name="MARK")(line).replace(b"MARK", rb"\ud83d")),
}
"""Ways to break a good line: the kind of error, the message (-1: the last) it is in, and the way."""

WARNINGS: dict[str, tuple[str, int | None, Callable[[Line], bytes]]] = {
    "line-separator": ("separator", -1, _raw("MARK", "\u2028".encode())),
    "paragraph-separator": ("separator", -1, _raw("MARK", "\u2029".encode())),
    "next-line": ("separator", -1, _raw("MARK", "\u0085".encode())),
    "two-assistants": ("role_order", -1, lambda line: encode({"messages": [*line["messages"], line["messages"][-1]]})),
    "two-users": ("role_order", 1, lambda line: encode({"messages": [_USER, _USER, *_answers(line)]})),
    "late-system": ("role_order", 1, lambda line: encode({"messages": [_USER, _SYSTEM, *_answers(line)]})),
    "two-systems": ("role_order", 1, lambda line: encode({"messages": [_SYSTEM, _SYSTEM, _USER, *_answers(line)]})),
    "weight-0": ("nothing_learnt", None, lambda _: encode(chat("가", weight=0))),
    "weights-0": ("nothing_learnt", None, lambda _: encode({"messages": chat("가", weight=0)["messages"] * 2})),
    "content-twice": ("repeated_key", -1, _content_twice),
    "messages-twice": ("repeated_key", None, lambda line: b'{"messages":[],' + encode(line)[1:]),
    "key-of-tools-twice": (
        "repeated_key",
        None,
        lambda line: b'{"messages":' + encode(line["messages"]) + b',"tools":[{"a":1,"b":{"c":1,"c":2}}]}',
    ),
    "end-of-text": ("special_token", -1, _changed(content="끝 <|endoftext|>")),
    "escaped-end-of-text": ("special_token", -1, _raw("MARK", rb"\u003c|im_start|\u003e")),
}
"""Ways to make a good line one to warn of."""
