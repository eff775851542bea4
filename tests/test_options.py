"""Options of a build: sizes as people write them, values that cannot be, and all of them as JSON."""

import json
import pickle
import unicodedata
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Union

import pytest
from coverings import examples
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct, defstruct, structs

from saturi.etl.download.options import FetchOptions
from saturi.etl.errors import OptionError
from saturi.etl.evaluation.options import EvaluateOptions
from saturi.etl.example.prompts import REGION_NAMES, SPEECH_TYPE_NAMES
from saturi.etl.providers.pace import Pace
from saturi.etl.settings.declaration import Kind, Option, declarations, flag
from saturi.etl.settings.fields import Options
from saturi.etl.settings.options import SYSTEM_PROMPT, TO_DIALECT_PROMPT, BuildOptions, RunOptions
from saturi.etl.settings.paths import path_of
from saturi.etl.settings.sizes import parse_bytes
from saturi.etl.submission.access import Access
from saturi.etl.submission.options import SubmitOptions
from saturi.schemas.terms import KOREAN, Region, SpeechType


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1", 1),
        ("4096", 4096),
        ("5B", 5),
        ("500KB", 500_000),
        ("500kb", 500_000),
        ("500 k", 500_000),
        ("100MB", 100_000_000),
        ("100M", 100_000_000),
        ("64MiB", 67_108_864),
        ("64 mib", 67_108_864),
        ("64Mi", 67_108_864),
        ("1KiB", 1_024),
        ("1.5 GB", 1_500_000_000),
        ("0.5GiB", 536_870_912),
        ("  7 KB ", 7_000),
    ],
)
def test_sizes_are_read(text: str, size: int) -> None:
    """A size is a number with or without a unit: decimal by default, binary with an i."""
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="space"),
        pytest.param("i", id="only-an-i"),
        pytest.param("MB", id="only-a-unit"),
        pytest.param("1i", id="i-without-a-unit"),
        pytest.param("1iB", id="iB-without-a-unit"),
        pytest.param("-1", id="negative"),
        pytest.param("+1", id="plus"),
        pytest.param("12 parsecs", id="another-unit"),
        pytest.param("1TB", id="too-large-a-unit"),
        pytest.param("1,5GB", id="comma"),
        pytest.param(".5GB", id="no-digit-before-the-point"),
        pytest.param("1.MB", id="no-digit-behind-the-point"),
        pytest.param("1e6", id="exponent"),
        pytest.param("0x10", id="hexadecimal"),
        pytest.param("nan", id="nan"),
        pytest.param("백MB", id="hangul"),
        pytest.param("9" * 400, id="more-than-there-is"),
    ],
)
def test_what_is_no_size_is_refused(text: str) -> None:
    """Anything else is a ValueError, which says how a size is written."""
    with pytest.raises(ValueError, match="write 500KB, 100MB or 64MiB"):
        parse_bytes(text)


OPTIONS: tuple[type[Options], ...] = (BuildOptions, EvaluateOptions, FetchOptions, SubmitOptions, Access, Pace)


@pytest.mark.parametrize("struct", OPTIONS, ids=lambda struct: struct.__name__)
def test_an_unknown_option_in_python(struct: type[Options]) -> None:
    """A field that a struct of options does not have is refused with the nearest, or with all that there are."""
    name = struct.__struct_fields__[0]
    with pytest.raises(OptionError, match=rf"^{struct.__name__}: {name}x: an unknown option; did you mean {name}\?$"):
        struct(**{f"{name}x": 1})
    with pytest.raises(OptionError, match=f"zzz: an unknown option; known are {name}, "):
        struct(zzz=1)
    assert pickle.loads(pickle.dumps(struct())) == structs.replace(struct()) == struct()  # noqa: S301 - our own


@given(st.text(max_size=12) | st.text("0123456789.kKmMgGiIbB -", max_size=12))
@examples(200)
def test_any_text_is_a_size_or_none(text: str) -> None:
    """Any text gives a number of bytes that is not negative, or a ValueError."""
    try:
        size = parse_bytes(text)
    except ValueError:
        return
    assert size >= 0


@given(
    st.integers(0, 2**40), st.sampled_from(["", "k", "M", "g"]), st.sampled_from(["", " "]), st.sampled_from(["", "B"])
)
@examples(100)
def test_sizes_are_exact(number: int, unit: str, space: str, end: str) -> None:
    """A whole number with a unit gives exactly that many bytes."""
    factor = 1_000 ** ["", "k", "m", "g"].index(unit.lower())
    if number * factor < 2**53:
        assert parse_bytes(f"{number}{space}{unit}{end}") == number * factor


_WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("unit", {"unit": "word"}, "--unit: 'word' is unknown", "choose from file, sentence"),
    ("source", {"source": "standard"}, "--source: 'standard' is unknown", "choose from pronunciation, dialect"),
    (
        "region",
        {"region": ("jeju", "seoul")},
        "--region: 'seoul' is unknown",
        "gangwon 강원, gyeongsang 경상, chungcheong 충청, jeolla 전라, jeju 제주, unknown",
    ),
    ("region-in-hangul", {"region": ("서울",)}, "--region: '서울' is unknown", "jeju"),
    (
        "placeholder",
        {"system_prompt": "{regoin} 말로"},
        "--system-prompt: {regoin} is no placeholder",
        "did you mean {region}?",
    ),
    (
        "placeholder-with-a-form",
        {"paraphrase": ("{region!r}",)},
        "--paraphrase: {region!r} is no placeholder",
        "{{ and }}",
    ),
    ("lone-brace", {"system_prompt": "JSON {"}, "--system-prompt: a brace is alone in it", "double a brace"),
    (
        "no-region",
        {"region": ()},
        "--region: none given",
        "gangwon 강원, gyeongsang 경상, chungcheong 충청, jeolla 전라, jeju 제주, unknown",
    ),
    (
        "speech-type",
        {"speech_type": ("st",)},
        "--speech-type: 'st' is unknown",
        "repeat 따라말하기, answer 질문에답하기, dialogue 2인발화, unknown",
    ),
    ("no-speech-type", {"speech_type": ()}, "--speech-type: none given", "repeat 따라말하기, answer 질문에답하기"),
    ("pii", {"pii": "hide"}, "--pii: 'hide' is unknown", "choose from drop, mask, keep"),
    ("clean", {"clean": 1}, "--clean: 1 is no bool", "bool"),
    ("rule", {"clean_rules": {"events": "drop"}}, r"\[clean\]: .*`events`", "double, event, inaudible"),
    ("action", {"clean_rules": {"event": "mask"}}, r"\[clean\]: .*'mask'", "rewrite, drop or keep"),
    ("validation-all", {"validation": 1}, "--validation: 1 is out of range", "from 0 to below 1"),
    ("validation-below", {"validation": -0.001}, "--validation: -0.001 is out of range", "from 0 to below 1"),
    ("validation-nan", {"validation": float("nan")}, "--validation: nan is out of range", "from 0 to below 1"),
    ("validation-misspelt", {"validation": "offical"}, "--validation: .*offical", "official"),
    ("direction", {"direction": "up"}, "--direction: 'up' is unknown", "to-standard, to-dialect"),
    ("paraphrase", {"paraphrase": (1,)}, "--paraphrase: 1 is no str", "str"),
    ("prompt-of-halves", {"system_prompt": "\ud800"}, "--system-prompt: it is no valid Unicode", "UTF-8"),
    ("paraphrase-of-halves", {"paraphrase": "\udfff"}, "--paraphrase: it is no valid Unicode", "UTF-8"),
    ("identical", {"identical": 1.1}, "--identical: 1.1 is out of range", "from 0 to 1"),
    ("identical-word", {"identical": "some"}, "--identical: 'some' is unknown", "keep or drop"),
    ("identical-nan", {"identical": float("nan")}, "--identical: nan is out of range", "from 0 to 1"),
    ("identical-truth", {"identical": True}, "--identical: True is no float or int or str", "float"),
    ("min-words", {"min_words": 0}, "--min-words: 0 is out of range", "from 1 up"),
    ("words", {"min_words": 3, "max_words": 2}, "--min-words: 3 is more than the most, 2", "smaller"),
    ("chars", {"min_chars": 3, "max_chars": 2}, "--min-chars: 3 is more than the most, 2", "smaller"),
    ("length-ratio", {"max_length_ratio": 0.9}, "--max-length-ratio: 0.9 is out of range", "from 1"),
    ("dedup", {"dedup": False}, "--dedup: False is unknown", "pair, source, none"),
    ("conflicts", {"conflicts": "first"}, "--conflicts: 'first' is unknown", "keep, majority, drop"),
    ("per-script", {"max_per_script": 0}, "--max-per-script: 0 is out of range", "from 1 up"),
    ("speaker", {"speaker_max": 1.5}, "--speaker-max: 1.5 is no int", "int"),
    ("balance", {"balance": "script"}, "--balance: 'script' is unknown", "region, speech_type"),
    ("balance-to", {"balance": "region:many"}, "--balance: 'many' is no number of examples", "region:20000"),
    ("balance-to-none", {"balance": "region:0"}, "--balance: '0' is no number of examples", "from 1 up"),
    ("sample", {"sample": 0}, "--sample: 0 is out of range", "from 1 up"),
    ("sample-per-shard", {"sample_per_shard": -1}, "--sample-per-shard: -1 is out of range", "from 1 up"),
    ("shard-by", {"shard_by": "speaker"}, "--shard-by: 'speaker' is unknown", "region, speech_type"),
    ("split-by", {"split_by": "region"}, "--split-by: 'region' is unknown", "script, speaker"),
    ("split-by-nothing", {"split_by": ()}, "--split-by: none given", "script, speaker"),
    ("least", {"min_validation": -1}, "--min-validation: -1 is out of range", "from 0 up"),
    (
        "least-of-speakers",
        {"min_validation": 1, "split_by": ("script", "speaker")},
        "--min-validation: the least number",
        "--split-by script",
    ),
    ("chunk-bytes", {"max_chunk_bytes": 0}, "--max-chunk-bytes: 0 is out of range", "from 1 up"),
    ("chunk-bytes-below", {"max_chunk_bytes": -1}, "--max-chunk-bytes: -1 is out of range", "from 1 up"),
    ("chunk-examples", {"max_chunk_examples": 0}, "--max-chunk-examples: 0 is out of range", "from 1 up"),
    ("member-bytes", {"max_member_bytes": 0}, "--max-member-bytes: 0 is out of range", "from 1 up"),
    ("entries", {"max_entries": 0}, "--max-entries: 0 is out of range", "from 1 up"),
    ("ratio", {"max_ratio": 0.99}, "--max-ratio: 0.99 is out of range", r"from 1 to 1e\+09"),
    ("ratio-nan", {"max_ratio": float("nan")}, "--max-ratio: nan is out of range", r"from 1 to 1e\+09"),
    ("unknown", {"max_unknown": 1.01}, "--max-unknown: 1.01 is out of range", "from 0 to 1"),
    ("rejects", {"max_rejects": -0.01}, "--max-rejects: -0.01 is out of range", "from 0 to 1"),
]


@pytest.mark.parametrize(("given", "problem", "advice"), [pytest.param(*row[1:], id=row[0]) for row in _WRONG])
def test_wrong_values_are_refused(given: dict[str, Any], problem: str, advice: str) -> None:
    """A value that cannot be is an error that names the option as it is typed, the value, and what is allowed."""
    with pytest.raises(OptionError, match=f"^{problem}.*; .*{advice}"):
        BuildOptions(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"validation": 0},
        {"validation": 0.999},
        {"validation": "official"},
        {"max_chunk_bytes": 1},
        {"max_chunk_examples": 1},
        {"max_member_bytes": 1},
        {"max_entries": 1},
        {"max_ratio": 1},
        {"max_unknown": 0},
        {"max_unknown": 1},
        {"max_rejects": 0},
        {"max_rejects": 1},
        {"system_prompt": ""},
        {"system_prompt": 'JSON {{"a": {{}}}} {region}'},
        {"identical": 0.5},
        {"min_words": 1},
        {"max_length_ratio": 1},
        {"balance": "speech_type:1"},
        {"sample": 1},
        {"shard_by": ()},
    ],
    ids=str,
)
def test_values_at_their_limits_are_taken(given: dict[str, Any]) -> None:
    """The smallest and the largest value allowed are allowed."""
    [(name, value)] = given.items()
    assert getattr(BuildOptions(**given), name) == value


def test_defaults_are_the_original_recipe() -> None:
    """Without options: whole files, pronunciation, all regions, readings and answers, the original instruction, no duplicates."""
    options = BuildOptions()
    assert (options.unit, options.source) == ("file", "pronunciation")
    assert options.region == tuple(Region)
    assert options.speech_type == ("repeat", "answer")
    assert options.system_prompt == SYSTEM_PROMPT
    assert (options.dedup, options.validation, options.max_chunk_bytes) == ("pair", 0.05, 100_000_000)


@given(st.permutations(list(Region)), st.permutations(list(SpeechType)), st.integers(1, 6), st.integers(1, 4))
@examples(100)
def test_order_does_not_matter(regions: list[Region], kinds: list[SpeechType], some: int, few: int) -> None:
    """Regions and speech types are the same options in any order, and however often each is named."""
    regions, kinds = regions[:some], kinds[:few]
    given_so = BuildOptions(region=tuple(regions), speech_type=tuple(kinds))
    reversed_twice = BuildOptions(region=(*reversed(regions), *regions), speech_type=(*reversed(kinds), *kinds))
    assert given_so == reversed_twice
    assert given_so.as_json() == reversed_twice.as_json()
    assert set(given_so.region) == set(regions)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"shard_by": "split"}, {"shard_by": []}),
        ({"shard_by": "speech_type, region"}, {}),
        ({"shard_by": ("split", "region")}, {"shard_by": "region"}),
        ({"split_by": "speaker,script"}, {"split_by": ["script", "speaker"]}),
        ({"identical": 0}, {"identical": "drop"}),
        ({"identical": 1.0}, {"identical": "keep"}),
        ({"paraphrase": "가"}, {"paraphrase": ["가"]}),
        ({"direction": "to-dialect"}, {"direction": "to-dialect", "system_prompt": TO_DIALECT_PROMPT}),
    ],
    ids=str,
)
def test_two_spellings_are_one_option(one: dict[str, Any], other: dict[str, Any]) -> None:
    """What can be said in two ways is the same option, and the same in the manifest."""
    assert BuildOptions(**one) == BuildOptions(**other)
    assert BuildOptions(**one).as_json() == BuildOptions(**other).as_json()


SPELLINGS: dict[str, tuple[Any, Any, Kind]] = {
    "optional": (int | None, Optional[int], Kind.INTEGER),  # noqa: UP045 - another spelling of the same type
    "none-first": (int | None, None | int, Kind.INTEGER),
    "union": (Path | None, Union[None, Path], Kind.PATH),  # noqa: UP007 - as above
    "share": (float | Literal["official"], Union[Literal["official"], float], Kind.SHARE),  # noqa: UP007 - as above
    "texts": (tuple[str, ...], Union[tuple[str, ...]], Kind.TEXTS),  # noqa: UP007 - as above
    "terms": (tuple[Region, ...] | None, Optional[tuple[Region, ...]], Kind.TERMS),  # noqa: UP045 - as above
}


@pytest.mark.parametrize(("usual", "other", "kind"), SPELLINGS.values(), ids=SPELLINGS)
def test_the_kind_of_an_option(usual: Any, other: Any, kind: Kind) -> None:
    """The kind of an option and its terms follow from the type of its field, however that is spelled."""
    option = Option(help="x")
    spelled = [defstruct("Spelled", [("x", Annotated[one, option])]) for one in (usual, other)]
    [[one], [two]] = map(declarations, spelled)
    assert one == two
    assert one.kind is kind


def test_plain_strings_become_terms() -> None:
    """Names of regions and the like may be given as plain strings, and numbers as whole ones."""
    plain: dict[str, Any] = {"unit": "sentence", "region": ("jeju", "gangwon"), "validation": 0, "max_ratio": 9}
    options = BuildOptions(**plain)
    assert options.region == (Region.GANGWON, Region.JEJU)
    assert all(isinstance(region, Region) for region in options.region)
    assert isinstance(options.validation, float)
    assert isinstance(options.max_ratio, float)


def test_every_option_is_in_the_json() -> None:
    """What goes into the manifest holds every option under its name, as JSON that gives the same options again."""
    names = {field.name for field in structs.fields(BuildOptions)}
    changed: dict[str, Any] = {
        "region": ("jeju",),
        "validation": "official",
        "max_chunk_examples": 5,
        "system_prompt": "바꾸세요",
        "clean_rules": {"unsure": "rewrite"},
    }
    for options in (BuildOptions(), BuildOptions(**changed)):
        text = json.dumps(options.as_json(), allow_nan=False)
        assert set(json.loads(text)) == names
        assert BuildOptions(**json.loads(text)) == options


def test_flags_are_spelt_like_on_the_command_line() -> None:
    """The name of an option becomes its flag by dashes."""
    assert [flag("unit"), flag("max_chunk_bytes")] == ["--unit", "--max-chunk-bytes"]


@pytest.mark.parametrize("struct", [RunOptions, BuildOptions, SubmitOptions])
def test_every_field_is_declared(struct: type[Struct]) -> None:
    """Every field of options is an option with a sentence of help; the cleaning rules alone are a table of their own."""
    declared = declarations(struct)
    assert [one.name for one in declared] == [name for name in struct.__struct_fields__ if name != "clean_rules"]
    assert all(one.option.help.endswith(".") for one in declared)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"region": "jeju"}, {"region": ("jeju",)}, id="one"),
        pytest.param({"region": ["제주", "강원도"]}, {"region": ("gangwon", "jeju")}, id="korean"),
        pytest.param({"region": unicodedata.normalize("NFD", "전라도")}, {"region": ("jeolla",)}, id="decomposed"),
        pytest.param({"region": "JEJU"}, {"region": ("jeju",)}, id="upper-case"),
        pytest.param({"speech_type": ["따라 말하기", "대화"]}, {"speech_type": ("repeat", "dialogue")}, id="blanks"),
        pytest.param({"speech_type": "1인발화_질문에답하기"}, {"speech_type": ("answer",)}, id="archive"),
        pytest.param({"direction": "To_Dialect"}, {"direction": "to-dialect"}, id="signs"),
        pytest.param({"shard_by": "Region,SPEECH-TYPE"}, {"shard_by": ("region", "speech_type")}, id="commas"),
        pytest.param({"balance": "Speech_Type:5"}, {"balance": "speech_type:5"}, id="balance"),
    ],
)
def test_terms_as_people_write_them(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """A term may be in any case, a region or speech type in Korean, and one value stands for a list of one."""
    options = BuildOptions(**given)
    assert {name: getattr(options, name) for name in expected} == expected


def test_every_region_and_speech_type_has_korean_words() -> None:
    """Every known region and speech type has Korean words; those of AI-Hub's archives and of instructions are among them."""
    known = {term for term in (*Region, *SpeechType) if term != "unknown"}
    assert set(KOREAN.values()) == known
    for term, word in (REGION_NAMES | SPEECH_TYPE_NAMES).items():
        assert term == "unknown" or KOREAN[word.replace(" ", "")] is term


def test_home_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A text that begins with `~` is in a home folder; a path, or a name after `./`, is not."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert path_of("~/out", "--out") == tmp_path / "out"
    assert path_of("~", "--out") == tmp_path
    from_file: Any = "~/out"
    assert RunOptions(out=from_file).out == tmp_path / "out"
    assert path_of(Path("~/out"), "--out") == Path("~/out")
    assert path_of("./~/out", "--out") == Path("~/out")
    with pytest.raises(OptionError, match="begins with no home folder"):
        path_of("~nobody-of-this-name/out", "--out")
