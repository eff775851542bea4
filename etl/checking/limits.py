"""The limits a check holds lines and files to: those of a provider and of a model."""

from typing import Literal

from msgspec import Struct

from saturi.etl.example.limits import FEWEST_EXAMPLES
from saturi.schemas.model import Model
from saturi.schemas.provider import Provider


class Limits(Struct, frozen=True, kw_only=True):
    """
    What is held against every file and every line.

    Args:
        max_file_bytes: Largest file the provider takes.
        bom: Whether a file must begin with a UTF-8 byte order mark, or must not.
        max_example_tokens: Tokens after which the provider cuts an example, or None.
        fewest_examples: Lines below which it refuses a file.
        refused_tokens: Control tokens in a text for which it fails a job.
    """

    max_file_bytes: int
    bom: Literal["refused", "required"] = "refused"
    max_example_tokens: int | None = None
    fewest_examples: int = FEWEST_EXAMPLES
    refused_tokens: frozenset[str] = frozenset()


def limits_of(provider: Provider, model: Model | None = None) -> Limits:
    """Return the limits of *provider*, and of *model* if one is given."""
    return Limits(
        max_file_bytes=provider.max_file_bytes,
        bom=provider.bom,
        fewest_examples=provider.fewest_examples,
        refused_tokens=frozenset(provider.refused_tokens),
        max_example_tokens=model.max_example_tokens if model else None,
    )
