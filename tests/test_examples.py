"""The scripts in `examples`, which a reader runs from top to bottom."""

from pathlib import Path

import forked
from runs import ROOT


def test_the_walkthrough(tmp_path: Path) -> None:
    """The walkthrough runs as it stands, and prints what every step gives."""
    run = forked.run(ROOT / "examples" / "walkthrough.py", tmp_path, cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    for shown in ("archives, 200 label files", "<BuildResult", "damage=0", "jeolla", " → ", "dollars", "chrf"):
        assert shown in run.stdout
