"""`export`: a build for what trains open models, or the card of a model that was tuned on it."""

import shlex

import click

from saturi.etl.console.commands.parameters import Term
from saturi.etl.console.help import Command
from saturi.etl.console.lines import print_line, print_note
from saturi.etl.console.output import consoles
from saturi.etl.console.paths import LOCATION
from saturi.etl.errors import OptionError
from saturi.etl.exports.base_models import DEFAULT_BASE_MODEL
from saturi.etl.exports.trainers import Trainer
from saturi.etl.storage.location import Location

EXAMPLES = (
    ("saturi export out --to trl", "Files and the command for TRL."),
    ("saturi export out --to hf", "A dataset folder for the Hugging Face libraries."),
    ("saturi export out --card MODEL", "The card of a tuned model, with its scores."),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("out", type=LOCATION)
@click.option("--to", type=Term(Trainer), help="What will read it.")
@click.option("--card", metavar="MODEL", help="Write the card of this tuned model, instead.")
@click.option(
    "--base-model",
    help="Model to tune, in the configuration; with --card, the one that was tuned.",
    show_default=f"{DEFAULT_BASE_MODEL}; with --card, that of the evaluation",
)
@click.option(
    "--evaluation",
    metavar="NAME",
    help="With --card: the evaluation whose scores it shows.",
    show_default="that of the validation split, if there is one",
)
def export(out: Location, to: str | None, card: str | None, base_model: str | None, evaluation: str | None) -> None:
    """
    Write a ready configuration, or a dataset folder, with a dataset card, beside the chunks of the build in OUT.

    With --card it writes the card of a tuned model: what it was tuned on, how that was split, and its scores. No text of the
    corpus is in it.
    """
    if card is not None:
        if to is not None:
            raise OptionError("--card", "it goes without --to", "give one of them")
        _write_card(out, card, base_model, evaluation)
    elif to is None:
        raise OptionError("--to", "it is missing", f"choose from {', '.join(Trainer)}, or give --card MODEL")
    elif evaluation is not None:
        raise OptionError("--evaluation", "it goes with --card", "leave it out")
    else:
        _write_export(out, to, DEFAULT_BASE_MODEL if base_model is None else base_model)


def _write_card(out: Location, model: str, base_model: str | None, evaluation: str | None) -> None:
    from saturi.etl.evaluation.model_card import export_card

    print_line(consoles()[0], f"{export_card(out, model, base_model, evaluation)}: see its README.md")


def _write_export(out: Location, to: str, base_model: str) -> None:
    from saturi.etl.exports.export import write_export

    exported = write_export(out, to, base_model)
    screen = consoles()[0]
    print_line(screen, f"{exported.folder}: see its README.md")
    for note in exported.notes:
        print_note(screen, note)
    if exported.steps:
        print_line(screen, f"Next: cd {shlex.quote(str(exported.folder))}")
    for step in exported.steps:
        print_line(screen, f"{step.title}: {step.command}")
