"""The synthetic corpus: what its label files and archives look like, and what it does to a folder."""

import io
import json
import random
import re
import shutil
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from saturi.etl.errors import OptionError
from saturi.etl.select.clean import count_residues
from saturi.etl.select.markup import RULES
from saturi.etl.synthetic.conversations import CONVERSATIONS
from saturi.etl.synthetic.corpus import DEFECTS, MARKER, SampleReport
from saturi.etl.synthetic.corpus import sample as write_sample
from saturi.etl.synthetic.documents import F0Pool, label_document, tiny_document
from saturi.etl.synthetic.series import Series, series_counts
from saturi.schemas.terms import Region, SpeechType, Split

_NAME = re.compile(
    r"(st|say|talk)_set[1-3]_collector(gw|gs|cc|jl|jj)\d+(_speaker(gw|gs|cc|jl|jj)\d+){1,2}_\d+(_\d+)?_\d+\.json"
)
_KEYS = ["fileName", "speaker", "collector", "script", "audio", "transcription", "annotation", "stt"]


Labels = dict[tuple[str, str], tuple[bytes, str | None]]
"""Label files by archive and member: what they hold, and their defects."""


@pytest.fixture(scope="module")
def documents() -> dict[str, bytes]:
    """Three hundred clean label files in the mix of a whole corpus, by stem."""
    rng, f0 = random.Random(1), F0Pool(1 << 15)
    names = [series.name(index, rng) for series, count in series_counts(300).items() for index in range(count)]
    return {name.stem: label_document(name, f0, rng) for name in names}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample of the smallest size, of seed 7."""
    return write_sample(tmp_path_factory.mktemp("small") / "corpus", 200, 7).folder


@pytest.fixture(scope="module")
def labels(sample: SampleReport) -> Labels:
    """The label files in the archives of the sample, by archive and member: what they hold, and their defects."""
    return {
        (name, member.filename): _read(archive, member)
        for name, archive in _archives(sample.folder)
        for member in archive.infolist()
        if _is_label(member.filename)
    }


def _bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _archives(folder: Path) -> Iterator[tuple[str, zipfile.ZipFile]]:
    """Every zip with labels, parts joined in the order of their offsets."""
    blobs = {path: path.read_bytes() for path in folder.rglob("*.zip")}
    parts: dict[Path, dict[int, bytes]] = {}
    for path in folder.rglob("*.zip.part*"):
        parts.setdefault(path.with_suffix(""), {})[int(path.suffix.removeprefix(".part"))] = path.read_bytes()
    for path, by_offset in parts.items():
        blobs[path] = b"".join(by_offset[offset] for offset in sorted(by_offset))
    for path in sorted(blobs):
        if "원천데이터" not in str(path):
            yield path.name, zipfile.ZipFile(io.BytesIO(blobs[path]))


def _is_label(member: str) -> bool:
    return member.endswith(".json") and not member.startswith("__MACOSX/")


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[bytes, str | None]:
    """Return a member, and the defect for which a strict reader refuses it; commas that can be mended are none."""
    if member.flag_bits & 1:
        return b"", "encrypted"
    try:
        content = archive.read(member)
    except zlib.error:
        return b"", "damaged_stream"
    except zipfile.BadZipFile:
        return b"", "wrong_crc"
    return content, _document_defect(content)


def _document_defect(content: bytes) -> str | None:
    try:
        text = content.decode("utf-8-sig").rstrip("\0")
    except UnicodeDecodeError:
        return "invalid_utf8"
    try:
        label = json.loads(re.sub(r",(\s*[,}\]])", r"\1", text), strict=False)
    except json.JSONDecodeError:
        return "truncated" if text else "empty_file"
    if isinstance(label, list):
        return "top_level_array"
    if "utterance" in label:
        return None
    if "transcription" not in label:
        return "no_transcription"
    standard = label["transcription"]["standard"]
    return "number_for_text" if isinstance(standard, int) else None


def test_documents_are_what_the_annotators_tool_writes(documents: dict[str, bytes]) -> None:
    """A label file is JSON indented by tabs, Hangul as it is, one pitch value a line, every known key in order."""
    for number, (stem, document) in enumerate(documents.items()):
        label = json.loads(document)
        if number % 15 == 0:  # `json` takes a millisecond for a hundred lines
            assert document.decode() == json.dumps(label, indent="\t", ensure_ascii=False)
        assert [key for key in label if key in _KEYS] == _KEYS
        assert list(label["transcription"]) == ["segments", "sentences", "dialect", "pronunciation", "standard"]
        assert label["fileName"] == stem
        assert {speaker["speakerId"] for speaker in label["speaker"]} == set(re.findall(r"speaker[a-z]{2}\d+", stem))
        assert str(label["script"]["scriptId"]) in stem.split("_")


def test_documents_have_the_odd_values_of_the_real_ones(documents: dict[str, bytes]) -> None:
    """Null times, whole floats, numbers as strings, unknown keys and words without a translation all occur."""
    together = b"".join(documents.values())
    for oddity in ('"endTime": null', '"orderInFile": 1.0', '"sentenceId": "1"', '"categoryName"', '"standard": null'):
        assert oddity.encode() in together


def test_sizes_are_those_of_the_real_corpus(documents: dict[str, bytes]) -> None:
    """A label file has 42 to 46 KB and 2.1 sentences on average, and deflates to about a quarter."""
    size = sum(map(len, documents.values()))
    some = [*documents.values()][::5]
    packed = sum(len(zlib.compress(document, 6)) for document in some)
    sentences = sum(len(msgspec.json.decode(document)["transcription"]["sentences"]) for document in documents.values())
    assert 42_000 <= size / len(documents) <= 46_000
    assert 3.5 <= sum(map(len, some)) / packed <= 4.5
    assert 1.9 <= sentences / len(documents) <= 2.3


def test_names_follow_the_grammar_and_differ(documents: dict[str, bytes]) -> None:
    """Every recording of a plan has its own name, which the grammar of the real names accepts."""
    assert len(documents) == 300
    assert all(_NAME.fullmatch(f"{stem}.json") for stem in documents)


def test_scripts_repeat_and_answers_do_not() -> None:
    """Of 600 readings of 20 scripts at most 3 sayings a script differ; of 400 answers nearly all do."""
    rng = random.Random(1)
    f0 = F0Pool(1 << 14)
    texts: dict[SpeechType, Counter[tuple[str, str]]] = {}
    for kind, count in ((SpeechType.REPEAT, 600), (SpeechType.ANSWER, 400)):
        series = Series(Split.TRAIN, Region.JEOLLA, kind, 50, 20)
        documents = (label_document(series.name(index, rng), f0, rng) for index in range(count))
        pairs = [msgspec.json.decode(document)["transcription"] for document in documents]
        texts[kind] = Counter((pair["pronunciation"], pair["standard"]) for pair in pairs)
    assert 20 <= len(texts[SpeechType.REPEAT]) <= 60
    assert len(texts[SpeechType.ANSWER]) >= 398
    shares = {kind: sum(n for (a, b), n in of.items() if a == b) / of.total() for kind, of in texts.items()}
    assert 0 < shares[SpeechType.REPEAT] < 0.15
    assert 0.55 < shares[SpeechType.ANSWER] < 0.65


def test_speakers_of_validation_are_also_in_training() -> None:
    """About one validation speaker in eight is heard in training, too, and no other."""
    rng = random.Random(1)
    train, validation = (
        {series.name(index, rng).speakers[0] for index in range(9_000)}
        for series in (Series(split, Region.JEJU, SpeechType.REPEAT, 720, 300) for split in Split)
    )
    assert len(train & validation) / len(validation) == pytest.approx(0.125)


def test_tiny_documents_are_label_files() -> None:
    """A tiny label file has the texts and nothing else, in under 500 bytes."""
    rng = random.Random(1)
    document = tiny_document(Series(Split.TRAIN, Region.JEJU, SpeechType.ANSWER, 8, 8).name(0, rng), rng)
    assert len(document) < 500
    transcription: dict[str, Any] = json.loads(document)["transcription"]
    assert all(transcription[spelling] for spelling in ("dialect", "pronunciation", "standard"))


@pytest.mark.parametrize("files", [60, 61, 299, 5_000], ids=["fewest", "one-more", "odd", "many"])
def test_a_plan_has_the_files_asked_for(files: int) -> None:
    """The series of a plan add up to the files asked for, and none of the thirty is empty."""
    counts = series_counts(files)
    assert (len(counts), sum(counts.values()), min(counts.values()) > 0) == (30, files, True)


def test_a_plan_of_too_few_files_is_refused() -> None:
    """Fewer than 60 files cannot be spread over thirty archives."""
    with pytest.raises(OptionError, match="59 is too few"):
        series_counts(59)


def test_same_seed_same_bytes(small: Path, tmp_path: Path) -> None:
    """The same arguments give the same files, another seed gives others."""
    write_sample(tmp_path / "again", 200, 7)
    write_sample(tmp_path / "other", 200, 8)
    assert _bytes_of(small) == _bytes_of(tmp_path / "again")
    assert _bytes_of(small) != _bytes_of(tmp_path / "other")


def test_the_report_agrees_with_a_count(sample: SampleReport, labels: Labels) -> None:
    """Archives, label files, defects and ignored members are those that an independent reader finds."""
    broken = Counter(defect for _, defect in labels.values() if defect)
    archives = label_files = ignored = 0
    for _, archive in _archives(sample.folder):
        archives += 1
        names = [name for name in archive.namelist() if _is_label(name)]
        label_files += len(names)
        ignored += len(archive.namelist()) - len(names)
    loose = list(sample.folder.rglob("*.json"))
    broken.update(filter(None, (_document_defect(path.read_bytes()) for path in loose)))
    archives += len({path.parent for path in loose})
    label_files += len(loose)
    assert (archives, label_files, ignored) == (sample.archives, sample.label_files, sample.ignored)
    assert broken == sample.broken
    assert broken.total() < 0.04 * label_files


def test_every_defect_has_its_file(sample: SampleReport) -> None:
    """The report counts exactly the defects that have a reason to reject, once each."""
    assert sample.broken == {name: 1 for name, defect in DEFECTS.items() if defect.reason}


def test_repairable_and_empty_texts_are_there(labels: Labels) -> None:
    """Doubled and trailing commas, a byte order mark, NULs, and empty, blank and null texts all occur."""
    members = [content for content, defect in labels.values() if defect is None]
    whole = [text for text in members if text[:1] == b"{" and text[-1:] == b"}" and b",," not in text]
    texts = [msgspec.json.decode(text)["transcription"] for text in whole if b",\n\t}" not in text]
    assert sum(b'],,"sentences"' in text for text in members) == 1
    assert sum(b',\n\t},\n\t"audio"' in text for text in members) == 1
    assert sum(text.startswith(b"\xef\xbb\xbf") for text in members) == 1 + CONVERSATIONS
    assert sum(text.endswith(b"\0") for text in members) == 1
    assert sum(text["pronunciation"] == "" for text in texts) == 1
    assert sum(text["pronunciation"].strip() == "" for text in texts) == 2
    assert sum(text["standard"] is None for text in texts) == 1


def test_oddities_within_archives(sample: SampleReport) -> None:
    """Leading slashes, a wrapper folder, CP949 names, stored members and a name that tells nothing all occur."""
    found = dict(_archives(sample.folder))
    names = {name: archive.namelist() for name, archive in found.items()}
    assert all(member.startswith("/") for member in names["TL_01._강원도_01._1인발화_따라말하기.zip"])
    jeju = "(비식별화완료)TL_03._제주도_01._1인발화_따라말하기"
    assert all(member.startswith(f"{jeju}/") for member in names[f"{jeju}.zip"])
    chungcheong = found["(비식별화완료)TL_01._충청도_02._1인발화_질문에답하기.zip"].namelist()
    assert all(member.encode("cp437").decode("cp949").startswith("충청도 녹음/") for member in chungcheong)
    stored = found["VL_01. 강원도_01. 1인발화 따라말하기.zip"].infolist()
    assert {member.compress_type for member in stored} == {zipfile.ZIP_STORED}
    assert names["TL_추가.zip"] == ["0007.json"]


def test_oddities_of_delivery(sample: SampleReport) -> None:
    """A loose folder with a decomposed name, a zip in three parts and an audio archive all occur."""
    folder = next(sample.folder.rglob("*.json")).parent.name
    assert folder != unicodedata.normalize("NFC", folder)
    offsets = sorted(int(path.suffix.removeprefix(".part")) for path in sample.folder.rglob("*.part*"))
    assert (len(offsets), offsets[0]) == (3, 0)
    audio = next(sample.folder.rglob("TS_*.zip"))
    assert all(member.endswith(".wav") for member in zipfile.ZipFile(audio).namelist())


def test_conversations_of_2020(sample: SampleReport) -> None:
    """Two archives, one de-identified, hold conversations with their twins, every kind of markup, and raw line ends."""
    found = {name: archive for name, archive in _archives(sample.folder) if "데이터_1" in name}
    assert list(found) == ["[라벨]경상도_학습데이터_1.zip", "(비식별화완료)경상도_검증데이터_1.zip"]
    members = [
        archive.read(name) for archive in found.values() for name in archive.namelist() if name.endswith(".json")
    ]
    labels = [json.loads(member.decode("utf-8-sig"), strict=False) for member in members]
    assert len(labels) == sum(len(archive.namelist()) for archive in found.values()) / 2 == CONVERSATIONS
    assert sum(b"\n{laughing}" in member for member in members) == 1
    for label in labels:
        texts = pl.DataFrame({"source": [one["form"] for one in label["utterance"]]}).with_columns(target="source")
        counts = count_residues(texts.lazy()).select(pl.col(rule.name for rule in RULES).sum()).collect()
        assert all(counts.row(0)), counts


def test_some_readings_are_exact_duplicates(labels: Labels) -> None:
    """Some pairs of source and target occur more than once among the repeated sentences."""
    clean = [content for (name, _), (content, defect) in labels.items() if "TL_03._제주도_01." in name and not defect]
    texts = [json.loads(content)["transcription"] for content in clean]
    pairs = Counter((text["pronunciation"], text["standard"]) for text in texts)
    assert max(pairs.values()) > 1


def test_a_sample_is_replaced(sample: SampleReport, small: Path, tmp_path: Path) -> None:
    """Writing again replaces the old sample whole, and keeps what somebody put beside it."""
    folder = Path(shutil.copytree(sample.folder, tmp_path / "corpus"))
    (folder / "mine.txt").write_text("mine")
    write_sample(folder, 200, 7)
    rewritten = _bytes_of(folder)
    assert rewritten.pop("mine.txt") == b"mine"
    assert rewritten == _bytes_of(small)


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    """A folder that holds something else is left as it is."""
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds files that are no sample"):
        write_sample(tmp_path)
    assert _bytes_of(tmp_path) == {"thesis.txt": b"mine"}


def test_a_marker_cannot_point_outside(tmp_path: Path) -> None:
    """A marker that lists a file outside the folder removes nothing there."""
    folder = tmp_path / "sample"
    folder.mkdir()
    (tmp_path / "outside.txt").write_text("mine")
    paths = ["../outside.txt", str(tmp_path / "outside.txt")]
    (folder / MARKER).write_text(json.dumps({"files": 200, "seed": 1, "paths": paths}))
    write_sample(folder, 200)
    assert (tmp_path / "outside.txt").read_text() == "mine"


def test_too_small_a_sample_is_refused(tmp_path: Path) -> None:
    """Under 200 files, the broken ones would be too large a share."""
    with pytest.raises(OptionError, match="--files: 199 is out of range; give a whole number from 200"):
        write_sample(tmp_path / "corpus", 199)
    assert not (tmp_path / "corpus").exists()


def test_the_progress_of_a_sample(tmp_path: Path) -> None:
    """A sample reports how many label files it has made, archive by archive."""
    seen: list[int] = []
    write_sample(tmp_path / "corpus", 200, watcher=lambda progress: seen.append(progress.done))
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] <= 200
