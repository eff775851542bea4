"""What lies beside zips and is not read like one: volumes, parts with numbers, other archives, unfinished downloads, copies."""

import struct
import zipfile
from pathlib import Path

import pytest
from corpora import ANSWER_ZIP, REPEAT_ZIP, answers, member, stem, write_loose, write_zip, zip_bytes
from runs import counts_of, one_thread

from saturi.etl.corpus.discover import Form, discover
from saturi.etl.corpus.unread import is_archive
from saturi.etl.errors import ArchiveError, EmptyCorpusError, InputError
from saturi.etl.inspection.survey import inspect
from saturi.etl.pipeline.build import BuildResult, build
from saturi.etl.settings.options import BuildOptions

_END = struct.Struct("<4sHHHHLLH")


def _build(corpus: Path, out: Path, *, allowed: bool = False) -> BuildResult:
    options = BuildOptions(clean=False, validation=0, tokens=False, allow_bad_archives=allowed)
    return build([corpus], out, options, make_executor=one_thread)


def _cut(path: Path, content: bytes, names: list[str]) -> None:
    """Write *content* in as many pieces as there are *names*, which are put behind that of *path*."""
    path.parent.mkdir(parents=True, exist_ok=True)
    step = len(content) // len(names) + 1
    for number, name in enumerate(names):
        path.with_name(path.name + name).write_bytes(content[number * step : (number + 1) * step])


def _as_volumes(folder: Path, count: int) -> None:
    """Write a zip of several volumes, as zip -s does: the numbers of the last one stand in its end record."""
    content = bytearray(zip_bytes(answers(20)))
    at = len(content) - _END.size
    signature, _, _, entries, total, size, offset, comment = _END.unpack_from(content, at)
    step = len(content) // count + 1
    start = offset - (count - 1) * step  # in the last volume
    _END.pack_into(content, at, signature, count - 1, count - 1, entries, total, size, max(start, 0), comment)
    folder.mkdir()
    for number in range(count):
        name = "x.zip" if number == count - 1 else f"x.z{number + 1:02}"
        (folder / name).write_bytes(content[number * step : (number + 1) * step])


@pytest.mark.parametrize("count", [2, 3, 12])
def test_volumes_are_refused_with_how_to_join_them(tmp_path: Path, count: int) -> None:
    """A zip written in volumes is refused, where allowed left out and noted; and no volume is noted by itself."""
    _as_volumes(tmp_path / "corpus", count)
    with pytest.raises(ArchiveError, match=r"x\.zip: the last volume of a zip written in several .*; join the volumes"):
        _build(tmp_path / "corpus", tmp_path / "out")
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(12))
    result = _build(tmp_path / "corpus", tmp_path / "out", allowed=True)
    [warning] = [warning for warning in result.warnings if "x.z" in warning]
    assert "x.zip: left out, the last volume" in warning
    (tmp_path / "corpus" / "x.zip").unlink()
    [note] = discover([tmp_path / "corpus"]).notes
    assert "x.z01" in note
    assert "a volume of a zip whose last one (.zip) is missing" in note


@pytest.mark.parametrize("count", [1, 2, 12])
def test_parts_with_numbers_are_read(tmp_path: Path, count: int) -> None:
    """A zip cut into numbered pieces, as 7-Zip and Bandizip do it, is read as one, whichever of them is given."""
    path = tmp_path / "corpus" / ANSWER_ZIP
    _cut(path, zip_bytes(answers(12)), [f".{number:03}" for number in range(1, count + 1)])
    [archive] = discover([path.with_name(f"{path.name}.{count:03}")]).archives
    assert (archive.name, archive.form, len(archive.paths)) == (ANSWER_ZIP, Form.PARTS, count)
    _build(tmp_path / "corpus", tmp_path / "out")
    assert counts_of(tmp_path / "out")["examples"] == 12


@pytest.mark.parametrize(("lost", "missing"), [(1, "001"), (2, "002"), (11, "011")])
def test_a_missing_number_is_named(tmp_path: Path, lost: int, missing: str) -> None:
    """A gap between numbered parts is an error that names the one to download again; a last one missing is a zip cut off."""
    path = tmp_path / "corpus" / ANSWER_ZIP
    _cut(path, zip_bytes(answers(12)), [f".{number:03}" for number in range(1, 13)])
    path.with_name(f"{path.name}.{lost:03}").unlink()
    with pytest.raises(ArchiveError, match=rf"\.{missing} is missing; download the missing part again"):
        discover([tmp_path / "corpus"])


def test_numbered_parts_stand_in_for_a_broken_zip(tmp_path: Path) -> None:
    """Of a zip and its numbered parts the zip is read, the parts where it is broken, and none counts twice."""
    path = tmp_path / "corpus" / ANSWER_ZIP
    content = zip_bytes(answers(12))
    _cut(path, content, [".001", ".002", ".003"])
    for whole in (content, content[:99]):
        path.write_bytes(whole)
        _build(tmp_path / "corpus", tmp_path / "out")
        assert counts_of(tmp_path / "out")["label_files"] == 12


_ARCHIVES = [
    *("x.7z", "x.7z.001", "x.rar", "x.part1.rar", "x.r00", "x.egg", "x.alz", "setup.exe", "download.tar", "x.tar.gz"),
    *("x.tgz", "download.tar.part0", "x.json.gz", "X.RAR"),
]


@pytest.mark.parametrize("name", _ARCHIVES)
def test_archives_of_other_kinds_are_named(tmp_path: Path, name: str) -> None:
    """An archive that is no zip is named in a note with what to do, beside zips, alone, and as an argument."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(12))
    (tmp_path / "corpus" / name).write_bytes(b"x")
    [note] = discover([tmp_path / "corpus"]).notes
    assert note.startswith(f"{name}: not read, since only zips are; unpack it")
    with pytest.raises(InputError, match=r"not read, since only zips are; unpack it"):
        discover([tmp_path / "corpus" / name])
    (tmp_path / "corpus" / ANSWER_ZIP).unlink()
    with pytest.raises(EmptyCorpusError, match=r"no label archive found among 1 file; .*unpack it"):
        discover([tmp_path / "corpus"])


def test_notes_are_warnings(tmp_path: Path) -> None:
    """What is noted of files beside zips is a warning of a build and of an inspection."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(12))
    (tmp_path / "corpus" / "x.7z").write_bytes(b"x")
    notes = list(discover([tmp_path / "corpus"]).notes)
    assert _build(tmp_path / "corpus", tmp_path / "out").warnings == notes
    assert inspect(tmp_path / "corpus", make_executor=one_thread).warnings == notes


@pytest.mark.parametrize("name", ["x.zip.crdownload", "x.zip.part", "x.zip.opdownload", "x.zip.aria2"])
def test_unfinished_downloads_are_named(tmp_path: Path, name: str) -> None:
    """A file that a browser has not finished is named in a note."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(12))
    (tmp_path / "corpus" / name).write_bytes(b"x")
    [note] = discover([tmp_path / "corpus"]).notes
    assert note == f"{name}: not read, since its download is not finished; download it again"


@pytest.mark.parametrize("name", ["readme.txt", "x.pdf", "x.wav", "TS_02._경상도.7z", "01.원천데이터/x.tar", "._x.z"])
def test_other_files_are_only_counted(tmp_path: Path, name: str) -> None:
    """Files that hold no label files, recordings in any kind of archive among them, are counted and not noted."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(12))
    (tmp_path / "corpus" / name).parent.mkdir(exist_ok=True)
    (tmp_path / "corpus" / name).write_bytes(b"x")
    found = discover([tmp_path / "corpus"])
    assert (found.notes, found.ignored_files) == ((), 1)


def test_many_are_one_note(tmp_path: Path) -> None:
    """However many archives of other kinds there are, they are one sentence."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(12))
    for number in range(50):
        (tmp_path / "corpus" / f"{number:02}.7z").write_bytes(b"x")
    [note] = discover([tmp_path / "corpus"]).notes
    assert note.startswith("00.7z and 49 more: ")


def test_zips_within_a_zip_are_named(tmp_path: Path) -> None:
    """A zip that holds zips is noted, and one that holds nothing else is refused with what to do."""
    inner = ("inner/" + REPEAT_ZIP, zip_bytes(answers(3)))
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, [*answers(12), inner])
    [warning] = _build(tmp_path / "corpus", tmp_path / "out").warnings
    assert warning == f"{ANSWER_ZIP}: 1 archive within it not read; unpack it into the corpus"
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, [inner])
    with pytest.raises(ArchiveError, match=r"no label file in it, but 1 other archive; unpack it into the corpus"):
        _build(tmp_path / "corpus", tmp_path / "other")
    assert is_archive(REPEAT_ZIP.encode("cp949"))


def _listed_again(path: Path, number: int, times: int) -> None:
    """Let the directory of the zip at *path* list its member *number* again, *times* times, at its end."""
    content = path.read_bytes()
    at = len(content) - _END.size
    signature, disk, first, entries, total, size, offset, comment = _END.unpack_from(content, at)
    begin = offset
    for _ in range(number):
        begin += 46 + sum(struct.unpack_from("<HHH", content, begin + 28))
    entry = content[begin : begin + 46 + sum(struct.unpack_from("<HHH", content, begin + 28))]
    count, length = entries + times, size + times * len(entry)
    end = _END.pack(signature, disk, first, count, total + times, length, offset, comment)
    path.write_bytes(content[:at] + entry * times + end)


@pytest.mark.parametrize("times", [1, 3])
def test_a_member_listed_again_is_read_once(tmp_path: Path, times: int) -> None:
    """A member that the directory lists several times is read once and noted; the others count as entries of no label file."""
    path = write_zip(tmp_path / "corpus" / ANSWER_ZIP, answers(12))
    _listed_again(path, 4, times)
    assert len(zipfile.ZipFile(path).infolist()) == 12 + times
    members = "1 member" if times == 1 else f"{times} members"
    for _ in range(2):  # from the directory, and from the layout in the stage
        [warning] = _build(tmp_path / "corpus", tmp_path / "out").warnings
        assert warning == f"{ANSWER_ZIP}: its directory lists {members} a second time; each is read once"
        counts = counts_of(tmp_path / "out")
        assert (counts["label_files"], counts["examples"], counts["ignored"]) == (12, 12, times)


@pytest.mark.parametrize("below", ["", "wrapper/", "a/b/"])
def test_a_zip_beside_what_was_unpacked_from_it(tmp_path: Path, below: str) -> None:
    """A zip beside the folders unpacked from it is noted, whatever is in between, in a build and in an inspection."""
    members = [*answers(12), *answers(11, "나", 50)]
    write_zip(
        tmp_path / "corpus" / ANSWER_ZIP,
        [(f"{number % 2}/{name}", text) for number, (name, text) in enumerate(members)],
    )
    for part in range(2):
        write_loose(tmp_path / "corpus" / "unpacked" / below / str(part), members[part::2])
    note = f"unpacked{'/' + below if below else ''}".rstrip("/")
    expected = f"{note}: the same label files as in {ANSWER_ZIP}; they count twice, remove one of the two"
    assert _build(tmp_path / "corpus", tmp_path / "out").warnings == [expected]
    assert expected in inspect(tmp_path / "corpus", make_executor=one_thread).warnings
    (tmp_path / "corpus" / "unpacked" / below / "1" / members[1][0]).unlink()
    assert _build(tmp_path / "corpus", tmp_path / "less").warnings == []


def test_several_zips_unpacked_into_one_folder(tmp_path: Path) -> None:
    """A folder with what several zips hold together is noted."""
    repeated = [member(stem("st", f"{n}", n), f"가 {n}", "나") for n in range(12)]
    write_zip(tmp_path / "corpus" / "zips" / ANSWER_ZIP, answers(12))
    write_zip(tmp_path / "corpus" / "zips" / REPEAT_ZIP, repeated)
    write_loose(tmp_path / "corpus" / "all", [*answers(12), *repeated])
    [warning] = _build(tmp_path / "corpus", tmp_path / "out").warnings
    assert warning.startswith("all: the same label files as in the zips in zips; they count twice")


def test_an_empty_zip_and_an_empty_label_file(tmp_path: Path) -> None:
    """A zip in which nothing is, and a label file without a byte, are told from damaged ones."""
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, [])
    with pytest.raises(ArchiveError, match=r"nothing is in it; download it again"):
        _build(tmp_path / "corpus", tmp_path / "out")
    write_zip(tmp_path / "corpus" / ANSWER_ZIP, [("a.json", b"")])
    result = _build(tmp_path / "corpus", tmp_path / "out")
    assert any("no example is left: no label file could be read" in failure for failure in result.failures)
    assert b"the file is empty" in (tmp_path / "out" / "rejects.jsonl").read_bytes()
