"""Looking at a corpus and at a stage: the counts beside those of an independent reader, and that nothing is written."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from corpora import ANSWER_ZIP, answers, conversation, member, stem, write_zip
from hypothesis import given
from hypothesis import strategies as st
from oracle import label_files, mended
from rich.console import Console
from runs import error_of, invoke, one_thread, rejects_of, saturi, tree_of

from saturi.etl.console.screens.inspect import show_inspection
from saturi.etl.errors import BuildError, EmptyCorpusError, OptionError
from saturi.etl.inspection.fields import closed_values
from saturi.etl.inspection.survey import inspect
from saturi.etl.inspection.totals import lengths_of
from saturi.etl.pipeline.build import build
from saturi.etl.synthetic.conversations import CONVERSATIONS
from saturi.etl.synthetic.corpus import SampleReport
from saturi.schemas.inspection import InspectedGroup, Inspection
from saturi.schemas.terms import Generation


@pytest.fixture(scope="module")
def found(sample_inspection: Inspection) -> Inspection:
    """What is in the sample."""
    return sample_inspection


@pytest.fixture(scope="module")
def out(sample_build: Path) -> Path:
    """A build of the sample that leaves out most of it."""
    return sample_build


@pytest.fixture(scope="module")
def staged(out: Path) -> Inspection:
    """What is in the stage of that build."""
    return inspect(out, make_executor=one_thread)


@pytest.fixture(scope="module")
def noted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of which there is something to note: no JSON, no byte, both generations, defects, both vintages."""
    corpus = tmp_path_factory.mktemp("noted") / "corpus"
    write_zip(corpus / ANSWER_ZIP, [*answers(3), conversation("DKSR20000001", ("가", "나", 1))])
    write_zip(corpus / "TL_03._제주도_02.zip", [("a.json", b"{}"), *answers(3)])
    write_zip(corpus / "(비식별화완료)TL_03._제주도_02.zip", answers(3))
    write_zip(corpus / "[라벨]전라도_학습데이터_1.zip", [("a.txt", b"x")])
    (corpus / "TL_빈.zip").write_bytes(b"")
    return corpus


@pytest.fixture(scope="module")
def labels(sample: SampleReport, out: Path) -> list[tuple[str, dict[str, Any]]]:
    """The archive and the contents of every label file of the sample that can be read."""
    rejected = {(row["archive"], row["member"]) for row in rejects_of(out)}
    readable = [
        (key, content)
        for key, content in label_files(sample.folder)
        if key not in rejected and isinstance(content, bytes)
    ]
    return [(archive, json.loads(mended(content), strict=False)) for (archive, _), content in readable]


def _group(found: Inspection, region: str, speech_type: str) -> InspectedGroup:
    [group] = [one for one in found.groups if (one.region, one.speech_type) == (region, speech_type)]
    return group


def _pairs(label: dict[str, Any]) -> list[tuple[str, str]]:
    """Return source and target of each sentence or utterance, "" where there is none."""
    if "utterance" in label:
        return [(one.get("dialect_form") or "", one["standard_form"] or "") for one in label["utterance"]]
    return [(one["pronunciation"] or "", one["standard"] or "") for one in label["transcription"]["sentences"]]


def test_archives(found: Inspection, sample: SampleReport, out: Path) -> None:
    """Every archive is there with its label files, rejects and ignored members, as a build counts them."""
    assert len(found.archives) == sample.archives
    assert sum(one.label_files for one in found.archives) == sample.label_files
    assert sum(one.ignored for one in found.archives) == sample.ignored
    assert sum(one.transcripts or 0 for one in found.archives) == CONVERSATIONS + 1  # and a readme
    assert all(one.inspected == one.decoded + sum(one.rejected.values()) == one.label_files for one in found.archives)
    rejected = Counter((row["archive"], row["reason"]) for row in rejects_of(out))
    assert {(one.archive, reason): n for one in found.archives for reason, n in one.rejected.items()} == rejected
    assert {one.archive for one in found.archives if one.deidentified} == {
        one.archive for one in found.archives if "비식별화완료" in one.archive
    }
    assert sum(one.generations.get("2020", 0) for one in found.archives) == CONVERSATIONS
    assert (found.ignored_archives, found.sample) == (1, None)


def test_the_total(found: Inspection, labels: list[tuple[str, dict[str, Any]]]) -> None:
    """Label files, sentences, pairs, equal sides and lengths are those that an independent reader counts."""
    pairs = [pair for _, label in labels for pair in _pairs(label)]
    whole = [(source, target) for source, target in pairs if source.strip() and target.strip()]
    total = found.total
    assert sum(total.files.values()) == len(labels) == sum(total.generations.values())
    assert (total.sentences, total.blank) == (len(pairs), len(pairs) - len(whole))
    assert total.distinct_pairs == len(set(whole))
    assert total.identical == sum(source == target for source, target in whole)
    lengths = sorted(len(source) for source, _ in whole)
    assert total.source_characters is not None
    assert (total.source_characters.p50, total.source_characters.most) == (
        lengths[(len(lengths) - 1) // 2],
        lengths[-1],
    )
    assert sum(group.sentences for group in found.groups) == total.sentences
    assert sum(group.distinct_pairs for group in found.groups) >= total.distinct_pairs


def test_speakers(found: Inspection, labels: list[tuple[str, dict[str, Any]]]) -> None:
    """Speakers are counted once, and those who are heard on both of AI-Hub's sides are found."""
    sides: dict[str, set[str]] = {"Training": set(), "Validation": set()}
    for archive, label in labels:
        side = "Training" if "Training" in archive else "Validation"
        if "utterance" in label:
            sides[side].update(f"{label['id']}_{speaker['id']}" for speaker in label["speaker"])
        else:
            sides[side].update(speaker["speakerId"] for speaker in label["speaker"])
    assert found.total.speakers == len(sides["Training"] | sides["Validation"])
    assert found.total.speakers_on_both_sides == len(sides["Training"] & sides["Validation"]) > 0
    assert any("--validation official would leak" in warning for warning in found.warnings)


def test_scripts(found: Inspection, labels: list[tuple[str, dict[str, Any]]]) -> None:
    """Scripts and the label files that read them are counted."""
    read = Counter(
        tuple(label["fileName"].split("_")[index] for index in (1, 4))
        for _, label in labels
        if label.get("fileName", "").startswith("st_set") and "collectorjj" in label["fileName"]
    )
    group = _group(found, "jeju", "repeat")
    assert (group.scripts, group.script_files) == (len(read), read.total())
    assert found.total.scripts == sum(one.scripts for one in found.groups)


def test_markup(found: Inspection) -> None:
    """Markup is counted by its rule, in the conversations of 2020 and, but for stray white space, nowhere else."""
    talked = _group(found, "gyeongsang", "dialogue")
    assert talked.residues == {
        **dict.fromkeys(
            ("double", "event", "inaudible", "unsure", "broken", "interjection", "invisible"), CONVERSATIONS
        ),
        **dict.fromkeys(("lengthening", "unclear", "resident_number", "phone", "email"), CONVERSATIONS),
        "masked": 3 * CONVERSATIONS,
        "stutter": 2 * CONVERSATIONS,
        "space": CONVERSATIONS + 1,
    }
    assert all(set(group.residues) <= {"space"} for group in found.groups if group != talked)


def test_missing(found: Inspection) -> None:
    """What is missing is counted: the texts that the sample leaves out."""
    talked, answered = _group(found, "gyeongsang", "dialogue"), _group(found, "gyeongsang", "answer")
    assert talked.missing == {"dialect of a sentence": CONVERSATIONS, "standard of a sentence": CONVERSATIONS}
    assert answered.missing.keys() == {
        f"{spelling} of a {unit}" for spelling in ("pronunciation", "standard") for unit in ("file", "sentence")
    }


def test_closed_fields(found: Inspection, labels: list[tuple[str, dict[str, Any]]]) -> None:
    """Every value of every closed field is counted, missing ones too."""
    assert found.total.fields is not None
    fields = {field.field: {one.value: one.count for one in field.values} for field in found.total.fields}
    of_2022 = [label for _, label in labels if "transcription" in label]
    speakers = [speaker for label in of_2022 for speaker in label["speaker"]]
    assert fields["speaker[].gender"] == Counter(speaker["gender"] for speaker in speakers)
    assert fields["speaker[].healthCondition"] == {None: len(speakers)}
    assert fields["script.speechType"] == Counter(label["script"]["speechType"] for label in of_2022)
    words = Counter(word["voiceType"] for label in of_2022 for word in label["transcription"]["segments"])
    assert fields["transcription.segments[].voiceType"] == words
    assert fields["metadata.category"] == {"경상방언 > 사적 대화 > 일상 대화": CONVERSATIONS}
    assert fields["speaker[].sex"] == {"여성": 2 * CONVERSATIONS}


def test_same_for_any_workers(found: Inspection, sample: SampleReport) -> None:
    """The result does not depend on the number of workers."""
    assert inspect([sample.folder], make_executor=partial(ThreadPoolExecutor, 3), workers=3) == found


def test_a_stage(found: Inspection, staged: Inspection) -> None:
    """The stage of a build tells all that its corpus does, left out or not, but for closed fields, bytes and twins."""
    assert staged.groups == [msgspec.structs.replace(group, fields=None) for group in found.groups]
    assert staged.total == msgspec.structs.replace(found.total, fields=None)
    unknown = dict.fromkeys(("packed_bytes", "json_bytes", "transcripts"))
    assert staged.archives == [msgspec.structs.replace(one, **unknown) for one in found.archives]
    assert staged.warnings == found.warnings


def test_a_sample(sample: SampleReport, here: Path) -> None:
    """A sample looks at a part of each archive, the same one every time, and at ten label files at least."""
    part = inspect(sample.folder, sample=150, make_executor=one_thread)
    for one in part.archives:
        assert 0 < one.inspected <= one.label_files
        assert one.inspected == one.label_files or one.label_files > 10
    assert 100 < sum(part.total.files.values()) < 320
    assert part.sample == 150
    few, again, most, everything = (
        inspect(here / "corpus", sample=number, make_executor=one_thread) for number in (20, 20, 10**6, None)
    )
    assert few == again != everything
    assert most.total == everything.total


def test_nothing_is_written(noted: Path, here: Path) -> None:
    """With --json all that two processes found is on stdout, warnings on stderr, too, and no file is written anywhere."""
    found = inspect(noted, make_executor=one_thread)
    build([here / "corpus"], here / "out", make_executor=one_thread)
    (here / "temporary").mkdir()
    before = tree_of(noted), tree_of(here)
    run = saturi("inspect", noted, "--workers", "2", "--json", cwd=here, TMPDIR=str(here / "temporary"))
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["version"] == 1
    assert msgspec.json.decode(run.stdout, type=Inspection) == found
    assert len(found.warnings) > 1
    assert all(f"Note: {warning}" in run.stderr for warning in found.warnings)
    assert inspect(here / "out", make_executor=one_thread).total.sentences == 40
    assert (tree_of(noted), tree_of(here)) == before


def test_what_a_person_sees(found: Inspection, staged: Inspection) -> None:
    """Archives, groups, markup and fields are shown, of a corpus and of a build, and brackets in names are no markup."""
    for inspection, last in ((found, "voiceType"), (staged, "standard of a sentence")):
        screen = StringIO()
        show_inspection(Console(file=screen, width=80), inspection)
        for text in (
            "[라벨]경상도_학습데이터_1.zip",
            "gyeongsang",
            "de-identified",
            "masked 15",
            "invalid_json 1",
            last,
        ):
            assert text in screen.getvalue()


def test_no_text_is_told(found: Inspection, labels: list[tuple[str, dict[str, Any]]]) -> None:
    """No text of the corpus, no member and no speaker is in the result."""
    printed = msgspec.json.encode(found).decode()
    for _, label in labels[::10]:
        assert all(source not in printed for source, _ in _pairs(label) if source.strip())
        assert str(label.get("fileName", "DKSR")) not in printed or label.get("fileName") == "0007"


def test_notes(noted: Path) -> None:
    """Archives without JSON, of both generations, of both vintages, and full of defects are each named."""
    found = inspect([noted], make_executor=one_thread)
    expected = [
        "전라도_학습데이터_1.zip: nothing of it was looked at, no JSON in it, only 1 .txt",
        "TL_빈.zip: nothing of it was looked at, the file is empty",
        f"{ANSWER_ZIP}: label files of both generations, 1 of 2020 and 3 of 2022",
        "TL_03._제주도_02.zip: 1 of 4 label files cannot be read",
        "one delivery before and one after names were taken out",
        "jeju: mixed vintages",
    ]
    for text in expected:
        assert sum(text in warning for warning in found.warnings) == 1, text
    assert len(found.warnings) == len(expected)


def test_nothing_to_look_at(tmp_path: Path) -> None:
    """A corpus of which no archive holds a label file is told of all the same."""
    write_zip(tmp_path / "corpus" / "[라벨]전라도_학습데이터_1.zip", [("a.txt", b"x")])
    run = invoke("inspect", "corpus", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "only 1 .txt" in run.stdout
    assert inspect(tmp_path / "corpus", make_executor=one_thread).groups == []


def test_disagreements(tmp_path: Path) -> None:
    """Label files whose name, archive and contents tell different things are counted by the thing."""
    members = [
        member(stem("say", "1", 1), "가", "나", province="jj"),
        member(stem("say", "2", 1), "가", "나", fileName="other"),
        member(stem("say", "3", 1), "가", "나", script={"scriptId": 9, "speechType": "Read"}),
    ]
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, members)
    [group] = inspect([tmp_path / "corpus"], make_executor=one_thread).groups
    assert group.disagreements == {"region": 1, "file_name": 1, "prompt": 1, "speech_type": 1}


@pytest.mark.parametrize(
    ("document", "values"),
    [
        pytest.param({"speaker": [{"gender": "f"}, {}, None]}, ['"f"', "null", "null"], id="list"),
        pytest.param({"speaker": []}, [], id="empty-list"),
        pytest.param({"speaker": {"gender": "f"}}, ["null"], id="no-list"),
        pytest.param({}, ["null"], id="nothing"),
        pytest.param({"speaker": [{"gender": ["f"]}, {"gender": {}}]}, ['"(a list)"', '"(an object)"'], id="nested"),
        pytest.param({"speaker": [{"gender": "말" * 41}, {"gender": 1.0}]}, ['"(a longer text)"', "1.0"], id="texts"),
    ],
)
def test_values(document: dict[str, Any], values: list[str]) -> None:
    """A closed field may hold anything, and what is no plain value is told as what it is."""
    closed = closed_values(json.dumps(document).encode(), Generation.OF_2022)
    assert [value for path, value in closed if path == "speaker[].gender"] == values


@given(st.dictionaries(st.integers(0, 50), st.integers(1, 5), min_size=1))
def test_percentiles(counts: dict[int, int]) -> None:
    """Percentiles are those of the nearest rank among all lengths."""
    lengths = lengths_of(counts)
    ordered = sorted(Counter(counts).elements())
    assert lengths is not None
    for percent in (5, 25, 50, 75, 95):
        assert getattr(lengths, f"p{percent}") == ordered[max(-(-len(ordered) * percent // 100), 1) - 1]
    assert lengths.most == ordered[-1]
    assert lengths_of({}) is None


def test_wrong_use(tmp_path: Path, sample: SampleReport, out: Path) -> None:
    """What does not fit is refused with a sentence and the exit code of its kind."""
    for arguments, code, text in (
        ([sample.folder, "--sample", "0"], 2, "--sample: 0 is out of range"),
        ([sample.folder, "--workers", "0"], 2, "--workers: 0 is out of range"),
        ([sample.folder, "--stage", "x"], 2, "--stage: a corpus has none"),
        ([out, "--sample", "5"], 2, "--sample: a build is looked at by itself"),
        ([out, sample.folder], 2, "OUT: a build is looked at by itself"),
        ([tmp_path / "nowhere"], 3, "there is no such file or folder"),
        ([], 3, "data"),
    ):
        assert text in error_of(invoke("inspect", *arguments, cwd=tmp_path), code)


def test_a_stage_that_is_gone(here: Path) -> None:
    """A build whose stage is not there is told so, and where the stage lies elsewhere it can be given."""
    out = here / "out"
    build([here / "corpus"], out, make_executor=one_thread)
    with pytest.raises(BuildError, match="a segment of this build is not there"):
        inspect(out, stage=here / "nowhere", make_executor=one_thread)
    (out / "stage").rename(here / "stage")
    assert inspect(out, stage=here / "stage", make_executor=one_thread).total.sentences > 0


def test_an_empty_corpus(tmp_path: Path) -> None:
    """A corpus without archives is an error."""
    with pytest.raises(EmptyCorpusError):
        inspect(tmp_path)
    with pytest.raises(OptionError, match="--workers"):
        inspect(tmp_path, workers=0)
