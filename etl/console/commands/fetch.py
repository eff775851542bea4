"""`fetch`: label archives from AI-Hub."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from saturi.etl.console.commands.asking import typed
from saturi.etl.console.commands.declared import declared_options
from saturi.etl.console.commands.parameters import config_option
from saturi.etl.console.help import Command
from saturi.etl.console.output import consoles, print_json, resumable, typed_without
from saturi.etl.console.paths import PATH
from saturi.etl.download.options import FetchOptions
from saturi.etl.errors import OptionError

if TYPE_CHECKING:
    from rich.console import Console

_UNREPAIRED = 1


EXAMPLES = (
    ("saturi fetch --list", "The data sets there are; their numbers are what it takes."),
    ("saturi fetch 71517 71558 --dry-run", "What would be downloaded, and how large it is."),
    ("saturi fetch 제주 --to data", "The label archives of the data sets with this in their name."),
)


@click.command(cls=Command, examples=EXAMPLES, waits=True)
@click.argument("data_set", nargs=-1)
@config_option("fetch")
@click.option("--to", type=PATH, help="Folder of the data.  [default: ./data]")
@declared_options(FetchOptions)
@click.option(
    "--list",
    "listing",
    is_flag=True,
    help="Print what there is, or the known data sets; download nothing. Needs no key.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan; download nothing.")
@click.option("--repair", type=PATH, help="Join the parts that aihubshell left in a folder; download nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result on stdout, for machines.")
@click.pass_context
def fetch(ctx: click.Context, /, data_set: tuple[str, ...], **given: Any) -> None:
    """
    Download the label archives of each DATA_SET from AI-Hub, with your own key and approval.

    DATA_SET is a number, like 71517, or part of a name, like 경상. The key is in AIHUB_APIKEY. Run it again after anything:
    what is whole is not downloaded again.
    """
    to, repair = given.pop("to"), given.pop("repair")
    listing, dry_run, as_json = given.pop("listing"), given.pop("dry_run"), given.pop("as_json")
    console, errors = consoles()
    _refuse_two(repair=repair is not None, listing=listing, dry_run=dry_run)
    if repair is not None:
        if data_set:
            raise OptionError("DATA_SET", "nothing is downloaded with --repair", "give one of them")
        ctx.exit(_repair(console, repair, as_json=as_json))
    options = FetchOptions(key_file=ctx.meta["config"].table("fetch").get("key_file"), **given)
    to = to or Path("data")
    if listing:
        _list(console, errors, data_set, options, as_json=as_json)
    elif dry_run:
        _plan(console, errors, (data_set, to, options), as_json=as_json)
    else:
        _fetch(console, errors, (data_set, to, options), as_json=as_json)


def _refuse_two(**asked: bool) -> None:
    """Refuse two of the options that each are in the place of a download."""
    names = {"repair": "--repair", "listing": "--list", "dry_run": "--dry-run"}
    given = [names[name] for name, is_asked in asked.items() if is_asked]
    if len(given) > 1:
        raise OptionError(given[0], f"{given[1]} is given, too", "give one of them")


Request = tuple[tuple[str, ...], Path, FetchOptions]


def _list(
    console: "Console", errors: "Console", data_sets: tuple[str, ...], options: FetchOptions, *, as_json: bool
) -> None:
    from saturi.etl.console.lines import print_next
    from saturi.etl.console.screens.fetch import fetching, show_known, show_lists
    from saturi.etl.download.data_sets import KNOWN
    from saturi.etl.download.plan import list_archives

    if not (data_sets or options.generation or as_json):
        show_known(console, KNOWN)
        print_next(console, "fetch", "--list", f"{KNOWN[0].number}")
        return
    with fetching(errors) as report:
        lists = list_archives(data_sets, options, report=report)
    if as_json:
        print_json("fetch-list", lists)
    else:
        show_lists(console, lists)
        print_next(console, *typed_without("--list"))


def _plan(console: "Console", errors: "Console", request: Request, *, as_json: bool) -> None:
    from saturi.etl.console.lines import print_next
    from saturi.etl.console.screens.fetch import fetching, show_plan
    from saturi.etl.download.plan import plan_fetch

    with fetching(errors) as report:
        plan = plan_fetch(*request, report=report)
    if as_json:
        print_json("fetch-dry-run", plan)
    else:
        show_plan(console, plan)
        print_next(console, *typed_without("--dry-run"))


def _fetch(console: "Console", errors: "Console", request: Request, *, as_json: bool) -> None:
    from saturi.etl.console.screens.fetch import fetching, show_result
    from saturi.etl.download.fetch import fetch as run

    resumable()
    with fetching(errors) as report:
        result = run(*request, agree=lambda: _agree(errors, accepted=request[2].accept_terms), report=report)
    if as_json:
        print_json("fetch", result)
    else:
        show_result(console, result, request[1])


def _agree(errors: "Console", *, accepted: bool) -> bool:
    """Show the terms, and return whether they are agreed to."""
    from saturi.etl.console.lines import print_text
    from saturi.etl.download.terms import TERMS

    print_text(errors, TERMS)
    return accepted or typed("agree", "to say that you may do this", "Nothing was downloaded.")


def _repair(console: "Console", folder: Path, *, as_json: bool) -> int:
    from saturi.etl.console.screens.fetch import show_repairs
    from saturi.etl.download.repair import repair

    repairs = repair(folder)
    if as_json:
        print_json("fetch-repair", repairs)
    else:
        show_repairs(console, repairs, folder)
    return _UNREPAIRED if any(one.state == "incomplete" for one in repairs) else 0
