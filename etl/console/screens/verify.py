"""A verification as a person sees it."""

from rich.console import Console

from saturi.etl.console.lines import print_line
from saturi.etl.console.screens.words import size
from saturi.etl.output.verification import Verification


def show_verification(console: Console, verification: Verification) -> None:
    """Print every damage, or that there is none; and what could not be checked."""
    for damage in verification.damage:
        print_line(console, f"{damage.problem}: {damage.path} ({damage.detail})", "red")
    if not verification.damage:
        counts = f"{verification.chunks} chunks, {verification.examples:,} examples, {size(verification.bytes)}"
        print_line(console, f"{counts}: all as the manifest says")
    if verification.unchecked:
        tables = ", ".join(verification.unchecked)
        print_line(console, f"not checked, since they or their hashes are not there: {tables}", "yellow")
