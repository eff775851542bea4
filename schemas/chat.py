"""The chat example: one line of a chunk, read alike by OpenAI's fine-tuning API, TRL, Axolotl, LLaMA-Factory and Unsloth."""

from typing import Literal

from msgspec import Struct


class Message(Struct, frozen=True):
    """One turn of the conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Example(Struct, frozen=True):
    """A pair as a conversation: the instruction, the source text, the target text."""

    messages: tuple[Message, ...]
