"""A verification as a person sees it."""

from rich.console import Console
from rich.text import Text

from etl.console.screens.words import size
from etl.output.verification import Verification


def show_verification(console: Console, verification: Verification) -> None:
    """Print every damage, or that there is none; and what could not be checked."""
    for damage in verification.damage:
        console.print(Text(f"{damage.problem}: {damage.path} ({damage.detail})", "red"), soft_wrap=True)
    if not verification.damage:
        counts = f"{verification.chunks} chunks, {verification.examples:,} examples, {size(verification.bytes)}"
        console.print(f"{counts}: all as the manifest says", highlight=False)
    if verification.unchecked:
        console.print(
            f"not checked, since they or their hashes are not there: {', '.join(verification.unchecked)}",
            style="yellow",
            highlight=False,
            soft_wrap=True,
        )
