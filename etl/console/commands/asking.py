"""Consent at the command line: options that give it, and questions on a terminal for the rest."""

import sys
from typing import TYPE_CHECKING

import click

from saturi.etl.console.display import terminal_columns
from saturi.etl.output.printable import counted, printable
from saturi.etl.runtime.interrupts import farewell_meanwhile, interrupt_reading
from saturi.etl.submission.consent import TERMS, Agreement, PriorConsent
from saturi.etl.submission.plan import Plan
from saturi.schemas.ledger import JobRow

if TYPE_CHECKING:
    from rich.console import Console


_UNSENT = "Nothing was sent."
_NO = ("", "no", "n")
_MOST_CHARACTERS = 40  # of an answer that is shown again


class Asking(PriorConsent):
    """
    Consent by options of the command line, else by a word typed on a terminal, after what is agreed to was shown on *errors*.

    Args:
        errors: The console on stderr.
        given: The options that give consent, as of `PriorConsent`.
    """

    def __init__(self, errors: "Console", **given: bool) -> None:
        super().__init__(**given)
        self._errors = errors
        self._notes: tuple[str, ...] = ()

    def preview(self, plan: Plan, *, terms_due: bool) -> None:
        """Show the plan, the terms where they are not agreed to yet, and what is asked of the provider next."""
        from saturi.etl.console.screens.submit import show_plan, show_questions

        show_plan(self._errors, plan)
        if terms_due:
            show_terms(self._errors, "Submitting sends examples made from the corpus to the provider.")
        show_questions(self._errors, plan)
        self._notes = plan.notes

    def review(self, agreement: Agreement) -> None:
        """Show what the provider's answers add to the plan."""
        from saturi.etl.console.screens.submit import show_agreement

        show_agreement(self._errors, agreement, [note for note in agreement.plan.notes if note not in self._notes])

    def unencrypted(self, base_url: str) -> bool:
        """Return whether key and examples may be sent to *base_url*."""
        return super().unencrypted(base_url) or typed(
            "http",
            f"to send key and examples unencrypted to {printable(base_url)}, readable by others on the way",
            _UNSENT,
        )

    def terms(self) -> bool:
        """Return whether the terms, which are shown with the plan, are agreed to."""
        return super().terms() or typed("agree", "to say that you may do this by the terms above", _UNSENT)

    def spending(self, agreement: Agreement) -> bool:
        """Return whether the plan may be carried out."""
        if super().spending(agreement):
            return True
        usd, estimated = agreement.usd, agreement.estimated_usd
        price = "an unknown price" if usd is None else f"${usd:,.2f}"
        undone = _UNSENT
        if estimated is not None:
            undone = "No job was created; the files are there, and saturi clean deletes them."
            price = f"${estimated:,.2f} by the provider's estimate, {price} by ours"
        return typed("submit", f"to create {counted(len(agreement.new), 'job')} for {price}", undone)

    def another(self, row: JobRow) -> bool:
        """Return whether another job may be created beside *row*."""
        if super().another(row):
            return True
        if row.state == "intended":
            return typed(
                "again",
                f"to create {row.title} anew: it may have been created, but the provider does not list it",
                _UNSENT,
            )
        return typed("again", f"to create {row.title} once more: {row.job_id} {row.status}", _UNSENT)

    def cancelling(self, rows: list[JobRow]) -> bool:
        """Return whether the jobs of *rows* are to be cancelled."""
        jobs = ", ".join(row.job_id or "" for row in rows)
        return super().cancelling(rows) or typed(
            "cancel", f"to cancel {jobs}; steps done are billed all the same", "Nothing was cancelled."
        )

    def deleting(self, names: list[str], size: int) -> bool:
        """Return whether the files *names* are to be deleted."""
        for name in names:
            self._print(name)
        return super().deleting(names, size) or typed(
            "delete", f"to delete {counted(len(names), 'file')} of {size:,} bytes", "Nothing was deleted."
        )

    def _print(self, line: str) -> None:
        from saturi.etl.console.lines import print_line

        print_line(self._errors, line)


def show_terms(errors: "Console", sentence: str) -> None:
    """Print AI-Hub's terms on *errors*, and *sentence* on what the command does that they are about."""
    from saturi.etl.console.lines import print_text

    print_text(errors, (*TERMS, sentence))


def typed(word: str, purpose: str, undone: str) -> bool:
    """
    Return whether *word* is typed on the terminal; without one it is not.

    Enter alone, `no` and Ctrl-D are a no; after anything else the question is asked again. Ctrl-C ends the command, which says
    what is *undone* then.
    """
    if not sys.stdin.isatty():
        return False
    interrupt_reading()
    while True:
        with farewell_meanwhile(f"Interrupted. {undone}"):
            _ask(f"Type {word} {purpose}; Enter is a no: ")
            line = sys.stdin.readline()
        answer = line.strip().casefold()
        if not line.endswith("\n"):  # Ctrl-D
            click.echo(err=True)
        if answer == word:
            return True
        if answer in _NO:
            return False
        click.echo(f"{printable(answer, _MOST_CHARACTERS)!r} is not {word}.", err=True)


def _ask(question: str) -> None:
    """Write *question* to stderr, folded between words, with the cursor behind it."""
    from rich.text import Text

    from saturi.etl.console.lines import folded

    rows = folded(Text(printable(question)), terminal_columns(sys.stderr) or len(question) * 2)
    click.echo("\n".join(row.plain for row in rows) + " ", err=True, nl=False)
