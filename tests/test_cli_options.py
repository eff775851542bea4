"""The options of a build: on the command line, in etl.toml, by default, and refused."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from runs import chunks_of, counts_of, error_of, facts_of, manifest_of, saturi, segments_of, tree_of

from etl.options import SYSTEM_PROMPT, BuildOptions

OPTIONS: dict[str, tuple[list[str], str, Any]] = {
    "unit": (["--unit", "sentence"], '"sentence"', "sentence"),
    "source": (["--source", "dialect"], '"dialect"', "dialect"),
    "region": (["--region", "jeju", "--region", "gyeongsang"], '["jeju", "gyeongsang"]', ["gyeongsang", "jeju"]),
    "speech_type": (
        ["--speech-type", "dialogue", "--speech-type", "answer"],
        '["dialogue", "answer"]',
        ["answer", "dialogue"],
    ),
    "system_prompt": (["--system-prompt", "표준어로"], '"표준어로"', "표준어로"),
    "dedup": (["--no-dedup"], "false", False),
    "validation": (["--validation", "0.25"], "0.25", 0.25),
    "max_chunk_bytes": (["--max-chunk-bytes", "64KiB"], '"64KiB"', 65_536),
    "max_chunk_examples": (["--max-chunk-examples", "12"], "12", 12),
    "max_member_bytes": (["--max-member-bytes", "1.5MB"], '"1.5MB"', 1_500_000),
    "max_ratio": (["--max-ratio", "99.5"], "99.5", 99.5),
    "max_entries": (["--max-entries", "1000"], "1000", 1000),
    "max_unknown": (["--max-unknown", "0.5"], "0.5", 0.5),
    "max_rejects": (["--max-rejects", "0.25"], "0.25", 0.25),
    "allow_bad_archives": (["--allow-bad-archives"], "true", True),
}
OTHERS = {"config", "out", "workers", "stage", "dry-run", "profile", "json", "help"}
DEFAULTS = json.loads(json.dumps(BuildOptions().as_json()))
CHOSEN = {name: value for name, (_, _, value) in OPTIONS.items()}


def test_every_option_is_in_the_table(tmp_path: Path) -> None:
    """The help of build names every option of BuildOptions and those beside them, and no other."""
    text = saturi("build", "--help", cwd=tmp_path).stdout
    flags = set(re.findall(r"^\s+(?:-h, )?--([a-z-]+)", text, re.MULTILINE))
    assert flags == {name.replace("_", "-") for name in OPTIONS} | OTHERS
    assert OPTIONS.keys() == BuildOptions().as_json().keys()


def test_every_option_on_the_command_line(here: Path) -> None:
    """Every option given on the command line decides the build, and is in its manifest."""
    flags = [argument for arguments, _, _ in OPTIONS.values() for argument in arguments]
    run = saturi("build", "corpus", "--out", "out", "--workers", "1", "--stage", "segments", *flags, cwd=here)
    assert run.returncode == 0, run.stderr
    assert manifest_of(here / "out")["options"] == CHOSEN
    assert facts_of(here / "out")["workers"] == 1
    assert len(segments_of(here / "segments")) == 1


def test_every_option_in_the_file(here: Path) -> None:
    """Every option in etl.toml decides the build, and its paths are relative to the file."""
    lines = [f"{name} = {text}" for name, (_, text, _) in OPTIONS.items()]
    settings = ['[corpus]\npaths = ["corpus"]\n[build]', 'out = "result"', 'stage = "segments"', "workers = 1", *lines]
    (here / "below").mkdir()
    (here / "etl.toml").write_text("\n".join(settings), encoding="utf-8")
    for cwd, more in ((here, []), (here / "below", ["--config", "../etl.toml"])):
        run = saturi("build", *more, cwd=cwd)
        assert run.returncode == 0, run.stderr
        assert manifest_of(here / "result")["options"] == CHOSEN
        assert facts_of(here / "result")["workers"] == 1
    assert facts_of(here / "result")["segments_reused"] == 1
    assert list((here / "below").iterdir()) == []


def test_the_command_line_goes_over_the_file(here: Path) -> None:
    """What the command line says counts more than etl.toml, which counts more than the default."""
    (here / "etl.toml").write_text(
        '[corpus]\npaths = ["nowhere"]\n[build]\nunit = "sentence"\nvalidation = "official"\nout = "x"'
    )
    run = saturi("build", "corpus", "--out", "out", "--unit", "file", "--speech-type", "answer", cwd=here)
    assert run.returncode == 0, run.stderr
    changed = {"unit": "file", "validation": "official", "speech_type": ["answer"]}
    assert manifest_of(here / "out")["options"] == DEFAULTS | changed
    assert not (here / "x").exists()


def test_the_defaults(tmp_path: Path) -> None:
    """Without a word, ./data is built into ./out with the options of the original recipe; without ./data there is an error."""
    assert str(tmp_path / "data") in error_of(saturi("build", cwd=tmp_path), 3)
    write_zip(tmp_path / "data" / ANSWER_ZIP, answers(40))
    run = saturi("build", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert manifest_of(tmp_path / "out")["options"] == DEFAULTS
    assert counts_of(tmp_path / "out")["label_files"] == 40
    assert SYSTEM_PROMPT.encode() in next(iter(chunks_of(tmp_path / "out").values()))[0]


CONFIGS = {
    "unknown-option": ("[build]\nmax_chunk_byte = 1", "did you mean max_chunk_bytes?"),
    "unknown-option-with-hyphen": ("[build]\nspeech-types = []", "did you mean speech_type?"),
    "unknown-table": ("[biuld]\n", "did you mean build?"),
    "unknown-path": ('[corpus]\npath = "a"', "did you mean paths?"),
    "no-toml": ("[build", "etl.toml"),
    "wrong-type": ('[build]\nworkers = "two"', "workers"),
    "wrong-value": ('[build]\nunit = "page"', "page"),
    "out-of-range": ("[build]\nvalidation = 1.5", "1.5"),
}


@pytest.mark.parametrize(("text", "expected"), CONFIGS.values(), ids=CONFIGS)
def test_a_wrong_configuration(here: Path, text: str, expected: str) -> None:
    """A name or value that etl.toml cannot hold is refused with 2, the nearest known name, and nothing written."""
    (here / "etl.toml").write_text(text, encoding="utf-8")
    before = tree_of(here)
    assert expected in error_of(saturi("build", "corpus", "--out", "out", cwd=here), 2)
    assert tree_of(here) == before


USAGE = {
    "no-workers": ["--workers", "0"],
    "half-a-worker": ["--workers", "0.5"],
    "unknown-region": ["--region", "seoul"],
    "unknown-speech-type": ["--speech-type", "song"],
    "unknown-unit": ["--unit", "page"],
    "unknown-source": ["--source", "standard"],
    "unknown-option": ["--nope"],
    "no-share": ["--validation", "half"],
    "all-held-out": ["--validation", "1"],
    "not-a-number": ["--validation", "nan"],
    "no-size": ["--max-chunk-bytes", "big"],
    "no-bytes": ["--max-chunk-bytes", "0"],
    "no-examples": ["--max-chunk-examples", "0"],
    "no-member": ["--max-member-bytes", "0"],
    "ratio-below-one": ["--max-ratio", "0.5"],
    "no-entries": ["--max-entries", "0"],
    "too-unknown": ["--max-unknown", "1.1"],
    "negative-rejects": ["--max-rejects", "-0.1"],
    "no-such-config": ["--config", "nowhere.toml"],
}


@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE)
def test_wrong_options(here: Path, arguments: list[str]) -> None:
    """An option with a value it cannot have is refused with 2 and one sentence that names it; nothing is written."""
    before = tree_of(here)
    sentence = error_of(saturi("build", "corpus", "--out", "out", *arguments, cwd=here), 2)
    assert arguments[0] in sentence or arguments[-1] in sentence
    assert tree_of(here) == before
