"""The estimate of a build: tokens, epochs and price of training, by shard and sample. Nothing is spent."""

from collections.abc import Mapping
from pathlib import Path

from saturi.etl.example.tokens import load_tokenizer
from saturi.etl.output.finished import FinishedBuild
from saturi.etl.pricing.tariff import tariff_of
from saturi.etl.providers.models import DEFAULT_MODEL
from saturi.etl.settings.checks import whole_number
from saturi.etl.storage.location import Location
from saturi.schemas.estimate import Estimate
from saturi.schemas.model import Model


def estimate(  # noqa: PLR0913 - the five behind the star have defaults that suit most
    out: str | Location,
    model: str = DEFAULT_MODEL,
    *,
    epochs: int | None = None,
    sample: int | None = None,
    rate: float | None = None,
    models: Mapping[str, Model] | None = None,
    tokenizer_file: str | Path | None = None,
) -> Estimate:
    """
    Return the estimate for fine-tuning *model* on the build in *out*.

    Args:
        out: Folder of a build, or its URL.
        model: A model, one of its snapshots, or a tune of either.
        epochs: Times that every example is seen; None for as many as the provider would choose.
        sample: Also estimate the cost of so many examples of train; where it has no more, that is the cost of all of them.
        rate: South Korean won for one US dollar.
        models: Facts of models; None for those of this package.
        tokenizer_file: The `tokenizer.json` of an open model, to count anew with.

    Raises:
        BuildError: *out* holds no finished build, a damaged one, or one without an example to train on.
        OptionError: The model is unknown, or a number is out of its range.
        UnknownPriceError: The price of training it is not known.
    """
    tariff = tariff_of(model, models, epochs=epochs, rate=rate)
    if sample is not None:
        whole_number("sample", sample)
    build = FinishedBuild.open(out)
    build.refuse_no_training()
    from saturi.etl.pricing.breakdown import make_estimate  # noqa: PLC0415 - it needs Polars, which a build's parent never loads
    from saturi.etl.pricing.tokens import counter_for  # noqa: PLC0415 - as above

    tokenizer = load_tokenizer(tariff.model, tokenizer_file)
    return make_estimate(build, tariff, tokenizer, sample, counter_for(build, tokenizer))
