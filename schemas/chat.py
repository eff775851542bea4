"""The chat example: one line of a chunk, in the format of OpenAI's fine-tuning API, TRL, Axolotl, LLaMA-Factory and Unsloth."""

from typing import Literal

from msgspec import Struct


class Message(Struct, frozen=True):
    """One turn of the conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Example(Struct, frozen=True):
    """A pair as a conversation: system message (instruction), user message (source text), assistant message (target text)."""

    messages: tuple[Message, ...]
