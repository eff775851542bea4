"""interim"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from etl.errors import OptionError
from etl.price.models import find_model, read_models
from etl.providers import find_provider, read_providers
from etl.submit.options import SubmitOptions
from etl.submit.plan import Billing, Material
from schemas.model import EpochRule, Model
from schemas.provider import Provider


class Prices(NamedTuple):
    provider: Provider
    model: Model | None
    billing: Callable[[Material], Billing]
    notes: list[str]


def price_with(out: Path, options: SubmitOptions) -> Prices:
    provider = find_provider(options.provider, read_providers(options.providers))
    try:
        model: Model | None = find_model(options.model, read_models(options.models))
    except OptionError:
        model = None

    def billing(material: Material) -> Billing:
        examples = sum(p.examples for p in material.train)
        epochs = options.epochs or (model.epochs if model else EpochRule()).default(examples)
        tokens = sum(p.bytes for p in material.train) // 5 * epochs
        return Billing(epochs, tokens, model.usd_per_million_tokens if model else None)

    return Prices(provider, model, billing, [])
