"""`etl.toml`: every option has its key, and what is wrong in the file is said with its path and what to write instead."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from saturi.etl.errors import OptionError
from saturi.etl.settings.config import read_config
from saturi.etl.settings.options import BuildOptions
from saturi.etl.submission.options import SubmitOptions
from saturi.schemas.cleaning import CleanRules

_GIVEN: dict[str, Any] = {
    "validation": "official",
    "paraphrase": ["다른 말로"],
    "max_length_ratio": 2.5,
    "balance": "region",
    **dict.fromkeys(("max_chunk_examples", "min_words", "max_words", "min_chars", "max_chars"), 5),
    **dict.fromkeys(("max_per_script", "speaker_max", "sample", "sample_per_shard"), 6),
}
_VALUES: dict[str, Any] = {
    "out": "result",
    "workers": 3,
    "stage": "cache",
    **json.loads(json.dumps(BuildOptions(**_GIVEN).as_json())),
}
del _VALUES["clean_rules"]  # a table of its own


def _write(folder: Path, text: str) -> Path:
    path = folder / "etl.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_option_is_a_key() -> None:
    """The values that this module tries are those of every option of a build, and of where it goes and how it runs."""
    options = {field.name for field in structs.fields(BuildOptions)}
    assert set(_VALUES) == options - {"clean_rules"} | {"out", "workers", "stage"}


@pytest.mark.parametrize("name", list(_VALUES))
def test_every_key_is_read(tmp_path: Path, name: str) -> None:
    """A key of [build] is read with its value, and all others stay silent."""
    # A JSON value of these kinds is a TOML value.
    config = read_config(_write(tmp_path, f"[build]\n{name} = {json.dumps(_VALUES[name], ensure_ascii=False)}\n"))
    expected = str(tmp_path / _VALUES[name]) if name in ("out", "stage") else _VALUES[name]
    assert config.options == {"build": {name: expected}}


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ('max_chunk_bytes = "64MiB"', "max_chunk_bytes", "64MiB"),
        ('max_member_bytes = "1 GB"', "max_member_bytes", "1 GB"),
        ("validation = 0", "validation", 0),
        ("validation = 0.05", "validation", 0.05),
        ("max_ratio = 100", "max_ratio", 100),
        ('region = "제주"', "region", ["제주"]),
        ('paraphrase = "가"', "paraphrase", ["가"]),
        ('system_prompt = "표준어로"', "system_prompt", "표준어로"),
        ('dedup = "none"', "dedup", "none"),
        ('shard_by = "split"', "shard_by", "split"),
        ("identical = 1", "identical", 1),
    ],
)
def test_values_may_be_written_like_on_the_command_line(tmp_path: Path, line: str, name: str, value: object) -> None:
    """Sizes may have units, shares may be whole numbers, and texts may be Hangul."""
    assert read_config(_write(tmp_path, f"[build]\n{line}\n")).table("build") == {name: value}


@pytest.mark.parametrize("text", ["", "# nothing\n", "[build]\n", "[corpus]\npaths = []\n"])
def test_an_empty_file_says_nothing(tmp_path: Path, text: str) -> None:
    """A file, or a table in it, may be empty."""
    config = read_config(_write(tmp_path, text))
    assert (config.paths, config.clean, config.options) == ((), CleanRules(), {"build": {}})


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths count from the folder of the file, absolute ones stay, wherever the command is run."""
    there = tmp_path / "설정"
    there.mkdir()
    absolute = str(tmp_path / "elsewhere")
    text = f'[corpus]\npaths = ["data", \'{absolute}\', "../more"]\n[build]\nout = "out"\nstage = \'{absolute}\'\n'
    _write(there, text)
    monkeypatch.chdir(tmp_path)
    for path in (there / "etl.toml", Path("설정/etl.toml")):
        config = read_config(path)
        assert list(config.paths) == [there / "data", Path(absolute), there / "../more"]
        assert config.table("build") == {"out": str(there / "out"), "stage": absolute}


def test_options_of_other_rooms(tmp_path: Path) -> None:
    """A table may hold the options of another struct, but for those that only the command line has."""
    others = {"submit": SubmitOptions}
    path = _write(tmp_path, '[submit]\nepochs = 2\nkey_file = "key"\naccept_data_terms = true\n')
    expected = {"epochs": 2, "key_file": str(tmp_path / "key"), "accept_data_terms": True}
    assert read_config(path, others).table("submit") == expected
    for name in ("resubmit", "allow_unknown_price"):
        with pytest.raises(
            OptionError, match=rf":2: submit\.{name}: an unknown option; .*[Kk]nown are provider, model, epochs"
        ):
            read_config(_write(tmp_path, f"[submit]\n{name} = true\n"), others)
    with pytest.raises(OptionError, match="Known are corpus, build, clean, submit"):
        read_config(_write(tmp_path, "[sumbit]\n"), others)


def _unknown_at(place: str) -> str:
    kinds = {"1: biuld": "table", "1: unit": "option outside of any table"}
    return f"an unknown {kinds.get(place, 'option')}"


@pytest.mark.parametrize(
    ("text", "place", "advice"),
    [
        pytest.param("[build]\nregoin = []", "2: build.regoin", "did you mean region?", id="misspelt"),
        pytest.param("[build]\nRegion = []", "2: build.Region", "did you mean region?", id="upper-case"),
        pytest.param(
            "[build]\nmax-chunk-bytes = 1",
            "2: build.max-chunk-bytes",
            "did you mean max_chunk_bytes?",
            id="dashes",
        ),
        pytest.param("[build]\nno_dedup = true", "2: build.no_dedup", "did you mean dedup?", id="negated"),
        pytest.param("[build]\nxyz = 1", "2: build.xyz", "known are out, workers, stage", id="far-from-all"),
        pytest.param('[build]\n"방언" = 1', "2: build.방언", "known are out, workers, stage", id="hangul"),
        pytest.param('[corpus]\npath = "x"', "2: corpus.path", "did you mean paths?", id="in-another-table"),
        pytest.param("[biuld]\n", "1: biuld", "did you mean build? Known are corpus, build, clean", id="table"),
        pytest.param('unit = "file"', "1: unit", "known are corpus, build, clean", id="without-a-table"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(tmp_path: Path, text: str, place: str, advice: str) -> None:
    """A name nobody knows is refused, with where it stands, the nearest known one, and all of them."""
    path = _write(tmp_path, text)
    with pytest.raises(OptionError) as caught:
        read_config(path)
    where, what, hint = caught.value.args
    assert (where, what) == (f"{path}:{place}", _unknown_at(place))
    assert advice in hint


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("[build]\nunit = 5", "2: build.unit", id="number-for-text"),
        pytest.param('[build]\nworkers = "four"', "2: build.workers", id="text-for-number"),
        pytest.param("[build]\nworkers = 1.5", "2: build.workers", id="fraction-for-number"),
        pytest.param("[build]\nregion = [1]", "2: build.region", id="number-in-list"),
        pytest.param("[build]\ndedup = false", "2: build.dedup", id="truth-for-text"),
        pytest.param("[corpus]\npaths = [1]", "2: corpus.paths", id="number-for-path"),
        pytest.param("build = 5", "1: build", id="number-for-table"),
    ],
)
def test_wrong_types_are_refused_with_their_place(tmp_path: Path, text: str, place: str) -> None:
    """A value of the wrong type is refused, with what it is not, in the words of TOML, and the key."""
    with pytest.raises(OptionError) as caught:
        read_config(_write(tmp_path, text))
    where, problem, advice = caught.value.args
    assert where.endswith(f"etl.toml:{place}")
    assert re.search(r" is not a (text|whole number|table)$", problem)
    assert advice


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"[build", r"no valid TOML \(.*end of document", id="unclosed-table"),
        pytest.param(b"[build]\nunit = file", r"no valid TOML \(.*line 2", id="no-quotes"),
        pytest.param(b"[build]\nunit = 'file'\nunit = 'file'\n", r"no valid TOML \(.*line 3", id="named-twice"),
        pytest.param(
            "[build]\nsystem_prompt = '방언'".encode("cp949"), r"is not in UTF-8 .*; save it as UTF-8", id="cp949"
        ),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    """What is no TOML in UTF-8 is refused with its path and, where it is known, the line."""
    path = tmp_path / "etl.toml"
    path.write_bytes(content)
    with pytest.raises(OptionError, match=problem) as caught:
        read_config(path)
    assert caught.value.args[0] == str(path)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    """A file that is not there, or is a folder, is an error of the configuration."""
    with pytest.raises(OptionError, match=r"etl\.toml: cannot be read \(No such file or directory\); check the path"):
        read_config(tmp_path / "etl.toml")
    with pytest.raises(OptionError, match="cannot be read"):
        read_config(tmp_path)


def test_an_unknown_table_like_none(tmp_path: Path) -> None:
    """An unknown table that is near to none has no suggestion."""
    with pytest.raises(OptionError, match=r"model: an unknown table; known are corpus, build, "):
        read_config(_write(tmp_path, "[model]\na = 1"))


def test_a_name_without_end(tmp_path: Path) -> None:
    """Of an unknown name without end, the beginning is compared and shown."""
    with pytest.raises(OptionError, match=r"etl\.toml:2: build\.stagge*: an unknown option; known are out, "):
        read_config(_write(tmp_path, f"[build]\nstagg{'e' * 100_000} = 1\n"))
