"""A verification as a person sees it."""

from rich.console import Console
from rich.text import Text

from etl.console.screens.words import size
from etl.output.verification import Verification


def show_verification(console: Console, found: Verification) -> None:
    """Print what a verification found."""
    for damage in found.damage:
        console.print(Text(f"{damage.problem}: {damage.path} ({damage.detail})", "red"), soft_wrap=True)
    if not found.damage:
        console.print(
            f"{found.chunks} chunks, {found.examples:,} examples, {size(found.bytes)}: all as the manifest says",
            highlight=False,
        )
