"""Wires: what is there for each wire format: the form of a file, the adapter, the chat, the requests of a dry run."""

from typing import Protocol

from msgspec import structs

from saturi.etl.providers.account import Account
from saturi.etl.providers.pace import Pace
from saturi.etl.providers.port import Port
from saturi.etl.providers.recorder import OpenAIScript, Script
from saturi.schemas.evaluation import Answer, ChatRequest
from saturi.schemas.provider import Wire


class Renderer(Protocol):
    """Makes a file in another form of chat lines, block by block."""

    def start(self) -> bytes:
        """Return what goes before the first line."""

    def render(self, block: bytes) -> bytes:
        """Return what becomes of the lines that end in *block*."""


class Chat(Protocol):
    """What completes chats, from several threads at once; every call is one request, sent once unless a parameter is refused."""

    @property
    def changes(self) -> tuple[str, ...]:
        """What is asked otherwise than it should be, a phrase a parameter."""

    def complete(self, request: ChatRequest) -> Answer:
        """
        Return the answer to *request*; a refusal by a model or a filter is one.

        Raises:
            RequestError: It failed.
        """

    def close(self) -> None:
        """Close all connections."""


HEADERS = {".jsonl": 0, ".csv": 1}
"""Lines before the first example, by the ending of a file's name."""


def suffix_of(wire: Wire) -> str:
    """Return the ending of the name of a file for a provider that speaks *wire*."""
    return ".csv" if wire == "clova" else ".jsonl"


def renderer_of(wire: Wire) -> Renderer | None:
    """Return what makes a file for *wire* of chat lines; None where it takes them as they are."""
    if wire == "clova":
        from saturi.etl.providers.clova_rows import ClovaRows  # noqa: PLC0415 - only those who need it load it, as all below

        return ClovaRows()
    return None


def open_port(account: Account, pace: Pace) -> Port:
    """Return the adapter of the wire format that the provider of *account* speaks."""
    if account.provider.wire == "clova":
        from saturi.etl.providers.clova_api import ClovaApi  # noqa: PLC0415

        return ClovaApi(account, pace)
    if account.provider.wire == "fireworks":
        from saturi.etl.providers.fireworks_api import FireworksApi  # noqa: PLC0415

        return FireworksApi(account, pace)
    if account.provider.wire == "together":
        from saturi.etl.providers.together_api import TogetherApi  # noqa: PLC0415

        return TogetherApi(account, pace)
    from saturi.etl.providers.openai_api import OpenAIApi  # noqa: PLC0415 - half a second

    return OpenAIApi(account, pace)


def open_chat(account: Account, pace: Pace) -> Chat:
    """Return what completes chats at the provider of *account*."""
    if account.provider.wire == "clova":
        from saturi.etl.providers.clova_chat import ClovaChat  # noqa: PLC0415

        return ClovaChat(account, pace)
    from saturi.etl.providers.openai_chat import OpenAIChat  # noqa: PLC0415

    if account.provider.wire == "fireworks":  # which speaks OpenAI's format where it answers, below another path
        account = structs.replace(account, base_url=account.base_url + "/inference/v1")
    return OpenAIChat(account, pace)


def script_of(account: Account) -> Script:
    """Return the requests of the wire format that the provider of *account* speaks."""
    if account.provider.wire == "clova":
        from saturi.etl.providers.clova_script import ClovaScript  # noqa: PLC0415

        return ClovaScript(account)
    if account.provider.wire == "fireworks":
        from saturi.etl.providers.fireworks_script import FireworksScript  # noqa: PLC0415

        return FireworksScript(account)
    if account.provider.wire == "together":
        from saturi.etl.providers.together_script import TogetherScript  # noqa: PLC0415

        return TogetherScript()
    return OpenAIScript()
