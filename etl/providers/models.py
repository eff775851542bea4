"""Facts of models by name: those of this package, and the user's own over them."""

import re
from collections.abc import Mapping
from pathlib import Path

from saturi.etl.errors import OptionError, UnknownPriceError
from saturi.etl.settings.catalogue import read_catalogue
from saturi.schemas.model import AnswerPrice, Model

DEFAULT_MODEL = "gpt-4.1-mini"
_OURS = Path(__file__).with_name("models.toml")
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")


def read_models(users: Path | None = None) -> dict[str, Model]:
    """
    Return every known model by its name, with the fields of the *users* file over those of this package.

    Raises:
        OptionError: That file cannot be read, or has a field that a model cannot have.
    """
    return read_catalogue(_OURS, users, Model)


def base_name(name: str) -> str:
    """Return the name of the model that *name* is a tune of (`ft:gpt-4.1-mini-2025-04-14:org::id`), or *name* itself."""
    return name.split(":")[1] if name.startswith("ft:") else name


def find_model(name: str, models: Mapping[str, Model]) -> Model:
    """
    Return the base model of *name*: a model, one of its snapshots, or a tune of either.

    Raises:
        OptionError: Nothing is known of it.
    """
    base = base_name(name)
    for known in (base, _SNAPSHOT.sub("", base)):
        if known in models:
            return models[known]
    names = ", ".join(sorted(models))
    raise OptionError("--model", f"{name!r} is unknown", f"choose from {names}, or {_how_to_add(base)}")


def price_of(model: Model) -> float:
    """
    Return what a million tokens of training cost, in US dollars.

    Raises:
        UnknownPriceError: That is not known.
    """
    if model.usd_per_million_tokens is None:
        problem = f"the price of training is not known (as of {model.as_of})"
        raise UnknownPriceError(model.name, problem, _how_to_add(model.name))
    return model.usd_per_million_tokens


def answer_price(name: str, models: Mapping[str, Model]) -> AnswerPrice | None:
    """Return what asking the model *name* costs, or a tune if it is one; None where that is not known."""
    try:
        model = find_model(name, models)
    except OptionError:
        return None
    return model.tuned_answers if name.startswith("ft:") else model.answers


def _how_to_add(name: str) -> str:
    fields = 'providers = ["…"], usd_per_million_tokens = …, source = "…", as_of = 2026-01-31'
    return f'add it to a file of your own (0 where it costs nothing) and give that by --models FILE: ["{name}"] with {fields}'
