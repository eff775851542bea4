"""Parameters of several commands: kinds of values, and the configuration file."""

import math
from collections.abc import Callable, Iterable
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from saturi.etl.console.paths import PATH
from saturi.etl.errors import MissingPathError, OptionError
from saturi.etl.formats.tables import OTHERS
from saturi.etl.settings.checks import find_term, listed
from saturi.etl.settings.config import DEFAULT_NAME, Config, read_config
from saturi.etl.settings.sizes import parse_bytes
from saturi.etl.storage.location import Location

_FALLBACK_CORPUS = "data"


class Seconds(click.FloatRange):
    """A number of seconds in a range, which NaN is in none of."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number, or fail with a sentence."""
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return number


class Term(click.Choice[str]):
    """One of *terms*, in any case, or in Korean where it is a region or speech type."""

    def __init__(self, terms: Iterable[str]) -> None:
        # Of members of an enumeration click would show the names, not the values.
        super().__init__([str(term) for term in terms])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # as its base
        """Return the term, or fail with a sentence."""
        term = find_term(value, self.choices)
        if term is None:
            self.fail(f"{value!r} is unknown; choose from {listed(self.choices)}", param, ctx)
        return super().convert(term, param, ctx)


class Bytes(click.ParamType[int]):
    """A number of bytes, with or without a unit."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number of bytes, or fail with a sentence."""
        try:
            return value if isinstance(value, int) else parse_bytes(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Share(click.ParamType[float | str]):
    """A number, or one of *words*."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.name = "|".join(("share", *words))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        """Return the number or the word, or fail with a sentence."""
        if value in self.words:
            return str(value)
        try:
            return float(value)
        except (TypeError, ValueError):
            words = " or ".join(map(repr, self.words))
            self.fail(f"{value!r} is neither a share like 0.05 nor {words}", param, ctx)


class Names(click.ParamType[list[str]]):
    """Names with commas between them, or a list of names."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names; whether they are known is for the options to say."""
        return value.split(",") if isinstance(value, str) else list(value)


def config_option(table: str) -> Callable[..., Any]:
    """
    Return the option `--config`: the options in *table* of that file lie under those of the command line.

    Afterwards `ctx.meta["config"]` holds the whole file, a `Config`. An error of an option that the file gives names its line.
    """
    option = click.option(
        "--config",
        type=PATH,
        callback=partial(_read_defaults, table),
        is_eager=True,
        expose_value=False,
        help="Configuration file.  [default: etl.toml, if there]",
    )

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def command(*args: Any, **given: Any) -> Any:
            try:
                return function(*args, **given)
            except OptionError as error:
                raise _placed(click.get_current_context(), table, error) from error

        return option(command)

    return decorate


def _placed(ctx: click.Context, table: str, error: OptionError) -> OptionError:
    """Return *error*, with the line of `etl.toml` in the place of an option that only the file gives."""
    flag, problem, advice = error.args
    name = flag.removeprefix("--").replace("-", "_")
    text = ctx.meta["config"].text
    if text is None or ctx.get_parameter_source(name) is not ParameterSource.DEFAULT_MAP:
        return error
    return OptionError(text.place(table, name), problem, advice)


def _read_defaults(table: str, ctx: click.Context, _param: click.Parameter, path: Path | None) -> None:
    if path is None and Path(DEFAULT_NAME).exists():
        path = Path(DEFAULT_NAME)
    config = Config() if path is None else read_config(path, OTHERS)
    ctx.default_map = config.table(table)
    ctx.meta["config"] = config


def corpus_of(ctx: click.Context, given: tuple[Location, ...]) -> tuple[Location, ...]:
    """
    Return the paths of the corpus: those *given*, else those of `etl.toml`, else `./data`.

    Raises:
        MissingPathError: There is none of these.
    """
    paths: tuple[Location, ...] = given or ctx.meta["config"].paths
    fallback = Path(_FALLBACK_CORPUS)
    if not paths and not fallback.exists():
        advice = f"give folders or zips of label files, or try it on an invented corpus: saturi sample {fallback}"
        raise MissingPathError(str(fallback.absolute()), "there is no such folder, and no CORPUS is given", advice)
    return paths or (fallback,)


def key_file_of(ctx: click.Context, *tables: str) -> Path | None:
    """Return the file with the key that the first of *tables* of the configuration file names, or `[submit]`."""
    return file_of(ctx, "key_file", *tables)


def file_of(ctx: click.Context, option: str, *tables: str) -> Path | None:
    """Return the file that *option* names in the first of *tables* of the configuration file that has it, or in `[submit]`."""
    names = (ctx.meta["config"].table(table).get(option) for table in (*tables, "submit"))
    return next((Path(name) for name in names if name is not None), None)
