"""Options of a download: frozen, and checked when made."""

from pathlib import Path
from typing import Annotated

from saturi.etl.download.data_sets import Generation
from saturi.etl.settings.checks import check_options
from saturi.etl.settings.declaration import Option
from saturi.etl.settings.fields import Options


class FetchOptions(Options, frozen=True, kw_only=True):
    """
    What is fetched, from where, and what is agreed to.

    Every field is an option of `fetch`, and its `Option` says what it means and whether `[fetch]` in `etl.toml` has it.

    Raises:
        OptionError: A value is out of its range.
    """

    generation: Annotated[Generation | None, Option(help="Data sets of one generation.", unset="those named")] = None
    match: Annotated[
        tuple[str, ...],
        Option(help="Archives whose path or name is like this, with * and ?; audio, too.", unset="labels", low=1),
    ] = ()
    accept_terms: Annotated[
        bool, Option(help="Agree to AI-Hub's terms of use.", negatable=False, only="command line")
    ] = False
    base_url: Annotated[
        str | None, Option(help="Address instead of AI-Hub's, for tests.", low=1, only="command line")
    ] = None
    key_file: Annotated[
        Path | None,
        Option(help="File with the key, readable by its owner alone.", unset="the environment", only="file"),
    ] = None

    def __post_init__(self) -> None:
        check_options(self)


class Patience(Options, frozen=True, kw_only=True):
    """
    Limits of time, in seconds, and of attempts.

    Args:
        attempts: How often an archive is begun before it is given up.
        answer_attempts: How often a list or another short answer is asked for, before anything takes long.
        first_wait_seconds, longest_wait_seconds: Before the second attempt, and at most before any; in between it doubles.
        connect_seconds: For a connection.
        read_seconds: Without a byte, after which a transfer counts as broken; a transfer as a whole has no limit.
        answer_seconds: For a list or another short answer as a whole.
    """

    attempts: int = 6
    answer_attempts: int = 3
    first_wait_seconds: float = 2.0
    longest_wait_seconds: float = 60.0
    connect_seconds: float = 30.0
    read_seconds: float = 120.0
    answer_seconds: float = 120.0
