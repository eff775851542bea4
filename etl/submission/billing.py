"""The billing of each job of a plan, by the estimate; where no price is known, there is a note and no guess."""

from pathlib import Path
from typing import NamedTuple

from etl.errors import OptionError
from etl.pricing.estimate import estimate
from etl.providers.models import find_model, read_models
from etl.providers.profiles import find_provider, read_providers
from etl.submission.options import SubmitOptions
from etl.submission.plan import Billing, Material, Pricer
from schemas.estimate import Estimate
from schemas.model import EpochRule, Model
from schemas.provider import Provider


class Prices(NamedTuple):
    """The profiles that decide a price, the billing of each job, and what to know of that."""

    provider: Provider
    model: Model | None
    billing: Pricer
    notes: list[str]


def price_with(out: Path, options: SubmitOptions) -> Prices:
    """
    Return the prices for the build in *out*.

    Raises:
        OptionError: The provider is unknown, or a file of profiles or models cannot be read.
    """
    provider = find_provider(options.provider, read_providers(options.providers))
    models = read_models(options.models)
    model = _find(options.model, models)
    if model is None or model.usd_per_million_tokens is None:
        rule = model.epochs if model else EpochRule()

        def unknown(material: Material) -> Billing:
            return Billing(options.epochs or rule.default(material.examples), None, None)

        return Prices(provider, model, unknown, [f"nobody here knows what training {options.model} costs"])
    prices = estimate(out, options.model, epochs=options.epochs, models=models)
    notes = [f"the price is that of {prices.price_as_of} ({prices.price_source})"]
    if not prices.exact:
        notes.append(f"tokens are counted with {prices.tokenizer}, which is not the model's own tokenizer")

    def billing(material: Material) -> Billing:
        epochs = options.epochs or model.epochs.default(material.examples)
        return Billing(epochs, _tokens(prices, material) * epochs, prices.usd_per_million_tokens)

    return Prices(provider, model, billing, notes)


def _find(name: str, models: dict[str, Model]) -> Model | None:
    try:
        return find_model(name, models)
    except OptionError:
        return None


def _tokens(prices: Estimate, material: Material) -> int:
    """Return the tokens of *material* that are billed in each epoch."""
    name = (material.region, material.speech_type)
    rows = [prices.total] if material.region is None else prices.shards
    return sum(row.billed_tokens // row.epochs for row in rows if row.epochs and (row.region, row.speech_type) == name)
