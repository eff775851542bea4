"""Chat completions through the OpenAI SDK: the same connection, errors and limits as all that is asked of a provider."""

from typing import Any

from saturi.etl.errors import EligibilityError, NoAnswerError, ProviderError
from saturi.etl.providers import border
from saturi.etl.providers.account import Account
from saturi.etl.providers.openai_answers import UNSUPPORTED_CODES
from saturi.etl.providers.openai_api import OpenAIApi
from saturi.etl.providers.pace import Pace
from saturi.etl.providers.port import RequestError
from saturi.schemas.evaluation import Answer, ChatRequest

MOST_CHARACTERS = 100_000
"""Of an answer; what a server sends beyond, whatever it was asked for, is cut off, and the answer says so."""

_CUT_OFF, _FILTERED = "length", "content_filter"
_REFUSED_CODES = frozenset({_FILTERED, "content_policy_violation", "context_length_exceeded"})
"""Codes of a bad request that say that this prompt gets no answer; another may get one."""

_NO_MODEL = frozenset({"model_not_found", "model_not_available"})
_MOST_REASON = 64

_CHANGES = {
    "max_tokens": "max_completion_tokens in the place of max_tokens",
    "seed": "no seed",
    "temperature": "no temperature, so that it answers with its own",
}
"""What is asked otherwise where a model does not take it, by the parameter."""


class RefusedPromptError(RequestError):
    """A prompt that gets no answer, however often it is sent."""


class UnsupportedParameterError(RequestError):
    """A parameter that a model does not take, or not with this value; *name* is that of the parameter."""

    name = ""


class OpenAIChat(OpenAIApi):
    """A provider that completes chats; what its model does not take is sent otherwise, or not at all, from then on."""

    def __init__(self, account: Account, pace: Pace) -> None:
        super().__init__(account, pace)
        self._changed: frozenset[str] = frozenset()

    @property
    def changes(self) -> tuple[str, ...]:
        """What is asked otherwise than it should be, a phrase a parameter."""
        return tuple(_CHANGES[name] for name in sorted(self._changed))

    def complete(self, request: ChatRequest) -> Answer:
        """
        Return the answer to *request*; a refusal by the model or by a filter is one.

        Raises:
            RequestError: The request failed.
        """
        while True:
            changed = self._changed
            try:
                answer = self._ask(
                    self._api.chat.completions.with_streaming_response.create, **_parameters(request, changed)
                )
            except RefusedPromptError:
                return Answer(text="", finish_reason=_FILTERED, refused=True)
            except UnsupportedParameterError as error:
                if error.name in changed:
                    raise
                self._changed |= {error.name}
            else:
                return self._answer(answer)

    def _answer(self, answer: dict[str, Any]) -> Answer:
        choices = answer.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        choice = first if isinstance(first, dict) else {}
        message = choice.get("message")
        if not isinstance(message, dict):
            raise RequestError(
                NoAnswerError, "no usable answer (no message in it)", "see to the server", repeatable=True
            )
        text = self._border.content(text_of(message.get("content")))
        reason = self._border.text(choice.get("finish_reason"), _MOST_REASON)
        usage = answer.get("usage")
        usage = usage if isinstance(usage, dict) else {}
        return Answer(
            text=text[:MOST_CHARACTERS],
            finish_reason=_CUT_OFF if len(text) > MOST_CHARACTERS else reason,
            refused=bool(message.get("refusal")) or reason == _FILTERED,
            input_tokens=border.count(usage.get("prompt_tokens")),
            output_tokens=border.count(usage.get("completion_tokens")),
        )

    def _not_eligible(self, code: str, message: str, problem: str) -> RequestError | None:
        """Return the error of a *code* by which a provider does not do something for an account, or with a prompt."""
        if code in _REFUSED_CODES:
            return RefusedPromptError(ProviderError, problem, "leave it out")
        if code in UNSUPPORTED_CODES:
            name = next((name for name in _CHANGES if f"'{name}'" in message), None)
            if name is not None:
                unsupported = UnsupportedParameterError(ProviderError, problem, "ask another model")
                unsupported.name = name
                return unsupported
        if code in _NO_MODEL:
            advice = "give a model that this account can ask"
            if self._account.provider.bills_minutes:
                advice += (
                    ", or start an endpoint for it on the provider's pages, billed by the minute until you stop it"
                )
            return RequestError(EligibilityError, problem, advice, ended=True)
        return super()._not_eligible(code, message, problem)


def _parameters(request: ChatRequest, changed: frozenset[str]) -> dict[str, Any]:
    """Return what is sent for *request*, but for the parameters that are *changed*."""
    given: dict[str, Any] = {
        "model": request.model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
    }
    if "max_tokens" in changed:
        given["max_completion_tokens"] = request.max_tokens
    return {name: value for name, value in given.items() if name not in changed}


def text_of(content: Any) -> str:
    """Return the text of a message, which some write in parts."""
    if isinstance(content, list):
        return "".join(text_of(part.get("text")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
