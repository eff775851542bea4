"""Options of a submission: frozen, and checked when made."""

from pathlib import Path

from msgspec import Struct, structs

from etl.errors import OptionError
from etl.providers.models import DEFAULT_MODEL
from etl.providers.profiles import DEFAULT_PROVIDER
from schemas.ledger import PlanShape

SHAPES: tuple[PlanShape, ...] = ("merged", "per-shard", "chained")
# The API's description of `POST /fine_tuning/jobs`.
_MOST_SUFFIX = 64
_MOST_EPOCHS = 50
_MOST_SEED = 2**31 - 1


class SubmitOptions(Struct, frozen=True, kw_only=True):
    """
    Provider, model and plan of a submission, and all that is agreed to beforehand.

    Args:
        provider: Name of its profile.
        model: The model to train, as the provider calls it.
        epochs: Passes over the examples, 1 to 50; None for the provider's own rule, which is then sent as a number.
        plan: One job for all shards, one a region and speech type, or these one after the other, each from the model
            of the one before.
        suffix: Put into the names of the models; up to 64 characters.
        seed: Makes a job repeatable; 0 to 2147483647.
        base_url: Address instead of the profile's.
        max_cost: Most US dollars that all jobs together may cost, by the estimate.
        accept_data_terms: The terms of the data are agreed to.
        allow_unknown_price: Submit although the cost is not known.
        resubmit: Create another job where one may or may not have been created, or where one failed.
        key_file: File with the key, for its owner's eyes only; None for the environment.
        providers, models: Files of the user's own, laid over the profiles and prices of this package.

    Raises:
        OptionError: A value is out of its range.
    """

    provider: str = DEFAULT_PROVIDER
    model: str = DEFAULT_MODEL
    epochs: int | None = None
    plan: PlanShape = "merged"
    suffix: str | None = None
    seed: int | None = None
    base_url: str | None = None
    max_cost: float | None = None
    accept_data_terms: bool = False
    allow_unknown_price: bool = False
    resubmit: bool = False
    key_file: Path | None = None
    providers: Path | None = None
    models: Path | None = None

    def __post_init__(self) -> None:
        if self.plan not in SHAPES:
            raise OptionError("--plan", f"{self.plan!r} is unknown", f"choose from {', '.join(SHAPES)}")
        _within("--epochs", self.epochs, 1, _MOST_EPOCHS)
        _within("--seed", self.seed, 0, _MOST_SEED)
        if self.suffix is not None and not 1 <= len(self.suffix) <= _MOST_SUFFIX:
            raise OptionError("--suffix", f"{len(self.suffix)} characters", f"give 1 to {_MOST_SUFFIX}")
        if self.max_cost is not None and not self.max_cost >= 0:  # so that no NaN passes
            raise OptionError("--max-cost", f"{self.max_cost} is out of range", "give US dollars from 0 up")
        structs.force_setattr(self, "max_cost", None if self.max_cost is None else float(self.max_cost))


def _within(option: str, value: int | None, low: int, high: int) -> None:
    if value is not None and not low <= value <= high:
        raise OptionError(option, f"{value} is out of range", f"give a whole number from {low} to {high}")
