"""The command line: a command by its name, and what it ends with: an exit code, and one sentence where it failed."""

import gc
import sys
from importlib import import_module

import click

from etl.console.signs import ERRORS
from etl.errors import EtlError, OptionError, StorageError
from etl.output.printable import printable
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


def main() -> None:
    """Run the command line: an error is one sentence on stderr and an exit code."""
    gc.set_threshold(_GC_THRESHOLD)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed by who started us
            stream.reconfigure(errors=ERRORS)  # type: ignore[union-attr]  # a TextIOWrapper, unlike what it may be
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        _say(" ".join(error.format_message().split()))  # it lists choices line by line
        code = error.exit_code
    except (EtlError, FileExistsError) as error:
        _say(str(error))
        code = error.exit_code if isinstance(error, EtlError) else OptionError.exit_code
    except OSError as error:  # what nobody foresaw of files: in one sentence, too
        _say(f"{error.filename or 'a file'}: {error.strerror or error}; check the path and its permissions")
        code = StorageError.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    sys.exit(code)


def _say(sentence: str) -> None:
    click.echo(f"saturi: {printable(sentence, _MOST_CHARACTERS)}", err=True)


if __name__ == "__main__":
    main()
