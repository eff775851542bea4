"""Dispatch: a command by its name, and what it ends with: an exit code, and one sentence where it failed."""

import errno
import gc
import traceback
from collections.abc import Callable
from importlib import import_module
from types import FrameType

import click

from etl.console.streams import refuse_loss, strengthen
from etl.errors import EtlError, OptionError, StorageError, exhausted_error
from etl.output.printable import printable
from etl.runtime.interrupts import say_farewell
from etl.version import __version__

INTERRUPTED = 130
_MOST_CHARACTERS = 2_000  # of a sentence
_GC_THRESHOLD = 100_000
"""What is imported, and the entries of archives, are many objects without cycles: looking for some takes a tenth of a start."""

COMMANDS = {
    "inspect": "What a corpus holds.",
    "build": "Label archives to chunks and a manifest.",
    "verify": "Whether a build is as it was written.",
    "explain": "What became of a label file.",
    "check": "Whether chat files are what a provider takes.",
    "estimate": "Tokens and price of training on a build.",
    "export": "A build for a local trainer.",
    "submit": "A build to fine-tuning jobs, each once.",
    "status": "Jobs and files as the provider sees them.",
    "watch": "Follow the jobs to their end.",
    "cancel": "End a job, or all.",
    "evaluate": "Tuned models against their base, and against copying.",
    "clean": "Delete uploaded files that no job needs.",
    "sample": "A small synthetic corpus to try everything on.",
}
"""In the order in which they are used; each is the function of its name in the module of its name in `etl.console.commands`."""


class Commands(click.Group):
    """The commands, each imported when it is asked for, so that none waits for what only another needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return the command *cmd_name*, or None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"etl.console.commands.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list of all commands, for which click would import each."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, message="saturi %(version)s")
def cli() -> None:
    """Turn AI-Hub's Korean dialect label archives into chat fine-tuning data, every label file accounted for."""


def run() -> int:
    """Run the command that the arguments of this process name, and return its exit code."""
    gc.set_threshold(_GC_THRESHOLD)
    strengthen()
    code = _ended(_run)
    return code or _ended(_refuse_loss)


def _run() -> int:
    code: int | None = cli.main(standalone_mode=False)
    return code or 0


def _refuse_loss() -> int:
    refuse_loss(may_have_left=True)
    return 0


def _ended(function: Callable[[], int]) -> int:
    """Return what *function* returns, or the exit code of the error it ends with, after one sentence on it."""
    try:
        return function()
    except click.Abort as abort:  # click's, for an interrupt or for the end of what a person types
        say_farewell()
        return getattr(abort.__cause__, "exit_code", INTERRUPTED)
    except KeyboardInterrupt as interrupt:
        say_farewell()
        return getattr(interrupt, "exit_code", INTERRUPTED)
    except click.ClickException as error:
        _say(" ".join(error.format_message().split()))  # it lists choices line by line
        return error.exit_code
    except (EtlError, FileExistsError) as error:
        _say(str(error))
        return error.exit_code if isinstance(error, EtlError) else OptionError.exit_code
    except (MemoryError, OSError, ImportError, RuntimeError) as error:
        sentence = _unforeseen(error)
        if sentence is None:
            raise
        _say(sentence)
        return StorageError.exit_code


def _say(sentence: str) -> None:
    click.echo(f"saturi: {printable(sentence, _MOST_CHARACTERS)}", err=True)


def _unforeseen(error: Exception) -> str | None:
    """Return a sentence for what the system refused where nothing more is known; None for what is no matter of the system."""
    exhausted = exhausted_error(error)
    if exhausted is not None:
        return str(exhausted)
    if not isinstance(error, OSError):
        return None
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    where = error.filename or _place(error)
    return f"{where}: {error.strerror or error} ({name}); check the path, its permissions and its disk"


def _place(error: OSError) -> str:
    """Return the name of our function that met *error*, since the system names no file."""
    frames = [frame.f_code.co_qualname for frame, _ in traceback.walk_tb(error.__traceback__) if _is_ours(frame)]
    return frames[-1] if frames else "saturi"


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).startswith("etl.")
