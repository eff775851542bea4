"""
Commands as the console has them: help in groups with examples, options that each has, waiting where a folder is held.

A command that finds its folder held by another process is tried again, with `--wait`, when the folder is free: all commands
take their folder before they do anything else.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import click

from saturi.etl.console.display import display
from saturi.etl.console.paths import NamedPath
from saturi.etl.errors import LockedError, OptionError
from saturi.etl.storage.location import ObjectPath, location_of

_NARROW_COLUMNS = 78
"""Of a terminal; in a narrower one, what an option does is below its name."""

_SHORT_NAME = 14  # beside which there is room all the same
_LOOK_SECONDS = 1.0
_LOOK_FAR_SECONDS = 3.0  # in object storage, where a look is a dozen requests
_BUILD_ARGUMENTS = ("out", "first", "second")
_REPEAT_SECONDS = 60.0  # between lines that say that it still waits


class _Formatter(click.HelpFormatter):
    """Help that is folded between words alone, counts two columns for Hangul, and reads well in a narrow terminal, too."""

    def write_text(self, text: str) -> None:
        """Write *text*, paragraph by paragraph."""
        indent = " " * self.current_indent
        paragraphs = text.split("\n\n")
        for number, paragraph in enumerate(paragraphs):
            for line in folded(" ".join(paragraph.split()), max(self.width - len(indent), 1)):
                self.write(f"{indent}{line}\n")
            if number + 1 < len(paragraphs):
                self.write("\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write *rows* of names and what they do: in two columns if there is room, else one below the other."""
        rows = list(rows)
        longest = max((_columns(name) for name, _ in rows), default=0)
        if self.width < _NARROW_COLUMNS and longest > _SHORT_NAME:
            col_max = 2
        first = min(longest, col_max) + col_spacing
        indent = " " * self.current_indent
        for name, purpose in rows:
            lines = folded(purpose, max(self.width - len(indent) - first, 10))
            beside = _columns(name) <= first - col_spacing and bool(lines)
            head = name + " " * (first - _columns(name)) + lines.pop(0) if beside else name
            self.write(f"{indent}{head}\n")
            for line in lines:
                self.write(f"{indent}{' ' * first}{line}\n")


def folded(text: str, columns: int) -> list[str]:
    """Return *text* in lines of *columns*, folded between words; a longer word is a line of its own."""
    lines: list[str] = []
    for word in text.split():
        if lines and _columns(lines[-1]) + 1 + _columns(word) <= columns:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _columns(text: str) -> int:
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


class HelpContext(click.Context):
    """The context of a command, or of all of them, with help that fits."""

    formatter_class = _Formatter


class Command(click.Command):
    """
    A command with the options that all have.

    Args:
        groups: Options by the heading they are under in the help; those of no group are under "Options".
        examples: Command lines, each with what it does.
        waits: It holds a folder, and so has `--wait`.
    """

    context_class = HelpContext

    def __init__(
        self,
        *args: Any,  # click's
        groups: Mapping[str, Sequence[str]] | None = None,
        examples: Sequence[tuple[str, str]] = (),
        waits: bool = False,
        **kwargs: Any,  # click's
    ) -> None:
        super().__init__(*args, **kwargs)
        self.groups, self.examples, self.waits = groups or {}, examples, waits
        self.shared = [*([_wait_option()] if waits else []), *shared_options()]
        self.params += self.shared

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, group by group."""
        options = [parameter for parameter in self.get_params(ctx) if isinstance(parameter, click.Option)]
        records = {option: option.get_help_record(ctx) for option in options}
        of = {flag: title for title, flags in self.groups.items() for flag in flags}
        titles = {parameter: self._title(parameter, of) for parameter in records}
        for title in (*self.groups, "Options", "Screen"):
            rows = [record for parameter, record in records.items() if record and titles[parameter] == title]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def _title(self, parameter: click.Parameter, of: Mapping[str, str]) -> str:
        if parameter in self.shared or "--help" in parameter.opts:
            return "Screen"
        return of.get(parameter.opts[0], "Options")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                formatter.write_dl(list(self.examples), col_max=2)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; where the folder of a build is missing, say what it is; errors have the command they are of."""
        try:
            return super().parse_args(ctx, args)
        except click.MissingParameter as error:
            if error.param is None or error.param.name not in _BUILD_ARGUMENTS:
                raise
            advice = "give the folder that build wrote, like out"
            raise OptionError(error.param.human_readable_name, "missing", advice) from error
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # which the parser leaves out
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; with `--wait`, again when a folder that another process holds is free."""
        wait = ctx.params.pop("wait", False)
        while True:
            try:
                return super().invoke(ctx)
            except LockedError as error:
                if not wait:
                    raise
                _wait_for(error)


def shared_options() -> list[click.Option]:
    """Return the options that every command has."""
    return [
        click.Option(
            ["--quiet", "-q"],
            is_flag=True,
            expose_value=False,
            callback=lambda _ctx, _param, value: setattr(display, "quiet", value),
            help="Show only what went wrong, and what --json prints.",
        ),
        click.Option(
            ["--verbose", "-v"],
            is_flag=True,
            expose_value=False,
            callback=lambda _ctx, _param, value: setattr(display, "verbose", value),
            help="Also show the time of each step, and the traceback of an error.",
        ),
        click.Option(
            ["--progress"],
            type=click.Choice(["auto", "plain", "none"]),
            default="auto",
            show_default=True,
            expose_value=False,
            callback=lambda _ctx, _param, value: setattr(display, "progress", value),
            help="How far it is: a bar on a terminal and lines elsewhere, lines, or nothing.",
        ),
        click.Option(
            ["--log-file"],
            type=NamedPath(path_type=Path, dir_okay=False),
            expose_value=False,
            callback=lambda _ctx, _param, value: display.open_log(value),
            help="Also append what stderr gets to this file, with times.",
        ),
    ]


def _wait_option() -> click.Option:
    return click.Option(
        ["--wait"], is_flag=True, help="Wait where another process holds the folder, instead of failing."
    )


def _wait_for(error: LockedError) -> None:
    """Return when the folder of *error* is free, after saying that it is waited for."""
    from saturi.etl.output.holding import held, locked  # noqa: PLC0415 - help does not wait for it

    folder, last = location_of(error.path), 0.0
    while True:
        now = time.monotonic()
        if not last or now - last >= _REPEAT_SECONDS:
            last = now
            _say_waiting(error.path)
        time.sleep(_LOOK_FAR_SECONDS if isinstance(folder, ObjectPath) else _LOOK_SECONDS)
        try:
            with locked(folder) if isinstance(folder, ObjectPath) or folder.is_dir() else held(folder, folder, ""):
                return
        except LockedError:
            continue


def _say_waiting(path: str) -> None:
    from saturi.etl.console.lines import print_line  # noqa: PLC0415 - as above
    from saturi.etl.console.output import consoles  # noqa: PLC0415 - as above

    sentence = (
        f"Waiting for {path}, which another build or submission holds, until that ends; Ctrl-C ends this command."
    )
    if display.quiet:
        display.log(sentence)
    else:
        print_line(consoles()[1], sentence)
