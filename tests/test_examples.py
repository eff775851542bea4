"""The scripts in `examples`, which a reader runs from top to bottom."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_walkthrough(tmp_path: Path) -> None:
    """The walkthrough runs as it stands, and prints what every step gives."""
    run = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "walkthrough.py"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    for shown in ("archives, 200 label files", "<BuildResult", "damage=0", "jeolla", " → ", "dollars", "chrf"):
        assert shown in run.stdout
