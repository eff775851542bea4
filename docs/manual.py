"""Manual pages of `saturi` and each of its commands, from the same declarations as `--help`: `python docs/manual.py FOLDER`."""

import sys
from pathlib import Path

import click
from click_man.core import write_man_pages

from saturi.etl.console.dispatch import COMMANDS, cli
from saturi.etl.version import __version__


def main(folder: Path) -> None:
    """Write the pages to *folder*; SOURCE_DATE_EPOCH is their date, if it is set."""
    folder.mkdir(parents=True, exist_ok=True)
    # The commands of `cli` are loaded when they are asked for, and click-man asks for none.
    context = click.Context(cli)
    loaded = click.Group("saturi", help=cli.help, params=cli.params)
    for name, summary in COMMANDS.items():
        command = cli.get_command(context, name)
        if command is not None:
            command.short_help = summary
            loaded.add_command(command)
    write_man_pages("saturi", loaded, version=__version__, target_dir=str(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
