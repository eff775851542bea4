"""Chat completions of CLOVA Studio: models by their names, and tunes by their tasks."""

from typing import Any
from urllib.parse import quote

from saturi.etl.errors import NoAnswerError
from saturi.etl.providers import border
from saturi.etl.providers.clova_api import TUNE, ClovaApi
from saturi.etl.providers.exchange import Json
from saturi.etl.providers.openai_chat import MOST_CHARACTERS, text_of
from saturi.etl.providers.port import RequestError
from saturi.schemas.evaluation import Answer, ChatRequest

_MOST_TOKENS = 4_096  # of an answer of HCX-005 and HCX-DASH-002 (api.ncloud-docs.com, clovastudio-chatcompletionsv3)
_CUT_OFF = "length"
_MOST_REASON = 64


class ClovaChat(ClovaApi):
    """CLOVA Studio as what completes chats."""

    changes: tuple[str, ...] = ()

    def complete(self, request: ChatRequest) -> Answer:
        """
        Return the answer to *request*.

        Raises:
            RequestError: The request failed.
        """
        body: Json = {
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "maxTokens": min(request.max_tokens, _MOST_TOKENS),
            "temperature": request.temperature,
            "seed": request.seed,
        }
        result = self._ask("POST", chat_path(request.model), body)
        message = result.get("message")
        if not isinstance(message, dict):
            problem = "no usable answer (no message in it)"
            raise RequestError(NoAnswerError, problem, "see to the server", repeatable=True)
        text = self._border.content(text_of(message.get("content")))
        usage: Any = result.get("usage")
        usage = usage if isinstance(usage, dict) else {}
        reason = self._border.text(result.get("finishReason"), _MOST_REASON)
        return Answer(
            text=text[:MOST_CHARACTERS],
            finish_reason=_CUT_OFF if len(text) > MOST_CHARACTERS else reason,
            input_tokens=border.count(usage.get("promptTokens")),
            output_tokens=border.count(usage.get("completionTokens")),
        )


def chat_path(model: str) -> str:
    """Return where *model* is asked: a tune below its task, any other by its name."""
    if model.startswith(TUNE):
        return f"/v3/{TUNE}{quote(model.removeprefix(TUNE), safe='')}/chat-completions"
    return f"/v3/chat-completions/{quote(model, safe='')}"
