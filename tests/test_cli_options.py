"""The options of a build: on the command line, in etl.toml, by default, and refused."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from corpora import ANSWER_ZIP, answers, write_zip
from runs import chunks_of, counts_of, error_of, facts_of, invoke, manifest_of, segments_of, tree_of

from saturi.etl.settings.options import SYSTEM_PROMPT, BuildOptions

OPTIONS: dict[str, tuple[list[str], str, Any]] = {
    "unit": (["--unit", "sentence"], '"sentence"', "sentence"),
    "source": (["--source", "dialect"], '"dialect"', "dialect"),
    "region": (["--region", "jeju", "--region", "gyeongsang"], '["jeju", "gyeongsang"]', ["gyeongsang", "jeju"]),
    "speech_type": (
        ["--speech-type", "dialogue", "--speech-type", "answer"],
        '["dialogue", "answer"]',
        ["answer", "dialogue"],
    ),
    "direction": (["--direction", "to-dialect"], '"to-dialect"', "to-dialect"),
    "system_prompt": (["--system-prompt", "{region} 말로"], '"{region} 말로"', "{region} 말로"),
    "paraphrase": (["--paraphrase", "가", "--paraphrase", "나"], '["가", "나"]', ["가", "나"]),
    "identical": (["--identical", "0.5"], "0.5", 0.5),
    "min_words": (["--min-words", "1"], "1", 1),
    "max_words": (["--max-words", "50"], "50", 50),
    "min_chars": (["--min-chars", "2"], "2", 2),
    "max_chars": (["--max-chars", "500"], "500", 500),
    "max_length_ratio": (["--max-length-ratio", "3"], "3", 3.0),
    "dedup": (["--dedup", "source"], '"source"', "source"),
    "conflicts": (["--conflicts", "majority"], '"majority"', "majority"),
    "max_per_script": (["--max-per-script", "5"], "5", 5),
    "speaker_max": (["--speaker-max", "9"], "9", 9),
    "balance": (["--balance", "region:1000"], '"region:1000"', "region:1000"),
    "sample": (["--sample", "39"], "39", 39),
    "sample_per_shard": (["--sample-per-shard", "40"], "40", 40),
    "shard_by": (["--shard-by", "speech_type,split"], '["speech_type"]', ["speech_type"]),
    "clean": (["--no-clean"], "false", False),
    "pii": (["--pii", "mask"], '"mask"', "mask"),
    "validation": (["--validation", "0.25"], "0.25", 0.25),
    "split_by": (["--split-by", "script"], '["script"]', ["script"]),
    "min_validation": (["--min-validation", "3"], "3", 3),
    "tokens": (["--no-tokens"], "false", False),
    "max_chunk_bytes": (["--max-chunk-bytes", "64KiB"], '"64KiB"', 65_536),
    "max_chunk_examples": (["--max-chunk-examples", "12"], "12", 12),
    "max_member_bytes": (["--max-member-bytes", "1.5MB"], '"1.5MB"', 1_500_000),
    "max_ratio": (["--max-ratio", "99.5"], "99.5", 99.5),
    "max_entries": (["--max-entries", "1000"], "1000", 1000),
    "max_unknown": (["--max-unknown", "0.5"], "0.5", 0.5),
    "max_rejects": (["--max-rejects", "0.25"], "0.25", 0.25),
    "allow_bad_archives": (["--allow-bad-archives"], "true", True),
}
OTHERS = {"config", "out", "workers", "stage", "dry-run", "profile", "report", "json", "help", "no-dedup", "merge"}
OTHERS |= {"details", "wait", "progress", "log-file", "executor", "scheduler"}
DEFAULTS = json.loads(json.dumps(BuildOptions().as_json()))
RULES: dict[str, str] = DEFAULTS["clean_rules"]
CHOSEN = {name: value for name, (_, _, value) in OPTIONS.items()} | {"clean_rules": RULES}


def test_every_option_is_in_the_table(tmp_path: Path) -> None:
    """The help of build names every option of BuildOptions and those beside them, and no other."""
    text = invoke("build", "--help", cwd=tmp_path).stdout
    flags = set(re.findall(r"^\s+(?:-[how], )?--([a-z-]+)", text, re.MULTILINE))
    assert flags == {name.replace("_", "-") for name in OPTIONS} | OTHERS
    assert OPTIONS.keys() | {"clean_rules"} == BuildOptions().as_json().keys()


def test_every_option_on_the_command_line(here: Path) -> None:
    """Every option given on the command line decides the build, and is in its manifest."""
    flags = [argument for arguments, _, _ in OPTIONS.values() for argument in arguments]
    run = invoke("build", "corpus", "--out", "out", "--workers", "1", "--stage", "segments", *flags, cwd=here)
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
        run = invoke("build", *more, cwd=cwd)
        assert run.returncode == 0, run.stderr
        assert manifest_of(here / "result")["options"] == CHOSEN
        assert facts_of(here / "result")["workers"] == 1
    assert facts_of(here / "result")["segments_reused"] == 1
    assert list((here / "below").iterdir()) == []


@pytest.mark.parametrize("bit", range(len(RULES).bit_length()))
def test_every_rule_in_the_file(here: Path, bit: int) -> None:
    """Every cleaning rule is switched by its name in the table [clean], and by nothing on the command line."""
    # Rules whose numbers have the bit: no two rules are switched by the same builds, and none by no build.
    names = [name for number, name in enumerate(RULES, 1) if number >> bit & 1]
    others = {name: {"rewrite": "keep", "drop": "rewrite"}[RULES[name]] for name in names}
    lines = [f'{name} = "{other}"' for name, other in others.items()]
    (here / "etl.toml").write_text("\n".join(["[clean]", *lines]), encoding="utf-8")
    assert invoke("build", "corpus", "--workers", "1", cwd=here).returncode == 0
    assert manifest_of(here / "out")["options"]["clean_rules"] == RULES | others


def test_the_command_line_goes_over_the_file(here: Path) -> None:
    """What the command line says counts more than etl.toml, which counts more than the default."""
    (here / "etl.toml").write_text(
        '[corpus]\npaths = ["nowhere"]\n[build]\nunit = "sentence"\nvalidation = "official"\nout = "x"'
    )
    run = invoke("build", "corpus", "--out", "out", "--unit", "file", "--speech-type", "answer", cwd=here)
    assert run.returncode == 0, run.stderr
    changed = {"unit": "file", "validation": "official", "speech_type": ["answer"]}
    assert manifest_of(here / "out")["options"] == DEFAULTS | changed
    assert not (here / "x").exists()


def test_the_defaults(tmp_path: Path) -> None:
    """Without a word, ./data is built into ./out with the options of the original recipe; without ./data there is an error."""
    assert str(tmp_path / "data") in error_of(invoke("build", cwd=tmp_path), 3)
    write_zip(tmp_path / "data" / ANSWER_ZIP, answers(40))
    run = invoke("build", cwd=tmp_path)
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
    "wrong-value": ('[build]\nunit = "page"', "etl.toml:2: build.unit: 'page' is unknown"),
    "wrong-placeholder": (
        '[build]\n\nsystem_prompt = "{regoin}"',
        "etl.toml:3: build.system_prompt: {regoin} is no placeholder",
    ),
    "wrong-together": (
        "[build]\nmin_words = 5\nmax_words = 4",
        "etl.toml:2: build.min_words: 5 is more than the most, 4",
    ),
    "of-another-command": ("[submit]\nepochs = 0", "etl.toml:2: submit.epochs: 0 is out of range"),
    "out-of-range": ("[build]\nvalidation = 1.5", "1.5"),
    "unknown-rule": ('[clean]\nevents = "drop"', "did you mean event?"),
    "unknown-action": ('[clean]\nevent = "mask"', "etl.toml:2: clean.event: Invalid"),
    "unknown-pii": ('[build]\npii = "rewrite"', "rewrite"),
}


@pytest.mark.parametrize(("text", "expected"), CONFIGS.values(), ids=CONFIGS)
def test_a_wrong_configuration(here: Path, text: str, expected: str) -> None:
    """What etl.toml cannot hold is refused with 2, its line or the nearest known name; nothing is written."""
    (here / "etl.toml").write_text(text, encoding="utf-8")
    before = tree_of(here)
    assert expected in error_of(invoke("build", "corpus", "--out", "out", cwd=here), 2)
    assert tree_of(here) == before


def test_a_dry_run_checks_all_of_the_file(here: Path) -> None:
    """A dry run refuses an error in any table of etl.toml, those of other commands included."""
    (here / "etl.toml").write_text("[build]\nworkers = 2\n\n[submit]\nepochs = 0\n", encoding="utf-8")
    sentence = error_of(invoke("build", "corpus", "--dry-run", cwd=here), 2)
    assert "etl.toml:5: submit.epochs: 0 is out of range" in sentence


def test_terms_in_any_spelling(here: Path) -> None:
    """A choice takes - for _, and Korean words; the error for one that is unknown lists both."""
    spelt = ["--merge", "speech-type", "--region", "강원"]
    assert invoke("build", "corpus", "--dry-run", *spelt, cwd=here).returncode == 0
    sentence = error_of(invoke("build", "corpus", "--region", "seoul", cwd=here), 2)
    assert "choose from gangwon 강원, gyeongsang 경상, chungcheong 충청, jeolla 전라, jeju 제주, unknown" in sentence


USAGE = {
    "no-workers": ["--workers", "0"],
    "half-a-worker": ["--workers", "0.5"],
    "unknown-region": ["--region", "seoul"],
    "unknown-speech-type": ["--speech-type", "song"],
    "unknown-unit": ["--unit", "page"],
    "unknown-source": ["--source", "standard"],
    "unknown-option": ["--nope"],
    "unknown-direction": ["--direction", "to-english"],
    "unknown-pii": ["--pii", "hide"],
    "no-share": ["--validation", "half"],
    "too-identical": ["--identical", "1.5"],
    "no-share-of-identical": ["--identical", "some"],
    "more-than-the-most": ["--min-words", "5", "--max-words", "4"],
    "no-words": ["--max-words", "0"],
    "no-length-ratio": ["--max-length-ratio", "0.5"],
    "unknown-dedup": ["--dedup", "target"],
    "unknown-conflicts": ["--conflicts", "first"],
    "unknown-balance": ["--balance", "speaker"],
    "balance-to-nothing": ["--balance", "region:"],
    "no-sample": ["--sample", "0"],
    "unknown-shards": ["--shard-by", "speaker"],
    "merged-over-speakers": ["--merge", "speaker"],
    "two-words-on-duplicates": ["--dedup", "source", "--no-dedup"],
    "split-by-nothing": ["--split-by", ""],
    "split-by-unknown": ["--split-by", "region"],
    "split-by-split": ["--split-by", "split"],
    "least-of-none": ["--validation", "0", "--min-validation", "3"],
    "least-of-the-official": ["--validation", "official", "--min-validation", "3"],
    "least-of-speakers": ["--split-by", "speaker", "--min-validation", "3"],
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
    sentence = error_of(invoke("build", "corpus", "--out", "out", *arguments, cwd=here), 2)
    assert arguments[0] in sentence or arguments[-1] in sentence
    assert tree_of(here) == before
