"""Screen of `doctor`: findings, extras and keys, one line a thing."""

from rich.console import Console
from rich.table import Table

from saturi.etl.console.lines import add_row, print_line
from saturi.etl.console.screens.tables import print_table
from saturi.schemas.health import Health

_STYLES = {"ok": "green", "note": "yellow", "problem": "red"}


def show_health(console: Console, health: Health) -> None:
    """Print the versions, every finding with its advice, and which extras are there."""
    versions = dict(health.versions)
    print_line(
        console, f"saturi {versions.pop('saturi')}" + (f", commit {health.commit}" if health.commit else ""), "bold"
    )
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column("state", no_wrap=True)
    table.add_column("subject", no_wrap=True)
    table.add_column("fact", overflow="fold")
    add_row(table, "ok", "versions", ", ".join(f"{name} {number}" for name, number in versions.items()))
    for finding in health.findings:
        fact = finding.fact if finding.advice is None else f"{finding.fact}; {finding.advice}"
        add_row(table, finding.state, finding.subject, fact, style=_STYLES[finding.state] if finding.advice else None)
    for extra in health.extras:
        there = "installed" if not extra.missing else f"not installed: {extra.install}"
        add_row(table, "extra", extra.name, f"{extra.purpose}; {there}")
    print_table(console, table)
    if health.is_well:
        print_line(console, "Nothing keeps a build from running.", "green")
    else:
        print_line(console, "A build would fail here: see the problems above.", "red")
