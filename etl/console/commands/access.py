"""Parameters of the commands that go by a ledger: the folder, the ledger, the configuration file, profiles of the user's own."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from saturi.etl.console.commands.parameters import config_option, key_file_of
from saturi.etl.console.help import Command
from saturi.etl.console.paths import LOCATION, PATH
from saturi.etl.storage.location import Location
from saturi.etl.submission.access import Access


def ledger_command(
    function: Callable[..., None], *, examples: Sequence[tuple[str, str]], waits: bool = False
) -> click.Command:
    """Return *function* as a command on OUT that gets its `Access` after it; *examples* and *waits* as of `Command`."""

    @click.command(cls=Command, examples=examples, waits=waits, name=function.__name__, help=function.__doc__)
    @click.argument("out", type=LOCATION)
    @config_option("submit")
    @click.option("--ledger", type=PATH, help="File of the ledger.  [default: that of submit]")
    @click.option("--providers", type=PATH, help="Your own providers.toml.")
    @click.pass_context
    def command(
        ctx: click.Context, /, out: Location, ledger: Path | None, providers: Path | None, **given: Any
    ) -> None:
        function(out, Access(ledger=ledger, key_file=key_file_of(ctx), providers=providers), **given)

    command.params += getattr(function, "__click_params__", [])[::-1]
    return command


def naming(ledger: Path | None) -> tuple[str | Path, ...]:
    """Return the words by which the next command gets *ledger*, too."""
    return () if ledger is None else ("--ledger", ledger)
