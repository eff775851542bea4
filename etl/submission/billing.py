"""The billing of each job of a plan, by the estimate; where no price is known, there is a note and no guess."""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import structs

from saturi.etl.checking.check import Observer
from saturi.etl.errors import OptionError
from saturi.etl.example.tokens import load_tokenizer
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.pricing.tariff import Tariff, tariff_of
from saturi.etl.providers.models import DEFAULT_MODEL, base_name, find_model, read_models
from saturi.etl.providers.profiles import find_provider, read_providers
from saturi.etl.settings.checks import whole_number
from saturi.etl.submission.options import SubmitOptions
from saturi.etl.submission.plan import Billing, Material, Pricer
from saturi.schemas.estimate import Estimate
from saturi.schemas.model import EpochRule, Model
from saturi.schemas.provider import Provider


class Terms(NamedTuple):
    """The profiles of provider and model, and the tariff; None where the model, or its price, is not known."""

    provider: Provider
    model: Model | None
    tariff: Tariff | None


class Prices(NamedTuple):
    """The billing of each job, and what to know of that."""

    billing: Pricer
    notes: list[str]


def terms_of(options: SubmitOptions) -> Terms:
    """
    Return provider, model and tariff of *options*.

    Raises:
        OptionError: The provider is unknown, trains no model of OpenAI's while none other is given, or a file of profiles or
            models cannot be read.
    """
    provider = find_provider(options.provider, read_providers(options.providers))
    if options.model == DEFAULT_MODEL and not provider.openai_models:
        problem = f"{provider.name} does not train {DEFAULT_MODEL}, which is the model where none is given"
        raise OptionError("--model", problem, "give the name of a model that it trains")
    models = _priced_by(provider, options.model, read_models(options.models))
    try:
        model = find_model(options.model, models)
    except OptionError:
        return Terms(provider, None, None)
    if options.epochs is not None:
        whole_number("epochs", options.epochs, model.epochs.least, model.epochs.most)
    priced = model.usd_per_million_tokens is not None
    return Terms(provider, model, tariff_of(options.model, models, epochs=options.epochs) if priced else None)


def _priced_by(provider: Provider, name: str, models: Mapping[str, Model]) -> Mapping[str, Model]:
    """Return *models*, and the model *name* even if it is none of them, at the price of *provider* where it has one for all."""
    price = provider.usd_per_million_tokens
    if price is None:
        return models
    try:
        model = find_model(name, models)
    except OptionError:
        known_by = base_name(name)
        model = Model(name=known_by, providers=(provider.name,), source=provider.source, as_of=provider.as_of)
    same = structs.replace(model, usd_per_million_tokens=price, source=provider.source, as_of=provider.as_of)
    return {**models, same.name: same}


class Quote:
    """
    The prices of the jobs of *build*, made around one pass over its chunks.

    Args:
        build: The build.
        options: Model and epochs.
        terms: The profiles that decide a price.
    """

    def __init__(self, build: FinishedBuild, options: SubmitOptions, terms: Terms) -> None:
        from saturi.etl.pricing.tokens import counter_for  # noqa: PLC0415 - it loads Polars, which building must not

        self._build, self._options, self._terms = build, options, terms
        self._tokenizer = load_tokenizer(terms.tariff.model) if terms.tariff else None
        self._counter = counter_for(build, self._tokenizer) if self._tokenizer else None

    @property
    def observers(self) -> list[Observer]:
        """What must see every block of the chunks before `prices`."""
        return [] if self._counter is None else [self._counter]

    def prices(self) -> Prices:
        """Return the prices."""
        from saturi.etl.pricing.breakdown import make_estimate  # noqa: PLC0415 - as above

        model, tariff, tokenizer = self._terms.model, self._terms.tariff, self._tokenizer
        rule = model.epochs if model else EpochRule()
        if tariff is None or tokenizer is None:

            def unknown(material: Material) -> Billing:
                return Billing(self._options.epochs or rule.default(material.train.examples), None, None)

            return Prices(unknown, [f"nobody here knows what training {self._options.model} costs"])
        estimate = make_estimate(self._build, tariff, tokenizer, counter=self._counter)
        notes = [f"the price is that of {estimate.price_as_of} ({estimate.price_source})"]
        if not estimate.exact:
            notes.append(f"tokens are counted with {estimate.tokenizer}, which is not the model's own tokenizer")

        def billing(material: Material) -> Billing:
            epochs = self._options.epochs or rule.default(material.train.examples)
            return Billing(epochs, _tokens(estimate, material) * epochs, estimate.usd_per_million_tokens)

        return Prices(billing, notes)


def _tokens(estimate: Estimate, material: Material) -> int:
    """Return the tokens of *material* that are billed in each epoch."""
    name = (material.region, material.speech_type)
    rows = [estimate.total] if material.region is None else estimate.shards
    return sum(row.billed_tokens // row.epochs for row in rows if row.epochs and (row.region, row.speech_type) == name)
