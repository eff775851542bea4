"""`schema`: JSON Schema of files and outputs."""

import click

from saturi.etl.console.help import Command
from saturi.etl.console.output import print_schema

EXAMPLES = (
    ("saturi schema", "The names of all formats."),
    ("saturi schema manifest", "The JSON Schema of one."),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("name", required=False)
def schema(name: str | None) -> None:
    """Print the JSON Schema of NAME: a file, or what a command prints by --json. Without NAME, print all names."""
    from saturi.etl.console.lines import print_line
    from saturi.etl.console.output import consoles
    from saturi.etl.formats.schema import schema as run
    from saturi.etl.formats.schema import schema_names

    if name is not None:
        print_schema(run(name))
        return
    console, _ = consoles()
    for known, about in schema_names().items():
        print_line(console, f"{known:<18}{about}")
