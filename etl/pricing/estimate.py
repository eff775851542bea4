"""What training on a build would cost: tokens, epochs and price, shard by shard, sample by sample. Nothing is spent here."""

from collections.abc import Mapping
from pathlib import Path

from etl.errors import OptionError
from etl.example.tokens import load_tokenizer
from etl.output.verification import read_manifest
from etl.providers.models import DEFAULT_MODEL, find_model, price_of, read_models
from schemas.estimate import Estimate
from schemas.model import Model


def estimate(  # noqa: PLR0913 - the five behind the star have defaults that suit most
    out: str | Path,
    model: str = DEFAULT_MODEL,
    *,
    epochs: int | None = None,
    sample: int | None = None,
    rate: float | None = None,
    models: Mapping[str, Model] | None = None,
    tokenizer_file: Path | None = None,
) -> Estimate:
    """
    Return what fine-tuning *model* on the build in *out* would cost.

    Args:
        out: Folder of a build.
        model: A model, one of its snapshots, or a tune of either.
        epochs: Times that every example is seen; None for as many as the provider would choose.
        sample: Also estimate the cost of so many examples of train; where it has no more, that is the cost of all of them.
        rate: South Korean won for one US dollar.
        models: Facts of models; None for those of this package.
        tokenizer_file: The `tokenizer.json` of an open model, to count anew with.

    Raises:
        BuildError: *out* holds no finished build.
        OptionError: The model is unknown, or a number is out of its range.
        UnknownPriceError: The price of training it is not known.
    """
    known = find_model(model, models if models is not None else read_models())
    price = price_of(known)
    manifest = read_manifest(Path(out))
    if sample is not None and sample < 1:
        raise OptionError("--sample", f"{sample:,} is out of range", "give a number of examples from 1")
    least, most = known.epochs.least, known.epochs.most
    if epochs is not None and not least <= epochs <= most:
        raise OptionError("--epochs", f"{epochs:,} is out of range", f"give a whole number from {least:,} to {most:,}")
    if rate is not None and not 0 < rate < float("inf"):
        raise OptionError("--rate", f"{rate} is out of range", "give the won for one dollar, like 1400")
    from etl.pricing.bill import Bill, make_estimate  # noqa: PLC0415 - it needs Polars, which a build's parent never loads

    tokenizer = load_tokenizer(known, tokenizer_file)
    return make_estimate(Path(out), manifest, tokenizer, Bill(known, price, epochs, rate), sample)
