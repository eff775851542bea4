"""What several commands take: kinds of values, and the configuration file."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from etl.config import DEFAULT_NAME, read_config
from etl.options import parse_bytes
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


class Validation(click.ParamType[float | Literal["official"]]):
    """A share of the keys, or `official`."""

    name = "share|official"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | Literal["official"]:
        """Return the share, or `official`, or fail with a sentence."""
        if value == "official":
            return "official"
        try:
            return float(value)
        except (TypeError, ValueError):
            self.fail(f"{value!r} is neither a share like 0.05 nor 'official'", param, ctx)


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
