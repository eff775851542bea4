"""What several commands take: kinds of values, and the configuration file."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from etl.settings.config import DEFAULT_NAME, read_config
from etl.settings.options import parse_bytes
from schemas.config import Config


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


class Dimensions(click.ParamType[list[str]]):
    """Names with commas between them, or a list of names."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names; whether they are known is for the options to say."""
        return value.split(",") if isinstance(value, str) else list(value)


def config_option(table: str) -> Callable[..., Any]:
    """
    Return the option `--config`: what *table* of that file says lies under the options of the command line.

    Afterwards `ctx.meta["config"]` holds the whole file, a `Config`.
    """
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        callback=partial(_read_defaults, table),
        is_eager=True,
        expose_value=False,
        help="[default: etl.toml, if there]",
    )


def _read_defaults(table: str, ctx: click.Context, _param: click.Parameter, path: Path | None) -> None:
    if path is None and Path(DEFAULT_NAME).exists():
        path = Path(DEFAULT_NAME)
    config = read_config(path) if path is not None else Config()
    said: dict[str, Any] = msgspec.to_builtins(getattr(config, table))
    ctx.default_map = {name: value for name, value in said.items() if value is not None}
    ctx.meta["config"] = config
