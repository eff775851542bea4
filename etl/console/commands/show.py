"""`show`: pairs of a build, with their changed words marked."""

from typing import Any

import click

from saturi.etl.console.commands.parameters import Term
from saturi.etl.console.help import Command
from saturi.etl.console.output import consoles, print_json
from saturi.etl.console.paths import LOCATION
from saturi.etl.storage.location import Location
from saturi.schemas.terms import DropReason, Region, SpeechType, Split

EXAMPLES = (
    ("saturi show out", "Five pairs, spread over the build."),
    ("saturi show out -n 20 --region 제주 --split validation", "More of one region that are held out."),
    ("saturi show out --dropped duplicate", "Utterances that a rule has dropped."),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("out", type=LOCATION)
@click.option("-n", "--count", type=int, default=5, show_default=True, help="Most pairs to show.")
@click.option("--region", type=Term(Region), multiple=True, help="Only this region; may be repeated.")
@click.option("--speech-type", type=Term(SpeechType), multiple=True, help="Only this speech type; may be repeated.")
@click.option("--split", type=Term(Split), help="Only this split.")
@click.option("--dropped", type=Term(DropReason), metavar="REASON", help="Utterances dropped for this reason, instead.")
@click.option("--stage", type=LOCATION, help="Folder of the segments, or its URL.  [default: OUT/stage]")
@click.option("--json", "as_json", is_flag=True, help="Print the pairs on stdout, for machines.")
def show(out: Location, *, as_json: bool, **given: Any) -> None:
    """
    Print pairs of the build in OUT, source and target, with the words that differ marked.

    They are spread over the build, and the same ones every time. The texts of dropped utterances are in the stage.
    """
    from saturi.etl.console.lines import print_line
    from saturi.etl.console.screens.show import show_pairs
    from saturi.etl.pairs.show import show as run

    region, speech_type = given.pop("region") or None, given.pop("speech_type") or None
    pairs = run(out, **given, region=region, speech_type=speech_type)
    if as_json:
        print_json("show", pairs)
        return
    console, errors = consoles()
    show_pairs(console, pairs)
    if not pairs:
        print_line(errors, "Note: no pair of this build is like that.", "yellow")
    elif any(pair.source is None for pair in pairs):
        print_line(
            errors, "Note: the texts are in the stage, which is not there; give its folder by --stage.", "yellow"
        )
