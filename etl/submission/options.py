"""Options of a submission: frozen, and checked when made."""

from pathlib import Path
from typing import Annotated

from saturi.etl.providers.models import DEFAULT_MODEL
from saturi.etl.providers.profiles import DEFAULT_PROVIDER
from saturi.etl.settings.checks import check_options
from saturi.etl.settings.declaration import Option
from saturi.etl.settings.fields import Options
from saturi.schemas.ledger import PlanShape

# The API's description of `POST /fine_tuning/jobs`.
_MOST_SUFFIX = 64
_MOST_EPOCHS = 50
_MOST_SEED = 2**31 - 1


class SubmitOptions(Options, frozen=True, kw_only=True):
    """
    What is submitted, where, and what is agreed to.

    Every field is an option of `submit`, and its `Option` says what it means and whether `[submit]` in `etl.toml` has it.

    Raises:
        OptionError: A value is out of its range.
    """

    provider: Annotated[str, Option(help="Profile of the provider.", low=1, named=True)] = DEFAULT_PROVIDER
    model: Annotated[str, Option(help="Model to train, as the provider calls it.", low=1, named=True)] = DEFAULT_MODEL
    epochs: Annotated[
        int | None,
        Option(
            help="Passes over the examples.",
            unset="by the provider's rule, sent as a number",
            low=1,
            high=_MOST_EPOCHS,
        ),
    ] = None
    plan: Annotated[PlanShape, Option(help="One job, one a region and speech type, or these one after the other.")] = (
        "merged"
    )
    suffix: Annotated[
        str | None, Option(help="Put into the names of the models.", low=1, high=_MOST_SUFFIX, named=True)
    ] = None
    seed: Annotated[int | None, Option(help="Makes a job repeatable.", low=0, high=_MOST_SEED)] = None
    base_url: Annotated[
        str | None, Option(help="Address instead of the profile's: a gateway, a resource of your own.", low=1)
    ] = None
    max_cost: Annotated[
        float | None,
        Option(help="Most US dollars that all jobs together may cost.", low=0, high=1e9, unit="US dollars"),
    ] = None
    accept_data_terms: Annotated[bool, Option(help="Agree to the terms of AI-Hub's data.", negatable=False)] = False
    allow_unknown_price: Annotated[
        bool,
        Option(help="Submit although nobody can say what it costs.", negatable=False, only="command line"),
    ] = False
    resubmit: Annotated[
        bool,
        Option(
            help="Create another job where one failed, or may or may not exist.", negatable=False, only="command line"
        ),
    ] = False
    allow_http: Annotated[
        bool,
        Option(help="Send key and examples unencrypted to a host that is not this machine.", negatable=False),
    ] = False
    providers: Annotated[Path | None, Option(help="Your own providers.toml.")] = None
    models: Annotated[Path | None, Option(help="Your own models.toml.")] = None
    ledger: Annotated[
        Path | None,
        Option(help="File of the ledger.", unset="ledger.sqlite in OUT, or, of a URL, in a folder of yours"),
    ] = None
    key_file: Annotated[
        Path | None,
        Option(help="File with the key, readable by its owner alone.", unset="the environment", only="file"),
    ] = None

    def __post_init__(self) -> None:
        check_options(self)
