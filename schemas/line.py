"""
One line of chat JSONL in every form that fine-tuning APIs accept, strictly: a line of another form does not decode as `Line`.

After OpenAI's API reference ("Training format for chat models"). Rules beyond the form (the last message is the assistant's,
no text is blank) are checked by `saturi.etl.checking`.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Text = Annotated[str, Meta(min_length=1)]


class FunctionCall(Struct, forbid_unknown_fields=True, gc=False):
    """A function by its name, with its arguments as JSON in a string."""

    name: Text
    arguments: str


class ToolCall(Struct, forbid_unknown_fields=True, gc=False):
    """A call by the assistant; a `tool` message answers it by its id."""

    id: Text
    type: Literal["function"]
    function: FunctionCall


class SystemMessage(Struct, tag_field="role", tag="system", forbid_unknown_fields=True, gc=False):
    """The instruction."""

    content: Text
    name: str | UnsetType = UNSET


class UserMessage(Struct, tag_field="role", tag="user", forbid_unknown_fields=True, gc=False):
    """The question."""

    content: Text
    name: str | UnsetType = UNSET


class AssistantMessage(Struct, tag_field="role", tag="assistant", forbid_unknown_fields=True):
    """The answer to learn, unless `weight` is 0; only a message with calls may have no content."""

    content: str | None = None
    name: str | UnsetType = UNSET
    weight: Literal[0, 1] | UnsetType = UNSET
    tool_calls: Annotated[list[ToolCall], Meta(min_length=1)] | UnsetType = UNSET
    function_call: FunctionCall | UnsetType = UNSET


class ToolMessage(Struct, tag_field="role", tag="tool", forbid_unknown_fields=True, gc=False):
    """The result of a call."""

    content: Text
    tool_call_id: Text


class FunctionMessage(Struct, tag_field="role", tag="function", forbid_unknown_fields=True, gc=False):
    """The result of a function, in the older form."""

    content: Text
    name: Text


AnyMessage = SystemMessage | UserMessage | AssistantMessage | ToolMessage | FunctionMessage


class Line(Struct, forbid_unknown_fields=True):
    """An example: a conversation, and the tools it may use."""

    messages: Annotated[list[AnyMessage], Meta(min_length=1)]
    tools: list[dict[str, Any]] | UnsetType = UNSET  # JSON schemas of functions: any value
    parallel_tool_calls: bool | UnsetType = UNSET
    functions: list[dict[str, Any]] | UnsetType = UNSET  # JSON schemas, too, in the older form
