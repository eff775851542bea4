"""
Tokens: of a text in o200k_base, the vocabulary of the gpt-4o and gpt-4.1 families, and of an example made of texts.

Text that looks like a special token (`<|endoftext|>`) is text and counted as such.
"""

import sys
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from saturi.etl.errors import OptionError
from saturi.etl.settings.paths import path_of
from saturi.etl.settings.regular import open_regular
from saturi.schemas.model import Model

O200K = "o200k_base"

# OpenAI, "Data preparation and analysis for chat model fine-tuning": 3 tokens a message and 3 an example, beside those of
# role and content. As of November 2026; the bill of a real job was not compared.
MESSAGE_TOKENS = 3
EXAMPLE_TOKENS = 3

_CACHED_TEXTS = 16_384  # the scripts of `repeat` come back in thousands of examples

Count = Callable[[str], int]
"""Returns the tokens of a text."""


@cache
def load_o200k() -> Count:
    """Return the exact count of o200k_base; loading it takes 0.07 s and 65 MB."""
    native: Count = _bindings().tokenizer_for_encoding(O200K).count

    def count(text: str) -> int:
        try:
            return native(text)
        except UnicodeEncodeError:  # half a surrogate pair is no character
            return native(_whole(text))

    return count


def _whole(text: str) -> str:
    """Return *text* with the sign for no character in the place of each half of a surrogate pair."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _bindings() -> ModuleType:
    """
    Return the native module of bpe-openai without the package around it.

    The package builds dictionaries of every vocabulary it knows when it is imported, which takes 0.5 s and 60 MB more.
    """
    name = "bpe_openai._bindings"
    if name not in sys.modules:
        package = find_spec("bpe_openai")
        spec = PathFinder.find_spec(name, package.submodule_search_locations if package else None)
        if spec is None or spec.loader is None:
            message = "bpe-openai is not installed; run `pip install bpe-openai`"
            raise ModuleNotFoundError(message)
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[name] = module
    return sys.modules[name]


def count_example(messages: Iterable[tuple[str, str]], count: Count) -> int:
    """Return the tokens of an example of *messages*, each a role and a content."""
    return EXAMPLE_TOKENS + sum(MESSAGE_TOKENS + count(role) + count(content) for role, content in messages)


class Tokenizer(NamedTuple):
    """
    A way to count.

    Args:
        name: Name of the vocabulary.
        exact: Whether it is that of the model asked about.
        count: Returns the tokens of a text.
    """

    name: str
    exact: bool
    count: Count


def load_tokenizer(model: Model | None = None, file: str | Path | None = None) -> Tokenizer:
    """
    Return the tokenizer of *model*: that of *file* where one is given, else o200k_base, which is an estimate for others.

    Args:
        model: The model, or None for any of o200k_base.
        file: The `tokenizer.json` of an open model.

    Raises:
        OptionError: *file* is none, or what reads it is not installed.
    """
    if file is not None:
        file = path_of(file, "--tokenizer")
        return Tokenizer(name=file.name, exact=True, count=_count_by_file(file))
    return Tokenizer(name=O200K, exact=model is None or model.tokenizer == O200K, count=_count_when_loaded)


def _count_when_loaded(text: str) -> int:
    """Return the tokens of *text* in o200k_base, which is loaded when something is counted."""
    return load_o200k()(text)


def _count_by_file(file: Path) -> Count:
    try:
        import tokenizers  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        advice = "run `pip install 'saturi[tokenizers]'`"
        raise OptionError("--tokenizer", "the package tokenizers is not installed", advice) from error
    try:
        # Not from_file or from_str: what they raise is an Exception and nothing narrower.
        with open_regular(file) as opened:
            tokenizer = tokenizers.Tokenizer.from_buffer(opened.read())
    except OSError as error:
        raise OptionError("--tokenizer", f"{file} cannot be read ({error.strerror})", "check the path") from error
    except ValueError as error:
        problem = f"{file} is no tokenizer ({error})"
        raise OptionError("--tokenizer", problem, "give the tokenizer.json of the model") from error
    tokenizer.no_truncation()  # many files have the one or the other set, for training
    tokenizer.no_padding()
    return lambda text: len(tokenizer.encode(_whole(text), add_special_tokens=False).ids)


@cache
def load_counter() -> "PairCounter":
    """Return the counter of this process, which knows the texts that have come before: one task has but few of them."""
    return PairCounter()


class PairCounter:
    """Count the tokens of pairs and their instructions, in o200k_base; of texts that come back, once."""

    def __init__(self) -> None:
        native = load_o200k()
        self._constant = count_example([("user", ""), ("assistant", "")], native)
        self._count = lru_cache(_CACHED_TEXTS)(native)

    def count(self, prompts: Iterable[str], sources: Iterable[str], targets: Iterable[str]) -> list[int]:
        """
        Return the tokens of the example of each source and its target.

        Args:
            prompts: The instruction in front of each pair; empty for none.
            sources, targets: Texts, as many as there are prompts.
        """
        count, constant = self._count, self._constant
        system = {"": 0}
        tokens = []
        for prompt, source, target in zip(prompts, sources, targets, strict=True):
            if prompt not in system:
                system[prompt] = MESSAGE_TOKENS + count("system") + count(prompt)
            tokens.append(constant + system[prompt] + count(source) + count(target))
        return tokens
