"""Keys of label files: a script and a speaker are the same however the files are called, and what is unknown is counted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from corpora import REPEAT_ZIP, Member, conversation, document, stem, write_zip
from runs import one_thread, pairs_of, segments_of

from saturi.etl.corpus.names import WITHIN
from saturi.etl.pipeline.build import build
from saturi.etl.read.segments import read_any_header, read_files
from saturi.etl.settings.options import BuildOptions
from saturi.schemas.terms import Dedup

_OPTIONS = BuildOptions(clean=False, validation=0.3, dedup=Dedup.NONE)
_READINGS = [(script, speaker) for script in range(1, 9) for speaker in range(1, 6)]


def _text(script: int, speaker: int) -> str:
    return f"대본 {script} 화자 {speaker}"


def _corpus(path: Path, rename: Callable[[str, int], str], **changed: Any) -> Path:
    """Write an archive of five readings of eight scripts, each file called as *rename* makes of its name and number."""
    members: list[Member] = []
    for number, (script, speaker) in enumerate(_READINGS):
        name = stem("st", str(speaker), script)
        text = _text(script, speaker)
        members.append((rename(name, number), document(name, text, f"{text} 뜻", **changed)))
    write_zip(path / REPEAT_ZIP, members)
    return path


def _sides(corpus: Path, out: Path, options: BuildOptions = _OPTIONS) -> dict[str, set[str]]:
    build([corpus], out, options, make_executor=one_thread)
    return {split: {source for source, _ in pairs_of(out, split)} for split in ("train", "validation")}


def _scripts(sources: set[str]) -> set[str]:
    return {source.split()[1] for source in sources}


def _kind_sums(stage: Path) -> dict[str, int]:
    names = ("files", "without_script", "script_by_number", "without_speaker")
    headers = [header for path in segments_of(stage) if (header := read_any_header(path)) is not None]
    return {name: sum(getattr(row, name) for header in headers for row in header.kinds) for name in names}


@pytest.fixture(scope="module")
def as_delivered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The sides of those readings where every file is called as it is delivered."""
    folder = tmp_path_factory.mktemp("as-delivered")
    sides = _sides(_corpus(folder / "corpus", lambda name, _: f"{name}.json"), folder / "out")
    assert all(sides.values())
    return sides


@pytest.mark.parametrize(
    "rename",
    [
        pytest.param(lambda name, _: f"폴더\\{name}.json", id="backslash"),
        pytest.param(lambda name, _: f"{name} (1).json", id="copy"),
        pytest.param(lambda name, _: f"{name} - 복사본.json", id="korean-copy"),
        pytest.param(lambda name, _: f"{name}_label.json", id="label"),
        pytest.param(lambda name, _: f" {name} .json", id="blanks-around"),
        pytest.param(lambda name, _: f"{name.replace('_', ' ')}.json", id="blanks-between"),
        pytest.param(lambda _, number: f"{number:04}.json", id="numbered"),
        pytest.param(lambda _, number: f"한글 이름 {number}.json", id="other-names"),
    ],
)
def test_sides_do_not_depend_on_names_of_files(
    as_delivered: dict[str, set[str]], tmp_path: Path, rename: Callable[[str, int], str]
) -> None:
    """Files called otherwise, by copies, by programs or by number, fall on the same sides as those called as delivered."""
    assert _sides(_corpus(tmp_path / "corpus", rename), tmp_path / "out") == as_delivered
    assert _kind_sums(tmp_path / "out" / "stage") == {
        "files": len(_READINGS),
        "without_script": 0,
        "script_by_number": 0,
        "without_speaker": 0,
    }


def test_a_script_known_by_its_number(tmp_path: Path) -> None:
    """Without a name of the grammar a script is known by its number and a speaker by the id, and neither is on both sides."""
    corpus = _corpus(tmp_path / "corpus", lambda _, number: f"{number}.json", fileName=None)
    sides = _sides(corpus, tmp_path / "out")
    assert all(sides.values())
    assert not _scripts(sides["train"]) & _scripts(sides["validation"])
    sums = _kind_sums(tmp_path / "out" / "stage")
    assert (sums["script_by_number"], sums["without_script"], sums["without_speaker"]) == (len(_READINGS), 0, 0)


@pytest.mark.parametrize("number", [7, 7.0, "7", "007", " 7\n"], ids=repr)
def test_numbers_of_scripts_in_any_form(tmp_path: Path, number: object) -> None:
    """The number of a script is the same as an integer, a float and a text, whatever stands around it."""
    script = {"scriptId": number, "speechType": "Read"}
    content = document("x", "가", "나", script=script)
    write_zip(tmp_path / "corpus" / REPEAT_ZIP, [("x.json", content)])
    build([tmp_path / "corpus"], tmp_path / "out", _OPTIONS, make_executor=one_thread)
    [segment] = segments_of(tmp_path / "out" / "stage")
    assert read_files(segment, ["script"]).to_series().to_list() == ["?:7"]


def test_what_is_not_known_is_counted(tmp_path: Path) -> None:
    """A label file without any sign of a script or a speaker is counted as such, and has no key."""
    content = document("x", "가", "나", fileName=None, script=None, speaker=None)
    write_zip(tmp_path / "corpus" / REPEAT_ZIP, [("x.json", content)])
    build([tmp_path / "corpus"], tmp_path / "out", _OPTIONS, make_executor=one_thread)
    sums = _kind_sums(tmp_path / "out" / "stage")
    assert sums == {"files": 1, "without_script": 1, "script_by_number": 0, "without_speaker": 1}
    [segment] = segments_of(tmp_path / "out" / "stage")
    assert read_files(segment, ["script", "speakers"]).row(0) == (None, "")


@pytest.mark.parametrize("identifier", ["gs/{}", "{}/a", "gs\\{}", "gs\n{}", f"gs{WITHIN}{{}}", " gs {} "], ids=repr)
def test_ids_of_speakers_may_hold_anything(tmp_path: Path, identifier: str) -> None:
    """Twelve speakers are twelve, whatever signs are in their ids, line ends and separators too."""
    members = [
        (f"{number}.json", document("x", f"가 {number}", "나", speaker=[{"speakerId": identifier.format(number)}]))
        for number in range(12)
    ]
    write_zip(tmp_path / "corpus" / REPEAT_ZIP.replace("01._1인발화_따라말하기", "02._1인발화_질문에답하기"), members)
    sides = _sides(tmp_path / "corpus", tmp_path / "out", BuildOptions(clean=False, validation=0, speaker_max=1))
    assert len(sides["train"]) == 12
    [segment] = segments_of(tmp_path / "out" / "stage")
    assert {len(ids.split("\n")) for ids in read_files(segment, ["speakers"]).to_series()} == {1}


def test_a_conversation_is_the_same_in_a_copy(tmp_path: Path) -> None:
    """Speakers of a conversation of 2020 belong to it by its name, within a longer one, or by the id in the document."""
    name = "DKSR20000001"
    _, content = conversation(name, ("가", "나", 1))
    nameless = json.dumps(json.loads(content) | {"id": None}).encode()
    members = [
        (f"{name}.json", content),
        (f"폴더\\{name} (1).json", nameless),
        ("0001.json", content),
        ("0002.json", nameless),
    ]
    write_zip(tmp_path / "corpus" / "[라벨]경상도_학습데이터_1.zip", members)
    build([tmp_path / "corpus"], tmp_path / "out", _OPTIONS, make_executor=one_thread)
    [segment] = segments_of(tmp_path / "out" / "stage")
    speakers = read_files(segment, ["speakers"]).to_series().to_list()
    assert [ids.split(WITHIN)[0] for ids in speakers] == [name, name, name, "0002"]
