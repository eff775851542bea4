"""Catalogues: what this package knows of providers and models, the user's own over it, and what is refused."""

import tomllib
from datetime import date
from pathlib import Path

import pytest
from runs import ROOT

from saturi.etl.errors import OptionError, UnknownPriceError
from saturi.etl.providers.models import DEFAULT_MODEL, find_model, price_of, read_models
from saturi.etl.providers.profiles import DEFAULT_PROVIDER, find_provider, read_providers
from saturi.schemas.model import EpochRule

CATALOGUES = ("etl/providers/providers.toml", "etl/providers/models.toml", "etl/exports/base_models.toml")


@pytest.mark.parametrize("path", CATALOGUES)
def test_every_row_says_when_and_where_from(path: str) -> None:
    """Each row of our own catalogues has a date that is no later than 2026, and a source."""
    for row in tomllib.loads((ROOT / path).read_text(encoding="utf-8")).values():
        assert date(2026, 1, 1) <= row["as_of"] < date(2027, 1, 1)
        assert row["source"]


@pytest.mark.parametrize(
    "name",
    ["gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", "ft:gpt-4.1-mini-2025-04-14:org::id", "ft:gpt-4.1-mini:org:suffix:id"],
)
def test_a_tune_is_its_model(name: str) -> None:
    """A model, a snapshot of it, and a tune of either are one row."""
    assert find_model(name, read_models()).name == "gpt-4.1-mini"


@pytest.mark.parametrize("name", ["", "ft:", "gpt-4.1-min", "ft:llama:org::id", "gpt-4o-2024", "GPT-4o"])
def test_an_unknown_model(name: str) -> None:
    """A model that is not known is refused, with those that are and the way to add it."""
    with pytest.raises(OptionError, match=r"--model: .* is unknown; choose from .*gpt-4o.*--models FILE"):
        find_model(name, read_models())


def test_the_defaults_are_known() -> None:
    """The default provider and the default model are in the catalogues, with a price."""
    assert find_provider(DEFAULT_PROVIDER, read_providers()).base_url
    assert price_of(find_model(DEFAULT_MODEL, read_models())) > 0


def test_an_unknown_price() -> None:
    """A model without a price is refused with its name, the date and the way to add it."""
    with pytest.raises(
        UnknownPriceError, match=r"o4-mini: the price of training is not known \(as of 2026-.*--models FILE"
    ):
        price_of(read_models()["o4-mini"])


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    """A field of the user's goes over ours, other fields stay, and new rows come in addition."""
    path = tmp_path / "models.toml"
    changed = '["gpt-4o"]\nusd_per_million_tokens = 0\nepochs = {most = 5}\n'
    added = '[mine]\nproviders = ["custom"]\nsource = "me"\nas_of = 2026-11-02\n'
    path.write_text(changed + added)
    ours, models = read_models(), read_models(path)
    assert models.keys() - ours.keys() == {"mine"}
    assert (price_of(models["gpt-4o"]), models["gpt-4o"].epochs.most) == (0, 5)
    assert models["gpt-4o"].shutdown_date == ours["gpt-4o"].shutdown_date
    assert models["gpt-4.1"] == ours["gpt-4.1"]


def test_a_provider_of_ones_own(tmp_path: Path) -> None:
    """A new provider begins as a copy of the profile for others."""
    path = tmp_path / "providers.toml"
    path.write_text('[mine]\nbase_url = "http://127.0.0.1/v1"\nbom = "required"\n')
    mine, custom = find_provider("mine", read_providers(path)), read_providers()["custom"]
    assert (mine.name, mine.base_url, mine.bom) == ("mine", "http://127.0.0.1/v1", "required")
    assert (mine.key_env, mine.max_file_bytes) == (custom.key_env, custom.max_file_bytes)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[mine", "no valid TOML"),
        ("mine = 1", "'mine' is no table"),
        ('["gpt-4o"]\nprice = 1', "unknown field `price`"),
        ('["gpt-4o"]\nusd_per_million_tokens = "3"', "Expected `float"),
        ('[mine]\nproviders = ["custom"]', "missing required field `source`"),
        ('["gpt-4o"]\nusd_per_million_tokens = -3', "`float` >= 0"),
        ('["gpt-4o"]\nusd_per_million_tokens = nan', "usd_per_million_tokens"),
        ('["gpt-4o"]\nusd_per_million_tokens = inf', "usd_per_million_tokens is inf"),
        ('["gpt-4o"]\nmax_example_tokens = 0', "`int` >= 1"),
        ('["gpt-4o"]\nepochs = {usual = 0}', "`int` >= 1"),
    ],
    ids=[
        "no-toml",
        "no-table",
        "unknown-field",
        "wrong-type",
        "missing-field",
        "price-below-0",
        "price-no-number",
        "price-without-end",
        "no-tokens",
        "no-epochs",
    ],
)
def test_a_wrong_file(tmp_path: Path, text: str, named: str) -> None:
    """A file of the user's that says what a row cannot say is refused with its name and the reason."""
    path = tmp_path / "models.toml"
    path.write_text(text)
    with pytest.raises(OptionError) as caught:
        read_models(path)
    assert str(path) in str(caught.value)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("examples", "epochs"),
    [
        (1, 25),
        (4, 25),
        (5, 20),
        (20, 5),
        (33, 3),
        (34, 3),
        (1_000, 3),
        (8_333, 3),
        (8_334, 2),
        (12_500, 2),
        (12_501, 1),
        (700_000, 1),
    ],
)
def test_default_epochs(examples: int, epochs: int) -> None:
    """Three epochs, more where that shows fewer than 100 examples, fewer where it shows more than 25,000."""
    assert EpochRule().default(examples) == epochs


def test_no_examples_have_the_usual_epochs() -> None:
    """A build without examples has epochs, too, so that nothing is divided by them."""
    assert EpochRule().default(0) == 3
