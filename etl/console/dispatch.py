"""Dispatch: a command by its name, and what it ends with: an exit code, and one sentence where it failed."""

import _thread
import errno
import gc
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from importlib import import_module
from types import FrameType

import click

from saturi.etl.console.failure import show_failure
from saturi.etl.console.help import HelpContext
from saturi.etl.console.streams import refuse_loss, strengthen
from saturi.etl.console.usage import usage_error
from saturi.etl.errors import EtlError, OptionError, PromiseError, StorageError, exhausted_error, is_panic
from saturi.etl.runtime.interrupts import interrupt_received, say_farewell
from saturi.etl.runtime.memory import require_address_space

INTERRUPTED = 130
_HELP, _FLAGS = "help", ("--help", "--version")
_thread_errors: list[EtlError] = []
_GC_THRESHOLD = 100_000
"""What is imported, and the entries of archives, are many objects without cycles: looking for some takes a tenth of a start."""

GROUPS = {
    "Corpus": {
        "fetch": "Label archives from AI-Hub.",
        "inspect": "What a corpus holds.",
        "sample": "A small synthetic corpus to try everything on.",
    },
    "Build": {
        "build": "Label archives to chunks and a manifest.",
        "verify": "Whether a build is as it was written.",
    },
    "Look": {
        "show": "Pairs of a build, changed words marked.",
        "explain": "What became of a label file.",
        "diff": "What differs between two builds.",
        "report": "All that is known, on one page.",
    },
    "Train": {
        "check": "Whether chat files are what a provider takes.",
        "estimate": "Tokens and price of training on a build.",
        "export": "A build for a local trainer.",
        "submit": "A build to fine-tuning jobs, each once.",
        "status": "Jobs and files as the provider sees them.",
        "watch": "Follow the jobs to their end.",
        "cancel": "End a job, or all.",
        "clean": "Delete uploaded files that no job needs.",
    },
    "Evaluate": {
        "evaluate": "Tuned models against their base, and against copying.",
    },
    "This machine": {
        "init": "A first etl.toml, every option in it.",
        "schema": "JSON Schema of files and outputs.",
        "doctor": "Whether this machine can build.",
    },
}
"""Commands by their heading in the help; each is the function of its name in the module of its name in `commands`."""

COMMANDS = {name: purpose for group in GROUPS.values() for name, purpose in group.items()}

LIGHT_COMMANDS = frozenset(
    {"fetch", "verify", "status", "watch", "cancel", "clean", "sample", "init", "schema", "doctor"}
)
"""Those that never load Polars."""


class Commands(click.Group):
    """The commands, each imported when it is asked for, so that none waits for what only another needs."""

    context_class = HelpContext

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return the command *cmd_name*, or None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"saturi.etl.console.commands.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """
        Return name, command and arguments; `help COMMAND` is `COMMAND --help`.

        Names like an unknown one, click would look for among the commands that it has loaded.
        """
        asks_for_help = args[0] == _HELP
        if asks_for_help and not args[1:]:
            click.echo(ctx.get_help())
            ctx.exit()
        try:
            name, command, rest = super().resolve_command(ctx, args[1:] if asks_for_help else args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=(*COMMANDS, *_FLAGS), ctx=ctx) from error
        return name, command, ["--help"] if asks_for_help else rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list of all commands under their headings, for which click would import each."""
        names = max(map(len, COMMANDS))
        for title, group in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(names), purpose) for name, purpose in group.items()])


def _print_version(ctx: click.Context, _param: click.Parameter, given: bool) -> None:  # noqa: FBT001 - click's signature
    if given and not ctx.resilient_parsing:
        from saturi.etl.health.versions import version_text  # noqa: PLC0415 - only this asks for it

        click.echo(version_text())
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show versions and exit.",
)
@click.pass_context
def cli(context: click.Context) -> None:
    """Turn AI-Hub's Korean dialect label archives into chat fine-tuning data, every label file accounted for."""
    if context.invoked_subcommand not in LIGHT_COMMANDS:
        require_address_space()


def run() -> int:
    """Run the command that the arguments of this process name, and return its exit code."""
    gc.set_threshold(_GC_THRESHOLD)
    strengthen()
    threading.excepthook = _end_with_thread
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # of libraries, to their developers
    code = _ended(_run)
    return code or _ended(_refuse_loss)


def _run() -> int:
    try:
        code: int | None = cli.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.ClickException as error:
        raise usage_error(error) from error
    return code or 0


def _refuse_loss() -> int:
    refuse_loss(may_have_left=True)
    return 0


def _ended(function: Callable[[], int]) -> int:
    """Return what *function* returns, or the exit code of the error it ends with, after one sentence on it."""
    try:
        return function()
    except BaseException as error:
        _end_children()
        code = _code_of(error)
        if code is None:
            raise
        return code


def _end_children() -> None:
    """End workers that are left: one that still starts would miss what the parent takes away, and say so in a traceback."""
    if "multiprocessing" in sys.modules:
        for process in sys.modules["multiprocessing"].active_children():
            process.kill()


def _code_of(error: BaseException) -> int | None:
    """Return the exit code of *error*, after one sentence on it; None for a mistake of our own."""
    interrupt = interrupt_received()
    if interrupt is not None and is_panic(error):  # which Polars makes of what is raised in Python that it calls
        return _interrupted(interrupt)
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return _interrupted(error)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return error.exit_code
    if isinstance(error, EtlError):
        return _failed(error)
    if isinstance(error, FileExistsError):
        return _shown(error, OptionError.exit_code)
    known = _unforeseen(error)
    return None if known is None else _failed(known)


def _interrupted(interrupt: BaseException) -> int:
    """Return the exit code of an interrupt: the signal's, or that of the thread whose end is behind it."""
    if _thread_errors:
        return _failed(_thread_errors[0])
    say_farewell()
    cause = interrupt.__cause__ if isinstance(interrupt, click.Abort) else interrupt  # click's, or the end of an answer
    code: int = getattr(cause, "exit_code", INTERRUPTED)
    return code


def _end_with_thread(failure: threading.ExceptHookArgs) -> None:
    """End the command where one of its threads has failed, since others may wait for what it was to do for ever."""
    error = failure.exc_value or failure.exc_type()
    known = _unforeseen(error) or PromiseError(_place(error), f"a thread ended ({type(error).__name__}: {error})")
    _thread_errors.append(known)
    _thread.interrupt_main()


def _failed(error: EtlError) -> int:
    return _shown(error, error.exit_code)


def _shown(error: BaseException, exit_code: int) -> int:
    show_failure(error, exit_code, str(error))
    return exit_code


def _unforeseen(error: BaseException) -> EtlError | None:
    """Return the error of ours for one of the system or of a library in Rust; None for a mistake of our own."""
    exhausted = exhausted_error(error)
    if exhausted is not None:
        return exhausted
    if is_panic(error):
        return PromiseError(_place(error), f"Polars panicked ({error})")
    if not isinstance(error, OSError):
        return None
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    problem = f"{error.strerror or error} ({name})"
    return StorageError(error.filename or _place(error), problem, "check the path, its permissions and its disk")


def _place(error: BaseException) -> str:
    """Return the name of our function that met *error*, where no file is named."""
    frames = [frame.f_code.co_qualname for frame, _ in traceback.walk_tb(error.__traceback__) if _is_ours(frame)]
    return frames[-1] if frames else "saturi"


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).startswith("saturi.")
