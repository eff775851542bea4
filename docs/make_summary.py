"""
Make `docs/summary.svg`: what the terminal shows at the end of a build of the synthetic corpus.

    python docs/make_summary.py
"""

import re
import tempfile
from pathlib import Path

from msgspec import structs
from rich.console import Console

from saturi import BuildOptions, build, sample
from saturi.etl.console.screens.build import show_build


def main() -> None:
    """Build a sample and write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, out = Path(folder, "corpus"), Path(folder, "out")
        sample(corpus, files=4000)
        result = build([corpus], out, BuildOptions(), workers=2)
    console = Console(record=True, width=118, file=Path("/dev/null").open("w", encoding="utf-8"))  # noqa: SIM115 - ends with us
    console.print("$ saturi build corpus --out out --workers 2", highlight=False)
    show_build(console, structs.replace(result, out="out"))
    picture = console.export_svg(title="saturi build")
    # A picture that loads fonts from elsewhere is none.
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    Path(__file__).with_name("summary.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
