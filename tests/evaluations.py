"""Evaluations against the server of our own: chat files to evaluate, clients in a hurry, and what models answer."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chats import chat, encode, write_lines
from provider import Server, World
from submissions import HASTE

from saturi.etl.evaluation.evaluate import evaluate
from saturi.etl.evaluation.options import EvaluateOptions
from saturi.etl.evaluation.results import EvaluationResult
from saturi.schemas.evaluation import Score, StratumScores, SystemScores

MODEL, BASE = "ft:dialect:tuned", "dialect"
"""A tune and its base, by their names."""

WORDS = {
    "묵었나": "먹었니",
    "하마": "벌써",
    "어데": "어디",
    "가나": "가니",
    "뭐라카노": "뭐라고 하니",
    "밥": "밥",
    "마당에": "마당에",
}
"""A dialect of seven eojeol, two of which are standard."""


def standard(text: str) -> str:
    """Return *text* in standard Korean: a model without a fault."""
    return " ".join(WORDS.get(word, word) for word in text.split())


def garbled(text: str) -> str:
    """Return *text* backwards."""
    return text[::-1]


def sources(count: int, seed: int = 0) -> list[str]:
    """Return *count* different texts in the dialect; one in five has none of its words."""
    rng = random.Random(seed)
    plain = [word for word, target in WORDS.items() if word == target]
    texts = []
    for number in range(count):
        words = plain if number % 5 == 0 else list(WORDS)
        texts.append(" ".join([*rng.choices(words, k=rng.randint(1, 8)), f"{number}번"]))
    return texts


def write_test_file(path: Path, texts: Sequence[str]) -> Path:
    """Write a chat file of *texts* and what they are in standard Korean to *path*, and return it."""
    return write_lines(path, [encode(chat(text, standard(text))) for text in texts])


def run(file: Path, server: Server, world: World, *, out: Path | None = None, **more: Any) -> EvaluationResult:
    """Evaluate on *file* with the models of *world*, in haste."""
    given: dict[str, Any] = {
        "file": file,
        "model": (MODEL,),
        "provider": "custom",
        "base_url": server.base_url(world.name),
    }
    pace = more.pop("pace", HASTE)
    return evaluate(out, EvaluateOptions(**{**given, **more}), pace=pace)


def system(result: EvaluationResult, name: str) -> SystemScores:
    """Return the system *name*."""
    [found] = [one for one in result.evaluation.systems if one.name == name]
    return found


def stratum(result: EvaluationResult, name: str, value: str = "all") -> StratumScores:
    """Return the scores of a system on a stratum."""
    [found] = [one for one in system(result, name).strata if one.value == value]
    return found


def score(result: EvaluationResult, name: str, metric: str, value: str = "all") -> Score:
    """Return one score."""
    return stratum(result, name, value).scores[metric]


def asked(world: World) -> list[str]:
    """Return the text of every chat that *world* was asked to complete, in order."""
    bodies = [json.loads(sent.body) for sent in world.requests if sent.path.endswith("/chat/completions")]
    return [body["messages"][-1]["content"] for body in bodies]
