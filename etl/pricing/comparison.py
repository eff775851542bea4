"""The comparison: what the same build costs at every provider whose models are known. Nothing is spent."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from saturi.etl.example.tokens import load_tokenizer
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.pricing.money import cost_usd
from saturi.etl.pricing.tariff import check_rate
from saturi.etl.providers.models import read_models
from saturi.etl.providers.profiles import read_providers
from saturi.etl.settings.checks import whole_number
from saturi.etl.storage.location import Location
from saturi.schemas.estimate import Offer
from saturi.schemas.model import EpochRule, Model
from saturi.schemas.provider import Provider
from saturi.schemas.terms import Split

if TYPE_CHECKING:
    import polars as pl

ANY_MODEL = "any"
"""In the place of a model, where a provider has one price for all."""


def estimate_all(
    out: str | Location,
    *,
    epochs: int | None = None,
    rate: float | None = None,
    models: Mapping[str, Model] | None = None,
    providers: Mapping[str, Provider] | None = None,
) -> list[Offer]:
    """
    Return what training on the build in *out* costs for each model at each of its providers, the cheapest first.

    Tokens are those of o200k_base, and so an estimate for models with a tokenizer of their own. Those whose price is not known
    are last, and have none.

    Args:
        out: Folder of a build, or its URL.
        epochs: Times that every example is seen; None for as many as each provider would choose.
        rate: South Korean won for one US dollar.
        models, providers: Facts of both; None for those of this package.

    Raises:
        BuildError: *out* holds no finished build, a damaged one, or one without an example to train on.
        OptionError: A number is out of its range.
    """
    if epochs is not None:
        whole_number("epochs", epochs, high=EpochRule().most)
    check_rate(rate)
    build = FinishedBuild.open(out)
    build.refuse_no_training()
    tokens = _train_tokens(build)
    known = read_providers() if providers is None else providers
    pairs = _pairs(read_models() if models is None else models, known)
    offers = [_offer(provider, model, tokens, epochs, rate) for provider, model in pairs]
    return sorted(
        offers, key=lambda offer: (offer.price_usd is None, offer.price_usd or 0, offer.provider, offer.model)
    )


def _train_tokens(build: FinishedBuild) -> "pl.Series":
    """Return the tokens of every example of train."""
    import polars as pl  # noqa: PLC0415 - which a build's parent never loads

    from saturi.etl.pricing.tokens import counter_for, example_tokens  # noqa: PLC0415 - as above

    counts = example_tokens(build, counter_for(build, load_tokenizer()))
    learnt = [number for number, shard in enumerate(build.manifest.shards) if shard.split == Split.TRAIN]
    return counts.filter(pl.col("shard").is_in(learnt))["tokens"]


def _pairs(models: Mapping[str, Model], providers: Mapping[str, Provider]) -> Iterator[tuple[Provider, Model]]:
    """Yield every model with each provider that trains it, and each provider that trains any at one price."""
    for provider in providers.values():
        own = [model for model in models.values() if provider.name in model.providers]
        for model in own:
            yield provider, model
        if provider.usd_per_million_tokens is not None:
            name, source = provider.name, provider.source
            yield provider, Model(name=ANY_MODEL, providers=(name,), source=source, as_of=provider.as_of)


def _offer(provider: Provider, model: Model, tokens: "pl.Series", epochs: int | None, rate: float | None) -> Offer:
    rule, limit = model.epochs, model.max_example_tokens
    passes = rule.default(tokens.len()) if epochs is None else epochs
    billed = int((tokens if limit is None else tokens.clip(upper_bound=limit)).sum()) * passes
    own_price = provider.usd_per_million_tokens
    price = model.usd_per_million_tokens if own_price is None else own_price
    usd = cost_usd(billed, price) if rule.least <= passes <= rule.most else None
    ends = [day for day in (provider.no_jobs_from, model.shutdown_date) if day is not None]
    return Offer(
        provider=provider.name,
        model=model.name,
        exact=model.tokenizer == load_tokenizer().name,
        epochs=passes,
        billed_tokens=billed,
        usd_per_million_tokens=price,
        price_usd=usd,
        price_krw=None if usd is None or rate is None else round(usd * rate),
        price_as_of=model.as_of if own_price is None else provider.as_of,
        ends=min(ends, default=None),
    )
