"""
The naive recipe, as public notebooks have it, on label files already unpacked: `json.load` each, and write its pair.

    python -m benchmarks.naive FOLDER OUT.jsonl
"""

import json
import sys
from pathlib import Path

from etl.options import SYSTEM_PROMPT


def main(folder: Path, out: Path) -> int:
    """Write the pair of every label file below *folder* to *out*, and return how many there are."""
    examples = 0
    with out.open("w", encoding="utf-8") as lines:
        for path in folder.rglob("*.json"):
            with path.open(encoding="utf-8") as file:
                label = json.load(file)
            source, target = label["transcription"]["pronunciation"], label["transcription"]["standard"]
            if not source or not target:
                continue
            messages = [
                {"role": "system", "content": SYSTEM_PROMPT},
                {"role": "user", "content": source},
                {"role": "assistant", "content": target},
            ]
            lines.write(json.dumps({"messages": messages}, ensure_ascii=False) + "\n")
            examples += 1
    return examples


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), Path(sys.argv[2])))
