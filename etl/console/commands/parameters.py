"""Parameters of several commands: kinds of values, and the configuration file."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from saturi.etl.download.options import FetchOptions
from saturi.etl.evaluation.options import EvaluateOptions
from saturi.etl.settings.config import DEFAULT_NAME, Config, read_config
from saturi.etl.settings.sizes import parse_bytes
from saturi.etl.submission.options import SubmitOptions

_TABLES: dict[str, type[Struct]] = {"fetch": FetchOptions, "submit": SubmitOptions, "evaluate": EvaluateOptions}
"""Tables of `etl.toml` for other options than those of a build."""


class NamedPath(click.Path):
    """A path that is not empty, since an empty one would be the working directory."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # as its base
        """Return the path, or fail with a sentence."""
        if value == "":
            self.fail("the path is empty; name a file or a folder, or the working directory by a dot", param, ctx)
        return super().convert(value, param, ctx)


PATH = NamedPath(path_type=Path)


class Seconds(click.FloatRange):
    """A number of seconds in a range, which NaN is in none of."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number, or fail with a sentence."""
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return number


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

    Afterwards `ctx.meta["config"]` holds the whole file, a `Config`.
    """
    return click.option(
        "--config",
        type=PATH,
        callback=partial(_read_defaults, table),
        is_eager=True,
        expose_value=False,
        help="Configuration file.  [default: etl.toml, if there]",
    )


def _read_defaults(table: str, ctx: click.Context, _param: click.Parameter, path: Path | None) -> None:
    if path is None and Path(DEFAULT_NAME).exists():
        path = Path(DEFAULT_NAME)
    config = Config() if path is None else read_config(path, _TABLES)
    ctx.default_map = config.table(table)
    ctx.meta["config"] = config


def key_file_of(ctx: click.Context, *tables: str) -> Path | None:
    """Return the file with the key that the first of *tables* of the configuration file names, or `[submit]`."""
    names = (ctx.meta["config"].table(table).get("key_file") for table in (*tables, "submit"))
    return next((Path(name) for name in names if name is not None), None)
