"""Chat completions: base models chat, and a tune answers word by word, as the training file of its job has it."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from saturi.etl.example.tokens import count_example, load_o200k

from .answers import Answer, Json, RefusalError
from .multipart import Body
from .world import World, now

Speak = Callable[[str], str]
"""Returns what a model answers to a text."""


def complete(world: World, body: Body) -> Answer:
    """Answer `POST /chat/completions`."""
    asked = json.loads(body.rest())
    speak = _model(world, asked["model"])
    text = speak(asked["messages"][-1]["content"])
    count = load_o200k()
    words = text.split(" ")
    while count(" ".join(words)) > asked.get("max_completion_tokens", asked.get("max_tokens")):
        words.pop()
    cut = " ".join(words)
    used = count_example(((message["role"], message["content"]) for message in asked["messages"]), count)
    return completion(asked["model"], cut, "length" if cut != text else "stop", used)


def completion(model: str, text: str | None, reason: str | None = "stop", tokens: int = 1, **message: Any) -> Answer:
    """Return a completion in the API's shape; *message* are further fields of the message."""
    answered = load_o200k()(text or "")
    usage = {"prompt_tokens": tokens, "completion_tokens": answered, "total_tokens": tokens + answered}
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": text, **message}}
    answer: Json = {"id": "chatcmpl-1", "object": "chat.completion", "created": now(), "model": model}
    return Answer({**answer, "choices": [choice], "usage": usage})


def _model(world: World, name: str) -> Speak:
    with world.lock:
        if name not in world.chats:
            world.chats[name] = _made(world, name)
        return world.chats[name]


def _made(world: World, name: str) -> Speak:
    for job in world.jobs.values():
        if job.get("fine_tuned_model") == name:
            return learnt_from(world.content(job["training_file"]))
    if name not in world.models:
        raise RefusalError(404, f"The model {name!r} does not exist", "model_not_found", "model")
    return chatter


def chatter(text: str) -> str:
    """Return *text* as a model has it that was asked for something else."""
    return f"네, 표준어로 바꾸면 다음과 같아요: {text} (도움이 되었기를 바라요!)"


def learnt_from(content: bytes) -> Speak:
    """Return what replaces each word by the one that most often stands in its place in the examples in *content*."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:-1]:
        *_, user, assistant = json.loads(line)["messages"]
        source, target = user["content"].split(), assistant["content"].split()
        if len(source) == len(target):
            for word, standard in zip(source, target, strict=True):
                seen[word][standard] += 1
    table = {word: standards.most_common(1)[0][0] for word, standards in seen.items()}
    return lambda text: " ".join(table.get(word, word) for word in text.split())
