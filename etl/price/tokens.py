"""
Tokens: of a text in o200k_base, the vocabulary of the gpt-4o and gpt-4.1 families, and of an example made of texts.

Text that looks like a special token (`<|endoftext|>`) is text and counted as such.
"""

import sys
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from types import ModuleType

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
        except UnicodeEncodeError:  # half a surrogate pair is no character: counted as the sign that stands for none
            return native(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))

    return count


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


class PairCounter:
    """
    Count the tokens of pairs that share a system prompt, whose tokens are counted once.

    Args:
        system_prompt: Instruction in front of each pair; empty for none.
    """

    def __init__(self, system_prompt: str) -> None:
        native = load_o200k()
        self._count = lru_cache(_CACHED_TEXTS)(native)
        system = [("system", system_prompt)] if system_prompt else []
        self._constant = count_example([*system, ("user", ""), ("assistant", "")], native)

    def count(self, sources: Iterable[str], targets: Iterable[str]) -> list[int]:
        """Return the tokens of the example of each source and its target."""
        pairs = zip(map(self._count, sources), map(self._count, targets), strict=True)
        return [self._constant + source + target for source, target in pairs]
