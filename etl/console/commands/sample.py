"""`sample`: a synthetic corpus to try everything on."""

from pathlib import Path

import click

from etl.console.output import consoles


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--files", type=click.IntRange(min=100), default=400, show_default=True, help="Number of label files, roughly."
)
@click.option("--seed", type=int, default=2022, show_default=True, help="Same seed, same bytes.")
def sample(folder: Path, files: int, seed: int) -> None:
    """Write a small synthetic corpus into FOLDER: the real layout, invented text, broken files included."""
    from etl.synthetic.corpus import write_sample

    report = write_sample(folder, files, seed)
    console, _ = consoles()
    broken = sum(report.broken.values())
    console.print(
        f"{report.label_files} label files in {report.archives} archives, {broken} of them broken on purpose, in {folder}",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )
