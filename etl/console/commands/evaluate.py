"""`evaluate`: tuned models against their base, and against copying."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import structs

from saturi.etl.console.commands.access import naming
from saturi.etl.console.commands.asking import show_terms, typed
from saturi.etl.console.commands.declared import declared_options
from saturi.etl.console.commands.parameters import config_option, file_of, key_file_of
from saturi.etl.console.help import Command
from saturi.etl.console.output import consoles, print_json, resumable
from saturi.etl.console.paths import LOCATION
from saturi.etl.errors import OptionError
from saturi.etl.evaluation.bill import Bill, PriorConsent
from saturi.etl.evaluation.options import EvaluateOptions
from saturi.etl.output.side import local_side
from saturi.etl.storage.location import Location
from saturi.schemas.evaluation import ShownRow, ShownRows

if TYPE_CHECKING:
    from rich.console import Console

    from saturi.etl.evaluation.extremes import Extremes

_NOBODY = "no model was evaluated: the ledger has no tune, and neither --model nor --predictions was given."
GROUPS = {
    "Systems": (
        "--model",
        "--base-model",
        "--predictions",
        "--provider",
        "--base-url",
        "--providers",
        "--models",
        "--ledger",
    ),
    "Rows": ("--split", "--file", "--sample"),
    "Asking": ("--concurrency", "--seed", "--leave-out-unanswered"),
    "Cost": ("--max-cost", "--accept-data-terms", "--allow-unknown-price", "--yes"),
    "Result": ("--name", "--fail-below", "--show", "--text", "--report", "--json", "--config"),
}
"""Options by the heading they are under in the help."""

EXAMPLES = (
    ("saturi evaluate out", "The tunes of the ledger beside their base models, on the validation split."),
    ("saturi evaluate out --model NAME --base-url URL", "A model served elsewhere."),
    ("saturi evaluate out --show 5 --text", "The rows that gained and lost most, with their texts."),
)

_TEXTS = ("source", "reference", "prediction")


@click.command(cls=Command, groups=GROUPS, examples=EXAMPLES, waits=True)
@click.argument("out", required=False, type=LOCATION)
@config_option("evaluate")
@declared_options(EvaluateOptions)
@click.option("--yes", is_flag=True, help="Agree to the cost, up to --max-cost.")
@click.option("--show", type=int, help="Ask nothing: print the rows of largest gain and loss of before.")
@click.option("--text", is_flag=True, help="With --show, print the texts, too; else no text is shown.")
@click.option("--report", is_flag=True, help="Also write all that is known of OUT as a page, to OUT/report.html.")
@click.option("--json", "as_json", is_flag=True, help="Print the result on stdout, for machines.")
@click.pass_context
def evaluate(ctx: click.Context, /, **given: Any) -> None:
    """
    Score models on the validation split of the build in OUT, side by side with copying the input.

    Without --model it takes base models and tunes from the ledger of OUT. What it costs is shown and asked before anything
    leaves this machine; where nobody can answer, --yes and --max-cost do. Run it again after anything: what was answered
    is not asked again. The exit code is 1 if a score is below --fail-below.
    """
    from saturi.etl.console.lines import print_failure, print_next, print_note
    from saturi.etl.console.screens.evaluate import evaluating, show_evaluation
    from saturi.etl.evaluation.evaluate import evaluate as run
    from saturi.etl.evaluation.results import folder_of, place_of

    out, yes, show, text, as_json = (given.pop(name) for name in ("out", "yes", "show", "text", "as_json"))
    report = given.pop("report")
    ledger = given.pop("ledger") or file_of(ctx, "ledger")
    options = EvaluateOptions(ledger=ledger, key_file=key_file_of(ctx, "evaluate"), **given)
    console, errors = consoles()
    if text and show is None:
        raise OptionError("--text", "it says how rows are shown, and none are", "add --show N")
    if show is not None:
        _show_rows(folder_of(place_of(out, options), options.folder_name), show, as_json=as_json, text=text)
        return
    if report:
        _require_build(out)
    consent = _Asking(errors, yes=yes, accept_data_terms=options.accept_data_terms)
    resumable()
    with evaluating(errors) as news:
        result = run(out, options, consent=consent, report=news)
    if as_json:
        print_json("evaluate", result.evaluation, failures=result.failures)
    else:
        show_evaluation(console, result)
    for note in result.evaluation.notes:
        print_note(errors, note)
    if all(system.role != "candidate" for system in result.evaluation.systems):
        print_note(errors, _NOBODY)
    for failure in result.failures:
        print_failure(errors, failure)
    if report:
        from saturi.etl.console.commands.pages import save_report

        save_report(out, ledger=ledger)
    elif not (as_json or result.failures or out is None):
        print_next(console, "report", out, *naming(ledger))
    ctx.exit(1 if result.failures else 0)


def _show_rows(folder: Path, most: int, *, as_json: bool, text: bool) -> None:
    """Print the *most* rows of largest gain and loss of the evaluation in *folder*."""
    from saturi.etl.console.screens.evaluate import show_extremes
    from saturi.etl.evaluation.extremes import extremes

    systems = extremes(folder, most)
    if as_json:
        print_json("evaluate-show", [_as_json(one, text=text) for one in systems])
    else:
        show_extremes(consoles()[0], systems, text=text)


def _require_build(out: Location | None) -> None:
    """Return if a page can be made after the evaluation."""
    from saturi.etl.reports.page import PAGE, require_page

    if out is None:
        raise OptionError("--report", "a report is of a build, and none is given", "give the folder of a build")
    require_page(local_side(out) / PAGE)


_UNASKED = "No model was asked."


class _Asking(PriorConsent):
    """Shows on *errors* what is agreed to; what was not given on the command line is asked for, if there is a terminal."""

    def __init__(self, errors: "Console", *, yes: bool, accept_data_terms: bool) -> None:
        super().__init__(yes=yes, accept_data_terms=accept_data_terms)
        self._errors = errors

    def review(self, bill: Bill) -> None:
        """Show the bill."""
        from saturi.etl.console.screens.evaluate import show_bill

        show_bill(self._errors, bill)

    def terms(self) -> bool:
        """Show the terms, and return whether they are agreed to."""
        show_terms(self._errors, "Evaluating sends examples made from the corpus to the servers of the models.")
        return super().terms() or typed("agree", "to say that you may do this", _UNASKED)

    def spending(self, bill: Bill) -> bool:
        """Return whether what *bill* says may be spent."""
        price = "an unknown price" if bill.usd is None else f"${bill.usd:,.2f}"
        return super().spending(bill) or typed("ask", f"to have the rows answered for {price}", _UNASKED)


def _as_json(rows: "Extremes", *, text: bool) -> ShownRows:
    """Return rows for machines, without their texts unless those are asked for."""
    hidden = () if text else _TEXTS
    gains, losses = (
        [ShownRow(**{key: value for key, value in structs.asdict(row).items() if key not in hidden}) for row in side]
        for side in (rows.gains, rows.losses)
    )
    return ShownRows(system=rows.system, gains=gains, losses=losses)
