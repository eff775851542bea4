"""`sample`: a synthetic corpus to try everything on."""

from pathlib import Path

import click

from saturi.etl.console.help import Command
from saturi.etl.console.output import consoles
from saturi.etl.console.paths import PATH
from saturi.etl.runtime.interrupts import set_farewell

EXAMPLES = (
    ("saturi sample data", "A corpus of 400 label files."),
    ("saturi sample data --files 4000 --seed 7", "A larger one, with other texts."),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("folder", type=PATH)
@click.option("--files", type=int, default=400, show_default=True, help="Number of label files, 200 to 20,000.")
@click.option("--seed", type=int, default=2022, show_default=True, help="Same seed, same bytes.")
def sample(folder: Path, files: int, seed: int) -> None:
    """Write a small synthetic corpus into FOLDER: the real layout, invented text, broken files included."""
    from saturi.etl.console.lines import print_line, print_next
    from saturi.etl.console.screens.progress import watching
    from saturi.etl.output.printable import counted
    from saturi.etl.synthetic.corpus import sample as run

    console, errors = consoles()
    set_farewell(f"Interrupted. No new sample is whole in {folder}; run the same command again, which writes it anew.")
    with watching(errors) as watcher:
        report = run(folder, files, seed, watcher=watcher)
    broken = sum(report.broken.values())
    written = f"{counted(report.label_files, 'label file')} in {counted(report.archives, 'archive')}"
    print_line(console, f"{written}, {broken} of them broken on purpose, in {folder}")
    print_next(console, "build", folder, "--out", "out")
