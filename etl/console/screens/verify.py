"""A verification as a person sees it."""

from rich.console import Console
from rich.text import Text

from saturi.etl.console.lines import FAILURE, SUCCESS, print_line, print_note
from saturi.etl.console.screens.words import size
from saturi.etl.output.printable import counted
from saturi.etl.output.verification import Verification


def show_verification(console: Console, verification: Verification) -> None:
    """Print every damage, or that there is none; and what could not be checked."""
    for damage in verification.damage:
        print_line(console, f"{damage.problem}: {damage.path} ({damage.detail})", FAILURE)
    if not verification.damage:
        counts = f"{counted(verification.chunks, 'chunk')}, {counted(verification.examples, 'example')}"
        heading = Text("unchanged", f"bold {SUCCESS}").append(
            f": {counts}, {size(verification.bytes)}", "default not bold"
        )
        print_line(console, heading)
    if verification.unchecked:
        tables = ", ".join(verification.unchecked)
        print_note(console, f"not checked, since they or their hashes are not there: {tables}")
