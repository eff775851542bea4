"""The tariff: model, price of a token, epochs, exchange rate."""

from collections.abc import Mapping

from msgspec import Struct

from saturi.etl.errors import OptionError
from saturi.etl.pricing.money import cost_usd
from saturi.etl.providers.models import find_model, price_of, read_models
from saturi.etl.settings.checks import whole_number
from saturi.schemas.model import Model

_MOST_RATE = 1_000_000.0  # won for a dollar


class Tariff(Struct, frozen=True):
    """The model, dollars for a million tokens, epochs or None for the provider's default, won for a dollar or None."""

    model: Model
    usd_per_million_tokens: float
    epochs: int | None = None
    krw_per_usd: float | None = None

    def epochs_for(self, examples: int) -> int:
        """Return the epochs of a job on this number of *examples*."""
        return self.model.epochs.default(examples) if self.epochs is None else self.epochs

    def usd(self, billed_tokens: int) -> float:
        """Return the price of *billed_tokens*."""
        return cost_usd(billed_tokens, self.usd_per_million_tokens) or 0.0


def tariff_of(
    model: str, models: Mapping[str, Model] | None = None, *, epochs: int | None = None, rate: float | None = None
) -> Tariff:
    """
    Return the tariff for training *model*.

    Args:
        model: A model, one of its snapshots, or a tune of either.
        models: Facts of models; None for those of this package.
        epochs: Times that every example is seen; None for as many as the provider would choose.
        rate: South Korean won for one US dollar.

    Raises:
        OptionError: The model is unknown, or a number is out of its range.
        UnknownPriceError: The price of training it is not known.
    """
    known = find_model(model, models if models is not None else read_models())
    price = price_of(known)
    least, most = known.epochs.least, known.epochs.most
    if epochs is not None:
        whole_number("epochs", epochs, least, most)
    check_rate(rate)
    return Tariff(known, price, epochs, rate)


def check_rate(rate: float | None) -> None:
    """
    Return if *rate*, won for one US dollar, can be one.

    Raises:
        OptionError: It cannot.
    """
    if rate is not None and not 0 < rate <= _MOST_RATE:
        raise OptionError("--rate", f"{rate} is out of range", "give the won for one dollar, like 1400")
