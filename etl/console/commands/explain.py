"""`explain`: what became of one label file, step by step."""

import click

from saturi.etl.console.help import Command
from saturi.etl.console.output import consoles, print_json
from saturi.etl.console.paths import LOCATION
from saturi.etl.storage.location import Location

EXAMPLES = (
    ("saturi explain out --member st_set1_0001.json", "Where a label file went, step by step."),
    ("saturi explain out --member st_set1_0001.json --text", "The same with its texts."),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("out", type=LOCATION)
@click.option("--member", required=True, help="Path of a label file in its archive, or its file name.")
@click.option("--stage", type=LOCATION, help="Folder of the segments, or its URL.  [default: OUT/stage]")
@click.option("--text", is_flag=True, help="Also print the texts; else no text of the corpus is shown.")
@click.option("--json", "as_json", is_flag=True, help="Print all of it on stdout, for machines.")
def explain(out: Location, *, member: str, stage: Location | None, text: bool, as_json: bool) -> None:
    """Print the way of a label file through the build in OUT: rejected, or each utterance with its split, rules and line."""
    from saturi.etl.console.lines import print_next
    from saturi.etl.console.screens.explain import show_explanation
    from saturi.etl.explanation.explain import explain as run

    explanations = run(out, member, stage=stage, text=text)
    if as_json:
        print_json("explain", explanations)
        return
    console, _ = consoles()
    for explanation in explanations:
        show_explanation(console, explanation)
    print_next(console, "report", out)
